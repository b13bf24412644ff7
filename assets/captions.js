// <captions-form video-id="…"> attaches a caption file in a language: it holds a <select>, an <input type=file>, a button and a [role=alert].
// A file's name proposes the language (talk.de.vtt). Fires CaptionsAttached {name} once the server has it.

const OFFLINE = "Network error. Check the connection, then try again.";

// The language tag at the end of a file's name, as people write it: talk.de.vtt, talk_pt-BR.srt.
const tagIn = (name) => name.match(/[._ -]([a-z]{2,3}(?:-[A-Za-z]{2,4})?)\.(?:vtt|srt)$/i)?.[1] ?? "";

class CaptionsForm extends HTMLElement {
  connectedCallback() {
    this.addEventListener("change", (event) => event.target === this.#file && this.#propose());
    this.addEventListener("click", (event) => event.target.closest("[data-action=attach]") && this.#attach());
  }

  get #file() {
    return this.querySelector("input[type=file]");
  }

  get #language() {
    return this.querySelector("select");
  }

  #say(text) {
    this.querySelector("[role=alert]").textContent = text;
  }

  #propose() {
    this.#say("");
    const tag = tagIn(this.#file.files[0]?.name ?? "").toLowerCase();
    const known = [...this.#language.options].find((option) => option.value.toLowerCase() === tag);
    if (known) this.#language.value = known.value;
  }

  async #attach() {
    const file = this.#file.files[0];
    if (!file) {
      this.#say("Choose a .vtt or .srt file first.");
      this.#file.focus();
      return;
    }
    const button = this.querySelector("[data-action=attach]");
    button.disabled = true;
    this.#say("");
    try {
      const video = encodeURIComponent(this.getAttribute("video-id"));
      const path = `/api/clips/videos/${video}/captions/${encodeURIComponent(this.#language.value)}?name=${encodeURIComponent(file.name)}`;
      const response = await fetch(path, { method: "PUT", headers: { "Content-Type": "text/vtt" }, body: file });
      if (response.ok) {
        this.#file.value = "";
        this.dispatchEvent(new CustomEvent("CaptionsAttached", { detail: { name: file.name } }));
      } else {
        const problem = await response.json().catch(() => ({}));
        this.#say(problem.detail ?? problem.title ?? "The captions could not be attached. Try again in a moment.");
      }
    } catch {
      this.#say(OFFLINE);
    }
    button.disabled = false;
  }
}

customElements.define("captions-form", CaptionsForm);
