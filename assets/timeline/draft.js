// The range that is being marked on a timeline, snapped to the video's frames. Times are ms; an end that is not set yet is null.

/** @import { Span } from "./drawing.js" */

const MIN_CLIP_MS = 200;
const MS_RATE = 1000; // frames per second if the frame rate is unknown: every ms is one

/** @typedef {{id: string, start_ms: number | null, end_ms: number | null}} Marked  id is "" for a new clip */

/**
 * Returns frames per second; 0 if unknown.
 *
 * @param {string} [rate] as a fraction: 30000/1001
 */
export function framesPerSecond(rate) {
  const [above, below = "1"] = (rate || "0").split("/");
  return Number(above) / Number(below);
}

export class Draft {
  /** @type {Marked | null} */
  #marked = null;
  #length = 1;
  #rate = MS_RATE;

  /**
   * @param {number} length of the video, ms
   * @param {string} [rate]
   */
  fit(length, rate) {
    this.#length = length;
    this.#rate = framesPerSecond(rate) || MS_RATE;
  }

  get isBegun() {
    return this.#marked !== null;
  }

  // "" for a new clip.
  get id() {
    return this.#marked?.id ?? "";
  }

  get start() {
    return this.#marked?.start_ms ?? null;
  }

  get end() {
    return this.#marked?.end_ms ?? null;
  }

  /**
   * The range with both ends; null until both are set.
   *
   * @returns {Span & {id: string} | null}
   */
  get whole() {
    if (!this.#marked || this.#marked.start_ms === null || this.#marked.end_ms === null) return null;
    return { id: this.#marked.id, start_ms: this.#marked.start_ms, end_ms: this.#marked.end_ms };
  }

  clear() {
    this.#marked = null;
  }

  /** @param {Marked} clip */
  load({ id, start_ms, end_ms }) {
    this.#marked = { id, start_ms, end_ms };
  }

  /**
   * Sets one end. If the range would be too short for a clip, the other end is cleared.
   *
   * @param {keyof Span} name
   * @param {number} ms
   */
  setEnd(name, ms) {
    const marked = { id: this.id, start_ms: this.start, end_ms: this.end, [name]: this.#snap(ms) };
    const tooShort = marked.start_ms !== null && marked.end_ms !== null && marked.end_ms - marked.start_ms < MIN_CLIP_MS;
    if (tooShort) marked[name === "start_ms" ? "end_ms" : "start_ms"] = null;
    this.#marked = marked;
  }

  /**
   * Sets both ends.
   *
   * @param {number} start
   * @param {number} end
   */
  mark(start, end) {
    this.#marked = { id: this.id, start_ms: this.#snap(start), end_ms: this.#snap(Math.max(end, start + MIN_CLIP_MS)) };
  }

  /**
   * Moves one end, unless the range would be too short for a clip.
   *
   * @param {keyof Span} name
   * @param {number} ms
   */
  move(name, ms) {
    const { whole } = this;
    if (!whole) return;
    const moved = { ...whole, [name]: ms };
    if (moved.end_ms - moved.start_ms >= MIN_CLIP_MS) this.#marked = { ...whole, [name]: this.#snap(ms) };
  }

  /** @param {number} ms */
  #snap(ms) {
    const held = Math.min(Math.max(0, ms), this.#length);
    return Math.min(this.#length, Math.round((Math.round((held * this.#rate) / 1000) * 1000) / this.#rate));
  }
}
