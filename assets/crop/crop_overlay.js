// The frame over the player's picture. It draws the given frame and reports how a person moves it, by mouse, touch or arrow keys.

import { hasModifier } from "../keyboard/keys.js";

/** @import { Axis, Point, Rect, Size } from "./crop_rect.js" */

/**
 * `shape`: width / height of the picture as the player draws it; `size`: its pixels; `content`: the part between its bars; `rect`: the
 * crop, relative to content; `movable`: whether this person may move it; `zones`: whether to draw the safe zones.
 *
 * @typedef {{shape: number, size: Size, content: Rect, rect: Rect, centre: Point, axis: Axis, ratio: string, movable: boolean,
 *   zones: boolean}} Frame
 */

/**
 * The callbacks of the overlay. `move`: the new centre during a move; `rest`: the move has ended (`soon`: another key may follow);
 * `drop`: the move was cancelled; `tap`: a press that moved nothing.
 *
 * @typedef {{move: (x: number, y: number) => void, rest: (how?: {soon?: boolean}) => void, drop: () => void, tap: () => void}} Listener
 */

const TAP = 4; // CSS pixels that a pointer may move during a tap
const STEP = 0.01;
const WIDE_STEP = 0.05;
/** @type {Record<string, [Axis | "", number]>} */
const KEYS = { ArrowLeft: ["x", -1], ArrowRight: ["x", 1], ArrowUp: ["y", -1], ArrowDown: ["y", 1], Home: ["", -Infinity], End: ["", Infinity] };

/**
 * @param {number} part
 * @param {number} whole
 */
const percent = (part, whole) => `${(part / whole) * 100}%`;

/**
 * @param {string} className
 * @param {Element[]} children
 */
function element(className, ...children) {
  const made = document.createElement("div");
  made.className = className;
  made.append(...children);
  return made;
}

export class CropOverlay {
  #tell;
  /** @type {Frame | null} */
  #shown = null;
  /** @type {{pointer: number, x: number, y: number, from: Point, moved: boolean} | null} */
  #drag = null;
  #zones = element("crop-zones", element("crop-safe"));
  #box = element("crop-box", this.#zones);
  #picture = element("crop-picture", this.#box);
  #root = element("crop-overlay", this.#picture);

  /** @param {Listener} tell */
  constructor(tell) {
    this.#tell = tell;
    this.#root.slot = "gestures-chrome";
    this.#root.toggleAttribute("noautohide", true);
    this.#root.hidden = true;
    this.#zones.setAttribute("aria-hidden", "true");
    this.#box.addEventListener("pointerdown", (event) => this.#onDown(event));
    this.#box.addEventListener("pointermove", (event) => this.#onMove(event));
    this.#box.addEventListener("pointerup", (event) => this.#onUp(event));
    this.#box.addEventListener("pointercancel", () => this.#cancelDrag());
    this.#box.addEventListener("keydown", (event) => this.#onKey(event));
    this.#box.addEventListener("blur", () => this.#tell.rest());
  }

  /** @param {Element} controller */
  attach(controller) {
    controller.append(this.#root);
  }

  remove() {
    this.#root.remove();
  }

  get dragging() {
    return this.#drag !== null;
  }

  // Ends a drag without a callback: if it went on, it would move another clip's frame.
  endDrag() {
    this.#drag = null;
  }

  hide() {
    this.#shown = null;
    this.endDrag();
    this.#root.hidden = true;
  }

  /** @param {Frame} shown */
  show(shown) {
    this.#shown = shown;
    const { shape, size, content, rect, zones } = shown;
    this.#root.style.setProperty("--picture-shape", String(shape));
    this.#box.style.left = percent(content.x + rect.x, size.width);
    this.#box.style.top = percent(content.y + rect.y, size.height);
    this.#box.style.width = percent(rect.width, size.width);
    this.#box.style.height = percent(rect.height, size.height);
    this.#describe(shown);
    this.#zones.hidden = !zones;
    this.#root.hidden = false;
  }

  /**
   * Describes the frame to assistive technology: as a slider if it can be moved, otherwise as an image.
   *
   * @param {Frame} shown
   */
  #describe({ axis, centre, movable, ratio }) {
    const box = this.#box;
    const share = Math.round(centre[axis] * 100);
    const where = `${share} % ${axis === "x" ? "from the left" : "from the top"}`;
    box.classList.toggle("movable", movable);
    box.setAttribute("role", movable ? "slider" : "img");
    box.setAttribute("aria-label", movable ? `Frame ${ratio}` : `Frame ${ratio}, ${where}`);
    const slider = {
      tabindex: "0",
      "aria-orientation": axis === "x" ? "horizontal" : "vertical",
      "aria-valuemin": "0",
      "aria-valuemax": "100",
      "aria-valuenow": String(share),
      "aria-valuetext": where,
    };
    for (const [name, value] of Object.entries(slider)) {
      if (movable) box.setAttribute(name, value);
      else box.removeAttribute(name);
    }
  }

  /** @param {PointerEvent} event */
  #onDown(event) {
    if (!this.#shown?.movable || event.button !== 0 || this.#drag) return;
    event.preventDefault(); // neither select text nor drag the picture
    this.#box.focus(/** @type {FocusOptions} */ ({ preventScroll: true, focusVisible: false }));
    this.#box.setPointerCapture(event.pointerId);
    this.#tell.rest();
    this.#drag = { pointer: event.pointerId, x: event.clientX, y: event.clientY, from: this.#shown.centre, moved: false };
  }

  /** @param {PointerEvent} event */
  #onMove(event) {
    const drag = this.#drag;
    if (!this.#shown || drag?.pointer !== event.pointerId) return;
    const [right, down] = [event.clientX - drag.x, event.clientY - drag.y];
    drag.moved ||= Math.hypot(right, down) >= TAP;
    if (!drag.moved) return;
    const { size, content } = this.#shown;
    const drawn = this.#picture.getBoundingClientRect();
    const [across, along] = [right / drawn.width, down / drawn.height];
    this.#tell.move(drag.from.x + (across * size.width) / content.width, drag.from.y + (along * size.height) / content.height);
  }

  /** @param {PointerEvent} event */
  #onUp(event) {
    const drag = this.#drag;
    if (drag?.pointer !== event.pointerId) return;
    this.#drag = null;
    if (drag.moved) this.#tell.rest();
    else this.#tell.tap();
  }

  #cancelDrag() {
    const drag = this.#drag;
    this.#drag = null;
    if (drag?.moved) this.#tell.drop();
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    if (event.key === "Escape" && this.#drag) this.#cancelDrag();
    const shown = this.#shown;
    if (!(event.key in KEYS) || !shown?.movable || hasModifier(event)) return;
    event.preventDefault();
    event.stopPropagation(); // the player's own arrow keys seek and change the volume
    const [along, direction] = KEYS[event.key];
    if (along && along !== shown.axis) return;
    this.#step(shown, Number.isFinite(direction) ? direction * (event.shiftKey ? WIDE_STEP : STEP) : direction);
  }

  /**
   * @param {Frame} shown
   * @param {number} step
   */
  #step({ axis, centre }, step) {
    const moved = { ...centre, [axis]: centre[axis] + step };
    this.#tell.move(moved.x, moved.y);
    this.#tell.rest({ soon: true });
  }
}
