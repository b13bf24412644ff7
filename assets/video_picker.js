// <video-picker> around the library's list: checkboxes with data-picks="{video id}" choose several videos, Shift a whole range, Escape none.
// It fires PicksChanged with the ids in the order of the list. What is not listed any more is not chosen either.

class VideoPicker extends HTMLElement {
  #picks = new Set();
  #anchor = "";
  #watch = new MutationObserver(() => this.#follow());
  #listeners = null;

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
    return [...this.querySelectorAll("input[data-picks]")];
  }

  #clicked(event) {
    const box = event.target.closest("input[data-picks]");
    if (box) this.#toggle(box, event.shiftKey);
    else if (event.target.closest("[data-picks-all]")) this.#choose(this.#boxes.map((each) => each.dataset.picks));
    else if (event.target.closest("[data-picks-none]")) this.#choose([]);
  }

  #toggle(box, range) {
    const boxes = this.#boxes;
    const here = boxes.indexOf(box);
    const from = range ? boxes.findIndex((each) => each.dataset.picks === this.#anchor) : -1;
    const [first, last] = from < 0 ? [here, here] : [Math.min(here, from), Math.max(here, from)];
    const picks = new Set(this.#picks);
    for (const each of boxes.slice(first, last + 1)) picks[box.checked ? "add" : "delete"](each.dataset.picks);
    this.#anchor = box.dataset.picks;
    this.#choose(picks);
  }

  #pressed(event) {
    if (event.key !== "Escape" || !this.#picks.size || document.querySelector("[role=dialog], [role=menu]")) return;
    this.#choose([]);
  }

  #follow() {
    const listed = new Set(this.#boxes.map((box) => box.dataset.picks));
    this.#choose([...this.#picks].filter((id) => listed.has(id)));
  }

  #choose(wanted) {
    const before = this.#picks;
    this.#picks = new Set(wanted);
    for (const box of this.#boxes) box.checked = this.#picks.has(box.dataset.picks);
    if (before.size === this.#picks.size && [...before].every((id) => this.#picks.has(id))) return;
    const ids = this.#boxes.map((box) => box.dataset.picks).filter((id) => this.#picks.has(id));
    this.dispatchEvent(new CustomEvent("PicksChanged", { detail: { ids } }));
  }
}

customElements.define("video-picker", VideoPicker);
