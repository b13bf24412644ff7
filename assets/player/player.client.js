// The clip player: one <video> whose presigned URLs are renewed before they expire.
//
// <clip-player> wraps the media controls that the page renders. The page says what to show (attributes); the player says what happened
// (events). Attributes: video-id, source-id (clip id, or the video's id for its master), clip-id, s3-key, start-ms and end-ms (a range
// of the master), place (position in the list, from 1), urls (JSON {source id: {url, expires, now}}, ms), ahead (JSON [source id, …], sources
// that are likely to be opened next).
// Events: ClipUnauthorized, ClipMissing, ClipFailed, ClipOffline, ClipUnplayable, ClipNavigated {clip}, and those of clip_actions.client.js.
// data-state is what the screen shows: loading, ready, or the kind of error that the page has a notice for.
//
// A script, since it depends on the media element, whose events and buffers exist only in the browser.

import { clipInAddress, writeClipToAddress } from "../clips/clip_address.js";
import { reveal } from "../clips/clip_list.client.js";
import { closest } from "../frame/event_target.js";
import { UrlError, accept, cached, forget, isFresh, markOpened, probe } from "./presigned.js";
import { Sound } from "./sound.js";
import { UrlSupply, sourceUrl } from "./url_supply.js";
import { holdFrame, isBuffered, isWhollyBuffered } from "./video_element.js";

/** @import { Entry } from "./presigned.js" */

/** @typedef {{at: number, paused?: boolean}} Playback  at in seconds; without paused the video stays as it is */

const EVENTS = {
  unauthorized: "ClipUnauthorized",
  missing: "ClipMissing",
  failed: "ClipFailed",
  offline: "ClipOffline",
  unplayable: "ClipUnplayable",
};
const REPAIRED_MS = 10_000; // a source that fails again within this time is not reloaded
const LEFT_RANGE = 1; // seconds past its end after which the viewer counts as having left a range
const LOOP_AHEAD = 0.4; // seconds before the end of a range at which a timer is set for it

class ClipPlayer extends HTMLElement {
  static observedAttributes = ["source-id", "clip-id", "place", "urls", "ahead"];

