// The timeline of the clip room: the whole master as filmstrip and waveform, its candidates on it, and the way to mark another.
//
// <clip-timeline> draws itself. Attributes: view (JSON of TimelineView in clipviewer/state/timeline.py), clips (JSON [{id, title,
// start_ms, end_ms}]), clip-id (the one that is shown). Events: ClipSaved {clip, start, end, title} (clip is "" for a new one),
// ClipRemoved {clip}. Times are ms. Keys, where nobody types: I and O set in and out at the playhead, Enter asks for the title.

import { HEIGHT, draw, pictureAt, shownTime } from "./timeline_drawing.js";

const LEAST_SHOWN_MS = 1_000;
const LEAST_CLIP_MS = 200;
const NEAR = 10;
const TYPED_INTO = "input:not([type=checkbox], [type=radio], [type=range]), textarea, select, [contenteditable]";
const HTML = `
  <div class="timeline-face"><canvas tabindex="0" role="slider" aria-label="Playhead" height="${HEIGHT}"></canvas>
    <div class="timeline-thumb" hidden><canvas></canvas><span class="tabular"></span></div></div>
  <div class="timeline-bar">
    <button type="button" data-do="in" title="In point at the playhead (I)">In</button>
    <button type="button" data-do="out" title="Out point at the playhead (O)">Out</button>
    <span class="timeline-words tabular" role="status"></span>
    <button type="button" data-do="edit" title="Change the range and title of the shown clip">Edit</button>
    <button type="button" data-do="closer" aria-label="Closer" title="Closer (+)">+</button>
    <button type="button" data-do="wider" aria-label="Wider" title="Wider (−)">−</button>
  </div>
  <form class="timeline-form" hidden>
    <input name="title" maxlength="300" placeholder="Title" aria-label="Title of the clip" autocomplete="off">
    <button type="submit" class="timeline-save">Save clip</button>
    <button type="button" data-do="remove">Remove</button>
    <button type="button" data-do="cancel">Cancel</button>
  </form>`;

class ClipTimeline extends HTMLElement {
  static observedAttributes = ["view", "clips", "clip-id"];

