// What keeps a <video> supplied: the URL that it has, and the next one before that ends.

import { cached, fetchAhead, isFresh, lead, leftOf, renewed } from "./presigned.js";

/** @import { Entry } from "./presigned.js" */

/** @typedef {{videoId: string, s3Key: string, sourceId: string}} Source */

const TRY_AGAIN_MS = 5_000;

export class Supply {
  /** @type {Entry | null} the URL that the video element has */
  entry = null;
  #renewal = 0;
  #onEnd;
  /** @type {AbortController | null} */
  #prefetching = null;

  /** @param {() => void} onEnd called when a URL has ended and its successor is there */
  constructor(onEnd) {
    this.#onEnd = onEnd;
  }

  // Whether a request with the present URL would be refused.
  get isExpired() {
    return this.entry !== null && leftOf(this.entry) <= 0;
  }

  /**
   * The video element has this URL from now on.
   *
   * @param {Entry} entry
   * @param {Source} source
   */
  use(entry, source) {
    this.entry = entry;
    this.#schedule(() => this.#renew(source), leftOf(entry) - lead(entry));
  }

  drop() {
    clearTimeout(this.#renewal);
    this.entry = null;
  }

  /**
   * Timers do not run while a computer sleeps, and hardly in a tab behind others.
   *
   * @param {Source} source
   */
  wakeUp(source) {
    if (this.entry && leftOf(this.entry) < lead(this.entry)) this.#renew(source);
  }

  /**
   * @param {() => void} work
   * @param {number} ms
   */
  #schedule(work, ms) {
    clearTimeout(this.#renewal);
    this.#renewal = setTimeout(work, Math.max(0, ms));
  }

  /**
   * Have the next URL ready before the present one ends. A running clip keeps its own; a paused one changes over when it ends.
   *
   * @param {Source} source
   */
  async #renew(source) {
    const { entry } = this;
    if (!entry) return;
    let next = cached(source.sourceId);
    try {
      if (!isFresh(next) || next.url === entry.url) next = await sourceUrl(source);
    } catch (error) {
      // Signed out or removed shows when the clip needs a URL; all else may pass.
      const passes = ["offline", "failed"].includes(/** @type {{kind?: string}} */ (error).kind ?? "");
      if (entry === this.entry && passes) this.#schedule(() => this.#renew(source), TRY_AGAIN_MS);
      return;
    }
    if (entry !== this.entry) return;
    if (next.url === entry.url) this.#schedule(() => this.#renew(source), Math.max(2_000, leftOf(entry) / 2));
    else this.#schedule(() => entry === this.entry && this.#onEnd(), leftOf(entry));
  }

  /**
   * Fetches the beginnings of what may be opened next.
   *
   * @param {string[]} sourceIds
   */
  async prefetch(sourceIds) {
    if (this.#prefetching) return;
    const ending = (this.#prefetching = new AbortController());
    ending.signal.addEventListener("abort", () => (this.#prefetching = null));
    await fetchAhead(sourceIds, ending.signal);
    ending.abort();
  }

  stopPrefetching() {
    this.#prefetching?.abort();
  }
}

/** @param {Source} source */
export const sourceUrl = ({ videoId, s3Key, sourceId }) => renewed(videoId, s3Key, sourceId);
