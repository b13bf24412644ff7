// The part of a video that a timeline shows. Times are ms.

const LEAST_MS = 1_000;

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
   * A factor below 1 comes closer; what is at `around` stays where it is.
   *
   * @param {number} factor
   * @param {number} around
   */
  zoom(factor, around) {
    const span = Math.min(this.length, Math.max(LEAST_MS, this.span * factor));
    const share = Math.min(1, Math.max(0, (around - this.from) / this.span));
    this.show(around - share * span, span);
  }

  /** @param {number} from */
  show(from, span = this.span) {
    this.from = Math.min(Math.max(0, from), Math.max(0, this.length - span));
    this.to = this.from + Math.min(span, this.length);
  }

  /**
   * By a share of what is shown, to the left where it is negative.
   *
   * @param {number} share
   */
  pan(share) {
    this.show(this.from + share * this.span);
  }
}
