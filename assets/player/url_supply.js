// Supplies a <video> with URLs: holds the one in use, and has the next one ready before it expires.

import { cached, fetchAhead, isFresh, remainingLife, renew, renewalLead } from "./presigned.js";

/** @import { Entry } from "./presigned.js" */

/** @typedef {{videoId: string, s3Key: string, sourceId: string}} Source */

const TRY_AGAIN_MS = 5_000;

export class UrlSupply {
  /** @type {Entry | null} the URL that the video element has */
  entry = null;
  #renewal = 0;
  #onEnd;
  /** @type {AbortController | null} */
  #prefetching = null;

  /** @param {() => void} onEnd called when a URL has expired and its successor is ready */
  constructor(onEnd) {
    this.#onEnd = onEnd;
  }

  // Whether a request with the current URL would be refused.
  get isExpired() {
    return this.entry !== null && remainingLife(this.entry) <= 0;
  }

  /**
   * Registers the URL that the video element now has, and schedules its renewal.
   *
   * @param {Entry} entry
   * @param {Source} source
   */
  use(entry, source) {
    this.entry = entry;
    this.#schedule(() => this.#renew(source), remainingLife(entry) - renewalLead(entry));
  }

  drop() {
    clearTimeout(this.#renewal);
    this.entry = null;
  }

  /**
   * Renews a URL whose timer is late: timers stop while a computer sleeps and are throttled in background tabs.
   *
   * @param {Source} source
   */
  wakeUp(source) {
    if (this.entry && remainingLife(this.entry) < renewalLead(this.entry)) this.#renew(source);
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
   * Gets the next URL before the current one expires. A playing clip keeps its URL; a paused one switches when it expires.
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
      // Other errors show when the clip needs a URL; these two may be temporary.
      const isTemporary = ["offline", "failed"].includes(/** @type {{kind?: string}} */ (error).kind ?? "");
      if (entry === this.entry && isTemporary) this.#schedule(() => this.#renew(source), TRY_AGAIN_MS);
      return;
    }
    if (entry !== this.entry) return;
    if (next.url === entry.url) this.#schedule(() => this.#renew(source), Math.max(2_000, remainingLife(entry) / 2));
    else this.#schedule(() => entry === this.entry && this.#onEnd(), remainingLife(entry));
  }

  /**
   * Fetches the first bytes of sources that are likely to be opened next.
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
export const sourceUrl = ({ videoId, s3Key, sourceId }) => renew(videoId, s3Key, sourceId);
