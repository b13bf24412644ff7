// The clip player: keeps one <video> supplied with presigned URLs that never let the viewer down.
//
// <clip-player> wraps the media controls that the page renders. The page says what to show (attributes); the player says what happened
// (events). Attributes: video-id, source-id (clip id, or the video's id for its master), clip-id, s3-key, start-ms and end-ms (a range
// of the master), place (in the list, from 1), urls (JSON {source id: {url, expires, now}}, ms), ahead (JSON [source id, …], what may be opened next).
// Events: ClipUnauthorized, ClipMissing, ClipFailed, ClipOffline, ClipUnplayable, ClipNavigated {clip}, and those of clip_actions.client.js.
// data-state says what is on the screen: loading, ready, or the error that the page has a notice for.
//
// A script, since it lives on the media element, whose events and buffers only the browser has.

import { clipInAddress, writeClipToAddress } from "../clips/clip_address.js";
import { reveal } from "../clips/clip_list.client.js";
import { closest } from "../frame/event_target.js";
import { UrlError, accept, cached, forget, isFresh, markOpened, probe } from "./presigned.js";
import { Sound } from "./sound.js";
import { Supply, sourceUrl } from "./supply.js";
import { holdFrame, isBuffered, isWhollyBuffered } from "./video_element.js";

/** @import { Entry } from "./presigned.js" */

/** @typedef {{at: number, paused?: boolean}} Place  seconds; paused as the video is where it is left out */

const EVENTS = {
  unauthorized: "ClipUnauthorized",
  missing: "ClipMissing",
  failed: "ClipFailed",
  offline: "ClipOffline",
  unplayable: "ClipUnplayable",
};
const REPAIRED_MS = 10_000; // a source that fails again within this time is not opened anew
const LEFT_RANGE = 1; // seconds after its end, beyond which the viewer has left a range
const LOOP_AHEAD = 0.4; // seconds before its end, from which on a timer waits for it

class ClipPlayer extends HTMLElement {
  static observedAttributes = ["source-id", "clip-id", "place", "urls", "ahead"];

