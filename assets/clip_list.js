// The keys of the clip list, as in any listbox: the selection follows the focus. Only some of the rows are in the page, so the last one
// may have to be scrolled to before it can be focused.

import { writeClipToAddress } from "./clip_address.js";
import { persistence } from "./persistence.js";

const STEPS = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity };
const revealing = persistence();
const opening = persistence();
const placeOf = (option) => Number(option.getAttribute("aria-posinset"));

// Scrolls the list, and nothing else, so far that the row in this place (from 1) is seen; waits for a list that is still being made.
export function reveal(place) {
  revealing(() => {
    const list = document.querySelector("[role=listbox]");
    const height = list?.querySelector(".clip-row")?.offsetHeight;
    if (!height || list.scrollHeight < place * height) return false;
    const room = list.clientHeight;
    const above = (place - 1) * height - list.scrollTop;
    if (above < -height || above > room) list.scrollTop += above - (room - height) / 2;
    else if (above < 0) list.scrollTop += above;
    else if (above > room - height) list.scrollTop += above - room + height;
    return true;
  });
}

function open(option) {
  option.click();
  option.focus({ preventScroll: true });
}

function openPlace(list, place) {
  opening(() => {
    const option = list.querySelector(`[role=option][aria-posinset="${place}"]`);
    if (option) open(option);
    return Boolean(option);
  });
}

document.addEventListener("keydown", (event) => {
  const list = event.target.closest?.("[role=listbox]");
  if (!list || event.altKey || event.ctrlKey || event.metaKey) return;
  const focused = event.target.closest("[role=option]");
  const onCheckbox = event.target.matches("input");
  if ((event.key === "Enter" || event.key === " ") && focused && !onCheckbox) {
    event.preventDefault();
    open(focused);
    return;
  }
  const options = [...list.querySelectorAll("[role=option]")];
  if (!STEPS[event.key] || options.length === 0) return;
  event.preventDefault();
  const from = focused ?? options.find((option) => option.getAttribute("aria-selected") === "true");
  const last = Number(options[0].getAttribute("aria-setsize"));
  const place = from ? placeOf(from) + STEPS[event.key] : placeOf(options[0]);
  const target = Math.min(last, Math.max(1, place));
  reveal(target);
  openPlace(list, target);
});

// Before the page tells the server of the click, which may have to lead to sign-in and back here.
document.addEventListener(
  "click",
  (event) => {
    const option = event.target.closest?.("[role=listbox] [role=option]");
    if (option && !event.target.matches("input")) writeClipToAddress(option.dataset.clipId);
  },
  { capture: true },
);
