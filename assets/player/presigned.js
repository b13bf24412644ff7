// Presigned URLs: signed once, kept until they end, known by the id of what they play (a clip, or a video's master).

const PREFETCH_BYTES = 512 * 1024;
const PREFETCH_BUDGET = 48 * 1024 * 1024;
/** @type {Record<number, UrlErrorKind>} */
const KINDS = { 401: "unauthorized", 404: "missing" };

/** @typedef {"unauthorized" | "missing" | "failed" | "offline" | "unplayable"} UrlErrorKind */
/** @typedef {{url: string, expires: number, life: number}} Entry  times in ms, `expires` by the server's clock */
/** @typedef {{url: string, expires: number, now: number}} Signed  times in ms, by the server's clock */

/** @type {Map<string, Entry>} by source id */
const cache = new Map();
/** @type {Map<string, Promise<Entry>>} by source id */
const pending = new Map();
/** @type {Set<string>} URLs whose first bytes the browser has */
const fetched = new Set();
let prefetchedBytes = 0;

export class UrlError extends Error {
  /** @param {UrlErrorKind} kind */
  constructor(kind) {
    super(kind);
    this.kind = kind;
  }
}

// How far the server's clock is ahead of the browser's. News from the server is always older than its arrival, so the largest
// difference seen is the nearest one; an answer also cannot be older than its question, which mends a browser's clock that was set.
let skew = -Infinity;

/**
 * @param {number} serverNow
 * @param {number} [askedAt]
 */
function observe(serverNow, askedAt) {
  skew = Math.max(skew, serverNow - Date.now());
  if (askedAt) skew = Math.min(skew, serverNow + 1_000 - askedAt); // an HTTP Date has whole seconds
}

/**
 * What is left of a URL, ms; a little less than the truth, since news takes time to arrive and requests to be sent.
 *
 * @param {Entry} entry
 */
export const leftOf = (entry) => entry.expires - Math.min(5_000, entry.life * 0.1) - Date.now() - skew;
/** @param {Entry} entry */
export const lead = (entry) => Math.min(60_000, entry.life * 0.2);
/**
 * @param {Entry | undefined} entry
 * @returns {entry is Entry}
 */
export const isFresh = (entry) => entry !== undefined && leftOf(entry) > lead(entry) / 2;
/** @param {string} sourceId */
export const cached = (sourceId) => cache.get(sourceId);
/** @param {Entry} entry */
export const markOpened = (entry) => fetched.add(entry.url);
/** @param {string} sourceId */
export const forget = (sourceId) => cache.delete(sourceId);

/**
 * Keeps the one that ends last; gives what is kept.
 *
 * @param {string} sourceId
 * @param {Signed} signed
 * @returns {Entry}
 */
function keep(sourceId, { url, expires, now }) {
  const known = cache.get(sourceId);
  if (known && (known.url === url || known.expires >= expires)) return known;
  const entry = { url, expires, life: expires - now };
  cache.set(sourceId, entry);
  return entry;
}

/**
 * Takes what the page has signed ahead.
 *
 * @param {Record<string, Signed>} urls by source id
 */
export function accept(urls) {
  for (const [sourceId, signed] of Object.entries(urls)) {
    observe(signed.now);
    keep(sourceId, signed);
  }
}

/**
 * Asks the API to sign; raises UrlError.
 *
 * @param {string} videoId
 * @param {"master" | "download"} verb
 * @param {{s3Key?: string, download?: boolean}} body
 * @returns {Promise<Signed>}
 */
export async function sign(videoId, verb, body) {
  const askedAt = Date.now();
  let response;
  try {
    response = await fetch(`/api/clips/videos/${encodeURIComponent(videoId)}/${verb}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
      cache: "no-store",
    });
  } catch {
    throw new UrlError("offline");
  }
  if (!response.ok) throw new UrlError(KINDS[response.status] ?? "failed");
  const { url, expiresAt } = await response.json();
  const now = Date.parse(response.headers.get("Date") ?? "") || Date.now();
  observe(now, askedAt);
  return { url, expires: Date.parse(expiresAt), now };
}

/**
 * A new URL for a source, kept; asked for once, however many want it.
 *
 * @param {string} videoId
 * @param {string} s3Key
 * @param {string} sourceId
 * @returns {Promise<Entry>}
 */
export function renewed(videoId, s3Key, sourceId) {
  const underWay = pending.get(sourceId);
  if (underWay) return underWay;
  const request = (sourceId === videoId ? sign(videoId, "master", {}) : sign(videoId, "download", { s3Key }))
    .then((signed) => keep(sourceId, signed))
    .finally(() => pending.delete(sourceId));
  pending.set(sourceId, request);
  return request;
}

/**
 * What the store says of a URL; unknown where CORS hides the answer.
 *
 * @param {string} url
 * @returns {Promise<"ok" | "missing" | "refused" | "offline" | "unknown">}
 */
export async function probe(url) {
  try {
    const response = await fetch(url, { headers: { Range: "bytes=0-0" }, cache: "no-store" });
    if (response.status === 404) return "missing";
    return response.ok ? "ok" : "refused";
  } catch {
    return isOfThisOrigin(url) ? "offline" : "unknown";
  }
}

/** @param {string} url */
const isOfThisOrigin = (url) => new URL(url, location.href).origin === location.origin;

/**
 * The first bytes of sources that may be opened next, in turn: within a budget, and not when the viewer saves data.
 *
 * @param {string[]} sourceIds
 * @param {AbortSignal} signal
 */
export async function fetchAhead(sourceIds, signal) {
  const { connection } = /** @type {Navigator & {connection?: {saveData: boolean}}} */ (navigator);
  if (connection?.saveData) return;
  for (const sourceId of sourceIds) {
    const entry = cache.get(sourceId);
    if (signal.aborted || prefetchedBytes > PREFETCH_BUDGET) return;
    if (isFresh(entry) && !fetched.has(entry.url)) await (isOfThisOrigin(entry.url) ? fetchHead : loadHead)(entry.url, signal);
  }
}

/**
 * @param {string} url
 * @param {AbortSignal} signal
 */
async function fetchHead(url, signal) {
  try {
    const response = await fetch(url, {
      headers: { Range: `bytes=0-${PREFETCH_BYTES - 1}` },
      priority: "low",
      signal,
    });
    if (response.status !== 206) return;
    prefetchedBytes += (await response.arrayBuffer()).byteLength;
    fetched.add(url);
  } catch {
    // Fetching ahead only ever helps; offline, the click loads as usual.
  }
}

/**
 * A bucket of another origin may not let scripts read it, and every refusal is an error in the console. A media element needs no
 * leave: one outside the page reads the beginning, which is counted as a whole portion.
 *
 * @param {string} url
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
function loadHead(url, signal) {
  return new Promise((resolve) => {
    const reader = document.createElement("video");
    const done = () => {
      reader.onloadeddata = reader.onerror = null;
      signal.removeEventListener("abort", done);
      reader.removeAttribute("src");
      reader.load();
      resolve();
    };
    signal.addEventListener("abort", done);
    reader.onerror = done;
    reader.onloadeddata = () => {
      prefetchedBytes += PREFETCH_BYTES;
      fetched.add(url);
      done();
    };
    reader.muted = true;
    reader.preload = "metadata";
    reader.src = url;
  });
}
