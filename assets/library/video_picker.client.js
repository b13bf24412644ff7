// <video-picker> around the library's list: checkboxes with data-picks="{video id}" select videos, Shift selects a range, Escape clears.
// It fires PicksChanged with the ids in the order of the list. A video that leaves the list is deselected.
//
// A script, since a checkbox must change at once, and only the click event tells whether Shift is held.

import { closest } from "../frame/event_target.js";

class VideoPicker extends HTMLElement {
  /** @type {Set<string>} */
  #picks = new Set();
  #anchor = "";
  #watch = new MutationObserver(() => this.#dropUnlisted());
  #listeners = new AbortController();

  connectedCallback() {
    this.#listeners = new AbortController();
    const { signal } = this.#listeners;
    this.addEventListener("click", (event) => this.#onClick(event), { signal });
    document.addEventListener("keydown", (event) => this.#onKey(event), { signal });
    this.#watch.observe(this, { childList: true, subtree: true });
  }

  disconnectedCallback() {
    this.#listeners.abort();
    this.#watch.disconnect();
    this.#select([]);
  }

  get #boxes() {
    return [.../** @type {NodeListOf<HTMLInputElement>} */ (this.querySelectorAll("input[data-picks]"))];
  }

  // Ids in the order of the list.
  get #listed() {
    return this.#boxes.map((box) => box.dataset.picks ?? "");
  }

  /** @param {MouseEvent} event */
  #onClick(event) {
    const box = closest(event, "input[data-picks]");
    if (box instanceof HTMLInputElement) this.#toggle(box, event.shiftKey);
    else if (closest(event, "[data-picks-all]")) this.#select(this.#listed);
    else if (closest(event, "[data-picks-none]")) this.#select([]);
  }

  /**
   * @param {HTMLInputElement} box
   * @param {boolean} range
   */
  #toggle(box, range) {
    const listed = this.#listed;
    const id = box.dataset.picks ?? "";
    const here = listed.indexOf(id);
    const from = range ? listed.indexOf(this.#anchor) : -1;
    const [first, last] = from < 0 ? [here, here] : [Math.min(here, from), Math.max(here, from)];
    const picks = new Set(this.#picks);
    for (const each of listed.slice(first, last + 1)) picks[box.checked ? "add" : "delete"](each);
    this.#anchor = id;
    this.#select(picks);
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    if (event.key !== "Escape" || !this.#picks.size || document.querySelector("[role=dialog], [role=menu]")) return;
    this.#select([]);
  }

  #dropUnlisted() {
    const listed = new Set(this.#listed);
    this.#select([...this.#picks].filter((id) => listed.has(id)));
  }

  /** @param {Iterable<string>} ids */
  #select(ids) {
    const before = this.#picks;
    this.#picks = new Set(ids);
    for (const box of this.#boxes) box.checked = this.#picks.has(box.dataset.picks ?? "");
    if (before.size === this.#picks.size && [...before].every((id) => this.#picks.has(id))) return;
    const ordered = this.#listed.filter((id) => this.#picks.has(id));
    this.dispatchEvent(new CustomEvent("PicksChanged", { detail: { ids: ordered } }));
  }
}

customElements.define("video-picker", VideoPicker);
