// The timeline of the clip room: the whole master as filmstrip and waveform, its candidates on it, and the way to mark another.
//
// <clip-timeline> draws itself. Attributes: view (JSON of TimelineView in clipviewer/state/timeline.py), clips (JSON [{id, title,
// start_ms, end_ms}], those that are listed), clip-id (the one that is shown), candidates (another text whenever any candidate is another).
// Events: ClipSaved {clip, start, end, title} (clip is "" for a new one), ClipRemoved {clip}. Times are ms. Keys, unless you are typing: I and
// O set in and out at the playhead, Enter asks for the title; on the timeline itself + and − zoom, 0 shows all, Shift and arrows pan.

import { HEIGHT, draw, shownTime } from "./timeline_drawing.js";
import { Footage } from "./timeline_footage.js";
import { Gestures } from "./timeline_gestures.js";
import { THUMB, showThumb } from "./timeline_thumb.js";
import { ShownWindow } from "./timeline_window.js";
import { TYPED_INTO } from "./typed_into.js";

const LEAST_CLIP_MS = 200;
const PAN = 0.3;
const HTML = `
  <div class="timeline-face"><canvas tabindex="0" role="slider" aria-label="Playhead" aria-keyshortcuts="+ - 0 Shift+ArrowLeft Shift+ArrowRight" height="${HEIGHT}"></canvas>
    ${THUMB}</div>
  <div class="timeline-bar">
    <button type="button" data-do="in" title="In point at the playhead (I)">In</button>
    <button type="button" data-do="out" title="Out point at the playhead (O)">Out</button>
    <span class="timeline-words tabular" role="status"></span>
    <button type="button" data-do="edit" title="Change the range and title of the shown clip">Edit</button>
    <button type="button" data-do="closer" aria-label="Closer" title="Closer (+ on the timeline)">+</button>
    <button type="button" data-do="wider" aria-label="Wider" title="Wider (− on the timeline; 0 shows all, Shift and arrows pan)">−</button>
  </div>
  <form class="timeline-form" hidden>
    <input name="title" maxlength="300" placeholder="Title" aria-label="Title of the clip" autocomplete="off">
    <button type="submit" class="timeline-save">Save clip</button>
    <button type="button" data-do="remove">Remove</button>
    <button type="button" data-do="cancel">Cancel</button>
  </form>`;

class ClipTimeline extends HTMLElement {
  static observedAttributes = ["view", "clips", "clip-id", "candidates"];

  #view = {};
  #clips = [];
  #footage = new Footage(() => this.#plan());
  #shown = new ShownWindow();
  #draft = null; // {id, start_ms, end_ms}; an end that is still missing is null
  #saved = 0;
  #gestures = null;
  #planned = 0;
  #listeners = null;
  #resized = new ResizeObserver(() => this.#plan());

