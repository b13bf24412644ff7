// <page-pulse interval="2000"> fires Pulse at that interval (ms) while the page is visible, and at once when it becomes visible again:
// an open page asks for news by itself, and a closed one costs nothing.
//
// A script, since only the browser knows whether anybody sees the page.

class PagePulse extends HTMLElement {
  static observedAttributes = ["interval"];
  #timer = 0;
  #listeners = new AbortController();

  connectedCallback() {
    this.#listeners = new AbortController();
    document.addEventListener("visibilitychange", () => this.#beat(), { signal: this.#listeners.signal });
    this.attributeChangedCallback();
  }

  disconnectedCallback() {
    this.#listeners.abort();
    clearInterval(this.#timer);
  }

  attributeChangedCallback() {
    clearInterval(this.#timer);
    if (this.isConnected) this.#timer = setInterval(() => this.#beat(), Number(this.getAttribute("interval")) || 5000);
  }

  #beat() {
    if (!document.hidden) this.dispatchEvent(new CustomEvent("Pulse", { detail: {} }));
  }
}

customElements.define("page-pulse", PagePulse);
