// Keyboard support of the clip list, a listbox whose selection follows the focus. The list is virtual: a row outside the view must be
// scrolled to before it can be focused.
//
// A script, since focus and scroll position exist only in the browser, and a held arrow key must not wait for the server.

import { closest, targetOf } from "../frame/event_target.js";
import { hasModifier } from "../keyboard/keys.js";
import { writeClipToAddress } from "./clip_address.js";
import { createRetry } from "./retry.js";

/** @type {Record<string, number>} */
const STEPS = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity };
const retryReveal = createRetry();
const retryOpen = createRetry();
/** @param {Element} option */
const positionOf = (option) => Number(option.getAttribute("aria-posinset"));

/**
 * Scrolls the list, and nothing else, until the row at this position is visible. Waits for a list that is not rendered yet.
 *
 * @param {number} position from 1
 */
export function reveal(position) {
  retryReveal(() => {
    const list = document.querySelector("[role=listbox]");
    /** @type {HTMLElement | null | undefined} */
    const row = list?.querySelector(".clip-row");
    if (!list || !row?.offsetHeight || list.scrollHeight < position * row.offsetHeight) return false;
    list.scrollTop += scrollDistance((position - 1) * row.offsetHeight - list.scrollTop, row.offsetHeight, list.clientHeight);
    return true;
  });
}

/**
 * Returns how far to scroll a list so that a row is visible, in CSS pixels. A row outside the view is moved to the middle.
 *
 * @param {number} above from the top of the view to the row
 * @param {number} height of the row
 * @param {number} viewHeight
 */
function scrollDistance(above, height, viewHeight) {
  if (above < -height || above > viewHeight) return above - (viewHeight - height) / 2;
  if (above < 0) return above;
  return Math.max(0, above - viewHeight + height);
}

/** @param {HTMLElement} option */
function openRow(option) {
  option.click();
  option.focus({ preventScroll: true });
}

/**
 * @param {Element} list
 * @param {number} position
 */
function openPosition(list, position) {
  retryOpen(() => {
    /** @type {HTMLElement | null} */
    const option = list.querySelector(`[role=option][aria-posinset="${position}"]`);
    if (option) openRow(option);
    return Boolean(option);
  });
}

/**
 * Returns the position that a key moves to, or null if the list is empty.
 *
 * @param {Element} list
 * @param {HTMLElement | null} focused
 * @param {number} step
 */
function positionAfter(list, focused, step) {
  const options = [...list.querySelectorAll("[role=option]")];
  if (options.length === 0) return null;
  const from = focused ?? options.find((option) => option.getAttribute("aria-selected") === "true");
  const position = from ? positionOf(from) + step : positionOf(options[0]);
  return Math.min(Number(options[0].getAttribute("aria-setsize")), Math.max(1, position));
}

/** @param {KeyboardEvent} event */
function openFocused(event) {
  const focused = closest(event, "[role=option]");
  if (!focused || targetOf(event)?.matches("input")) return;
  event.preventDefault();
  openRow(focused);
}

/**
 * @param {KeyboardEvent} event
 * @param {Element} list
 * @param {number} step
 */
function moveSelection(event, list, step) {
  const position = positionAfter(list, closest(event, "[role=option]"), step);
  if (position === null) return;
  event.preventDefault();
  reveal(position);
  openPosition(list, position);
}

document.addEventListener("keydown", (event) => {
  const list = closest(event, "[role=listbox]");
  if (!list || hasModifier(event)) return;
  if (event.key === "Enter" || event.key === " ") openFocused(event);
  else if (event.key in STEPS) moveSelection(event, list, STEPS[event.key]);
});

// In the capture phase, before the page sends the click to the server: the answer may redirect to sign-in, which returns to this address.
document.addEventListener(
  "click",
  (event) => {
    const clip = closest(event, "[role=listbox] [role=option]")?.dataset.clipId;
    if (clip && !targetOf(event)?.matches("input")) writeClipToAddress(clip);
  },
  { capture: true },
);
