// The crop preview of the clip room: which part of the master's picture an export in the chosen shape shows, and where a person wants it.
//
// <crop-preview> holds the toolbar that the page renders, and lays the frame over the player's picture. Attributes: clip-id, start-ms (of
// the clip in the master), framing (JSON of FramingView in clipviewer/state/framing_rows.py), may-frame. Events: FramingOpened {clip} asks
// for what is saved, LookWanted {clip} for what is to be seen in the picture, FramingChosen {clip, ratio, x, y} and
// FramingForgotten {clip, ratio} are decisions. They show at once; what the server answers counts.

import { ChosenCrops } from "./chosen_crops.js";
import { showBar } from "./crop_bar.js";
import { CropOverlay } from "./crop_overlay.js";
import { axisOf, centreAt, cropRect, heldCentre } from "./crop_rect.js";

const CENTRE = { x: 0.5, y: 0.5 };
const KEYS_REST_MS = 500;
const OPEN_MS = 150; // between two clips that are only skimmed past
const LOOK_MS = 400;
const KEPT = "clipviewer.framing";
const VIDEO_EVENTS = ["loadedmetadata", "resize", "emptied"];

function remembered() {
  try {
    return JSON.parse(localStorage.getItem(KEPT)) ?? {};
  } catch {
    return {};
  }
}

function remember(choice) {
  try {
    localStorage.setItem(KEPT, JSON.stringify(choice));
  } catch {
    // A browser that keeps nothing begins anew with every page.
  }
}

class CropPreview extends HTMLElement {
  static observedAttributes = ["clip-id", "start-ms", "framing", "may-frame"];

