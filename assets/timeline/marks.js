// The candidates on a timeline: up to DRAWN_ALONE are drawn one by one, more as the number of candidates per column of pixels.

/** @typedef {[start: number, end: number]} Range  ms */
/** @typedef {{alone: Range[], columns: number[]}} DrawnMarks  ranges, or the number of candidates per column of pixels */

const DRAWN_ALONE = 300;

/**
 * Returns what to draw between `from` and `to` (ms).
 *
 * @param {Range[]} ranges by start
 * @param {{from: number, to: number}} shown
 * @param {number} width pixels
 * @returns {DrawnMarks}
 */
export function marksIn(ranges, { from, to }, width) {
  const inside = ranges.filter(([start, end]) => end > from && start < to);
  if (inside.length <= DRAWN_ALONE) return { alone: inside, columns: [] };
  const steps = new Int32Array(width + 1);
  /** @param {number} ms */
  const column = (ms) => Math.min(width - 1, Math.max(0, Math.floor(((ms - from) / (to - from)) * width)));
  for (const [start, end] of inside) {
    steps[column(start)]++;
    steps[column(end) + 1]--;
  }
  let covered = 0;
  return { alone: [], columns: Array.from(steps.subarray(0, width), (step) => (covered += step)) };
}

// Caches the result of marksIn, so that a moving playhead does not cause a new count.
export class Marks {
  /** @type {Range[]} */
  #ranges = [];
  #key = "";
  /** @type {DrawnMarks} */
  #cached = { alone: [], columns: [] };

  set ranges(/** @type {Range[]} */ ranges) {
    this.#ranges = ranges;
    this.#key = "";
  }

  /**
   * @param {{from: number, to: number}} shown
   * @param {number} width
   * @param {Range | null} [without] a range to leave out
   */
  in(shown, width, without = null) {
    const key = `${shown.from} ${shown.to} ${width} ${without}`;
    if (key !== this.#key) {
      const at = without ? this.#ranges.findIndex(([start, end]) => start === without[0] && end === without[1]) : -1;
      this.#cached = marksIn(at < 0 ? this.#ranges : this.#ranges.filter((_, index) => index !== at), shown, width);
      this.#key = key;
    }
    return this.#cached;
  }
}
