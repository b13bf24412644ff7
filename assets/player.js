// The clip player: keeps one <video> supplied with presigned URLs that never let the viewer down.
//
// <clip-player> wraps the media controls that the page renders. The page says what to show (attributes); the player says what happened
// (events). Attributes: video-id, source-id (clip id, or the video's id for its master), clip-id, s3-key, start-ms and end-ms (a range
// of the master), urls (JSON {source id: {url, expires, now}}, ms), ahead (JSON [[source id, key], …], what may be opened next).
// Events: ClipUnauthorized, ClipMissing, ClipFailed, ClipOffline, ClipNavigated {clip}, DownloadFailed, KeyCopied, KeyNotCopied.

const PREFETCH_BYTES = 512 * 1024;
const PREFETCH_BUDGET = 48 * 1024 * 1024;
const cache = new Map(); // source id → {url, expires, life}, moments by the browser's clock
const prefetched = new Set();
let prefetchedBytes = 0;

class UrlError extends Error {
  constructor(kind) {
    super(kind);
    this.kind = kind; // unauthorized, missing, failed or offline
  }
}

const KINDS = { 401: "unauthorized", 403: "failed", 404: "missing" };
const EVENTS = { unauthorized: "ClipUnauthorized", missing: "ClipMissing", failed: "ClipFailed", offline: "ClipOffline" };

function remember(sourceId, url, expires, serverNow) {
  const skew = serverNow - Date.now();
  const known = cache.get(sourceId);
  const entry = { url, expires: expires - skew, life: expires - serverNow };
  if (!known || known.expires < entry.expires) cache.set(sourceId, entry);
  return cache.get(sourceId);
}

const leftOf = (entry) => (entry ? entry.expires - Date.now() : 0);
const lead = (entry) => Math.min(60_000, entry.life * 0.2);
const isFresh = (entry) => leftOf(entry) > (entry ? lead(entry) / 2 : 0);

async function post(videoId, verb, body) {
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
  return { url, expires: Date.parse(expiresAt), now: Date.parse(response.headers.get("Date")) || Date.now() };
}

const pending = new Map();

function getSignedUrl(videoId, s3Key, sourceId) {
  if (!pending.has(sourceId)) {
    const request = (sourceId === videoId ? post(videoId, "master", {}) : post(videoId, "download", { s3Key }))
      .then(({ url, expires, now }) => remember(sourceId, url, expires, now))
      .finally(() => pending.delete(sourceId));
    pending.set(sourceId, request);
  }
  return pending.get(sourceId);
}

// What the store says of a URL: ok, missing, refused, or offline (also where CORS hides the answer).
async function probe(url) {
  try {
    const response = await fetch(url, { headers: { Range: "bytes=0-0" }, cache: "no-store" });
    if (response.status === 404) return "missing";
    return response.ok ? "ok" : "refused";
  } catch {
    return new URL(url, location.href).origin === location.origin ? "offline" : "unknown";
  }
}

function isBuffered(video, time, ahead = 0) {
  for (let i = 0; i < video.buffered.length; i++) {
    const end = Math.min(time + ahead, (video.duration || Infinity) - 0.3);
    if (video.buffered.start(i) <= time + 0.1 && video.buffered.end(i) >= end) return true;
  }
  return false;
}

const isWhollyBuffered = (video) => video.duration > 0 && isBuffered(video, 0, video.duration);

class ClipPlayer extends HTMLElement {
  static observedAttributes = ["source-id", "clip-id", "s3-key", "urls", "start-ms", "ahead"];

  #opened = null; // {sourceId, clipId, entry}
  #generation = 0;
  #scheduled = false;
  #renewal = 0;
  #lastRepair = 0;
  #prefetching = null;
  #listeners = null;
  #position = 0;