  #view = {};
  #clips = [];
  #drawn = { times: [], peaks: [], peakMs: 100, sheets: [] };
  #loaded = "";
  #from = 0;
  #to = 1;
  #draft = null; // {id, start_ms, end_ms}; an end that is still missing is null
  #saved = 0;
  #drag = null;
  #fingers = new Map();
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
    canvas.addEventListener("pointerdown", (event) => this.#down(event), options);
    canvas.addEventListener("pointermove", (event) => this.#move(event), options);
    for (const type of ["pointerup", "pointercancel"]) canvas.addEventListener(type, (event) => this.#up(event), options);
    canvas.addEventListener("pointerleave", () => this.#hover(null), options);
    canvas.addEventListener("wheel", (event) => this.#wheel(event), { ...options, passive: false });
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
    this.#plan();
  }

  #accept(view) {
    const length = view.duration_ms || 1;
    if (view.video_id !== this.#view.video_id || length !== (this.#view.duration_ms || 1)) [this.#from, this.#to] = [0, length];
    if (view.video_id !== this.#view.video_id) this.#draft = null;
    else if (view.saved !== this.#saved) this.#cancel();
    this.#saved = view.saved;
    this.#view = view;
    this.#load();
  }

  async #load() {
    const { video_id: id, edition, sheets } = this.#view;
    const wanted = edition && `${id} ${edition}`;
    if (!wanted || wanted === this.#loaded) return;
    this.#loaded = wanted;
    const pictures = sheets.map((address) => Object.assign(new Image(), { onload: () => this.#plan(), src: address }));
    this.#drawn = { times: [], peaks: [], peakMs: 100, sheets: pictures };
    const answer = await fetch(`/api/clips/videos/${id}/timeline?of=${encodeURIComponent(edition)}`).catch(() => null);
    if (!answer?.ok || wanted !== this.#loaded) return;
    const { peaks, secondsPerPeak, timesMs } = await answer.json();
    this.#drawn = { times: timesMs, peaks, peakMs: secondsPerPeak * 1000, sheets: pictures };
    this.#plan();
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
    const clips = this.#clips.filter((clip) => clip.id !== draft?.id);
    const scene = { ...this.#drawn, columns, width, height, clips, shown, draft, from: this.#from, to: this.#to, now: this.#now };
    draw(this.#canvas, scene);
    const canvas = this.#canvas;
    canvas.ariaValueMin = "0";
    canvas.ariaValueMax = String(Math.round(this.#length / 1000));
    canvas.ariaValueNow = String(Math.round(this.#now / 1000));
    canvas.ariaValueText = shownTime(this.#now, { tenths: true });
    const words = this.querySelector(".timeline-words");
    const said = this.#draft ? this.#said() : "";
    if (words.textContent !== said) words.textContent = said;
    for (const name of ["in", "out"]) this.#button(name).hidden = !may;
    this.#button("edit").hidden = !may || !clips.some((clip) => clip.id === shown) || Boolean(this.#draft);
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
    if (document.querySelector("[role=dialog]")) return;
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
    if (event.key in steps) this.#seek(this.#now + steps[event.key]);
    else if (event.key === "Home") this.#seek(0);
    else if (event.key === "End") this.#seek(this.#length);
    else if (event.key === "+" || event.key === "=") this.#zoom(0.5, this.#now);
    else if (event.key === "-") this.#zoom(2, this.#now);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #seek(ms) {
    if (this.#video) this.#video.currentTime = Math.min(Math.max(0, ms), this.#length) / 1000;
    this.#plan();
  }

  #zoom(factor, around) {
    const length = Math.min(this.#length, Math.max(LEAST_SHOWN_MS, (this.#to - this.#from) * factor));
    const share = Math.min(1, Math.max(0, (around - this.#from) / (this.#to - this.#from)));
    this.#show(around - share * length, length);
  }

  #show(from, length) {
    this.#from = Math.min(Math.max(0, from), Math.max(0, this.#length - length));
    this.#to = this.#from + Math.min(length, this.#length);
    this.#plan();
  }

  #time(x) {
    const box = this.#canvas.getBoundingClientRect();
    return this.#from + ((x - box.left) / box.width) * (this.#to - this.#from);
  }

  #wheel(event) {
    const wide = Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey;
    if (!event.ctrlKey && !event.metaKey && !wide) return; // the page scrolls
    event.preventDefault();
    if (!wide) this.#zoom(Math.exp(event.deltaY / 200), this.#time(event.clientX));
    else this.#show(this.#from + ((event.deltaX || event.deltaY) / this.#canvas.clientWidth) * (this.#to - this.#from), this.#to - this.#from);
  }

  #down(event) {
    if (event.button !== 0) return;
    this.#canvas.setPointerCapture(event.pointerId);
    this.#fingers.set(event.pointerId, event.clientX);
    const ms = this.#time(event.clientX);
    const near = (NEAR / this.#canvas.clientWidth) * (this.#to - this.#from);
    const handle = this.#whole() && ["start_ms", "end_ms"].find((name) => Math.abs(this.#draft[name] - ms) <= near);
    this.#drag = this.#fingers.size > 1 ? null : { x: event.clientX, from: ms, handle, moved: false };
  }

  #move(event) {
    if (this.#fingers.size > 1 && this.#fingers.has(event.pointerId)) {
      const spread = () => Math.max(20, Math.max(...this.#fingers.values()) - Math.min(...this.#fingers.values()));
      const before = spread();
      this.#fingers.set(event.pointerId, event.clientX);
      this.#zoom(before / spread(), this.#time([...this.#fingers.values()].reduce((sum, x) => sum + x, 0) / this.#fingers.size));
      return;
    }
    this.#hover(event.pointerType === "mouse" ? event.clientX : null);
    const drag = this.#drag;
    if (!drag || (!drag.moved && Math.abs(event.clientX - drag.x) < 4) || !this.#view.may_mark) return;
    drag.moved = true;
    const ms = this.#time(event.clientX);
    if (drag.handle) {
      const [start, end] = drag.handle === "start_ms" ? [ms, this.#draft.end_ms] : [this.#draft.start_ms, ms];
      if (end - start >= LEAST_CLIP_MS) this.#draft = { ...this.#draft, [drag.handle]: this.#snapped(ms) };
    } else {
      const [start, end] = [drag.from, ms].sort((a, b) => a - b);
      this.#draft = { id: this.#draft?.id ?? "", start_ms: this.#snapped(start), end_ms: this.#snapped(Math.max(end, start + LEAST_CLIP_MS)) };
    }
    this.#plan();
  }

  #up(event) {
    this.#fingers.delete(event.pointerId);
    const drag = this.#drag;
    this.#drag = null;
    if (drag && !drag.moved && event.type === "pointerup") this.#seek(drag.from);
  }

  #hover(x) {
    const thumb = this.querySelector(".timeline-thumb");
    const ms = x === null ? 0 : this.#time(x);
    const { columns, width, height } = this.#view;
    const found = x === null ? null : pictureAt({ ...this.#drawn, columns, width, height }, ms);
    thumb.hidden = !found;
    if (!found) return;
    const picture = thumb.querySelector("canvas");
    if (picture.width !== width || picture.height !== height) Object.assign(picture, { width, height });
    picture.getContext("2d").drawImage(found.image, found.x, found.y, width, height, 0, 0, width, height);
    thumb.querySelector("span").textContent = shownTime(ms, { tenths: true });
    const box = this.#canvas.getBoundingClientRect();
    thumb.style.left = `${Math.min(Math.max(0, x - box.left - width / 2), Math.max(0, box.width - width))}px`;
  }
}

customElements.define("clip-timeline", ClipTimeline);