  connectedCallback() {
    this.#listeners = new AbortController();
    const options = { signal: this.#listeners.signal };
    if (!this.firstChild) this.innerHTML = HTML;
    this.addEventListener("click", (event) => this.#press(event.target.closest("[data-do]")?.dataset.do), options);
    this.#form.addEventListener("submit", (event) => this.#save(event), options);
    this.#form.addEventListener("keydown", (event) => event.key === "Escape" && this.#cancel(), options);
    const canvas = this.#canvas;
    this.#gestures = new Gestures(canvas, this.#hands(), options);
    canvas.addEventListener("keydown", (event) => this.#key(event), options);
    document.addEventListener("keydown", (event) => this.#anywhere(event), options);
    for (const type of ["timeupdate", "seeking", "seeked", "loadedmetadata"]) {
      document.addEventListener(type, (event) => event.target === this.#video && this.#plan(), { ...options, capture: true });
    }
    this.#resized.observe(this);
    for (const name of ClipTimeline.observedAttributes) this.attributeChangedCallback(name, null, this.getAttribute(name));
  }

  disconnectedCallback() {
    this.#listeners.abort();
    this.#resized.disconnect();
    cancelAnimationFrame(this.#planned);
    this.#planned = 0;
  }

  attributeChangedCallback(name, _before, value) {
    if (!this.#listeners || this.#listeners.signal.aborted) return;
    if (name === "clips") this.#clips = JSON.parse(value || "[]");
    if (name === "view") this.#accept(JSON.parse(value || "{}"));
    if (name === "view" || name === "candidates") this.#footage.loadMarks(this.#view.video_id, this.getAttribute("candidates"));
    this.#plan();
  }

  #accept(view) {
    const length = view.duration_ms || 1;
    if (view.video_id !== this.#view.video_id || length !== (this.#view.duration_ms || 1)) this.#shown.reset(length);
    if (view.video_id !== this.#view.video_id) this.#draft = null;
    else if (view.saved !== this.#saved) this.#cancel();
    this.#saved = view.saved;
    this.#view = view;
    this.#footage.load(view);
  }

  get #canvas() {
    return this.querySelector(".timeline-face > canvas");
  }

  get #form() {
    return this.querySelector("form");
  }

  get #video() {
    return document.querySelector("clip-player video");
  }

  get #now() {
    return Math.round((this.#video?.currentTime ?? 0) * 1000);
  }

  get #length() {
    return this.#view.duration_ms || 1;
  }

  #plan() {
    this.#planned ||= requestAnimationFrame(() => {
      this.#planned = 0;
      if (this.isConnected) this.#render();
    });
  }

  #render() {
    const { columns, width, height, may_mark: may } = this.#view;
    const shown = this.getAttribute("clip-id");
    const draft = this.#whole() ? this.#draft : null;
    const canvas = this.#canvas;
    const changed = draft && this.#clips.find((clip) => clip.id === draft.id);
    const marks = this.#footage.marks.in(this.#shown, canvas.clientWidth, changed ? [changed.start_ms, changed.end_ms] : null);
    const clip = this.#clips.find((each) => each.id === shown && each.id !== draft?.id);
    const { from, to } = this.#shown;
    draw(canvas, { ...this.#footage.drawn, columns, width, height, marks, clip, draft, from, to, now: this.#now });
    canvas.ariaValueMin = "0";
    canvas.ariaValueMax = String(Math.round(this.#length / 1000));
    canvas.ariaValueNow = String(Math.round(this.#now / 1000));
    canvas.ariaValueText = shownTime(this.#now, { tenths: true });
    const words = this.querySelector(".timeline-words");
    const said = this.#draft ? this.#said() : "";
    if (words.textContent !== said) words.textContent = said;
    for (const name of ["in", "out"]) this.#button(name).hidden = !may;
    this.#button("edit").hidden = !may || !clip || Boolean(this.#draft);
    this.#button("remove").hidden = !this.#draft?.id;
    this.#form.hidden = !this.#whole();
    if (this.#video && !this.#video.paused) this.#plan();
  }

  #button(name) {
    return this.querySelector(`[data-do=${name}]`);
  }

  #said() {
    const { start_ms: start, end_ms: end } = this.#draft;
    const shown = (ms) => (ms === null ? "…" : shownTime(ms, { tenths: true }));
    return `${shown(start)} – ${shown(end)}${this.#whole() ? ` · ${shownTime(end - start, { tenths: true })}` : ""}`;
  }

  #whole() {
    return this.#draft && this.#draft.start_ms !== null && this.#draft.end_ms !== null;
  }

  #snapped(ms) {
    const [above, below = "1"] = (this.#view.frame_rate || "0").split("/");
    const rate = Number(above) / Number(below) || 1000;
    const held = Math.min(Math.max(0, ms), this.#length);
    return Math.min(this.#length, Math.round((Math.round((held * rate) / 1000) * 1000) / rate));
  }

  #point(name, ms) {
    if (!this.#view.may_mark) return;
    const draft = { id: "", start_ms: null, end_ms: null, ...this.#draft, [name]: this.#snapped(ms) };
    const other = name === "start_ms" ? "end_ms" : "start_ms";
    if (draft.start_ms !== null && draft.end_ms !== null && draft.end_ms - draft.start_ms < LEAST_CLIP_MS) draft[other] = null;
    this.#draft = draft;
    this.#plan();
  }

  #press(what) {
    if (what === "in") this.#point("start_ms", this.#now);
    if (what === "out") this.#point("end_ms", this.#now);
    if (what === "closer") this.#zoom(0.5, this.#now);
    if (what === "wider") this.#zoom(2, this.#now);
    if (what === "cancel") this.#cancel();
    if (what === "remove" && this.#draft?.id) this.#tell("ClipRemoved", { clip: this.#draft.id });
    if (what === "edit") this.#edit(this.#clips.find((clip) => clip.id === this.getAttribute("clip-id")));
  }

  #edit(clip) {
    this.#draft = { id: clip.id, start_ms: clip.start_ms, end_ms: clip.end_ms };
    this.#form.elements.title.value = clip.title;
    this.#plan();
  }

  #cancel() {
    this.#draft = null;
    this.#form.reset();
    this.#plan();
  }

  #save(event) {
    event.preventDefault();
    if (!this.#whole()) return;
    const { id, start_ms: start, end_ms: end } = this.#draft;
    this.#tell("ClipSaved", { clip: id, start, end, title: this.#form.elements.title.value });
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  // Keys of the page, unless somebody types or a control has them.
  #anywhere(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.(TYPED_INTO)) return;
    if (document.querySelector("[role=dialog], [role=alertdialog]")) return;
    const key = event.key.toLowerCase();
    if (key === "i") this.#point("start_ms", this.#now);
    else if (key === "o") this.#point("end_ms", this.#now);
    else if (key === "escape" && this.#draft) this.#cancel();
    else if (key === "enter" && this.#whole() && !event.target.closest?.("button, a, [role=option], [role=tab], label")) {
      event.preventDefault();
      this.#form.hidden = false;
      this.#form.elements.title.focus();
    }
  }

  #key(event) {
    const frame = 1000 / ((([above, below = "1"]) => above / below)((this.#view.frame_rate || "25").split("/")) || 25);
    const steps = { ArrowLeft: -frame, ArrowRight: frame, PageDown: -5_000, PageUp: 5_000 };
    const pan = { ArrowLeft: -PAN, ArrowRight: PAN }[event.shiftKey && event.key];
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (pan) this.#shown.pan(pan);
    else if (event.key in steps) this.#seek(this.#now + steps[event.key]);
    else if (event.key === "Home") this.#seek(0);
    else if (event.key === "End") this.#seek(this.#length);
    else if (event.key === "+" || event.key === "=") this.#zoom(0.5, this.#now);
    else if (event.key === "-") this.#zoom(2, this.#now);
    else if (event.key === "0") this.#shown.reset(this.#length);
    else return;
    this.#plan();
    event.preventDefault();
    event.stopPropagation();
  }

  #seek(ms) {
    if (this.#video) this.#video.currentTime = Math.min(Math.max(0, ms), this.#length) / 1000;
    this.#plan();
  }

  #zoom(factor, around) {
    this.#shown.zoom(factor, around);
    this.#plan();
  }

  // What mouse and fingers do it to.
  #hands() {
    const timeline = this;
    return {
      shown: this.#shown,
      get mayMark() {
        return timeline.#view.may_mark;
      },
      get draft() {
        return timeline.#whole() ? timeline.#draft : null;
      },
      seek: (ms) => this.#seek(ms),
      plan: () => this.#plan(),
      hover: (x) => this.#hover(x),
      mark: (start, end) => this.#mark(start, end),
      move: (name, ms) => this.#move(name, ms),
    };
  }

  #mark(start, end) {
    this.#draft = {
      id: this.#draft?.id ?? "",
      start_ms: this.#snapped(start),
      end_ms: this.#snapped(Math.max(end, start + LEAST_CLIP_MS)),
    };
    this.#plan();
  }

  #move(name, ms) {
    const [start, end] = name === "start_ms" ? [ms, this.#draft.end_ms] : [this.#draft.start_ms, ms];
    if (end - start >= LEAST_CLIP_MS) this.#draft = { ...this.#draft, [name]: this.#snapped(ms) };
    this.#plan();
  }

  #hover(x) {
    const { columns, width, height } = this.#view;
    const box = this.#canvas.getBoundingClientRect();
    const ms = x === null ? null : this.#gestures.timeAt(x);
    showThumb(this.querySelector(".timeline-thumb"), { ...this.#footage.drawn, columns, width, height }, ms, x - box.left, box.width);
  }
}

customElements.define("clip-timeline", ClipTimeline);
