// The keys of the clip list, as in any listbox: the selection follows the focus. Only some of the rows are in the page, so the last one
// may have to be scrolled to before it can be focused.

import { writeClipToAddress } from "./clip_address.js";

const STEPS = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity };
const placeOf = (option) => Number(option.getAttribute("aria-posinset"));

function open(option) {
  option.click();
  option.focus({ preventScroll: true });
  option.scrollIntoView({ block: "nearest" });
}

function select(list, place, tries = 60) {
  const option = list.querySelector(`[role=option][aria-posinset="${place}"]`);
  if (option) return open(option);
  if (tries === 60) list.scrollTop = (place - 1) * list.querySelector(".clip-row").offsetHeight;
  if (tries > 0) requestAnimationFrame(() => select(list, place, tries - 1));
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
  select(list, Math.min(last, Math.max(1, place)));
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
