// The timeline of the clip room: the whole master as filmstrip and waveform with its candidates, on which new ones are marked.
//
// <clip-timeline> draws itself. Attributes: view (JSON of TimelineView in clipviewer/state/timeline.py), clips (JSON [{id, title,
// start_ms, end_ms}], the listed candidates), clip-id (the shown one), candidates (change token of all candidates). Events: ClipSaved
// {clip, start, end, title} (clip is "" for a new one), ClipRemoved {clip}. Times are ms. Keys, unless somebody is typing: I and O set the in
// and out point at the playhead, Enter moves to the title; on the timeline itself + and − zoom, 0 shows all, Shift and the arrow keys pan.
//
// A script, since the playhead follows the frames of the video, and a marked range follows the pointer.

import { closest } from "../frame/event_target.js";
import { hasModifier, isForPage } from "../keyboard/keys.js";
import { Draft, framesPerSecond } from "./draft.js";
import { draw, formatTime } from "./drawing.js";
import { Footage } from "./footage.js";
import { Gestures } from "./gestures.js";
import { TEMPLATE } from "./template.js";
import { hideThumb, showThumb } from "./thumb.js";
import { ShownWindow } from "./window.js";

/** @import { Span } from "./drawing.js" */
/** @import { Host } from "./gestures.js" */
/** @import { Range } from "./marks.js" */

/**
 * The fields of TimelineView (clipviewer/state/timeline.py) that are used here.
 *
 * @typedef {{video_id: string, duration_ms: number, saved: number, edition: string, sheets: string[], columns: number, width: number,
 *   height: number, frame_rate: string, may_mark: boolean}} View
 */

/** @typedef {Span & {id: string, title: string}} Clip */

const PAN = 0.3; // of the visible span
const ZOOM_IN = 0.5;
const ZOOM_OUT = 2;
/** @type {View} */
const NO_VIEW = {
  video_id: "",
  duration_ms: 0,
  saved: 0,
  edition: "",
  sheets: [],
  columns: 1,
  width: 1,
  height: 1,
  frame_rate: "",
  may_mark: false,
};

class ClipTimeline extends HTMLElement {
  static observedAttributes = ["view", "clips", "clip-id", "candidates"];

