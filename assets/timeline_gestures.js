// Mouse and fingers on a timeline: a click seeks, dragging marks a range or moves an end of it, wheel and two fingers zoom and pan.
//
// The host has: shown (ShownWindow), mayMark, draft ({start_ms, end_ms} once both are there, else null), seek(ms), mark(start, end),
// move(name, ms), hover(x or null), plan(). Times are ms, x is in CSS pixels of the page.

const NEAR = 10;

export class Gestures {
  #canvas;
  #host;
  #drag = null;
  #fingers = new Map();

  constructor(canvas, host, options) {
    this.#canvas = canvas;
    this.#host = host;
    canvas.addEventListener("pointerdown", (event) => this.#down(event), options);
    canvas.addEventListener("pointermove", (event) => this.#move(event), options);
    for (const type of ["pointerup", "pointercancel"]) canvas.addEventListener(type, (event) => this.#up(event), options);
    canvas.addEventListener("pointerleave", () => host.hover(null), options);
    canvas.addEventListener("wheel", (event) => this.#wheel(event), { ...options, passive: false });
  }

  timeAt(x) {
    const box = this.#canvas.getBoundingClientRect();
    return this.#host.shown.from + ((x - box.left) / box.width) * this.#host.shown.span;
  }

  #wheel(event) {
    const wide = Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey;
    if (!event.ctrlKey && !event.metaKey && !wide) return; // the page scrolls
    event.preventDefault();
    if (wide) this.#host.shown.pan((event.deltaX || event.deltaY) / this.#canvas.clientWidth);
    else this.#host.shown.zoom(Math.exp(event.deltaY / 200), this.timeAt(event.clientX));
    this.#host.plan();
  }

  #down(event) {
    if (event.button !== 0) return;
    this.#canvas.setPointerCapture(event.pointerId);
    this.#fingers.set(event.pointerId, event.clientX);
    const ms = this.timeAt(event.clientX);
    const near = (NEAR / this.#canvas.clientWidth) * this.#host.shown.span;
    const { draft } = this.#host;
    const handle = draft && ["start_ms", "end_ms"].find((name) => Math.abs(draft[name] - ms) <= near);
    this.#drag = this.#fingers.size > 1 ? null : { x: event.clientX, from: ms, handle, moved: false };
  }

  #move(event) {
    if (this.#fingers.size > 1 && this.#fingers.has(event.pointerId)) {
      this.#pinch(event);
      return;
    }
    this.#host.hover(event.pointerType === "mouse" ? event.clientX : null);
    const drag = this.#drag;
    if (!drag || (!drag.moved && Math.abs(event.clientX - drag.x) < 4) || !this.#host.mayMark) return;
    drag.moved = true;
    const ms = this.timeAt(event.clientX);
    if (drag.handle) this.#host.move(drag.handle, ms);
    else this.#host.mark(...[drag.from, ms].sort((a, b) => a - b));
  }

  #pinch(event) {
    const spread = () => Math.max(20, Math.max(...this.#fingers.values()) - Math.min(...this.#fingers.values()));
    const before = spread();
    this.#fingers.set(event.pointerId, event.clientX);
    const middle = [...this.#fingers.values()].reduce((sum, x) => sum + x, 0) / this.#fingers.size;
    this.#host.shown.zoom(before / spread(), this.timeAt(middle));
    this.#host.plan();
  }

  #up(event) {
    this.#fingers.delete(event.pointerId);
    const drag = this.#drag;
    this.#drag = null;
    if (drag && !drag.moved && event.type === "pointerup") this.#host.seek(drag.from);
  }
}
