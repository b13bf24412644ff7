// The small picture over a timeline, of the time that the mouse points at.

import { pictureAt, shownTime } from "./drawing.js";

/** @import { Pictures } from "./drawing.js" */

export const THUMB = `<div class="timeline-thumb" hidden><canvas></canvas><span class="tabular"></span></div>`;

/** @param {HTMLElement} thumb */
export const hideThumb = (thumb) => (thumb.hidden = true);

/**
 * Shows the picture of a time over a place of the timeline; nothing where there is none.
 *
 * @param {HTMLElement} thumb
 * @param {Pictures} pictures
 * @param {number} ms
 * @param {{x: number, room: number}} place CSS pixels from the left of a box that is `room` wide
 */
export function showThumb(thumb, pictures, ms, { x, room }) {
  const found = pictureAt(pictures, ms);
  thumb.hidden = !found;
  if (!found) return;
  const { width, height } = pictures;
  const picture = /** @type {HTMLCanvasElement} */ (thumb.querySelector("canvas"));
  if (picture.width !== width || picture.height !== height) Object.assign(picture, { width, height });
  picture.getContext("2d")?.drawImage(found.image, found.x, found.y, width, height, 0, 0, width, height);
  /** @type {HTMLElement} */ (thumb.querySelector("span")).textContent = shownTime(ms, { tenths: true });
  thumb.style.left = `${Math.min(Math.max(0, x - width / 2), Math.max(0, room - width))}px`;
}
