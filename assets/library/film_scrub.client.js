// Scrubbing on a video card: moving the pointer or a finger over the poster, or pressing the arrow keys on the focused card, shows the
// frame at that position. .poster contains an empty <div class="film" data-film="{video id}">; its filmstrip is fetched at first use.
//
// A script, since the picture follows the pointer.

import { closest } from "../frame/event_target.js";
import { hasModifier } from "../keyboard/keys.js";
import { isKnown, pictureAt, pictureOf, stripOf } from "./filmstrips.js";

/** @import { Sheet, Strip } from "./filmstrips.js" */

const REST_MS = 70; // over a poster, before anything is fetched for it
const DRAG = 8; // CSS pixels after which a touch scrubs instead of tapping
const STEP = 1 / 20; // of the video
/** @type {Record<string, number>} */
const STEPS = { ArrowLeft: -STEP, ArrowRight: STEP };

/** @type {{film: HTMLElement, share: number, byKey: boolean} | null} */
let shown = null;
let waiting = 0;
/** @type {{film: HTMLElement, x: number, moved: boolean} | null} */
let finger = null;

/**
 * @param {Event} event
 * @param {string} around
 * @returns {HTMLElement | null}
 */
const filmIn = (event, around) => closest(event, around)?.querySelector(".film") ?? null;

function hide() {
  clearTimeout(waiting);
  shown?.film.removeAttribute("data-on");
  shown = null;
}

/**
 * @param {HTMLElement} film
 * @param {number} share of the video, 0 to 1
 */
async function show(film, share, { byKey = false } = {}) {
  if (shown && shown.film !== film) hide();
  const mine = (shown = { film, share, byKey });
  const strip = await stripOf(film.dataset.film ?? "");
  if (shown !== mine || !strip) return;
  const { sheet, place } = pictureAt(strip, share);
  if (!(await pictureOf(sheet.url)) || shown !== mine) return;
  draw(film, strip, sheet, place);
  film.style.setProperty("--share", String(share));
  film.setAttribute("data-on", "");
}

/**
 * @param {HTMLElement} film
 * @param {Strip} strip
 * @param {Sheet} sheet
 * @param {number} place
 */
function draw(film, { width, height }, { url, columns, rows }, place) {
  const picture = /** @type {HTMLElement} */ (film.firstElementChild ?? film.appendChild(document.createElement("div")));
  /** @type {(index: number, all: number) => string} */
  const along = (index, all) => (all > 1 ? `${(index / (all - 1)) * 100}%` : "0%");
  Object.assign(picture.style, {
    aspectRatio: `${width} / ${height}`,
    [width * 9 < height * 16 ? "width" : "height"]: "100%",
    backgroundImage: `url("${url}")`,
    backgroundSize: `${columns * 100}% ${rows * 100}%`,
    backgroundPosition: `${along(place % columns, columns)} ${along(Math.floor(place / columns), rows)}`,
  });
}

/** @param {number} share */
const clampShare = (share) => Math.min(0.999, Math.max(0, share));

/**
 * @param {HTMLElement} film
 * @param {number} x
 */
function shareAt(film, x) {
  const box = film.getBoundingClientRect();
  return clampShare((x - box.left) / box.width);
}

/** @param {PointerEvent} event */
function followFinger({ clientX }) {
  if (!finger) return;
  finger.moved ||= Math.abs(clientX - finger.x) > DRAG;
  if (finger.moved) show(finger.film, shareAt(finger.film, clientX));
}

/** @param {PointerEvent} event */
function followPointer(event) {
  const film = filmIn(event, ".poster");
  if (!film) {
    if (shown && !shown.byKey) hide();
    return;
  }
  const share = shareAt(film, event.clientX);
  if (shown?.film === film || isKnown(film.dataset.film ?? "")) {
    show(film, share);
    return;
  }
  clearTimeout(waiting);
  waiting = setTimeout(() => show(film, share), REST_MS);
}

document.addEventListener("pointermove", (event) => (event.pointerType === "touch" ? followFinger : followPointer)(event), { passive: true });

document.addEventListener("pointerdown", (event) => {
  const film = event.pointerType === "touch" ? filmIn(event, ".poster") : null;
  finger = film && { film, x: event.clientX, moved: false };
});

for (const end of ["pointerup", "pointercancel"]) {
  document.addEventListener(end, () => {
    if (!finger) return;
    const { moved } = finger;
    hide();
    if (moved) setTimeout(() => (finger = null), 50); // the click event follows
    else finger = null;
  });
}

document.addEventListener(
  "click",
  (event) => {
    if (!finger?.moved) return;
    event.preventDefault();
    event.stopPropagation();
  },
  { capture: true },
);

document.documentElement.addEventListener("pointerleave", hide);
document.addEventListener("focusout", () => shown?.byKey && hide());
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") hide();
  if (!(event.key in STEPS) || hasModifier(event)) return;
  const film = filmIn(event, "a");
  if (!film) return;
  event.preventDefault();
  const step = STEPS[event.key];
  const start = step > 0 ? -STEP / 2 : 1;
  show(film, clampShare((shown?.film === film ? shown.share : start) + step), { byKey: true });
});
