// Draws a timeline: filmstrip, waveform, candidates, the marked range and the playhead on one canvas. Times are ms.

/** @import { Drawn } from "./footage.js" */
/** @import { DrawnMarks } from "./marks.js" */

/** @typedef {Drawn & {columns: number, width: number, height: number}} Pictures  `columns` on a sheet; width and height of one, in pixels */
/** @typedef {{start_ms: number, end_ms: number}} Span */
/** @typedef {Pictures & {marks: DrawnMarks, clip?: Span, draft: Span | null, from: number, to: number, now: number}} Scene */
/** @typedef {CanvasRenderingContext2D} Pen */
/** @typedef {(ms: number) => number} At  maps a time to its x position, in CSS pixels */

const STRIP = 44; // CSS pixels, as are all lengths here
const RULER = 16;
const MIN_STEP = 70; // between two labels of the ruler
const STEPS = [100, 200, 500, 1e3, 2e3, 5e3, 1e4, 15e3, 3e4, 6e4, 12e4, 3e5, 6e5, 9e5, 18e5, 36e5];
export const HEIGHT = 104;

/**
 * @param {CSSStyleDeclaration} style
 * @param {string} name
 */
const colour = (style, name) => style.getPropertyValue(name).trim() || "#888";

/**
 * Returns a time as m:ss or h:mm:ss, with tenths of a second on request.
 *
 * @param {number} ms
 */
export function formatTime(ms, { tenths = false } = {}) {
  const seconds = Math.max(0, ms) / 1000;
  const whole = Math.floor(seconds);
  /** @param {number} number */
  const two = (number) => String(number).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  const text = hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
  return tenths ? `${text}.${Math.floor((seconds - whole) * 10)}` : text;
}

/**
 * Returns the filmstrip picture of a time, with its position on its sheet; null while it is not loaded.
 *
 * @param {Pictures} pictures
 * @param {number} ms
 */
export function pictureAt({ times, sheets, columns, width, height }, ms) {
  if (!times.length || !sheets.length) return null;
  let low = 0;
  let high = times.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (times[middle] <= ms) low = middle;
    else high = middle - 1;
  }
  const place = low % 100;
  const image = sheets[Math.floor(low / 100)];
  if (!image?.complete || !image.naturalWidth) return null;
  return { image, x: (place % columns) * width, y: Math.floor(place / columns) * height };
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {Scene} scene
 */
export function draw(canvas, scene) {
  const style = getComputedStyle(canvas);
  const width = canvas.clientWidth;
  const pen = prepareCanvas(canvas, colour(style, "--gray-3"));
  /** @type {At} */
  const at = (ms) => ((ms - scene.from) / (scene.to - scene.from)) * width;
  drawRuler(pen, scene, colour(style, "--gray-11"), width, at);
  drawFilmstrip(pen, scene, width);
  drawWaveform(pen, scene, colour(style, "--gray-9"), width);
  drawCandidates(pen, at, scene.marks, colour(style, "--accent-9"));
  if (scene.clip) drawRange(pen, at, scene.clip, colour(style, "--accent-9"), 0.42);
  if (scene.draft) drawDraft(pen, at, scene.draft, colour(style, "--amber-9"));
  pen.fillStyle = colour(style, "--gray-12");
  pen.fillRect(at(scene.now) - 0.75, 0, 1.5, HEIGHT);
}

/**
 * Resizes the canvas to device pixels, fills it with the background colour and returns its context.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {string} background
 */
function prepareCanvas(canvas, background) {
  const width = canvas.clientWidth;
  const scale = devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * scale)) canvas.width = Math.round(width * scale);
  if (canvas.height !== Math.round(HEIGHT * scale)) canvas.height = Math.round(HEIGHT * scale);
  const pen = /** @type {Pen} */ (canvas.getContext("2d"));
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  pen.fillStyle = background;
  pen.fillRect(0, 0, width, HEIGHT);
  return pen;
}

/**
 * @param {Pen} pen
 * @param {Scene} scene
 * @param {string} paint
 * @param {number} width
 * @param {At} at
 */