  /** @type {{sourceId: string, clipId: string} | null} */
  #shown = null;
  #scrolledTo = ""; // the clip that the list was scrolled to
  /** @type {Playback} where playback continues */
  #playback = { at: 0 };
  #attempt = 0; // incremented with every opening, so that late answers can be discarded
  #renewing = 0; // the attempt whose URL is being renewed
  /** @type {Record<string, number>} when a source was last reloaded, in ms, by source id */
  #repaired = {};
  #scheduled = false;
  #loop = 0;
  #sound = new Sound();
  #urls = new UrlSupply(() => this.#switchIfPaused());
  #listeners = new AbortController();
  /** @type {Record<string, () => void>} handlers of media events */
  #media = {
    loadeddata: () => this.#onReady(),
    playing: () => this.#onReady(),
    // The next source starts at the same speed.
    ratechange: () => (this.video.defaultPlaybackRate = this.video.playbackRate),
    timeupdate: () => this.#onTime(),
    ended: () => this.#ms("end-ms") && this.#seek({ at: this.#ms("start-ms"), paused: false }),
    error: () => this.video.error && this.#recover(),
    play: () => this.#renewIfStopped(),
    pause: () => this.#renewIfStopped(),
    seeking: () => this.#renewIfEmpty(),
    waiting: () => this.#renewIfEmpty(),
    stalled: () => this.#onStalled(),
  };

  connectedCallback() {
    this.#listeners = new AbortController();
    const options = { signal: this.#listeners.signal };
    const capture = { ...options, capture: true };
    for (const [type, react] of Object.entries(this.#media)) {
      this.addEventListener(type, (event) => event.target === this.video && this.#urls.entry && react(), capture);
    }
    this.addEventListener("mediaseekrequest", (event) => this.#beforeSeek(/** @type {CustomEvent<number>} */ (event)), capture);
    this.addEventListener("click", (event) => closest(event, "[data-action=load]") && this.retry(), options);
    addEventListener("popstate", () => this.#onPopState(), options);
    addEventListener("online", () => this.dataset.state === "offline" && this.#open(this.#playback, { reload: true }), options);
    document.addEventListener("visibilitychange", () => this.#onVisible(), options);
    this.#schedule();
  }

  disconnectedCallback() {
    this.#listeners.abort();
    this.#urls.stopPrefetching();
    this.#urls.drop();
    clearTimeout(this.#loop);
    this.#attempt++;
    this.#shown = null;
    this.#scrolledTo = "";
  }

  /**
   * @param {string} name
   * @param {string | null} _before
   * @param {string | null} value
   */
  attributeChangedCallback(name, _before, value) {
    if (name === "urls") accept(JSON.parse(value || "{}"));
    this.#schedule();
  }

  get video() {
    return /** @type {HTMLVideoElement} */ (this.querySelector("video"));
  }

  // Signs a new URL and continues where the clip was.
  retry() {
    this.#open({ ...this.#playback, paused: false }, { reload: true });
  }

  // Attributes change one by one; handles them together.
  #schedule() {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      if (this.isConnected) this.#sync();
    });
  }

  #sync() {
    const { sourceId, clipId } = this.#requested;
    if (!clipId || !this.video) return;
    if (this.#shown?.clipId !== clipId || this.#shown.sourceId !== sourceId) {
      // A video without clips shows its master, which has no clip id to write.
      if (clipId !== this.getAttribute("video-id")) writeClipToAddress(clipId, { first: !this.#shown });
      this.#open({ at: this.#ms("start-ms"), paused: false });
    } else if (this.dataset.state === "ready") {
      this.#prefetch();
    }
    this.#scrollListTo(clipId, Number(this.getAttribute("place")));
  }

  /**
   * Scrolls the list to the clip, once for each clip, as soon as its position is known.
   *
   * @param {string} clipId
   * @param {number} position
   */
  #scrollListTo(clipId, position) {
    if (!position || this.#scrolledTo === clipId) return;
    this.#scrolledTo = clipId;
    requestAnimationFrame(() => reveal(position)); // measuring the list can wait until after the first picture
  }

  /**
   * Returns a time attribute in seconds, or 0 if it is not set.
   *
   * @param {string} name
   */
  #ms(name) {
    return Number(this.getAttribute(name) || 0) / 1000;
  }

  // The source and clip that the page requests.
  get #requested() {
    return { sourceId: this.getAttribute("source-id") ?? "", clipId: this.getAttribute("clip-id") ?? "" };
  }

  // The identity of the shown source.
  get #source() {
    return {
      videoId: this.getAttribute("video-id") ?? "",
      s3Key: this.getAttribute("s3-key") ?? "",
      sourceId: this.#shown?.sourceId ?? "",
    };
  }

  /** @param {Playback} playback */
  async #open(playback, { reload = false } = {}) {
    const { sourceId, clipId } = this.#requested;
    const isLoaded = !reload && this.#shown?.sourceId === sourceId && this.dataset.state === "ready";
    this.#attempt++;
    this.#shown = { sourceId, clipId };
    this.#playback = playback;
    this.#urls.stopPrefetching();
    clearTimeout(this.#loop);
    if (isLoaded) {
      this.#seek(playback);
      return;
    }
    if (reload) forget(sourceId);
    const known = cached(sourceId);
    if (isFresh(known)) this.#load(known, playback);
    else await this.#sign();
  }

  // Requests a URL of the shown source, and loads it unless another source has been opened in the meantime.
  async #sign() {
    const attempt = this.#attempt;
    this.#unload();
    this.dataset.state = "loading";
    try {
      const entry = await sourceUrl(this.#source);
      if (attempt === this.#attempt) this.#load(entry, this.#playback);
    } catch (error) {
      if (attempt === this.#attempt) this.#fail(error);
    }
  }

  /**
   * @param {Entry} entry
   * @param {Playback} playback
   */
  #load(entry, playback) {
    const { video } = this;
    const paused = playback.paused ?? video.paused;
    this.#playback = playback;
    markOpened(entry);
    this.#urls.use(entry, this.#source);
    this.dataset.state = "loading";
    video.autoplay = !paused;
    if (video.src === entry.url) video.load();
    else video.src = entry.url;
    if (playback.at > 0) video.currentTime = playback.at;
    if (!paused) this.#sound.play(video);
  }

  #unload() {
    const { video } = this;
    this.#urls.drop();
    video.pause();
    video.removeAttribute("src");
    video.load();
  }

  /**
   * Seeks within the loaded source.
   *
   * @param {Playback} playback
   */
  #seek(playback) {
    if (this.#urls.isExpired && !isBuffered(this.video, playback.at, 1)) {
      this.#renewUrl(playback);
      return;
    }
    this.video.currentTime = playback.at;
    if (playback.paused === false) this.#sound.play(this.video);
  }

  /** @param {unknown} error */
  #fail(error) {
    const kind = error instanceof UrlError ? error.kind : "failed";
    this.#playback.paused ??= this.video.paused;
    this.#unload();
    this.dataset.state = kind;
    this.dispatchEvent(new CustomEvent(EVENTS[kind], { detail: {} }));
  }

  #onReady() {
    this.dataset.state = "ready";
    this.#prefetch();
  }

  #onTime() {
    if (!this.video.seeking && this.video.readyState > 1) this.#playback = { at: this.video.currentTime };
    this.#loopRange();
  }

  #renewIfStopped() {
    if (this.#urls.isExpired && !this.video.ended && !isWhollyBuffered(this.video)) this.#renewUrl();
  }

  #renewIfEmpty() {
    if (this.#urls.isExpired && !isBuffered(this.video, this.video.currentTime)) this.#renewUrl();
  }

  #onStalled() {
    if (this.video.readyState >= 3) return;
    if (this.#urls.isExpired) this.#renewUrl();
    else this.#recover();
  }

  // Loops a range of the master as long as the viewer stays in it.
  #loopRange() {
    const { video } = this;
    const end = this.#ms("end-ms");
    const left = end - video.currentTime;
    clearTimeout(this.#loop);
    if (!end || video.paused || video.seeking || left < -LEFT_RANGE || left > LOOP_AHEAD) return;
    if (left <= 0) this.#seek({ at: this.#ms("start-ms") });
    else this.#loop = setTimeout(() => this.#urls.entry && this.#loopRange(), (left / video.playbackRate) * 1000);
  }

  /**
   * Loads the same source with a new URL, keeping position, speed and pause.
   *
   * @param {Playback} playback
   */
  async #renewUrl(playback = { at: this.video.currentTime }) {
    this.#playback = playback; // a seek that happens before the answer arrives takes effect
    const attempt = this.#attempt;
    if (this.#renewing === attempt) return;
    this.#renewing = attempt;
    try {
      const known = cached(this.#source.sourceId);
      const entry = isFresh(known) ? known : await sourceUrl(this.#source);
      if (attempt !== this.#attempt || entry.url === this.#urls.entry?.url) return;
      holdFrame(this.video);
      this.#load(entry, this.#playback);
    } catch (error) {
      if (attempt === this.#attempt) this.#fail(error);
    } finally {
      if (this.#renewing === attempt) this.#renewing = 0;
    }
  }

  // Playback failed: asks the store for the reason, then reloads once or shows the error.
  async #recover() {
    const attempt = this.#attempt;
    const { entry } = this.#urls;
    const { sourceId } = this.#source;
    if (!entry) return;
    const verdict = await probe(entry.url);
    if (attempt !== this.#attempt || entry !== this.#urls.entry) return;
    if (verdict === "ok" && !this.video.error) return;
    if (verdict === "missing" || verdict === "offline") {
      this.#fail(new UrlError(verdict));
    } else if (Date.now() - this.#repaired[sourceId] < REPAIRED_MS) {
      this.#fail(new UrlError(verdict === "ok" ? "unplayable" : "failed"));
    } else {
      this.#repaired[sourceId] = Date.now();
      this.#open({ ...this.#playback, paused: this.video.paused }, { reload: true });
    }
  }

  /**
   * Handles a seek of the controls: replaces an expired URL first, so that no request is made with it.
   *
   * @param {CustomEvent<number>} event
   */
  #beforeSeek(event) {
    if (!this.#urls.isExpired || isBuffered(this.video, event.detail)) return;
    event.stopImmediatePropagation();
    this.#renewUrl({ at: event.detail });
  }

  #switchIfPaused() {
    if (this.video?.paused && !this.video.ended && !isWhollyBuffered(this.video)) this.#renewUrl();
  }

  #onVisible() {
    if (document.visibilityState === "visible") this.#urls.wakeUp(this.#source);
  }

  #prefetch() {
    this.#urls.prefetch(JSON.parse(this.getAttribute("ahead") || "[]"));
  }

  #onPopState() {
    const clip = clipInAddress();
    if (clip && clip !== this.getAttribute("clip-id")) this.dispatchEvent(new CustomEvent("ClipNavigated", { detail: { clip } }));
  }
}

customElements.define("clip-player", ClipPlayer);