  #view = NO_VIEW;
  /** @type {Clip[]} */
  #clips = [];
  #footage = new Footage(() => this.#plan());
  #shown = new ShownWindow();
  #draft = new Draft();
  /** @type {Gestures | null} */
  #gestures = null;
  #planned = 0;
  /** @type {AbortController | null} */
  #listeners = null;
  #resized = new ResizeObserver(() => this.#plan());
  /** @type {Record<string, () => void>} actions of the buttons */
  #actions = {
    in: () => this.#setEnd("start_ms"),
    out: () => this.#setEnd("end_ms"),
    closer: () => this.#shown.zoom(ZOOM_IN, this.#now),
    wider: () => this.#shown.zoom(ZOOM_OUT, this.#now),
    cancel: () => this.#cancel(),
    remove: () => this.#draft.id && this.#dispatch("ClipRemoved", { clip: this.#draft.id }),
    edit: () => this.#edit(),
  };
  /** @type {Record<string, () => void>} actions of keys on the timeline itself */
  #keys = {
    ArrowLeft: () => this.#seek(this.#now - this.#frame),
    ArrowRight: () => this.#seek(this.#now + this.#frame),
    PageDown: () => this.#seek(this.#now - 5_000),
    PageUp: () => this.#seek(this.#now + 5_000),
    Home: () => this.#seek(0),
    End: () => this.#seek(this.#length),
    "+": () => this.#shown.zoom(ZOOM_IN, this.#now),
    "=": () => this.#shown.zoom(ZOOM_IN, this.#now),
    "-": () => this.#shown.zoom(ZOOM_OUT, this.#now),
    "0": () => this.#shown.reset(this.#length),
  };
  /** @type {Record<string, () => void>} the same with Shift held */
  #shiftKeys = {
    ArrowLeft: () => this.#shown.pan(-PAN),
    ArrowRight: () => this.#shown.pan(PAN),
  };

  connectedCallback() {
    this.#listeners = new AbortController();
    const options = { signal: this.#listeners.signal };
    if (!this.firstChild) this.innerHTML = TEMPLATE;
    this.addEventListener("click", (event) => this.#onAction(closest(event, "[data-do]")?.dataset.do), options);
    this.#form.addEventListener("submit", (event) => this.#save(event), options);
    this.#form.addEventListener("keydown", (event) => event.key === "Escape" && this.#cancel(), options);
    const canvas = this.#canvas;
    this.#gestures = new Gestures(canvas, this.#gestureHost(), options);
    canvas.addEventListener("keydown", (event) => this.#onTimelineKey(event), options);
    document.addEventListener("keydown", (event) => this.#onPageKey(event), options);
    for (const type of ["timeupdate", "seeking", "seeked", "loadedmetadata"]) {
      document.addEventListener(type, (event) => event.target === this.#video && this.#plan(), { ...options, capture: true });
    }
    this.#resized.observe(this);
    for (const name of ClipTimeline.observedAttributes) this.attributeChangedCallback(name, null, this.getAttribute(name));
  }

  disconnectedCallback() {
    this.#listeners?.abort();
    this.#resized.disconnect();
    cancelAnimationFrame(this.#planned);
    this.#planned = 0;
  }

  /**
   * @param {string} name
   * @param {string | null} _before
   * @param {string | null} value
   */
  attributeChangedCallback(name, _before, value) {
    if (!this.#listeners || this.#listeners.signal.aborted) return;
    if (name === "clips") this.#clips = JSON.parse(value || "[]");
    if (name === "view") this.#accept(JSON.parse(value || "null") ?? NO_VIEW);
    if (name === "view" || name === "candidates") this.#footage.loadMarks(this.#view.video_id, this.getAttribute("candidates"));
    this.#plan();
  }

  /** @param {View} view */
  #accept(view) {
    const before = this.#view;
    const length = view.duration_ms || 1;
    if (view.video_id !== before.video_id || length !== this.#length) this.#shown.reset(length);
    if (view.video_id !== before.video_id) this.#draft.clear();
    else if (view.saved !== before.saved) this.#cancel();
    this.#view = view;
    this.#draft.fit(length, view.frame_rate);
    this.#footage.load(view);
  }

  get #canvas() {
    return /** @type {HTMLCanvasElement} */ (this.querySelector(".timeline-face > canvas"));
  }

  get #form() {
    return /** @type {HTMLFormElement} */ (this.querySelector("form"));
  }

  get #title() {
    return /** @type {HTMLInputElement} */ (this.#form.elements.namedItem("title"));
  }

  /** @returns {HTMLVideoElement | null} */
  get #video() {
    return document.querySelector("clip-player video");
  }

  get #now() {
    return Math.round((this.#video?.currentTime ?? 0) * 1000);
  }

  get #length() {
    return this.#view.duration_ms || 1;
  }

  // How long one frame lasts.
  get #frame() {
    return 1000 / (framesPerSecond(this.#view.frame_rate || "25") || 25);
  }

  // The shown candidate, if it is listed.
  get #clip() {
    const shown = this.getAttribute("clip-id");
    return this.#clips.find((clip) => clip.id === shown);
  }

  get #filmstrip() {
    const { columns, width, height } = this.#view;
    return { ...this.#footage.drawn, columns, width, height };
  }

  #plan() {
    this.#planned ||= requestAnimationFrame(() => {
      this.#planned = 0;
      if (this.isConnected) this.#render();
    });
  }

  #render() {
    const draft = this.#draft.whole;
    const clip = this.#clip?.id === draft?.id ? undefined : this.#clip;
    this.#draw(clip, draft);
    this.#showControls(clip);
    if (this.#video && !this.#video.paused) this.#plan();
  }

  /**
   * @param {Clip | undefined} clip
   * @param {Span & {id: string} | null} draft
   */
  #draw(clip, draft) {
    const canvas = this.#canvas;
    const changed = draft && this.#clips.find((each) => each.id === draft.id);
    /** @type {Range | null} */
    const without = changed ? [changed.start_ms, changed.end_ms] : null;
    const marks = this.#footage.marks.in(this.#shown, canvas.clientWidth, without);
    const { from, to } = this.#shown;
    draw(canvas, { ...this.#filmstrip, marks, clip, draft, from, to, now: this.#now });
    canvas.ariaValueMin = "0";
    canvas.ariaValueMax = String(Math.round(this.#length / 1000));
    canvas.ariaValueNow = String(Math.round(this.#now / 1000));
    canvas.ariaValueText = formatTime(this.#now, { tenths: true });
  }

  /** @param {Clip | undefined} clip */
  #showControls(clip) {
    const may = this.#view.may_mark;
    const words = /** @type {HTMLElement} */ (this.querySelector(".timeline-words"));
    const rangeText = this.#rangeText();
    if (words.textContent !== rangeText) words.textContent = rangeText;
    for (const name of ["in", "out"]) this.#button(name).hidden = !may;
    this.#button("edit").hidden = !may || !clip || this.#draft.isBegun;
    this.#button("remove").hidden = !this.#draft.id;
    this.#form.hidden = !this.#draft.whole;
  }

  /** @param {string} name */
  #button(name) {
    return /** @type {HTMLButtonElement} */ (this.querySelector(`[data-do=${name}]`));
  }

  #rangeText() {
    if (!this.#draft.isBegun) return "";
    /** @param {number | null} ms */
    const shown = (ms) => (ms === null ? "…" : formatTime(ms, { tenths: true }));
    const { start, end, whole } = this.#draft;
    return `${shown(start)} – ${shown(end)}${whole ? ` · ${shown(whole.end_ms - whole.start_ms)}` : ""}`;
  }

  /** @param {keyof Span} name */
  #setEnd(name) {
    if (!this.#view.may_mark) return;
    this.#draft.setEnd(name, this.#now);
    this.#plan();
  }

  /** @param {string} [what] */
  #onAction(what) {
    if (!what) return;
    this.#actions[what]?.();
    this.#plan();
  }

  #edit() {
    const clip = this.#clip;
    if (!clip) return;
    this.#draft.load(clip);
    this.#title.value = clip.title;
  }

  #cancel() {
    this.#draft.clear();
    this.#form.reset();
    this.#plan();
  }

  /** @param {Event} event */
  #save(event) {
    event.preventDefault();
    const { whole } = this.#draft;
    if (whole) this.#dispatch("ClipSaved", { clip: whole.id, start: whole.start_ms, end: whole.end_ms, title: this.#title.value });
  }

  /**
   * @param {string} type
   * @param {Record<string, unknown>} detail
   */
  #dispatch(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  /**
   * Handles page-wide keys, unless somebody is typing or a control uses them.
   *
   * @param {KeyboardEvent} event
   */
  #onPageKey(event) {
    if (!isForPage(event) || document.querySelector("[role=dialog], [role=alertdialog]")) return;
    const key = event.key.toLowerCase();
    if (key === "i") this.#setEnd("start_ms");
    else if (key === "o") this.#setEnd("end_ms");
    else if (key === "escape" && this.#draft.isBegun) this.#cancel();
    else if (key === "enter" && !closest(event, "button, a, [role=option], [role=tab], label")) this.#focusTitle(event);
  }

  /** @param {KeyboardEvent} event */
  #focusTitle(event) {
    if (!this.#draft.whole) return;
    event.preventDefault();
    this.#form.hidden = false;
    this.#title.focus();
  }

  /** @param {KeyboardEvent} event */
  #onTimelineKey(event) {
    if (hasModifier(event)) return;
    const act = (event.shiftKey && this.#shiftKeys[event.key]) || this.#keys[event.key];
    if (!act) return;
    act();
    this.#plan();
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {number} ms */
  #seek(ms) {
    if (this.#video) this.#video.currentTime = Math.min(Math.max(0, ms), this.#length) / 1000;
    this.#plan();
  }

  /**
   * Returns what the gestures act on.
   *
   * @returns {Host}
   */
  #gestureHost() {
    const mayMark = () => this.#view.may_mark;
    const draft = () => this.#draft.whole;
    return {
      shown: this.#shown,
      get mayMark() {
        return mayMark();
      },
      get draft() {
        return draft();
      },
      seek: (ms) => this.#seek(ms),
      plan: () => this.#plan(),
      hover: (x) => this.#hover(x),
      mark: (start, end) => this.#change(() => this.#draft.mark(start, end)),
      move: (name, ms) => this.#change(() => this.#draft.move(name, ms)),
    };
  }

  /** @param {() => void} change */
  #change(change) {
    change();
    this.#plan();
  }

  /** @param {number | null} x */
  #hover(x) {
    const thumb = /** @type {HTMLElement} */ (this.querySelector(".timeline-thumb"));
    if (x === null || !this.#gestures) {
      hideThumb(thumb);
      return;
    }
    const box = this.#canvas.getBoundingClientRect();
    showThumb(thumb, this.#filmstrip, this.#gestures.timeAt(x), { x: x - box.left, boxWidth: box.width });
  }
}

customElements.define("clip-timeline", ClipTimeline);