  #chosen = { ratio: "", zones: false };
  #auto = false;
  #crops = new ChosenCrops(() => this.#render());
  #moving = null; // {clip, ratio, centre}: moved and not sent yet
  #clip = "";
  #rest = 0;
  #asked = ""; // the clip that was last asked about, and when
  #lastAsked = 0;
  #asking = 0;
  #looking = 0;
  #lookedFor = "";
  #time = 0; // of the picture on the screen, in seconds of the master
  #following = false;
  #listeners = null;
  #overlay = new CropOverlay({
    move: (x, y) => this.#move(x, y),
    rest: (how) => this.#settle(how),
    drop: () => this.#drop(),
    tap: () => (this.#video.paused ? this.#video.play().catch(() => {}) : this.#video.pause()),
  });

  connectedCallback() {
    this.#listeners = new AbortController();
    const options = { signal: this.#listeners.signal };
    this.addEventListener("change", (event) => this.#choose(event.target), options);
    this.addEventListener("click", (event) => this.#press(event.target.closest("button[data-framing]")), options);
    addEventListener("pagehide", () => this.#settle(), options);
    const { ratio = "", zones = false } = remembered();
    const known = [...this.querySelectorAll("input")].some((input) => input.value === ratio);
    this.#chosen = { ratio: known ? ratio : "", zones: zones === true };
    const video = this.#video;
    if (!video) return;
    this.#overlay.attach(video.parentElement);
    for (const type of VIDEO_EVENTS) video.addEventListener(type, () => this.#render(), options);
    for (const type of ["seeked", "timeupdate"]) video.addEventListener(type, () => this.#at(video.currentTime), options);
    video.addEventListener("playing", () => this.#follow(), options);
    this.#render();
  }

  disconnectedCallback() {
    this.#overlay.letGo();
    this.#settle();
    this.#listeners.abort();
    this.#overlay.remove();
    this.#crops.close();
    for (const timer of [this.#rest, this.#asking, this.#looking]) clearTimeout(timer);
    this.#clip = this.#asked = "";
  }

  attributeChangedCallback(name, _before, value) {
    if (name === "framing") this.#accept(JSON.parse(value || "{}"));
    if (this.#listeners && !this.#listeners.signal.aborted) this.#render();
  }

  get #video() {
    return document.querySelector("clip-player video");
  }

  get #mayFrame() {
    return this.getAttribute("may-frame") === "true";
  }

  // What is known of the clip that is shown.
  get #here() {
    return this.#crops.of(this.#clip) ?? {};
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  #choose(input) {
    if (input.name !== "framing-ratio") return;
    this.#settle();
    this.#chosen.ratio = input.value;
    if (!input.value) this.#auto = false;
    remember(this.#chosen);
    this.#render();
  }

  #press(button) {
    const action = button?.dataset.framing;
    if (!action) return;
    if (action === "zones") {
      this.#chosen.zones = !this.#chosen.zones;
      remember(this.#chosen);
    } else if (action === "auto") {
      this.#settle();
      this.#auto = !this.#auto;
      if (this.#auto && !this.#here.look) this.#wantLook(0);
    } else if (action === "centre") {
      this.#auto = false;
      this.#drop();
      if (this.#here.saved?.[this.#chosen.ratio]) this.#decide(this.#clip, this.#chosen.ratio, null);
    } else if (action === "keep") {
      const { x, y } = this.#place().centre;
      this.#move(x, y);
      this.#settle();
    }
    this.#render();
    this.#follow();
  }

  #move(x, y) {
    const { axis, content, rect } = this.#geometry();
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

  #decide(clip, ratio, centre) {
    this.#crops.decide(clip, ratio, centre);
    if (centre) this.#tell("FramingChosen", { clip, ratio, x: centre.x, y: centre.y });
    else this.#tell("FramingForgotten", { clip, ratio });
  }

  // A server that knows of no clip has begun anew, and is asked again.
  #accept(view) {
    this.#crops.accept(view);
    if (!view.clip_id) this.#asked = "";
  }

  // Another clip is shown: what was being dragged is left alone.
  #turnTo(clip) {
    if (clip === this.#clip) return;
    this.#clip = clip;
    if (this.#overlay.dragging) this.#moving = null;
    this.#overlay.letGo();
    this.#settle();
    this.#lookedFor = "";
  }

  // Ask for what is saved, once a shape is chosen; not for every clip that is only skimmed past.
  #ask() {
    const clip = this.#clip;
    if (!clip || !this.#chosen.ratio || clip === this.#asked) return;
    this.#asked = clip;
    clearTimeout(this.#asking);
    this.#asking = setTimeout(() => {
      this.#lastAsked = Date.now();
      this.#tell("FramingOpened", { clip });
    }, Math.min(OPEN_MS, Math.max(0, this.#lastAsked + OPEN_MS - Date.now())));
  }

  #wantLook(wait) {
    const clip = this.#clip;
    if (this.#lookedFor === clip && wait) return;
    this.#lookedFor = clip;
    clearTimeout(this.#looking);
    this.#looking = setTimeout(() => clip === this.#clip && !this.#here.look && this.#tell("LookWanted", { clip }), wait);
  }

  #place() {
    const { ratio } = this.#chosen;
    const { saved, look } = this.#here;
    if (this.#moving) return { kind: "moving", centre: this.#moving.centre };
    const chosen = saved?.[ratio];
    const kept = chosen ? { kind: "hand", centre: { x: chosen[0], y: chosen[1] } } : { kind: "centre", centre: CENTRE };
    if (!this.#auto) return kept;
    const shots = look?.shots[ratio] ?? [];
    if (shots.length === 0) return { ...kept, kind: "auto", shots };
    const at = this.#time * 1000 - Number(this.getAttribute("start-ms")) + 1;
    const { x, y, index } = centreAt(shots, Math.max(0, at));
    return { kind: "auto", centre: { x, y }, shot: index, shots };
  }

  // The picture, what lies between its bars, and the crop in that; null without a picture, or where it has the chosen shape already.
  #geometry() {
    const { look } = this.#here;
    const { videoWidth: width, videoHeight: height } = this.#video ?? {};
    const { ratio } = this.#chosen;
    if (!width || !ratio) return null;
    const size = look ? { width: look.width, height: look.height } : { width, height };
    const content = look?.content ?? { x: 0, y: 0, ...size };
    const axis = axisOf(content.width, content.height, ratio);
    if (!axis) return null;
    const { centre } = this.#place();
    return { shape: width / height, size, content, axis, ratio, centre, rect: cropRect(content.width, content.height, ratio, centre.x, centre.y) };
  }

  #render() {
    this.#turnTo(this.getAttribute("clip-id") || "");
    this.#ask();
    const geometry = this.#geometry();
    const { look, looking, problem } = this.#here;
    if (geometry) this.#overlay.show({ ...geometry, movable: this.#mayFrame, zones: this.#chosen.zones && geometry.ratio === "9:16" });
    else this.#overlay.hide();
    if (geometry && this.#crops.of(this.#clip) && !look && !looking && !problem) this.#wantLook(LOOK_MS);
    const { ratio, zones } = this.#chosen;
    const content = look?.content ?? { width: this.#video?.videoWidth, height: this.#video?.videoHeight };
    const [underWay, lost] = [this.#crops.isUnderWay(this.#clip, ratio), this.#crops.isLost(this.#clip, ratio)];
    const framing = geometry !== null;
    showBar(this, { ratio, zones, auto: this.#auto, place: this.#place(), framing, mayFrame: this.#mayFrame, content, problem, underWay, lost });
  }

  // While it plays, the proposal is drawn with each picture, so that the frame jumps with the cut.
  #follow() {
    const video = this.#video;
    if (this.#following || !this.#auto || !this.isConnected || video.paused || !video.requestVideoFrameCallback) return;
    this.#following = true;
    video.requestVideoFrameCallback((_now, { mediaTime }) => {
      this.#following = false;
      this.#at(mediaTime);
      this.#follow();
    });
  }

  #at(seconds) {
    this.#time = seconds;
    if (this.#auto) this.#render();
  }
}

customElements.define("crop-preview", CropPreview);
