// <video-picker> around the library's list: checkboxes with data-picks="{video id}" choose several videos, Shift a whole range, Escape none.
// It fires PicksChanged with the ids in the order of the list. What is not listed any more is not chosen either.
//
// A script, since a checkbox must answer at once, and only the browser's click says whether Shift is held.

import { closest } from "../frame/event_target.js";

class VideoPicker extends HTMLElement {
  /** @type {Set<string>} */
  #picks = new Set();
  #anchor = "";
  #watch = new MutationObserver(() => this.#follow());
  #listeners = new AbortController();

  connectedCallback() {
    this.#listeners = new AbortController();
    const { signal } = this.#listeners;
    this.addEventListener("click", (event) => this.#clicked(event), { signal });
    document.addEventListener("keydown", (event) => this.#pressed(event), { signal });
    this.#watch.observe(this, { childList: true, subtree: true });
  }

  disconnectedCallback() {
    this.#listeners.abort();
    this.#watch.disconnect();
    this.#choose([]);
  }

  get #boxes() {
    return [.../** @type {NodeListOf<HTMLInputElement>} */ (this.querySelectorAll("input[data-picks]"))];
  }

  // Ids in the order of the list.
  get #listed() {
    return this.#boxes.map((box) => box.dataset.picks ?? "");
  }

  /** @param {MouseEvent} event */
  #clicked(event) {
    const box = closest(event, "input[data-picks]");
    if (box instanceof HTMLInputElement) this.#toggle(box, event.shiftKey);
    else if (closest(event, "[data-picks-all]")) this.#choose(this.#listed);
    else if (closest(event, "[data-picks-none]")) this.#choose([]);
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
    this.#choose(picks);
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    if (event.key !== "Escape" || !this.#picks.size || document.querySelector("[role=dialog], [role=menu]")) return;
    this.#choose([]);
  }

  #follow() {
    const listed = new Set(this.#listed);
    this.#choose([...this.#picks].filter((id) => listed.has(id)));
  }

  /** @param {Iterable<string>} wanted */
  #choose(wanted) {
    const before = this.#picks;
    this.#picks = new Set(wanted);
    for (const box of this.#boxes) box.checked = this.#picks.has(box.dataset.picks ?? "");
    if (before.size === this.#picks.size && [...before].every((id) => this.#picks.has(id))) return;
    const ids = this.#listed.filter((id) => this.#picks.has(id));
    this.dispatchEvent(new CustomEvent("PicksChanged", { detail: { ids } }));
  }
}

customElements.define("video-picker", VideoPicker);
