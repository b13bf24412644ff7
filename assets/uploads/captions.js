// Caption files chosen beside videos: talk.vtt, talk.de.srt. Each is attached to the video of the same name once that is in the library.

import { call } from "./calls.js";

/** @param {string} name */
const stem = (name) => name.replace(/\.[^.]*$/, "");

/** @param {File} file */
export const isCaptions = (file) => /\.(vtt|srt)$/i.test(file.name);

/**
 * Returns the language in the name of a caption file, "original" if it names none, or null if the file belongs to another video.
 *
 * @param {string} captions
 * @param {string} video
 */
function languageFor(captions, video) {
  const [name, base] = [stem(captions).toLowerCase(), stem(video).toLowerCase()];
  if (name === base) return "original";
  const rest = stem(captions).slice(base.length + 1);
  return name.startsWith(`${base}.`) && /^[a-z]{2,3}(-[a-z0-9]{2,8})*$/i.test(rest) ? rest : null;
}

export class Captions {
  /** @type {Set<File>} */
  #files = new Set();

  /** @param {File[]} files */
  add(files) {
    for (const file of files) this.#files.add(file);
  }

  /**
   * Attaches the captions that belong to a new video. Returns a sentence about the result, or "" if there were none.
   *
   * @param {string} name of the video's file
   * @param {string} video its id
   */
  async attach(name, video) {
    const attached = [];
    const refused = [];
    for (const file of [...this.#files]) {
      const language = languageFor(file.name, name);
      if (language === null) continue;
      this.#files.delete(file);
      try {
        const path = `/api/clips/videos/${video}/captions/${encodeURIComponent(language)}?name=${encodeURIComponent(file.name)}`;
        await call("PUT", path, file, { tries: 3 });
        attached.push(file.name);
      } catch (error) {
        refused.push(`${file.name} was not attached: ${/** @type {Error} */ (error).message}`);
      }
    }
    if (refused.length) return `In the library. ${refused.join(" ")}`;
    return attached.length ? `In the library, with ${attached.join(" and ")}` : "";
  }
}
