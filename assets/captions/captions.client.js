// <captions-form video-id="…"> attaches a caption file in a language: it contains a <select>, an <input type=file>, a button and a
// [role=alert]. The file name preselects the language (talk.de.vtt). Fires CaptionsAttached {name} when the server has stored the file.
//
// A script, since a chosen file goes from the browser to the API without passing through the page's state.

import { closest, targetOf } from "../frame/event_target.js";

const OFFLINE = "Network error. Check the connection, then try again.";
const FAILED = "The captions could not be attached. Try again in a moment.";

/**
 * Returns the language tag at the end of a file name (talk.de.vtt, talk_pt-BR.srt), or "".
 *
 * @param {string} name
 */
const tagIn = (name) => name.match(/[._ -]([a-z]{2,3}(?:-[A-Za-z]{2,4})?)\.(?:vtt|srt)$/i)?.[1] ?? "";

/**
 * Sends the file to the API. Returns an error message, or "" on success.
 *
 * @param {string} video
 * @param {string} language
 * @param {File} file
 */
async function send(video, language, file) {
  const path = `/api/clips/videos/${encodeURIComponent(video)}/captions/${encodeURIComponent(language)}`;
  try {
    const response = await fetch(`${path}?name=${encodeURIComponent(file.name)}`, {
      method: "PUT",
      headers: { "Content-Type": "text/vtt" },
      body: file,
    });
    if (response.ok) return "";
    const problem = await response.json().catch(() => ({}));
    return problem.detail ?? problem.title ?? FAILED;
  } catch {
    return OFFLINE;
  }
}

class CaptionsForm extends HTMLElement {
  connectedCallback() {
    this.addEventListener("change", (event) => targetOf(event) === this.#file && this.#preselectLanguage());
    this.addEventListener("click", (event) => closest(event, "[data-action=attach]") && this.#attach());
  }

  get #file() {
    return /** @type {HTMLInputElement} */ (this.querySelector("input[type=file]"));
  }

  get #language() {
    return /** @type {HTMLSelectElement} */ (this.querySelector("select"));
  }

  get #button() {
    return /** @type {HTMLButtonElement} */ (this.querySelector("[data-action=attach]"));
  }

  /** @param {string} text */
  #showMessage(text) {
    /** @type {HTMLElement} */ (this.querySelector("[role=alert]")).textContent = text;
  }

  #preselectLanguage() {
    this.#showMessage("");
    const tag = tagIn(this.#file.files?.[0]?.name ?? "").toLowerCase();
    const known = [...this.#language.options].find((option) => option.value.toLowerCase() === tag);
    if (known) this.#language.value = known.value;
  }

  async #attach() {
    const file = this.#file.files?.[0];
    if (!file) {
      this.#showMessage("Choose a .vtt or .srt file first.");
      this.#file.focus();
      return;
    }
    this.#button.disabled = true;
    this.#showMessage("");
    const problem = await send(this.getAttribute("video-id") ?? "", this.#language.value, file);
    this.#showMessage(problem);
    if (!problem) {
      this.#file.value = "";
      this.dispatchEvent(new CustomEvent("CaptionsAttached", { detail: { name: file.name } }));
    }
    this.#button.disabled = false;
  }
}

customElements.define("captions-form", CaptionsForm);
