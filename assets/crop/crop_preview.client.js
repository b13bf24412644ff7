// The crop preview of the clip room: which part of the master's picture an export in the chosen shape shows, and where a person wants it.
//
// <crop-preview> holds the toolbar that the page renders, and lays the frame over the player's picture. Attributes: clip-id, start-ms (of
// the clip in the master), framing (JSON of FramingView in clipviewer/state/framing_rows.py), may-frame. Events: FramingOpened {clip} asks
// for what is saved, LookWanted {clip} for what is to be seen in the picture, FramingChosen {clip, ratio, x, y} and
// FramingForgotten {clip, ratio} are decisions. They show at once; what the server answers counts.
//
// A script, since the frame follows the pointer and the video's frames, as only the browser can.

import { targetOf } from "../frame/event_target.js";
import { ChosenCrops } from "./chosen_crops.js";
import { showBar } from "./crop_bar.js";
import { CropOverlay } from "./crop_overlay.js";
import { axisOf, centreAt, cropRect, heldCentre } from "./crop_rect.js";
import { remember, remembered } from "./kept_choice.js";
import { Questions } from "./questions.js";

/** @import { Known, View } from "./chosen_crops.js" */
/** @import { Place } from "./crop_bar.js" */
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
  /** @type {{clip: string, ratio: string, centre: Point} | null} moved and not sent yet */
  #moving = null;
  #clip = "";
  #rest = 0;
  #time = 0; // of the picture on the screen, in seconds of the master
  #following = false;
  /** @type {AbortController | null} */
  #listeners = null;
  #questions = new Questions(
    (type, detail) => this.#tell(type, detail),
    () => Boolean(this.#here.look),
  );
  #overlay = new CropOverlay({
    move: (x, y) => this.#move(x, y),
    rest: (how) => this.#settle(how),
    drop: () => this.#drop(),
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
    addEventListener("pagehide", () => this.#settle(), options);
    const { ratio, zones } = remembered();
    const known = [...this.querySelectorAll("input")].some((input) => input.value === ratio);
    this.#chosen = { ratio: known ? ratio : "", zones };
    const video = this.#video;
    if (!video) return;
    if (video.parentElement) this.#overlay.attach(video.parentElement);
    for (const type of VIDEO_EVENTS) video.addEventListener(type, () => this.#render(), options);
    for (const type of ["seeked", "timeupdate"]) video.addEventListener(type, () => this.#at(video.currentTime), options);
    video.addEventListener("playing", () => this.#follow(), options);
    this.#render();
  }

  disconnectedCallback() {
    this.#overlay.letGo();
    this.#settle();
    this.#listeners?.abort();
    this.#overlay.remove();
    this.#crops.close();
    this.#questions.close();
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

  // What is known of the clip that is shown.
  get #here() {
    return this.#crops.of(this.#clip) ?? NOTHING_KNOWN;
  }

  /**
   * @param {string} type
   * @param {Record<string, unknown>} detail
   */
  #tell(type, detail) {
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
    this.#settle();
    this.#chosen.ratio = input.value;
    if (!input.value) this.#auto = false;
    remember(this.#chosen);
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
    remember(this.#chosen);
  }

  #chooseAuto() {
    this.#settle();
    this.#auto = !this.#auto;
    if (this.#auto && !this.#here.look) this.#questions.wantLook({ atOnce: true });
  }

  #chooseCentre() {
    this.#auto = false;
    this.#drop();
    if (this.#here.saved[this.#chosen.ratio]) this.#decide(this.#clip, this.#chosen.ratio, null);
  }

  #keepProposal() {
    const { x, y } = this.#place().centre;
    this.#move(x, y);
    this.#settle();
  }

  /**
   * @param {number} x
   * @param {number} y
   */
  #move(x, y) {
    const geometry = this.#geometry();
    if (!geometry) return;
    const { axis, content, rect } = geometry;
    const centre = axis === "x" ? { x: heldCentre(x, content.width, rect.width), y: 0.5 } : { x: 0.5, y: heldCentre(y, content.height, rect.height) };
    this.#moving = { clip: this.#clip, ratio: this.#chosen.ratio, centre };
    this.#render();
  }

  // A move has come to rest: send it, or wait for the next key.
  #settle({ soon = false } = {}) {
    clearTimeout(this.#rest);
    if (!this.#moving || this.#overlay.dragging) return;
    if (soon) {
      this.#rest = setTimeout(() => this.#settle(), KEYS_REST_MS);
      return;
    }
    const { clip, ratio, centre } = this.#moving;
    this.#drop();
    this.#auto = false;
    this.#decide(clip, ratio, centre);
    this.#render();
  }

  // What was moved goes back to where it was.
  #drop() {
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
    if (centre) this.#tell("FramingChosen", { clip, ratio, x: centre.x, y: centre.y });
    else this.#tell("FramingForgotten", { clip, ratio });
  }

  /**
   * A server that knows of no clip has begun anew, and is asked again.
   *
   * @param {View} view
   */
  #accept(view) {
    this.#crops.accept(view);
    if (!view.clip_id) this.#questions.forget();
  }

  /**
   * Another clip is shown: what was being dragged is left alone.
   *
   * @param {string} clip
   */
  #turnTo(clip) {
    if (clip === this.#clip) return;
    this.#clip = clip;
    this.#questions.turnTo(clip);
    if (this.#overlay.dragging) this.#moving = null;
    this.#overlay.letGo();
    this.#settle();
  }

  /** @returns {Place} */
  #place() {
    const { ratio } = this.#chosen;
    const { saved, look } = this.#here;
    if (this.#moving) return { kind: "moving", centre: this.#moving.centre };
    const chosen = saved[ratio];
    /** @type {Place} */
    const kept = chosen ? { kind: "hand", centre: { x: chosen[0], y: chosen[1] } } : { kind: "centre", centre: CENTRE };
    if (!this.#auto) return kept;
    const shots = look?.shots[ratio] ?? [];
    if (shots.length === 0) return { ...kept, kind: "auto", shots };
    const at = this.#time * 1000 - Number(this.getAttribute("start-ms")) + 1;
    const { x, y, index } = centreAt(shots, Math.max(0, at));
    return { kind: "auto", centre: { x, y }, shot: index, shots };
  }

  // The picture, what lies between its bars, and the crop in that; null without a picture, or where it has the chosen shape already.
  /** @returns {Geometry | null} */
  #geometry() {
    const { look } = this.#here;
    const { videoWidth: width = 0, videoHeight: height = 0 } = this.#video ?? {};
    const { ratio } = this.#chosen;
    if (!width || !ratio) return null;
    const size = look ? { width: look.width, height: look.height } : { width, height };
    /** @type {Rect} */
    const content = look?.content ?? { x: 0, y: 0, ...size };
    const axis = axisOf(content.width, content.height, ratio);
    if (!axis) return null;
    const { centre } = this.#place();
    return { shape: width / height, size, content, axis, ratio, centre, rect: cropRect(content.width, content.height, ratio, centre.x, centre.y) };
  }

  #render() {
    this.#turnTo(this.getAttribute("clip-id") || "");
    if (this.#chosen.ratio) this.#questions.askWhatIsSaved();
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
    if (known && !known.look && !known.looking && !known.problem) this.#questions.wantLook();
  }

  /** @param {boolean} framing */
  #showBar(framing) {
    const { ratio, zones } = this.#chosen;
    const { look, problem } = this.#here;
    showBar(this, {
      ratio,
      zones,
      auto: this.#auto,
      place: this.#place(),
      framing,
      mayFrame: this.#mayFrame,
      content: look?.content ?? { width: this.#video?.videoWidth, height: this.#video?.videoHeight },
      problem,
      underWay: this.#crops.isUnderWay(this.#clip, ratio),
      lost: this.#crops.isLost(this.#clip, ratio),
    });
  }

  // While it plays, the proposal is drawn with each picture, so that the frame jumps with the cut.
  #follow() {
    const video = this.#video;
    if (this.#following || !this.#auto || !this.isConnected || !video || video.paused || !("requestVideoFrameCallback" in video)) return;
    this.#following = true;
    video.requestVideoFrameCallback((_now, { mediaTime }) => {
      this.#following = false;
      this.#at(mediaTime);
      this.#follow();
    });
  }

  /** @param {number} seconds */
  #at(seconds) {
    this.#time = seconds;
    if (this.#auto) this.#render();
  }
}

customElements.define("crop-preview", CropPreview);
