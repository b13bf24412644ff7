// The crop preview of the clip room: shows the part of the master's picture that an export in the chosen shape contains, and moves it.
//
// <crop-preview> contains the toolbar that the page renders, and lays the frame over the player's picture. Attributes: clip-id, start-ms (of
// the clip in the master), framing (JSON of FramingView in clipviewer/state/framing_rows.py), may-frame. Events: FramingOpened {clip}
// requests the saved crops, LookWanted {clip} requests the picture analysis, FramingChosen {clip, ratio, x, y} saves a crop and
// FramingForgotten {clip, ratio} removes it. Changes show at once and are corrected by the server's answer.
//
// A script, since the frame follows the pointer and the frames of the video.

import { targetOf } from "../frame/event_target.js";
import { ChosenCrops } from "./chosen_crops.js";
import { showBar } from "./crop_bar.js";
import { CropOverlay } from "./crop_overlay.js";
import { axisOf, centreAt, clampCentre, cropRect } from "./crop_rect.js";
import { FramingRequests } from "./framing_requests.js";
import { loadChoice, saveChoice } from "./saved_choice.js";

/** @import { Known, View } from "./chosen_crops.js" */
/** @import { FramePosition } from "./crop_bar.js" */
/** @import { Frame } from "./crop_overlay.js" */
/** @import { Point, Rect } from "./crop_rect.js" */

/** @typedef {Omit<Frame, "movable" | "zones">} Geometry */

const CENTRE = { x: 0.5, y: 0.5 };
const KEYS_REST_MS = 500;
const VIDEO_EVENTS = ["loadedmetadata", "resize", "emptied"];
/** @type {Known} */
const NOTHING_KNOWN = { saved: {} };

class CropPreview extends HTMLElement {
  static observedAttributes = ["clip-id", "start-ms", "framing", "may-frame"];

