// Which part of a picture an export contains: the same results as crop_rect in clipviewer/domain/framing.py. A test compares them.

/** @typedef {"9:16" | "1:1" | "16:9"} Ratio */
/** @typedef {"x" | "y"} Axis */
/** @typedef {{x: number, y: number}} Point  a share of the picture's width and height, 0 to 1 */
/** @typedef {{width: number, height: number}} Size  pixels */
/** @typedef {Size & {x: number, y: number}} Rect  pixels */
/** @typedef {[start: number, x: number, y: number, glides: boolean]} Shot  start in ms after the clip's; x and y as of a Point */

/** @type {Record<string, [number, number]>} */
const FRAMES = { "9:16": [720, 1280], "1:1": [1080, 1080], "16:9": [1280, 720] };

/** @param {number} value */
const even = (value) => Math.floor(Math.trunc(value) / 2) * 2;
/**
 * @param {number} centre
 * @param {number} size
 * @param {number} crop
 */
const offset = (centre, size, crop) => even(Math.min(Math.max(centre * size - crop / 2, 0), size - crop));

/**
 * Returns the crop of a width × height picture in whole, even pixels. x and y are its centre as a share of the picture, 0 to 1.
 *
 * @param {number} width
 * @param {number} height
 * @param {string} ratio
 * @returns {Rect}
 */
export function cropRect(width, height, ratio, x = 0.5, y = 0.5) {
  const [across, down] = FRAMES[ratio];
  const cropWidth = Math.max(2, even(Math.min(width, (height * across) / down)));
  const cropHeight = Math.max(2, even(Math.min(height, (width * down) / across)));
  return { x: offset(x, width, cropWidth), y: offset(y, height, cropHeight), width: cropWidth, height: cropHeight };
}

/**
 * Returns the axis along which the crop can be moved, or null if the picture already has that shape to within two pixels.
 *
 * @param {number} width
 * @param {number} height
 * @param {string} ratio
 * @returns {Axis | null}
 */
export function axisOf(width, height, ratio) {
  const crop = cropRect(width, height, ratio);
  if (width - crop.width > 2) return "x";
  return height - crop.height > 2 ? "y" : null;
}

/**
 * Returns the centre, limited to where a crop of that size fits, and rounded to the four decimals that identify an export.
 *
 * @param {number} centre
 * @param {number} size
 * @param {number} crop
 */
export function clampCentre(centre, size, crop) {
  const least = (crop / 2 / size) * 10_000;
  return Math.min(Math.max(Math.round(Math.min(Math.max(centre, 0), 1) * 10_000), Math.floor(least)), Math.ceil(10_000 - least)) / 10_000;
}

/**
 * Returns the centre that Auto shows at `ms` after the clip's start, as auto_framing_at of the same module does.
 *
 * @param {Shot[]} shots
 * @param {number} ms
 * @returns {Point & {index: number}}
 */
export function centreAt(shots, ms) {
  const index = Math.max(
    0,
    shots.findLastIndex(([start]) => start <= ms),
  );
  const [start, x, y, glides] = shots[index];
  const then = shots[index + 1];
  const share = glides && then ? (ms - start) / (then[0] - start) : 0;
  return share ? { x: x + (then[1] - x) * share, y: y + (then[2] - y) * share, index } : { x, y, index };
}
