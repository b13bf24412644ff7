// The clip player: keeps one <video> supplied with presigned URLs that never let the viewer down.
//
// <clip-player> wraps the media controls that the page renders. The page says what to show (attributes); the player says what happened
// (events). Attributes: video-id, source-id (clip id, or the video's id for its master), clip-id, s3-key, start-ms and end-ms (a range
// of the master), place (in the list, from 1), urls (JSON {source id: {url, expires, now}}, ms), ahead (JSON [source id, …], what may be opened next).
// Events: ClipUnauthorized, ClipMissing, ClipFailed, ClipOffline, ClipUnplayable, ClipNavigated {clip}, and those of clip_actions.js.
// data-state says what is on the screen: loading, ready, or the error that the page has a notice for.

import { UrlError, accept, cached, fetchAhead, forget, isFresh, lead, leftOf, markOpened, probe, renewed } from "./presigned.js";
import { clipInAddress, writeClipToAddress } from "./clip_address.js";
import { reveal } from "./clip_list.js";
import { holdFrame, isBuffered, isWhollyBuffered } from "./video_element.js";

const EVENTS = {
  unauthorized: "ClipUnauthorized",
  missing: "ClipMissing",
  failed: "ClipFailed",
  offline: "ClipOffline",
  unplayable: "ClipUnplayable",
};
const MEDIA_EVENTS = ["loadeddata", "playing", "play", "pause", "timeupdate", "seeking", "waiting", "stalled", "ended", "error", "ratechange"];

class ClipPlayer extends HTMLElement {
  static observedAttributes = ["source-id", "clip-id", "place", "urls", "ahead"];

  #shown = null; // {sourceId, clipId}
  #inView = ""; // the clip that the list was brought to
  #entry = null; // the URL that the video element has
  #place = { at: 0 }; // where to go on: seconds, and whether paused (else as the video is)
  #attempt = 0; // grows with every opening, so that a late answer knows that it is late
  #healing = 0; // the attempt that is being healed
  #repaired = {}; // source id → when it was last opened anew
  #silenced = false;
  #scheduled = false;
  #renewal = 0;
  #loop = 0;
  #prefetching = null;
  #listeners = null;

