// Loads what a timeline draws: filmstrip, waveform and the ranges of the candidates, again whenever they change. Times are ms.

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
   * Loads the filmstrip and waveform of a TimelineView.
   *
   * @param {{video_id: string, edition: string, sheets: string[]}} view
   */
  async load({ video_id: id, edition, sheets }) {
    const requested = edition && `${id} ${edition}`;
    if (!requested || requested === this.#loaded) return;
    this.#loaded = requested;
    const pictures = sheets.map((address) => Object.assign(new Image(), { onload: this.#changed, src: address }));
    this.drawn = { ...NOTHING, sheets: pictures };
    const answer = await fetch(`/api/clips/videos/${id}/timeline?of=${encodeURIComponent(edition)}`).catch(() => null);
    if (!answer?.ok || requested !== this.#loaded) return;
    const { peaks, secondsPerPeak, timesMs } = await answer.json();
    this.drawn = { times: timesMs, peaks, peakMs: secondsPerPeak * 1000, sheets: pictures };
    this.#changed();
  }

  /**
   * Loads the ranges of all candidates, not only of the listed ones.
   *
   * @param {string} id of the video
   * @param {string | null} version change token of the candidates
   */
  async loadMarks(id, version) {
    const requested = id && version && `${id} ${version}`;
    if (!requested || requested === this.#marked) return;
    if (!this.#marked.startsWith(`${id} `)) this.marks.ranges = [];
    this.#marked = requested;
    const answer = await fetch(`/api/clips/videos/${id}/identified/ranges`, { cache: "no-store" }).catch(() => null);
    if (requested !== this.#marked) return;
    if (!answer?.ok) {
      this.#marked = "";
      return;
    }
    this.marks.ranges = (await answer.json()).rangesMs;
    this.#changed();
  }
}
