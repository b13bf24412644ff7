// The small picture above a timeline that shows the time under the mouse.

import { formatTime, pictureAt } from "./drawing.js";

/** @import { Pictures } from "./drawing.js" */

export const THUMB_TEMPLATE = `<div class="timeline-thumb" hidden><canvas></canvas><span class="tabular"></span></div>`;

/** @param {HTMLElement} thumb */
export const hideThumb = (thumb) => (thumb.hidden = true);

/**
 * Shows the picture of a time above its position on the timeline; hides it if there is no picture.
 *
 * @param {HTMLElement} thumb
 * @param {Pictures} pictures
 * @param {number} ms
 * @param {{x: number, boxWidth: number}} position CSS pixels from the left edge of a box, and the width of the box
 */
export function showThumb(thumb, pictures, ms, { x, boxWidth }) {
  const found = pictureAt(pictures, ms);
  thumb.hidden = !found;
  if (!found) return;
  const { width, height } = pictures;
  const picture = /** @type {HTMLCanvasElement} */ (thumb.querySelector("canvas"));
  if (picture.width !== width || picture.height !== height) Object.assign(picture, { width, height });
  picture.getContext("2d")?.drawImage(found.image, found.x, found.y, width, height, 0, 0, width, height);
  /** @type {HTMLElement} */ (thumb.querySelector("span")).textContent = formatTime(ms, { tenths: true });
  thumb.style.left = `${Math.min(Math.max(0, x - width / 2), Math.max(0, boxWidth - width))}px`;
}
