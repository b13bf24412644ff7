// Mouse and touch on a timeline: a click seeks, dragging marks a range or moves one of its ends, the wheel and pinching zoom and pan.

/** @import { Span } from "./drawing.js" */
/** @import { ShownWindow } from "./window.js" */

/**
 * The timeline that the gestures act on. Times are ms, x is in CSS pixels of the page; `draft` is null until both its ends are set.
 *
 * @typedef {{shown: ShownWindow, readonly mayMark: boolean, readonly draft: Span | null, seek: (ms: number) => void,
 *   mark: (start: number, end: number) => void, move: (name: keyof Span, ms: number) => void, hover: (x: number | null) => void,
 *   plan: () => void}} Host
 */

const NEAR = 10; // CSS pixels around the end of a range in which it can be grabbed
const SLIP = 4; // CSS pixels that the pointer may move during a click
const MIN_SPREAD = 20; // CSS pixels between two fingers

export class Gestures {
  #canvas;
  #host;
  /** @type {{x: number, from: number, handle: keyof Span | null | undefined, moved: boolean} | null} */
  #drag = null;
  /** @type {Map<number, number>} x by pointer */
  #fingers = new Map();

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {Host} host
   * @param {AddEventListenerOptions} options
   */
  constructor(canvas, host, options) {
    this.#canvas = canvas;
    this.#host = host;
    canvas.addEventListener("pointerdown", (event) => this.#down(event), options);
    canvas.addEventListener("pointermove", (event) => this.#move(event), options);
    canvas.addEventListener("pointerup", (event) => this.#up(event), options);
    canvas.addEventListener("pointercancel", (event) => this.#up(event), options);
    canvas.addEventListener("pointerleave", () => host.hover(null), options);
    canvas.addEventListener("wheel", (event) => this.#wheel(event), { ...options, passive: false });
  }

  /**
   * Returns the time at x.
   *
   * @param {number} x
   */
  timeAt(x) {
    const box = this.#canvas.getBoundingClientRect();
    return this.#host.shown.from + ((x - box.left) / box.width) * this.#host.shown.span;
  }

  /** @param {WheelEvent} event */
  #wheel(event) {
    const wide = Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey;
    if (!event.ctrlKey && !event.metaKey && !wide) return; // the page scrolls
    event.preventDefault();
    if (wide) this.#host.shown.pan((event.deltaX || event.deltaY) / this.#canvas.clientWidth);
    else this.#host.shown.zoom(Math.exp(event.deltaY / 200), this.timeAt(event.clientX));
    this.#host.plan();
  }

  /** @param {PointerEvent} event */
  #down(event) {
    if (event.button !== 0) return;
    this.#canvas.setPointerCapture(event.pointerId);
    this.#fingers.set(event.pointerId, event.clientX);
    const ms = this.timeAt(event.clientX);
    this.#drag = this.#fingers.size > 1 ? null : { x: event.clientX, from: ms, handle: this.#handleAt(ms), moved: false };
  }

  /**
   * Returns the end of the marked range that can be grabbed at a time.
   *
   * @param {number} ms
   */
  #handleAt(ms) {
    const { draft, shown } = this.#host;
    const near = (NEAR / this.#canvas.clientWidth) * shown.span;
    return draft && /** @type {const} */ (["start_ms", "end_ms"]).find((name) => Math.abs(draft[name] - ms) <= near);
  }

  /** @param {PointerEvent} event */
  #move(event) {
    if (this.#fingers.size > 1 && this.#fingers.has(event.pointerId)) {
      this.#pinch(event);
      return;
    }
    this.#host.hover(event.pointerType === "mouse" ? event.clientX : null);
    const drag = this.#drag;
    if (!drag || (!drag.moved && Math.abs(event.clientX - drag.x) < SLIP) || !this.#host.mayMark) return;
    drag.moved = true;
    const ms = this.timeAt(event.clientX);
    if (drag.handle) this.#host.move(drag.handle, ms);
    else this.#host.mark(Math.min(drag.from, ms), Math.max(drag.from, ms));
  }

  /** @param {PointerEvent} event */
  #pinch(event) {
    const spread = () => Math.max(MIN_SPREAD, Math.max(...this.#fingers.values()) - Math.min(...this.#fingers.values()));
    const before = spread();
    this.#fingers.set(event.pointerId, event.clientX);
    const middle = [...this.#fingers.values()].reduce((sum, x) => sum + x, 0) / this.#fingers.size;
    this.#host.shown.zoom(before / spread(), this.timeAt(middle));
    this.#host.plan();
  }

  /** @param {PointerEvent} event */
  #up(event) {
    this.#fingers.delete(event.pointerId);
    const drag = this.#drag;
    this.#drag = null;
    if (drag && !drag.moved && event.type === "pointerup") this.#host.seek(drag.from);
  }
}