  connectedCallback() {
    this.#listeners = new AbortController();
    const options = { signal: this.#listeners.signal };
    const capture = { ...options, capture: true };
    for (const type of MEDIA_EVENTS) {
      this.addEventListener(type, (event) => event.target === this.video && this.#entry && this.#onMedia(type), capture);
    }
    this.addEventListener("mediaseekrequest", (event) => this.#beforeSeek(event), capture);
    this.addEventListener("click", (event) => event.target.closest("[data-action=load]") && this.retry(), options);
    addEventListener("popstate", () => this.#onPopState(), options);
    addEventListener("online", () => this.dataset.state === "offline" && this.#open(this.#place, { anew: true }), options);
    document.addEventListener("visibilitychange", () => this.#onVisible(), options);
    this.#schedule();
  }

  disconnectedCallback() {
    this.#listeners.abort();
    this.#prefetching?.abort();
    clearTimeout(this.#renewal);
    clearTimeout(this.#loop);
    this.#attempt++;
    this.#shown = this.#entry = null;
    this.#inView = "";
  }

  attributeChangedCallback(name, _before, value) {
    if (name === "urls") accept(JSON.parse(value || "{}"));
    this.#schedule();
  }

  get video() {
    return this.querySelector("video");
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
    const clipId = this.getAttribute("clip-id");
    if (!clipId || !this.video) return;
    if (this.#shown?.clipId !== clipId || this.#shown.sourceId !== this.getAttribute("source-id")) {
      // The whole video, where it has no clips yet, is no clip to lead back to.
      if (clipId !== this.getAttribute("video-id")) writeClipToAddress(clipId, { first: !this.#shown });
      this.#open({ at: this.#ms("start-ms"), paused: false });
    } else if (this.dataset.state === "ready") {
      this.#prefetch();
    }
    this.#bringIntoView(clipId, Number(this.getAttribute("place")));
  }

  // Once for each clip, as soon as its place is known: the rows around it may still be on their way.
  #bringIntoView(clipId, place) {
    if (!place || this.#inView === clipId) return;
    this.#inView = clipId;
    requestAnimationFrame(() => reveal(place)); // it measures the list, which can wait for the picture
  }

  // A time attribute in seconds; 0 where there is none.
  #ms(name) {
    return Number(this.getAttribute(name) || 0) / 1000;
  }

  async #open(place, { anew = false } = {}) {
    const attempt = ++this.#attempt;
    const sourceId = this.getAttribute("source-id");
    const stays = !anew && this.#shown?.sourceId === sourceId && this.dataset.state === "ready";
    this.#shown = { sourceId, clipId: this.getAttribute("clip-id") };
    this.#place = place;
    this.#prefetching?.abort();
    clearTimeout(this.#loop);
    if (stays) {
      this.#seek(place);
      return;
    }
    if (anew) forget(sourceId);
    if (isFresh(cached(sourceId))) {
      this.#load(cached(sourceId), place);
      return;
    }
    this.#unload();
    this.dataset.state = "loading";
    try {
      const entry = await this.#renewed();
      if (attempt === this.#attempt) this.#load(entry, this.#place);
    } catch (error) {
      if (attempt === this.#attempt) this.#fail(error);
    }
  }

  #renewed() {
    return renewed(this.getAttribute("video-id"), this.getAttribute("s3-key"), this.#shown.sourceId);
  }

  #load(entry, place) {
    const video = this.video;
    const paused = place.paused ?? video.paused;
    this.#entry = entry;
    this.#place = place;
    markOpened(entry);
    this.dataset.state = "loading";
    video.autoplay = !paused;
    if (video.src === entry.url) video.load();
    else video.src = entry.url;
    if (place.at > 0) video.currentTime = place.at;
    if (!paused) this.#play();
    this.#scheduleRenewal(leftOf(entry) - lead(entry));
  }

  #unload() {
    const video = this.video;
    clearTimeout(this.#renewal);
    this.#entry = null;
    video.pause();
    video.removeAttribute("src");
    video.load();
  }

  // Within what is loaded already.
  #seek(place) {
    if (leftOf(this.#entry) <= 0 && !isBuffered(this.video, place.at, 1)) {
      this.#heal(place);
      return;
    }
    this.video.currentTime = place.at;
    if (place.paused === false) this.#play();
  }

  async #play() {
    const video = this.video;
    if (this.#silenced && navigator.userActivation?.hasBeenActive) {
      video.muted = this.#silenced = false;
    }
    try {
      await video.play();
    } catch (error) {
      if (error.name !== "NotAllowedError" || video.muted) return;
      video.muted = this.#silenced = true; // a browser that forbids sound without a gesture allows silence
      video.play().catch(() => {});
    }
  }

  #fail(error) {
    const kind = error instanceof UrlError ? error.kind : "failed";
    this.#place.paused ??= this.video.paused;
    this.#unload();
    this.dataset.state = kind;
    this.dispatchEvent(new CustomEvent(EVENTS[kind], { detail: {} }));
  }

  #onMedia(type) {
    const video = this.video;
    const expired = leftOf(this.#entry) <= 0;
    if (type === "loadeddata" || type === "playing") {
      this.dataset.state = "ready";
      this.#prefetch();
    } else if (type === "ratechange") {
      video.defaultPlaybackRate = video.playbackRate; // what the next source starts with
    } else if (type === "timeupdate") {
      if (!video.seeking && video.readyState > 1) this.#place = { at: video.currentTime };
      this.#loopRange();
    } else if (type === "ended") {
      if (this.#ms("end-ms")) this.#seek({ at: this.#ms("start-ms"), paused: false });
    } else if (type === "error") {
      if (video.error) this.#repair();
    } else if (type === "play" || type === "pause") {
      if (expired && !video.ended && !isWhollyBuffered(video)) this.#heal();
    } else if (type === "seeking" || type === "waiting") {
      if (expired && !isBuffered(video, video.currentTime)) this.#heal();
    } else if (type === "stalled" && video.readyState < 3) {
      if (expired) this.#heal();
      else this.#repair();
    }
  }

  // Plays a range of the master again and again, as long as the viewer stays in it.
  #loopRange() {
    const video = this.video;
    const end = this.#ms("end-ms");
    const left = end - video.currentTime;
    clearTimeout(this.#loop);
    if (!end || video.paused || video.seeking || left < -1 || left > 0.4) return;
    if (left <= 0) this.#seek({ at: this.#ms("start-ms") });
    else this.#loop = setTimeout(() => this.#entry && this.#loopRange(), (left / video.playbackRate) * 1000);
  }

  // A new URL for what is loaded: same place, same speed, still paused if it was.
  async #heal(place = { at: this.video.currentTime }) {
    this.#place = place; // a seek while the answer is on its way counts
    const attempt = this.#attempt;
    if (this.#healing === attempt) return;
    this.#healing = attempt;
    try {
      const known = cached(this.#shown.sourceId);
      const entry = isFresh(known) ? known : await this.#renewed();
      if (attempt !== this.#attempt || entry.url === this.#entry?.url) return;
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
    const entry = this.#entry;
    const { sourceId } = this.#shown;
    const verdict = await probe(entry.url);
    if (attempt !== this.#attempt || entry !== this.#entry) return;
    if (verdict === "ok" && !this.video.error) return;
    if (verdict === "missing" || verdict === "offline") {
      this.#fail(new UrlError(verdict));
    } else if (Date.now() - this.#repaired[sourceId] < 10_000) {
      this.#fail(new UrlError(verdict === "ok" ? "unplayable" : "failed"));
    } else {
      this.#repaired[sourceId] = Date.now();
      this.#open({ ...this.#place, paused: this.video.paused }, { anew: true });
    }
  }

  // The controls ask for a seek: give an expired URL its successor first, so that no request is made with it.
  #beforeSeek(event) {
    if (!this.#entry || leftOf(this.#entry) > 0 || isBuffered(this.video, event.detail)) return;
    event.stopImmediatePropagation();
    this.#heal({ at: event.detail });
  }

  #scheduleRenewal(ms) {
    clearTimeout(this.#renewal);
    this.#renewal = setTimeout(() => this.#renew(), Math.max(0, ms));
  }

  // Have the next URL ready before the present one ends. A running clip keeps its own; a paused one changes over when it ends.
  async #renew() {
    const entry = this.#entry;
    if (!entry) return;
    let next = cached(this.#shown.sourceId);
    try {
      if (!isFresh(next) || next.url === entry.url) next = await this.#renewed();
    } catch (error) {
      // Signed out or removed shows when the clip needs a URL; all else may pass.
      const passes = error.kind === "offline" || error.kind === "failed";
      if (entry === this.#entry && passes) this.#scheduleRenewal(5_000);
      return;
    }
    if (entry !== this.#entry) return;
    clearTimeout(this.#renewal);
    if (next.url === entry.url) this.#scheduleRenewal(Math.max(2_000, leftOf(entry) / 2));
    else this.#renewal = setTimeout(() => this.#changeOver(entry), Math.max(0, leftOf(entry)));
  }

  #changeOver(entry) {
    const video = this.video;
    if (entry === this.#entry && video?.paused && !video.ended && !isWhollyBuffered(video)) this.#heal();
  }

  // Timers do not run while a computer sleeps, and hardly in a tab behind others.
  #onVisible() {
    if (document.visibilityState === "visible" && this.#entry && leftOf(this.#entry) < lead(this.#entry)) this.#renew();
  }

  async #prefetch() {
    if (this.#prefetching) return;
    const ending = (this.#prefetching = new AbortController());
    ending.signal.addEventListener("abort", () => (this.#prefetching = null));
    await fetchAhead(JSON.parse(this.getAttribute("ahead") || "[]"), ending.signal);
    ending.abort();
  }

  #onPopState() {
    const clip = clipInAddress();
    if (clip && clip !== this.getAttribute("clip-id")) this.dispatchEvent(new CustomEvent("ClipNavigated", { detail: { clip } }));
  }
}

customElements.define("clip-player", ClipPlayer);
