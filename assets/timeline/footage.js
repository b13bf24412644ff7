// What a timeline is drawn from: pictures, loudness and where the candidates lie, loaded when they are others. Times are ms.

import { Marks } from "./marks.js";

/** @typedef {{times: number[], peaks: number[], peakMs: number, sheets: HTMLImageElement[]}} Drawn */

/** @type {Drawn} */
const NOTHING = { times: [], peaks: [], peakMs: 100, sheets: [] };

export class Footage {
  drawn = NOTHING;
  marks = new Marks();
  #loaded = "";
  #marked = "";
  #changed;

  /** @param {() => void} changed */
  constructor(changed) {
    this.#changed = changed;
  }

  /**
   * Filmstrip and waveform of a TimelineView.
   *
   * @param {{video_id: string, edition: string, sheets: string[]}} view
   */
  async load({ video_id: id, edition, sheets }) {
    const wanted = edition && `${id} ${edition}`;
    if (!wanted || wanted === this.#loaded) return;
    this.#loaded = wanted;
    const pictures = sheets.map((address) => Object.assign(new Image(), { onload: this.#changed, src: address }));
    this.drawn = { ...NOTHING, sheets: pictures };
    const answer = await fetch(`/api/clips/videos/${id}/timeline?of=${encodeURIComponent(edition)}`).catch(() => null);
    if (!answer?.ok || wanted !== this.#loaded) return;
    const { peaks, secondsPerPeak, timesMs } = await answer.json();
    this.drawn = { times: timesMs, peaks, peakMs: secondsPerPeak * 1000, sheets: pictures };
    this.#changed();
  }

  /**
   * All candidates, not only those that are listed.
   *
   * @param {string} id of the video
   * @param {string | null} state another text whenever one of them is another
   */
  async loadMarks(id, state) {
    const wanted = id && state && `${id} ${state}`;
    if (!wanted || wanted === this.#marked) return;
    if (!this.#marked.startsWith(`${id} `)) this.marks.ranges = [];
    this.#marked = wanted;
    const answer = await fetch(`/api/clips/videos/${id}/identified/ranges`, { cache: "no-store" }).catch(() => null);
    if (wanted !== this.#marked) return;
    if (!answer?.ok) {
      this.#marked = "";
      return;
    }
    this.marks.ranges = (await answer.json()).rangesMs;
    this.#changed();
  }
}
