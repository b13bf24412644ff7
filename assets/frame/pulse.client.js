// <page-pulse interval="2000"> fires Pulse at that interval (ms) while the page is visible, and at once when it becomes visible again:
// a visible page polls for updates, a hidden one does not.
//
// A script, since only the browser knows whether the page is visible.

class PagePulse extends HTMLElement {
  static observedAttributes = ["interval"];
  #timer = 0;
  #listeners = new AbortController();

  connectedCallback() {
    this.#listeners = new AbortController();
    document.addEventListener("visibilitychange", () => this.#fire(), { signal: this.#listeners.signal });
    this.attributeChangedCallback();
  }

  disconnectedCallback() {
    this.#listeners.abort();
    clearInterval(this.#timer);
  }

  attributeChangedCallback() {
    clearInterval(this.#timer);
    if (this.isConnected) this.#timer = setInterval(() => this.#fire(), Number(this.getAttribute("interval")) || 5000);
  }

  #fire() {
    if (!document.hidden) this.dispatchEvent(new CustomEvent("Pulse", { detail: {} }));
  }
}

customElements.define("page-pulse", PagePulse);
