// The candidates on a timeline, however many: some are drawn one by one, many as how often each column of pixels is covered.

const DRAWN_ALONE = 300;

// What is drawn of `ranges` ([start, end] in ms, by start) between `from` and `to` on `width` pixels: {alone: ranges} or {columns: counts}.
export function marksIn(ranges, { from, to }, width) {
  const inside = ranges.filter(([start, end]) => end > from && start < to);
  if (inside.length <= DRAWN_ALONE) return { alone: inside, columns: [] };
  const steps = new Int32Array(width + 1);
  const column = (ms) => Math.min(width - 1, Math.max(0, Math.floor(((ms - from) / (to - from)) * width)));
  for (const [start, end] of inside) {
    steps[column(start)]++;
    steps[column(end) + 1]--;
  }
  let covered = 0;
  return { alone: [], columns: Array.from(steps.subarray(0, width), (step) => (covered += step)) };
}

// The same as long as nothing about it has changed: a playhead that moves is no reason to count anew.
export class Marks {
  #ranges = [];
  #key = "";
  #made = null;

  set ranges(ranges) {
    this.#ranges = ranges;
    this.#key = "";
  }

  in(shown, width, without = null) {
    const key = `${shown.from} ${shown.to} ${width} ${without}`;
    if (key !== this.#key) {
      const at = without ? this.#ranges.findIndex(([start, end]) => start === without[0] && end === without[1]) : -1;
      this.#made = marksIn(at < 0 ? this.#ranges : this.#ranges.filter((_, index) => index !== at), shown, width);
      this.#key = key;
    }
    return this.#made;
  }
}
