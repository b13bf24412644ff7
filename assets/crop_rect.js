// Which part of a picture an export shows: the same numbers as crop_rect in clipviewer/domain/framing.py. A test holds both to each other.

const FRAMES = { "9:16": [720, 1280], "1:1": [1080, 1080], "16:9": [1280, 720] };

const even = (value) => Math.floor(Math.trunc(value) / 2) * 2;
const offset = (centre, size, crop) => even(Math.min(Math.max(centre * size - crop / 2, 0), size - crop));

// → {x, y, width, height} in whole, even pixels of a width × height picture; x and y are the wanted centre as a share of it.
export function cropRect(width, height, ratio, x = 0.5, y = 0.5) {
  const [across, down] = FRAMES[ratio];
  const cropWidth = Math.max(2, even(Math.min(width, (height * across) / down)));
  const cropHeight = Math.max(2, even(Math.min(height, (width * down) / across)));
  return { x: offset(x, width, cropWidth), y: offset(y, height, cropHeight), width: cropWidth, height: cropHeight };
}

// The direction in which a crop can be moved: "x", "y", or null where the picture has that shape already (but for a pixel or two).
export function axisOf(width, height, ratio) {
  const crop = cropRect(width, height, ratio);
  if (width - crop.width > 2) return "x";
  return height - crop.height > 2 ? "y" : null;
}

// The centre, held to where a crop of that size can be, and to four decimals: as much as an export is known by.
export function heldCentre(centre, size, crop) {
  const least = (crop / 2 / size) * 10_000;
  return Math.min(Math.max(Math.round(Math.min(Math.max(centre, 0), 1) * 10_000), Math.floor(least)), Math.ceil(10_000 - least)) / 10_000;
}

// What Auto shows at ms after the clip's start, as framing_at of the same file says. shots: [[start, x, y, glides], …].
export function centreAt(shots, ms) {
  const index = Math.max(0, shots.findLastIndex(([start]) => start <= ms));
  const [start, x, y, glides] = shots[index];
  const then = shots[index + 1];
  const share = glides && then ? (ms - start) / (then[0] - start) : 0;
  return share ? { x: x + (then[1] - x) * share, y: y + (then[2] - y) * share, index } : { x, y, index };
}