function drawRuler(pen, scene, paint, width, at) {
  const least = ((scene.to - scene.from) / width) * MIN_STEP;
  const step = STEPS.find((each) => each >= least) ?? 36e5;
  pen.fillStyle = paint;
  pen.font = "11px system-ui, sans-serif";
  pen.textBaseline = "middle";
  for (let ms = Math.ceil(scene.from / step) * step; ms < scene.to; ms += step) {
    pen.fillRect(at(ms), RULER - 4, 1, 4);
    pen.fillText(formatTime(ms, { tenths: step < 1000 }), at(ms) + 4, RULER / 2);
  }
}

/**
 * @param {Pen} pen
 * @param {Scene} scene
 * @param {number} width
 */
function drawFilmstrip(pen, scene, width) {
  const wide = (scene.width / scene.height) * STRIP;
  for (let x = 0; x < width; x += wide) {
    const found = pictureAt(scene, scene.from + ((x + wide / 2) / width) * (scene.to - scene.from));
    if (found) pen.drawImage(found.image, found.x, found.y, scene.width, scene.height, x, RULER, wide, STRIP);
  }
}

/**
 * @param {Pen} pen
 * @param {Scene} scene
 * @param {string} paint
 * @param {number} width
 */
function drawWaveform(pen, scene, paint, width) {
  const { peaks, peakMs } = scene;
  const top = RULER + STRIP;
  const middle = (top + HEIGHT) / 2;
  pen.fillStyle = paint;
  for (let x = 0; x < width; x++) {
    const first = Math.floor((scene.from + (x / width) * (scene.to - scene.from)) / peakMs);
    const last = Math.max(first + 1, Math.floor((scene.from + ((x + 1) / width) * (scene.to - scene.from)) / peakMs));
    let loudest = 0;
    for (let index = first; index < last; index++) loudest = Math.max(loudest, peaks[index] ?? 0);
    const half = (loudest / 100) * ((HEIGHT - top) / 2 - 3);
    pen.fillRect(x, middle - half, 1, Math.max(1, half * 2));
  }
}

/**
 * Draws candidates one by one, or as columns whose opacity grows with the number of candidates that cover them.
 *
 * @param {Pen} pen
 * @param {At} at
 * @param {DrawnMarks} marks
 * @param {string} paint
 */
function drawCandidates(pen, at, { alone, columns }, paint) {
  for (const [start_ms, end_ms] of alone) drawRange(pen, at, { start_ms, end_ms }, paint, 0.2);
  pen.save();
  pen.fillStyle = paint;
  columns.forEach((count, x) => {
    if (!count) return;
    pen.globalAlpha = Math.min(0.5, 0.12 + 0.08 * Math.log2(count));
    pen.fillRect(x, RULER, 1, HEIGHT - RULER);
    pen.globalAlpha = 1;
    pen.fillRect(x, HEIGHT - 3, 1, 3);
  });
  pen.restore();
}

/**
 * @param {Pen} pen
 * @param {At} at
 * @param {Span} span
 * @param {string} paint
 * @param {number} strength
 */
function drawRange(pen, at, { start_ms, end_ms }, paint, strength) {
  pen.save();
  pen.fillStyle = paint;
  pen.globalAlpha = strength;
  pen.fillRect(at(start_ms), RULER, Math.max(2, at(end_ms) - at(start_ms)), HEIGHT - RULER);
  pen.globalAlpha = 1;
  pen.fillRect(at(start_ms), HEIGHT - 3, Math.max(2, at(end_ms) - at(start_ms)), 3);
  pen.restore();
}

/**
 * Draws the marked range, with handles at its ends.
 *
 * @param {Pen} pen
 * @param {At} at
 * @param {Span} span
 * @param {string} paint
 */
function drawDraft(pen, at, span, paint) {
  drawRange(pen, at, span, paint, 0.38);
  pen.fillStyle = paint;
  for (const ms of [span.start_ms, span.end_ms]) pen.fillRect(at(ms) - 2, RULER, 4, HEIGHT - RULER);
}