  #chosen = { ratio: "", zones: false };
  #auto = false;
  #crops = new ChosenCrops(() => this.#render());
  /** @type {{clip: string, ratio: string, centre: Point} | null} a move that is not saved yet */
  #moving = null;
  #clip = "";
  #rest = 0;
  #time = 0; // of the video frame on the screen, in seconds of the master
  #following = false;
  /** @type {AbortController | null} */
  #listeners = null;
  #requests = new FramingRequests(
    (type, detail) => this.#dispatch(type, detail),
    () => Boolean(this.#known.look),
  );
  #overlay = new CropOverlay({
    move: (x, y) => this.#move(x, y),
    rest: (how) => this.#saveMove(how),
    drop: () => this.#cancelMove(),
    tap: () => this.#playOrPause(),
  });
  /** @type {Record<string, () => void>} */
  #actions = {
    zones: () => this.#chooseZones(),
    auto: () => this.#chooseAuto(),
    centre: () => this.#chooseCentre(),
    keep: () => this.#keepProposal(),
  };

  connectedCallback() {
    this.#listeners = new AbortController();
    const options = { signal: this.#listeners.signal };
    this.addEventListener("change", (event) => this.#choose(targetOf(event)), options);
    this.addEventListener("click", (event) => this.#press(targetOf(event)?.closest("button[data-framing]")), options);
    addEventListener("pagehide", () => this.#saveMove(), options);
    const { ratio, zones } = loadChoice();
    const known = [...this.querySelectorAll("input")].some((input) => input.value === ratio);
    this.#chosen = { ratio: known ? ratio : "", zones };
    const video = this.#video;
    if (!video) return;
    if (video.parentElement) this.#overlay.attach(video.parentElement);
    for (const type of VIDEO_EVENTS) video.addEventListener(type, () => this.#render(), options);
    for (const type of ["seeked", "timeupdate"]) video.addEventListener(type, () => this.#showTime(video.currentTime), options);
    video.addEventListener("playing", () => this.#follow(), options);
    this.#render();
  }

  disconnectedCallback() {
    this.#overlay.endDrag();
    this.#saveMove();
    this.#listeners?.abort();
    this.#overlay.remove();
    this.#crops.close();
    this.#requests.close();
    clearTimeout(this.#rest);
    this.#clip = "";
  }

  /**
   * @param {string} name
   * @param {string | null} _before
   * @param {string | null} value
   */
  attributeChangedCallback(name, _before, value) {
    if (name === "framing") this.#accept(JSON.parse(value || "{}"));
    if (this.#listeners && !this.#listeners.signal.aborted) this.#render();
  }

  /** @returns {HTMLVideoElement | null} */
  get #video() {
    return document.querySelector("clip-player video");
  }

  get #mayFrame() {
    return this.getAttribute("may-frame") === "true";
  }

  // What the server has said about the shown clip.
  get #known() {
    return this.#crops.of(this.#clip) ?? NOTHING_KNOWN;
  }

  /**
   * @param {string} type
   * @param {Record<string, unknown>} detail
   */
  #dispatch(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  #playOrPause() {
    const video = this.#video;
    if (video?.paused) video.play().catch(() => {});
    else video?.pause();
  }

  /** @param {Element | null} input */
  #choose(input) {
    if (!(input instanceof HTMLInputElement) || input.name !== "framing-ratio") return;
    this.#saveMove();
    this.#chosen.ratio = input.value;
    if (!input.value) this.#auto = false;
    saveChoice(this.#chosen);
    this.#render();
  }

  /** @param {Element | null | undefined} button */
  #press(button) {
    const action = button instanceof HTMLElement && button.dataset.framing;
    if (!action) return;
    this.#actions[action]?.();
    this.#render();
    this.#follow();
  }

  #chooseZones() {
    this.#chosen.zones = !this.#chosen.zones;
    saveChoice(this.#chosen);
  }

  #chooseAuto() {
    this.#saveMove();
    this.#auto = !this.#auto;
    if (this.#auto && !this.#known.look) this.#requests.requestLook({ atOnce: true });
  }

  #chooseCentre() {
    this.#auto = false;
    this.#cancelMove();
    if (this.#known.saved[this.#chosen.ratio]) this.#decide(this.#clip, this.#chosen.ratio, null);
  }

  #keepProposal() {
    const { x, y } = this.#position().centre;
    this.#move(x, y);
    this.#saveMove();
  }

  /**
   * @param {number} x
   * @param {number} y
   */
  #move(x, y) {
    const geometry = this.#geometry();
    if (!geometry) return;
    const { axis, content, rect } = geometry;
    const centre = axis === "x" ? { x: clampCentre(x, content.width, rect.width), y: 0.5 } : { x: 0.5, y: clampCentre(y, content.height, rect.height) };
    this.#moving = { clip: this.#clip, ratio: this.#chosen.ratio, centre };
    this.#render();
  }

  // The move has ended: saves it, or waits for the next key.
  #saveMove({ soon = false } = {}) {
    clearTimeout(this.#rest);
    if (!this.#moving || this.#overlay.dragging) return;
    if (soon) {
      this.#rest = setTimeout(() => this.#saveMove(), KEYS_REST_MS);
      return;
    }
    const { clip, ratio, centre } = this.#moving;
    this.#cancelMove();
    this.#auto = false;
    this.#decide(clip, ratio, centre);
    this.#render();
  }

  // Cancels the move: the frame returns to where it was.
  #cancelMove() {
    clearTimeout(this.#rest);
    this.#moving = null;
    this.#render();
  }

  /**
   * @param {string} clip
   * @param {string} ratio
   * @param {Point | null} centre
   */
  #decide(clip, ratio, centre) {
    this.#crops.decide(clip, ratio, centre);
    if (centre) this.#dispatch("FramingChosen", { clip, ratio, x: centre.x, y: centre.y });
    else this.#dispatch("FramingForgotten", { clip, ratio });
  }

  /**
   * Applies the server's view. A server that names no clip has lost its state, so the saved crops are requested again.
   *
   * @param {View} view
   */
  #accept(view) {
    this.#crops.accept(view);
    if (!view.clip_id) this.#requests.forget();
  }

  /**
   * Switches to another clip and cancels a drag.
   *
   * @param {string} clip
   */
  #showClip(clip) {
    if (clip === this.#clip) return;
    this.#clip = clip;
    this.#requests.show(clip);
    if (this.#overlay.dragging) this.#moving = null;
    this.#overlay.endDrag();
    this.#saveMove();
  }

  /** @returns {FramePosition} */
  #position() {
    const { ratio } = this.#chosen;
    const { saved, look } = this.#known;
    if (this.#moving) return { kind: "moving", centre: this.#moving.centre };
    const chosen = saved[ratio];
    /** @type {FramePosition} */
    const kept = chosen ? { kind: "hand", centre: { x: chosen[0], y: chosen[1] } } : { kind: "centre", centre: CENTRE };
    if (!this.#auto) return kept;
    const shots = look?.shots[ratio] ?? [];
    if (shots.length === 0) return { ...kept, kind: "auto", shots };
    const at = this.#time * 1000 - Number(this.getAttribute("start-ms")) + 1;
    const { x, y, index } = centreAt(shots, Math.max(0, at));
    return { kind: "auto", centre: { x, y }, shot: index, shots };
  }

  // The picture, the part between its bars, and the crop in it; null without a picture, or if it already has the chosen shape.
  /** @returns {Geometry | null} */
  #geometry() {
    const { look } = this.#known;
    const { videoWidth: width = 0, videoHeight: height = 0 } = this.#video ?? {};
    const { ratio } = this.#chosen;
    if (!width || !ratio) return null;
    const size = look ? { width: look.width, height: look.height } : { width, height };
    /** @type {Rect} */
    const content = look?.content ?? { x: 0, y: 0, ...size };
    const axis = axisOf(content.width, content.height, ratio);
    if (!axis) return null;
    const { centre } = this.#position();
    return { shape: width / height, size, content, axis, ratio, centre, rect: cropRect(content.width, content.height, ratio, centre.x, centre.y) };
  }

  #render() {
    this.#showClip(this.getAttribute("clip-id") || "");
    if (this.#chosen.ratio) this.#requests.requestSaved();
    const geometry = this.#geometry();
    this.#showFrame(geometry);
    this.#showBar(geometry !== null);
  }

  /** @param {Geometry | null} geometry */
  #showFrame(geometry) {
    if (!geometry) {
      this.#overlay.hide();
      return;
    }
    this.#overlay.show({ ...geometry, movable: this.#mayFrame, zones: this.#chosen.zones && geometry.ratio === "9:16" });
    const known = this.#crops.of(this.#clip);
    if (known && !known.look && !known.looking && !known.problem) this.#requests.requestLook();
  }

  /** @param {boolean} framing */
  #showBar(framing) {
    const { ratio, zones } = this.#chosen;
    const { look, problem } = this.#known;
    showBar(this, {
      ratio,
      zones,
      auto: this.#auto,
      position: this.#position(),
      framing,
      mayFrame: this.#mayFrame,
      content: look?.content ?? { width: this.#video?.videoWidth, height: this.#video?.videoHeight },
      problem,
      pending: this.#crops.isPending(this.#clip, ratio),
      lost: this.#crops.isUnsaved(this.#clip, ratio),
    });
  }

  // During playback, draws the proposal with every video frame, so that the crop changes exactly at the cut.
  #follow() {
    const video = this.#video;
    if (this.#following || !this.#auto || !this.isConnected || !video || video.paused || !("requestVideoFrameCallback" in video)) return;
    this.#following = true;
    video.requestVideoFrameCallback((_now, { mediaTime }) => {
      this.#following = false;
      this.#showTime(mediaTime);
      this.#follow();
    });
  }

  /** @param {number} seconds */
  #showTime(seconds) {
    this.#time = seconds;
    if (this.#auto) this.#render();
  }
}

customElements.define("crop-preview", CropPreview);
