// What is known of the clips' crops, and the decisions that the server has not answered yet: they show at once, and are taken back where
// it refuses, or does not answer in time.

const ANSWER_MS = 10_000;

/** @import { Point, Rect, Shot, Size } from "./crop_rect.js" */
/** @typedef {Record<string, [number, number] | undefined>} Saved  crops by ratio */
/** @typedef {Size & {content: Rect, shots: Record<string, Shot[]>}} Look  what was seen in the picture */
/** @typedef {{saved: Saved, look?: Look, looking?: boolean, problem?: string}} Known */
/** @typedef {Known & {clip_id: string, answers?: number, refused?: boolean}} View  FramingView of clipviewer/state/framing_rows.py */
/** @typedef {{clip: string, ratio: string, before: [number, number] | undefined, timer: number}} Sent */

export class ChosenCrops {
  /** @type {Map<string, Known>} by clip id */
  #known = new Map();
  /** @type {Sent[]} decisions without an answer */
  #sent = [];
  #answers = 0;
  #lost = ""; // the clip and ratio whose last decision was not kept
  #onLost;

  /** @param {() => void} onLost */
  constructor(onLost) {
    this.#onLost = onLost;
  }

  /**
   * undefined as long as the server has not said anything of the clip.
   *
   * @param {string} clip
   */
  of(clip) {
    return this.#known.get(clip);
  }

  /**
   * @param {string} clip
   * @param {string} ratio
   * @param {Point | null} centre
   */
  decide(clip, ratio, centre) {
    const known = this.#known.get(clip) ?? { saved: {} };
    const sent = { clip, ratio, before: known.saved[ratio], timer: 0 };
    sent.timer = setTimeout(() => this.#takeBack(sent), ANSWER_MS);
    this.#sent.push(sent);
    this.#lost = "";
    this.#known.set(clip, { ...known, saved: { ...known.saved, [ratio]: centre ? [centre.x, centre.y] : undefined } });
  }

  /**
   * Takes the server's word. Its saved crops count as soon as every decision on the clip is in them.
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
    const underWay = this.#sent.some((sent) => sent.clip === view.clip_id);
    const known = underWay ? this.#known.get(view.clip_id) : null;
    this.#known.set(view.clip_id, { ...view, saved: known ? known.saved : view.saved });
  }

  /**
   * @param {string} clip
   * @param {string} ratio
   */
  isUnderWay(clip, ratio) {
    return this.#sent.some((sent) => sent.clip === clip && sent.ratio === ratio);
  }

  /**
   * @param {string} clip
   * @param {string} ratio
   */
  isLost(clip, ratio) {
    return this.#lost === `${clip} ${ratio}`;
  }

  close() {
    for (const sent of this.#sent.splice(0)) clearTimeout(sent.timer);
  }

  /** @param {Sent} sent */
  #takeBack({ clip, ratio, before }) {
    const known = this.#known.get(clip) ?? { saved: {} };
    this.close();
    this.#lost = `${clip} ${ratio}`;
    this.#known.set(clip, { ...known, saved: { ...known.saved, [ratio]: before } });
    this.#onLost();
  }
}
