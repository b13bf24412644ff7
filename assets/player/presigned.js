// Presigned URLs: signed once, cached until they expire, by the id of their source (a clip, or a video for its master).

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

// How far the server's clock is ahead of the browser's. A time from the server is always older than its arrival, so the largest difference
// seen is the closest. A response cannot be older than its request either, which corrects the value after the browser's clock was set.
let skew = -Infinity;

/**
 * @param {number} serverNow
 * @param {number} [askedAt]
 */
function observeClock(serverNow, askedAt) {
  skew = Math.max(skew, serverNow - Date.now());
  if (askedAt) skew = Math.min(skew, serverNow + 1_000 - askedAt); // an HTTP Date has whole seconds
}

/**
 * Returns the remaining life of a URL in ms, with a margin for the time that messages and requests take.
 *
 * @param {Entry} entry
 */
export const remainingLife = (entry) => entry.expires - Math.min(5_000, entry.life * 0.1) - Date.now() - skew;
/**
 * Returns how long before its expiry a URL is renewed, in ms.
 *
 * @param {Entry} entry
 */
export const renewalLead = (entry) => Math.min(60_000, entry.life * 0.2);
/**
 * @param {Entry | undefined} entry
 * @returns {entry is Entry}
 */
export const isFresh = (entry) => entry !== undefined && remainingLife(entry) > renewalLead(entry) / 2;
/** @param {string} sourceId */
export const cached = (sourceId) => cache.get(sourceId);
/** @param {Entry} entry */
export const markOpened = (entry) => fetched.add(entry.url);
/** @param {string} sourceId */
export const forget = (sourceId) => cache.delete(sourceId);

/**
 * Caches the URL that expires last. Returns the cached entry.
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
 * Caches URLs that the server has signed ahead.
 *
 * @param {Record<string, Signed>} urls by source id
 */
export function accept(urls) {
  for (const [sourceId, signed] of Object.entries(urls)) {
    observeClock(signed.now);
    keep(sourceId, signed);
  }
}

/**
 * Requests a signed URL from the API. Throws UrlError.
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
  observeClock(now, askedAt);
  return { url, expires: Date.parse(expiresAt), now };
}

/**
 * Returns a new URL for a source and caches it. Concurrent calls share one request.
 *
 * @param {string} videoId
 * @param {string} s3Key
 * @param {string} sourceId
 * @returns {Promise<Entry>}
 */
export function renew(videoId, s3Key, sourceId) {
  const running = pending.get(sourceId);
  if (running) return running;
  const request = (sourceId === videoId ? sign(videoId, "master", {}) : sign(videoId, "download", { s3Key }))
    .then((signed) => keep(sourceId, signed))
    .finally(() => pending.delete(sourceId));
  pending.set(sourceId, request);
  return request;
}

/**
 * Returns the store's answer to a request with a URL; "unknown" if CORS hides it.
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
 * Fetches the first bytes of sources that are likely to be opened next, one by one, within a budget, and not in data saver mode.
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
    // Fetching ahead is optional: the click loads the clip as usual.
  }
}

/**
 * Loads the first bytes from another origin. Its CORS rules may not let scripts read it, and every refusal is an error in the console; a
 * media element needs no CORS. One outside the page reads the beginning, which counts as PREFETCH_BYTES.
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