  connectedCallback() {
    this.#listeners = new AbortController();
    const options = { signal: this.#listeners.signal };
    const capture = { ...options, capture: true };
    for (const type of ["seeking", "waiting", "stalled", "play", "error", "playing", "timeupdate", "loadeddata"]) {
      this.addEventListener(type, (event) => event.target === this.video && this.#onMedia(type), capture);
    }
    this.addEventListener("mediaseekrequest", (event) => this.#beforeSeek(event), capture);
    this.addEventListener("click", (event) => event.target.closest("[data-action=load]") && this.retry(), options);
    addEventListener("popstate", () => this.#onPopState(), options);
    addEventListener("online", () => this.dataset.state === "offline" && this.retry(), options);
    document.addEventListener("visibilitychange", () => this.#renewWhenDue(), options);
    this.#schedule();
  }

  disconnectedCallback() {
    this.#listeners?.abort();
    this.#prefetching?.abort();
    clearTimeout(this.#renewal);
    this.#opened = null;
  }

  attributeChangedCallback() {
    this.#schedule();
  }

  get video() {
    return this.querySelector("video");
  }

  // Sign anew and start where the clip was.
  retry() {
    cache.delete(this.getAttribute("source-id"));
    const at = this.#position;
    this.#open({ at });
  }

  // Attributes change one after the other; look at them together.
  #schedule() {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      if (this.isConnected) this.#sync();
    });
  }

  #sync() {
    for (const [sourceId, { url, expires, now }] of Object.entries(JSON.parse(this.getAttribute("urls") || "{}"))) {
      remember(sourceId, url, expires, now);
    }
    const clipId = this.getAttribute("clip-id");
    if (!clipId || !this.video) return;
    if (this.#opened?.clipId !== clipId || this.#opened.sourceId !== this.getAttribute("source-id")) {
      this.#writeAddress(clipId);
      this.#open({ at: this.#start() });
    } else if (this.dataset.state === "ready") {
      this.#prefetch();
    }
  }

  #start() {
    return Number(this.getAttribute("start-ms") || 0) / 1000;
  }

  async #open({ at, paused = false, rate = null }) {
    const generation = ++this.#generation;
    const sourceId = this.getAttribute("source-id");
    const known = cache.get(sourceId);
    const sameSource = this.#opened?.sourceId === sourceId && this.dataset.state === "ready" && !this.video.error;
    this.#prefetching?.abort();
    this.#position = at;
    const previous = this.#opened;
    this.#opened = { sourceId, clipId: this.getAttribute("clip-id"), entry: previous?.entry };
    if (sameSource && (leftOf(previous.entry) > 0 || isBuffered(this.video, at, 1))) {
      this.video.currentTime = at;
      this.#play();
      return;
    }
    if (isFresh(known)) {
      this.#load(known, { at, paused, rate });
      return;
    }
    if (previous && previous.sourceId !== sourceId) this.#unload();
    this.dataset.state = "loading";
    try {
      const entry = await getSignedUrl(this.getAttribute("video-id"), this.getAttribute("s3-key"), sourceId);
      if (generation === this.#generation) this.#load(entry, { at, paused, rate });
    } catch (error) {
      if (generation === this.#generation) this.#fail(error);
    }
  }

  #load(entry, { at = 0, paused = false, rate = null }) {
    const video = this.video;
    this.#opened.entry = entry;
    this.dataset.state = "loading";
    video.autoplay = !paused;
    if (video.src !== entry.url) video.src = entry.url;
    else video.load();
    if (rate) video.playbackRate = rate;
    if (at > 0) video.currentTime = at;
    if (!paused) this.#play();
    this.#scheduleRenewal();
  }

  #unload() {
    const video = this.video;
    video.pause();
    video.removeAttribute("src");
    video.load();
  }

