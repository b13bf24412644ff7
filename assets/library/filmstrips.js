// The filmstrips of the videos on the library page: fetched at first use, cached until their URLs expire.

/** @typedef {{url: string, count: number, columns: number, rows: number}} Sheet  of `count` pictures */
/** @typedef {{width: number, height: number, sheets: Sheet[], expiresAt: string}} Strip  width and height of one picture, in pixels */

/** @type {Map<string, {strip: Promise<Strip | null>, until: number}>} by video id; until in ms */
const strips = new Map();
/** @type {Map<string, Promise<HTMLImageElement | null>>} loaded pictures by URL */
const pictures = new Map();

/** @param {string} id */
export const isKnown = (id) => strips.has(id);

/**
 * Returns the filmstrip of a video, or null if it has none or the request fails.
 *
 * @param {string} id
 */
export function stripOf(id) {
  const known = strips.get(id);
  if (known && known.until > Date.now()) return known.strip;
  const entry = { until: Date.now() + 60_000, strip: fetchStrip(id) };
  strips.set(id, entry);
  entry.strip.then((strip) => {
    if (strip) entry.until = Date.parse(strip.expiresAt) - 60_000;
  });
  return entry.strip;
}

/**
 * @param {string} id
 * @returns {Promise<Strip | null>}
 */
async function fetchStrip(id) {
  try {
    const answer = await fetch(`/api/clips/videos/${id}/filmstrip`);
    return answer.ok ? await answer.json() : null;
  } catch {
    return null;
  }
}

/**
 * Loads the image of a sheet. Resolves to null on failure; the next call tries again.
 *
 * @param {string} url
 */
export function pictureOf(url) {
  const known = pictures.get(url);
  if (known) return known;
  const image = Object.assign(new Image(), { src: url });
  const loaded = image.decode().then(
    () => image,
    () => {
      pictures.delete(url);
      return null;
    },
  );
  pictures.set(url, loaded);
  return loaded;
}

/**
 * Returns the sheet with the picture of a position in the video, and the index of the picture on that sheet.
 *
 * @param {Strip} strip
 * @param {number} share of the video, 0 to 1
 */
export function pictureAt({ sheets }, share) {
  const count = sheets.reduce((sum, sheet) => sum + sheet.count, 0);
  let place = Math.min(count - 1, Math.floor(share * count));
  for (const sheet of sheets) {
    if (place < sheet.count) return { sheet, place };
    place -= sheet.count;
  }
  return { sheet: sheets[0], place: 0 };
}
