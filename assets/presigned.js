// Presigned URLs: signed once, kept until they end, known by the id of what they play (a clip, or a video's master).

const PREFETCH_BYTES = 512 * 1024;
const PREFETCH_BUDGET = 48 * 1024 * 1024;
const KINDS = { 401: "unauthorized", 404: "missing" };

const cache = new Map(); // source id → {url, expires, life}: ms, expires by the server's clock
const pending = new Map();
const fetched = new Set(); // URLs whose first bytes the browser has
let prefetchedBytes = 0;

export class UrlError extends Error {
  constructor(kind) {
    super(kind);
    this.kind = kind; // unauthorized, missing, failed or offline
  }
}

// How far the server's clock is ahead of the browser's. News from the server is always older than its arrival, so the largest
// difference seen is the nearest one; an answer also cannot be older than its question, which mends a browser's clock that was set.
let skew = -Infinity;

function observe(serverNow, askedAt) {
  skew = Math.max(skew, serverNow - Date.now());
  if (askedAt) skew = Math.min(skew, serverNow + 1_000 - askedAt); // an HTTP Date has whole seconds
}

// What is left of a URL, ms; a little less than the truth, since news takes time to arrive and requests to be sent.
export const leftOf = (entry) => entry.expires - Math.min(5_000, entry.life * 0.1) - Date.now() - skew;
export const lead = (entry) => Math.min(60_000, entry.life * 0.2);
export const isFresh = (entry) => entry !== undefined && leftOf(entry) > lead(entry) / 2;
export const cached = (sourceId) => cache.get(sourceId);
export const markOpened = (entry) => fetched.add(entry.url);
export const forget = (sourceId) => cache.delete(sourceId);

function keep(sourceId, url, expires, now) {
  const known = cache.get(sourceId);
  if (known?.url !== url && !(known?.expires >= expires)) cache.set(sourceId, { url, expires, life: expires - now });
}

// Takes what the page has signed ahead: {source id: {url, expires, now}}.
export function accept(urls) {
  for (const [sourceId, { url, expires, now }] of Object.entries(urls)) {
    observe(now);
    keep(sourceId, url, expires, now);
  }
}

// Asks the API to sign; raises UrlError.
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
  const now = Date.parse(response.headers.get("Date")) || Date.now();
  observe(now, askedAt);
  return { url, expires: Date.parse(expiresAt), now };
}

// A new URL for a source, kept; asked for once, however many want it.
export function renewed(videoId, s3Key, sourceId) {
  if (!pending.has(sourceId)) {
    const request = (sourceId === videoId ? sign(videoId, "master", {}) : sign(videoId, "download", { s3Key }))
      .then(({ url, expires, now }) => {
        keep(sourceId, url, expires, now);
        return cache.get(sourceId);
      })
      .finally(() => pending.delete(sourceId));
    pending.set(sourceId, request);
  }
  return pending.get(sourceId);
}

// What the store says of a URL: ok, missing, refused, offline, or unknown where CORS hides the answer.
export async function probe(url) {
  try {
    const response = await fetch(url, { headers: { Range: "bytes=0-0" }, cache: "no-store" });
    if (response.status === 404) return "missing";
    return response.ok ? "ok" : "refused";
  } catch {
    return new URL(url, location.href).origin === location.origin ? "offline" : "unknown";
  }
}

// The first bytes of sources that may be opened next, in turn: within a budget, and not when the viewer saves data.
export async function fetchAhead(sourceIds, signal) {
  if (navigator.connection?.saveData) return;
  for (const sourceId of sourceIds) {
    const entry = cache.get(sourceId);
    if (signal.aborted || prefetchedBytes > PREFETCH_BUDGET) return;
    if (isFresh(entry) && !fetched.has(entry.url)) await fetchHead(entry.url, signal);
  }
}

async function fetchHead(url, signal) {
  if (new URL(url, location.href).origin !== location.origin) return loadHead(url, signal);
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

// A bucket of another origin may not let scripts read it, and every refusal is an error in the console. A media element needs no
// leave: one outside the page reads the beginning, which is counted as a whole portion.
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