  async #play() {
    const video = this.video;
    try {
      await video.play();
    } catch (error) {
      if (error.name !== "NotAllowedError" || video.muted) return;
      video.muted = true; // a browser that forbids sound without a gesture allows silence
      video.play().catch(() => {});
    }
  }

  #fail(error) {
    const kind = error instanceof UrlError ? error.kind : "failed";
    this.dataset.state = kind;
    this.#emit(EVENTS[kind]);
  }

  #emit(type, detail = {}) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  #onMedia(type) {
    const video = this.video;
    const entry = this.#opened?.entry;
    if (!entry) return;
    const expired = leftOf(entry) <= 0;
    if (type === "loadeddata" || type === "playing") {
      this.dataset.state = "ready";
      this.#prefetch();
    } else if (type === "timeupdate") {
      if (!video.seeking && video.readyState > 1) this.#position = video.currentTime;
      this.#loopRange();
    } else if (type === "error") {
      if (video.error && video.getAttribute("src")) this.#repair();
    } else if (type === "seeking") {
      this.#position = video.currentTime;
      if (expired && !isBuffered(video, video.currentTime)) this.#heal();
    } else if (type === "play" || type === "waiting") {
      if (expired && !isBuffered(video, video.currentTime, 1)) this.#heal();
    } else if (type === "stalled" && video.readyState < 3) {
      if (expired) this.#heal();
      else this.#repair();
    }
  }

  #loopRange() {
    const end = Number(this.getAttribute("end-ms") || 0) / 1000;
    const video = this.video;
    if (end && this.getAttribute("start-ms") && video.currentTime >= end && video.currentTime < end + 1) video.currentTime = this.#start();
  }

  // A new URL for what plays: same place, same speed, still paused if it was.
  async #heal(at = this.video.currentTime) {
    const video = this.video;
    const generation = this.#generation;
    const { sourceId } = this.#opened;
    try {
      let entry = cache.get(sourceId);
      if (!isFresh(entry)) entry = await getSignedUrl(this.getAttribute("video-id"), this.getAttribute("s3-key"), sourceId);
      if (generation !== this.#generation || this.#opened.entry === entry) return;
      this.#holdFrame();
      this.#load(entry, { at, paused: video.paused, rate: video.playbackRate });
    } catch (error) {
      if (generation === this.#generation) this.#fail(error);
    }
  }

  // Playback failed: ask the store why, then mend it once or say what is wrong.
  async #repair() {
    const generation = this.#generation;
    const entry = this.#opened.entry;
    const paused = this.video.paused && !this.video.autoplay;
    const verdict = await probe(entry.url);
    if (generation !== this.#generation || this.#opened?.entry !== entry) return;
    if (verdict === "missing" || verdict === "offline") return this.#fail(new UrlError(verdict));
    if (verdict === "ok" && !this.video.error) return;
    if (Date.now() - this.#lastRepair < 5_000) return this.#fail(new UrlError("failed"));
    this.#lastRepair = Date.now();
    cache.delete(this.#opened.sourceId);
    this.#open({ at: this.#position, paused, rate: this.video.playbackRate });
  }

  // The controls ask for a seek: give an expired URL its successor first, so that no request is made with it.
  #beforeSeek(event) {
    const entry = this.#opened?.entry;
    if (!entry || leftOf(entry) > 0 || isBuffered(this.video, event.detail)) return;
    event.stopImmediatePropagation();
    this.#heal(event.detail);
  }

  #scheduleRenewal() {
    clearTimeout(this.#renewal);
    const entry = this.#opened?.entry;
    if (entry) this.#renewal = setTimeout(() => this.#renew(), Math.max(500, leftOf(entry) - lead(entry)));
  }

  #renewWhenDue() {
    const entry = this.#opened?.entry;
    if (document.visibilityState === "visible" && entry && leftOf(entry) < lead(entry)) this.#renew();
  }

  // Have the next URL ready before the present one ends. A running clip keeps its own; a paused one changes over when it ends.
  async #renew() {
    const generation = this.#generation;
    const { sourceId, entry } = this.#opened ?? {};
    if (!entry) return;
    try {
      if (!isFresh(cache.get(sourceId)) || cache.get(sourceId) === entry) {
        await getSignedUrl(this.getAttribute("video-id"), this.getAttribute("s3-key"), sourceId);
      }
    } catch {
      if (generation === this.#generation) this.#renewal = setTimeout(() => this.#renew(), 5_000);
      return;
    }
    if (generation !== this.#generation || this.#opened?.entry !== entry) return;
    if (cache.get(sourceId) === entry) {
      this.#renewal = setTimeout(() => this.#renew(), Math.max(500, leftOf(entry) / 2));
      return;
    }
    this.#renewal = setTimeout(() => {
      const video = this.video;
      if (this.#opened?.entry === entry && video?.paused && !video.ended && !isWhollyBuffered(video)) this.#heal();
    }, Math.max(0, leftOf(entry)));
  }

  // Keeps the last picture on screen while the element changes over.
  #holdFrame() {
    const video = this.video;
    if (!video.videoWidth || video.readyState < 2) return;
    const canvas = document.createElement("canvas");
    canvas.className = "clip-player-hold";
    canvas.width = video.videoWidth;
    canvas.height = video.videoHeight;
    canvas.getContext("2d").drawImage(video, 0, 0);
    this.append(canvas);
    const drop = () => canvas.remove();
    video.addEventListener("seeked", drop, { once: true });
    video.addEventListener("playing", drop, { once: true });
    setTimeout(drop, 1_500);
  }

  // The first bytes of what may be opened next, within a budget and not when the viewer saves data.
  async #prefetch() {
    if (navigator.connection?.saveData || this.#prefetching) return;
    const controller = (this.#prefetching = new AbortController());
    controller.signal.addEventListener("abort", () => (this.#prefetching = null));
    for (const [sourceId] of JSON.parse(this.getAttribute("ahead") || "[]")) {
      const entry = cache.get(sourceId);
      if (controller.signal.aborted) return;
      if (!isFresh(entry) || prefetched.has(entry.url) || prefetchedBytes > PREFETCH_BUDGET) continue;
      await fetchHead(entry.url, controller.signal);
    }
    this.#prefetching = null;
  }

  #writeAddress(clipId) {
    const here = new URL(location.href);
    if (here.searchParams.get("clip") === clipId) return;
    const first = !this.#opened;
    here.searchParams.set("clip", clipId);
    here.searchParams.delete("tab");
    const state = first ? history.state : { ...history.state, idx: (history.state?.idx ?? 0) + 1, key: Math.random().toString(36).slice(2) };
    history[first ? "replaceState" : "pushState"](state, "", here);
  }

  #onPopState() {
    const clip = new URL(location.href).searchParams.get("clip");
    if (clip && clip !== this.getAttribute("clip-id")) this.#emit("ClipNavigated", { clip });
  }
}