  /** @type {{sourceId: string, clipId: string} | null} */
  #shown = null;
  #inView = ""; // the clip that the list was brought to
  /** @type {Place} where to go on */
  #place = { at: 0 };
  #attempt = 0; // grows with every opening, so that a late answer knows that it is late
  #healing = 0; // the attempt that is being healed
  /** @type {Record<string, number>} source id → when it was last opened anew */
  #repaired = {};
  #scheduled = false;
  #loop = 0;
  #sound = new Sound();
  #supply = new Supply(() => this.#changeOver());
  #listeners = new AbortController();
  /** @type {Record<string, () => void>} what media events lead to */
  #media = {
    loadeddata: () => this.#onReady(),
    playing: () => this.#onReady(),
    // What the next source starts with.
    ratechange: () => (this.video.defaultPlaybackRate = this.video.playbackRate),
    timeupdate: () => this.#onTime(),
    ended: () => this.#ms("end-ms") && this.#seek({ at: this.#ms("start-ms"), paused: false }),
    error: () => this.video.error && this.#repair(),
    play: () => this.#healIfStopped(),
    pause: () => this.#healIfStopped(),
    seeking: () => this.#healIfEmpty(),
    waiting: () => this.#healIfEmpty(),
    stalled: () => this.#onStalled(),
  };

  connectedCallback() {
    this.#listeners = new AbortController();
    const options = { signal: this.#listeners.signal };
    const capture = { ...options, capture: true };
    for (const [type, react] of Object.entries(this.#media)) {
      this.addEventListener(type, (event) => event.target === this.video && this.#supply.entry && react(), capture);
    }
    this.addEventListener("mediaseekrequest", (event) => this.#beforeSeek(/** @type {CustomEvent<number>} */ (event)), capture);
    this.addEventListener("click", (event) => closest(event, "[data-action=load]") && this.retry(), options);
    addEventListener("popstate", () => this.#onPopState(), options);
    addEventListener("online", () => this.dataset.state === "offline" && this.#open(this.#place, { anew: true }), options);
    document.addEventListener("visibilitychange", () => this.#onVisible(), options);
    this.#schedule();
  }

  disconnectedCallback() {
    this.#listeners.abort();
    this.#supply.stopPrefetching();
    this.#supply.drop();
    clearTimeout(this.#loop);
    this.#attempt++;
    this.#shown = null;
    this.#inView = "";
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

  // Sign anew and go on where the clip was.
  retry() {
    this.#open({ ...this.#place, paused: false }, { anew: true });
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
    const { sourceId, clipId } = this.#wanted;
    if (!clipId || !this.video) return;
    if (this.#shown?.clipId !== clipId || this.#shown.sourceId !== sourceId) {
      // The whole video, where it has no clips yet, is no clip to lead back to.
      if (clipId !== this.getAttribute("video-id")) writeClipToAddress(clipId, { first: !this.#shown });
      this.#open({ at: this.#ms("start-ms"), paused: false });
    } else if (this.dataset.state === "ready") {
      this.#prefetch();
    }
    this.#bringIntoView(clipId, Number(this.getAttribute("place")));
  }

  /**
   * Once for each clip, as soon as its place is known: the rows around it may still be on their way.
   *
   * @param {string} clipId
   * @param {number} place
   */
  #bringIntoView(clipId, place) {
    if (!place || this.#inView === clipId) return;
    this.#inView = clipId;
    requestAnimationFrame(() => reveal(place)); // it measures the list, which can wait for the picture
  }

  /**
   * A time attribute in seconds; 0 where there is none.
   *
   * @param {string} name
   */
  #ms(name) {
    return Number(this.getAttribute(name) || 0) / 1000;
  }

  // What the page says to show.
  get #wanted() {
    return { sourceId: this.getAttribute("source-id") ?? "", clipId: this.getAttribute("clip-id") ?? "" };
  }

  // Where what is shown comes from.
  get #source() {
    return {
      videoId: this.getAttribute("video-id") ?? "",
      s3Key: this.getAttribute("s3-key") ?? "",
      sourceId: this.#shown?.sourceId ?? "",
    };
  }

  /** @param {Place} place */
  async #open(place, { anew = false } = {}) {
    const { sourceId, clipId } = this.#wanted;
    const stays = !anew && this.#shown?.sourceId === sourceId && this.dataset.state === "ready";
    this.#attempt++;
    this.#shown = { sourceId, clipId };
    this.#place = place;
    this.#supply.stopPrefetching();
    clearTimeout(this.#loop);
    if (stays) {
      this.#seek(place);
      return;
    }
    if (anew) forget(sourceId);
    const known = cached(sourceId);
    if (isFresh(known)) this.#load(known, place);
    else await this.#sign();
  }

  // Asks for a URL of what is shown, and loads it unless something else has been opened meanwhile.
  async #sign() {
    const attempt = this.#attempt;
    this.#unload();
    this.dataset.state = "loading";
    try {
      const entry = await sourceUrl(this.#source);
      if (attempt === this.#attempt) this.#load(entry, this.#place);
    } catch (error) {
      if (attempt === this.#attempt) this.#fail(error);
    }
  }

  /**
   * @param {Entry} entry
   * @param {Place} place
   */
  #load(entry, place) {
    const { video } = this;
    const paused = place.paused ?? video.paused;
    this.#place = place;
    markOpened(entry);
    this.#supply.use(entry, this.#source);
    this.dataset.state = "loading";
    video.autoplay = !paused;
    if (video.src === entry.url) video.load();
    else video.src = entry.url;
    if (place.at > 0) video.currentTime = place.at;
    if (!paused) this.#sound.play(video);
  }

  #unload() {
    const { video } = this;
    this.#supply.drop();
    video.pause();
    video.removeAttribute("src");
    video.load();
  }

  /**
   * Within what is loaded already.
   *
   * @param {Place} place
   */
  #seek(place) {
    if (this.#supply.isExpired && !isBuffered(this.video, place.at, 1)) {
      this.#heal(place);
      return;
    }
    this.video.currentTime = place.at;
    if (place.paused === false) this.#sound.play(this.video);
  }

  /** @param {unknown} error */
  #fail(error) {
    const kind = error instanceof UrlError ? error.kind : "failed";
    this.#place.paused ??= this.video.paused;
    this.#unload();
    this.dataset.state = kind;
    this.dispatchEvent(new CustomEvent(EVENTS[kind], { detail: {} }));
  }

  #onReady() {
    this.dataset.state = "ready";
    this.#prefetch();
  }

  #onTime() {
    if (!this.video.seeking && this.video.readyState > 1) this.#place = { at: this.video.currentTime };
    this.#loopRange();
  }

  #healIfStopped() {
    if (this.#supply.isExpired && !this.video.ended && !isWhollyBuffered(this.video)) this.#heal();
  }

  #healIfEmpty() {
    if (this.#supply.isExpired && !isBuffered(this.video, this.video.currentTime)) this.#heal();
  }

  #onStalled() {
    if (this.video.readyState >= 3) return;
    if (this.#supply.isExpired) this.#heal();
    else this.#repair();
  }

  // Plays a range of the master again and again, as long as the viewer stays in it.
  #loopRange() {
    const { video } = this;
    const end = this.#ms("end-ms");
    const left = end - video.currentTime;
    clearTimeout(this.#loop);
    if (!end || video.paused || video.seeking || left < -LEFT_RANGE || left > LOOP_AHEAD) return;
    if (left <= 0) this.#seek({ at: this.#ms("start-ms") });
    else this.#loop = setTimeout(() => this.#supply.entry && this.#loopRange(), (left / video.playbackRate) * 1000);
  }

  /**
   * A new URL for what is loaded: same place, same speed, still paused if it was.
   *
   * @param {Place} place
   */
  async #heal(place = { at: this.video.currentTime }) {
    this.#place = place; // a seek while the answer is on its way counts
    const attempt = this.#attempt;
    if (this.#healing === attempt) return;
    this.#healing = attempt;
    try {
      const known = cached(this.#source.sourceId);
      const entry = isFresh(known) ? known : await sourceUrl(this.#source);
      if (attempt !== this.#attempt || entry.url === this.#supply.entry?.url) return;
      holdFrame(this.video);
      this.#load(entry, this.#place);
    } catch (error) {
      if (attempt === this.#attempt) this.#fail(error);
    } finally {
      if (this.#healing === attempt) this.#healing = 0;
    }
  }

  // Playback failed: ask the store why, then mend it once or say what is wrong.
  async #repair() {
    const attempt = this.#attempt;
    const { entry } = this.#supply;
    const { sourceId } = this.#source;
    if (!entry) return;
    const verdict = await probe(entry.url);
    if (attempt !== this.#attempt || entry !== this.#supply.entry) return;
    if (verdict === "ok" && !this.video.error) return;
    if (verdict === "missing" || verdict === "offline") {
      this.#fail(new UrlError(verdict));
    } else if (Date.now() - this.#repaired[sourceId] < REPAIRED_MS) {
      this.#fail(new UrlError(verdict === "ok" ? "unplayable" : "failed"));
    } else {
      this.#repaired[sourceId] = Date.now();
      this.#open({ ...this.#place, paused: this.video.paused }, { anew: true });
    }
  }

  /**
   * The controls ask for a seek: give an expired URL its successor first, so that no request is made with it.
   *
   * @param {CustomEvent<number>} event
   */
  #beforeSeek(event) {
    if (!this.#supply.isExpired || isBuffered(this.video, event.detail)) return;
    event.stopImmediatePropagation();
    this.#heal({ at: event.detail });
  }

  #changeOver() {
    if (this.video?.paused && !this.video.ended && !isWhollyBuffered(this.video)) this.#heal();
  }

  #onVisible() {
    if (document.visibilityState === "visible") this.#supply.wakeUp(this.#source);
  }

  #prefetch() {
    this.#supply.prefetch(JSON.parse(this.getAttribute("ahead") || "[]"));
  }

  #onPopState() {
    const clip = clipInAddress();
    if (clip && clip !== this.getAttribute("clip-id")) this.dispatchEvent(new CustomEvent("ClipNavigated", { detail: { clip } }));
  }
}

customElements.define("clip-player", ClipPlayer);
