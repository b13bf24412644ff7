// The small picture over a timeline, of the time that the mouse points at.

import { pictureAt, shownTime } from "./timeline_drawing.js";

export const THUMB = `<div class="timeline-thumb" hidden><canvas></canvas><span class="tabular"></span></div>`;

// Shows the picture of `scene` at `ms` over the place `x` (CSS pixels) of a box that is `room` wide; nothing without a time.
export function showThumb(thumb, scene, ms, x, room) {
  const found = ms === null ? null : pictureAt(scene, ms);
  thumb.hidden = !found;
  if (!found) return;
  const { width, height } = scene;
  const picture = thumb.querySelector("canvas");
  if (picture.width !== width || picture.height !== height) Object.assign(picture, { width, height });
  picture.getContext("2d").drawImage(found.image, found.x, found.y, width, height, 0, 0, width, height);
  thumb.querySelector("span").textContent = shownTime(ms, { tenths: true });
  thumb.style.left = `${Math.min(Math.max(0, x - width / 2), Math.max(0, room - width))}px`;
}
