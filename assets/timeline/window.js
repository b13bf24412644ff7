// The visible part of a video on its timeline. Times are ms.

const MIN_SPAN_MS = 1_000;

export class ShownWindow {
  from = 0;
  to = 1;
  length = 1; // of the whole video

  /** @param {number} length */
  reset(length) {
    [this.from, this.to, this.length] = [0, length, length];
  }

  get span() {
    return this.to - this.from;
  }

  /**
   * Zooms in with a factor below 1, out with one above. The time `around` stays at its position.
   *
   * @param {number} factor
   * @param {number} around
   */
  zoom(factor, around) {
    const span = Math.min(this.length, Math.max(MIN_SPAN_MS, this.span * factor));
    const share = Math.min(1, Math.max(0, (around - this.from) / this.span));
    this.show(around - share * span, span);
  }

  /** @param {number} from */
  show(from, span = this.span) {
    this.from = Math.min(Math.max(0, from), Math.max(0, this.length - span));
    this.to = this.from + Math.min(span, this.length);
  }

  /**
   * Moves by a share of the visible span; to the left if it is negative.
   *
   * @param {number} share
   */
  pan(share) {
    this.show(this.from + share * this.span);
  }
}
