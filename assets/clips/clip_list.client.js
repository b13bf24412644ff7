// The keys of the clip list, as in any listbox: the selection follows the focus. Only some of the rows are in the page, so the last one
// may have to be scrolled to before it can be focused.
//
// A script, since focus and scroll position exist only in the browser, and a held arrow key must not wait for the server.

import { closest, targetOf } from "../frame/event_target.js";
import { hasModifier } from "../keyboard/keys.js";
import { writeClipToAddress } from "./clip_address.js";
import { persistence } from "./persistence.js";

/** @type {Record<string, number>} */
const STEPS = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity };
const revealing = persistence();
const opening = persistence();
/** @param {Element} option */
const placeOf = (option) => Number(option.getAttribute("aria-posinset"));

/**
 * Scrolls the list, and nothing else, so far that the row in this place is seen; waits for a list that is still being made.
 *
 * @param {number} place from 1
 */
export function reveal(place) {
  revealing(() => {
    const list = document.querySelector("[role=listbox]");
    /** @type {HTMLElement | null | undefined} */
    const row = list?.querySelector(".clip-row");
    if (!list || !row?.offsetHeight || list.scrollHeight < place * row.offsetHeight) return false;
    list.scrollTop += distance((place - 1) * row.offsetHeight - list.scrollTop, row.offsetHeight, list.clientHeight);
    return true;
  });
}

/**
 * How far a list must be scrolled for a row to be seen, in CSS pixels: to the middle if the row is far away.
 *
 * @param {number} above from the top of what is shown to the row
 * @param {number} height of the row
 * @param {number} room of what is shown
 */
function distance(above, height, room) {
  if (above < -height || above > room) return above - (room - height) / 2;
  if (above < 0) return above;
  return Math.max(0, above - room + height);
}

/** @param {HTMLElement} option */
function open(option) {
  option.click();
  option.focus({ preventScroll: true });
}

/**
 * @param {Element} list
 * @param {number} place
 */
function openPlace(list, place) {
  opening(() => {
    /** @type {HTMLElement | null} */
    const option = list.querySelector(`[role=option][aria-posinset="${place}"]`);
    if (option) open(option);
    return Boolean(option);
  });
}

/**
 * The place that a key leads to; null where the list is empty.
 *
 * @param {Element} list
 * @param {HTMLElement | null} focused
 * @param {number} step
 */
function placeAfter(list, focused, step) {
  const options = [...list.querySelectorAll("[role=option]")];
  if (options.length === 0) return null;
  const from = focused ?? options.find((option) => option.getAttribute("aria-selected") === "true");
  const place = from ? placeOf(from) + step : placeOf(options[0]);
  return Math.min(Number(options[0].getAttribute("aria-setsize")), Math.max(1, place));
}

/** @param {KeyboardEvent} event */
function openFocused(event) {
  const focused = closest(event, "[role=option]");
  if (!focused || targetOf(event)?.matches("input")) return;
  event.preventDefault();
  open(focused);
}

/**
 * @param {KeyboardEvent} event
 * @param {Element} list
 * @param {number} step
 */
function goOn(event, list, step) {
  const place = placeAfter(list, closest(event, "[role=option]"), step);
  if (place === null) return;
  event.preventDefault();
  reveal(place);
  openPlace(list, place);
}

document.addEventListener("keydown", (event) => {
  const list = closest(event, "[role=listbox]");
  if (!list || hasModifier(event)) return;
  if (event.key === "Enter" || event.key === " ") openFocused(event);
  else if (event.key in STEPS) goOn(event, list, STEPS[event.key]);
});

// Before the page tells the server of the click, which may have to lead to sign-in and back here.
document.addEventListener(
  "click",
  (event) => {
    const clip = closest(event, "[role=listbox] [role=option]")?.dataset.clipId;
    if (clip && !targetOf(event)?.matches("input")) writeClipToAddress(clip);
  },
  { capture: true },
);