async function fetchHead(url, signal) {
  const sameOrigin = new URL(url, location.href).origin === location.origin;
  try {
    const response = await fetch(url, {
      headers: { Range: `bytes=0-${PREFETCH_BYTES - 1}` },
      credentials: sameOrigin ? "include" : "omit",
      priority: "low",
      signal,
    });
    if (response.status !== 206) return;
    prefetchedBytes += (await response.arrayBuffer()).byteLength;
    prefetched.add(url);
  } catch {
    // Prefetching only ever helps; without CORS on the bucket, or offline, the click loads as usual.
  }
}

async function copyText(text) {
  if (navigator.clipboard && isSecureContext) {
    await navigator.clipboard.writeText(text);
    return true;
  }
  // Plain HTTP in a LAN has no clipboard API.
  const area = document.createElement("textarea");
  area.value = text;
  area.style.cssText = "position:fixed;opacity:0";
  document.body.append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  return copied;
}

async function download(videoId, s3Key) {
  const { url } = await post(videoId, "download", { s3Key, download: true });
  window.open(url, "_blank", "noopener");
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-action=download], [data-action=copy]");
  const player = document.querySelector("clip-player");
  if (!button || !player) return;
  const report = (type) => player.dispatchEvent(new CustomEvent(type, { detail: {} }));
  if (button.dataset.action === "copy") {
    report((await copyText(button.dataset.key).catch(() => false)) ? "KeyCopied" : "KeyNotCopied");
    return;
  }
  try {
    await download(button.dataset.video, button.dataset.key);
  } catch (error) {
    report(error.kind === "unauthorized" ? "ClipUnauthorized" : "DownloadFailed");
  }
});

// Arrow keys move through the list as through any listbox.
document.addEventListener("keydown", (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const list = event.target.closest?.("[role=listbox]");
  if (!step || !list || event.target.closest("input, button[role=checkbox]")) return;
  const options = [...list.querySelectorAll("[role=option]")];
  const at = options.findIndex((option) => option.getAttribute("aria-selected") === "true");
  const next = options[at + step];
  event.preventDefault();
  if (!next) return;
  next.click();
  next.scrollIntoView({ block: "nearest" });
});

customElements.define("clip-player", ClipPlayer);
