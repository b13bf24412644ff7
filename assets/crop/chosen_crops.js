// The saved crops of the clips, and changes that the server has not confirmed yet. A change shows at once, and is reverted if the server
// refuses it or does not answer in time.

const ANSWER_MS = 10_000;

/** @import { Point, Rect, Shot, Size } from "./crop_rect.js" */
/** @typedef {Record<string, [number, number] | undefined>} Saved  crops by ratio */
/** @typedef {Size & {content: Rect, shots: Record<string, Shot[]>}} Look  the picture analysis */
/** @typedef {{saved: Saved, look?: Look, looking?: boolean, problem?: string}} Known */
/** @typedef {Known & {clip_id: string, answers?: number, refused?: boolean}} View  FramingView of clipviewer/state/framing_rows.py */
/** @typedef {{clip: string, ratio: string, before: [number, number] | undefined, timer: number}} Sent */

export class ChosenCrops {
  /** @type {Map<string, Known>} by clip id */
  #known = new Map();
  /** @type {Sent[]} changes without an answer */
  #sent = [];
  #answers = 0;
  #lost = ""; // the clip and ratio whose last change was not saved
  #onLost;

  /** @param {() => void} onLost */
  constructor(onLost) {
    this.#onLost = onLost;
  }

  /**
   * Returns what the server has said about the clip, or undefined before that.
   *
   * @param {string} clip
   */
  of(clip) {
    return this.#known.get(clip);
  }

  /**
   * Records a change that was sent to the server. A null centre removes the saved crop.
   *
   * @param {string} clip
   * @param {string} ratio
   * @param {Point | null} centre
   */
  decide(clip, ratio, centre) {
    const known = this.#known.get(clip) ?? { saved: {} };
    const sent = { clip, ratio, before: known.saved[ratio], timer: 0 };
    sent.timer = setTimeout(() => this.#revert(sent), ANSWER_MS);
    this.#sent.push(sent);
    this.#lost = "";
    this.#known.set(clip, { ...known, saved: { ...known.saved, [ratio]: centre ? [centre.x, centre.y] : undefined } });
  }

  /**
   * Applies the server's view. Its saved crops are used as soon as they include every change of the clip.
   *
   * @param {View} view
   */
  accept(view) {
    const answers = view.answers ?? 0;
    const answered = answers >= this.#answers ? answers - this.#answers : this.#sent.length;
    this.#answers = answers;
    for (const sent of this.#sent.splice(0, answered)) {
      clearTimeout(sent.timer);
      if (view.refused) this.#lost = `${sent.clip} ${sent.ratio}`;
    }
    if (!view.clip_id) return;
    const pending = this.#sent.some((sent) => sent.clip === view.clip_id);
    const known = pending ? this.#known.get(view.clip_id) : null;
    this.#known.set(view.clip_id, { ...view, saved: known ? known.saved : view.saved });
  }

  /**
   * @param {string} clip
   * @param {string} ratio
   */
  isPending(clip, ratio) {
    return this.#sent.some((sent) => sent.clip === clip && sent.ratio === ratio);
  }

  /**
   * @param {string} clip
   * @param {string} ratio
   */
  isUnsaved(clip, ratio) {
    return this.#lost === `${clip} ${ratio}`;
  }

  close() {
    for (const sent of this.#sent.splice(0)) clearTimeout(sent.timer);
  }

  /** @param {Sent} sent */
  #revert({ clip, ratio, before }) {
    const known = this.#known.get(clip) ?? { saved: {} };
    this.close();
    this.#lost = `${clip} ${ratio}`;
    this.#known.set(clip, { ...known, saved: { ...known.saved, [ratio]: before } });
    this.#onLost();
  }
}
