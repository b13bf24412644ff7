// The toolbar of the crop preview: which of its controls can be used, and what it says.

import { axisOf } from "./crop_rect.js";

/** @import { Point, Shot } from "./crop_rect.js" */

/**
 * Where the frame stands: moving, hand, centre or auto; a proposal has its shots, and which one shows.
 *
 * @typedef {{kind: "moving" | "hand" | "centre" | "auto", centre: Point, shot?: number, shots?: Shot[]}} Place
 */

/** @typedef {{problem?: string, underWay: boolean, lost: boolean}} Told  what became of looking and of saving */

/**
 * What the toolbar shows. `ratio`, `zones`, `auto`: what is chosen; `framing`: whether there is a frame; `mayFrame`: whether this person
 * may move it; `content`: what is to be framed, in pixels, as far as known.
 *
 * @typedef {Told & {ratio: string, zones: boolean, auto: boolean, place: Place, framing: boolean, mayFrame: boolean,
 *   content: {width?: number, height?: number}}} Shown
 */

/**
 * @param {Element} bar
 * @param {Shown} shown
 */
export function showBar(bar, shown) {
  showShapes(bar, shown);
  showButtons(bar, shown);
  showWords(bar, shown);
}

/**
 * @param {Element} bar
 * @param {Shown} shown
 */
function showShapes(bar, { ratio, content: { width, height } }) {
  /** @type {NodeListOf<HTMLInputElement>} */
  const inputs = bar.querySelectorAll("input[name=framing-ratio]");
  for (const input of inputs) {
    input.checked = input.value === ratio;
    input.disabled = Boolean(input.value && width && height && !axisOf(width, height, input.value));
    const label = /** @type {HTMLElement} */ (input.parentElement);
    label.dataset.use ??= label.title;
    label.title = input.disabled ? "The picture has this shape already" : label.dataset.use;
  }
}

/**
 * @param {Element} bar
 * @param {Shown} shown
 */
function showButtons(bar, { ratio, zones, auto, place, framing, mayFrame }) {
  /** @type {(name: string) => HTMLButtonElement} */
  const button = (name) => /** @type {HTMLButtonElement} */ (bar.querySelector(`button[data-framing=${name}]`));
  button("zones").setAttribute("aria-pressed", String(zones));
  button("zones").disabled = !framing || ratio !== "9:16";
  button("centre").hidden = !mayFrame;
  button("centre").disabled = !framing || !mayFrame || place.kind === "centre";
  button("auto").setAttribute("aria-pressed", String(framing && auto));
  button("auto").disabled = !framing;
  button("keep").hidden = !(framing && mayFrame && place.kind === "auto" && place.shots?.length);
}

/**
 * @param {Element} bar
 * @param {Shown} shown
 */
function showWords(bar, shown) {
  const words = /** @type {Element} */ (bar.querySelector(".framing-words"));
  const moves = shown.framing && (shown.place.kind === "auto" || shown.place.kind === "moving");
  words.setAttribute("aria-live", moves ? "off" : "polite");
  const sentence = shown.framing ? describe(shown.place, shown) : invite(shown);
  if (words.textContent !== sentence) words.textContent = sentence;
}

/** @param {Shown} shown */
function invite({ ratio, mayFrame }) {
  if (ratio) return "";
  return mayFrame ? "Choose a shape to see and to move its frame." : "Choose a shape to see its frame.";
}

/**
 * @param {Place} place
 * @param {Told} told
 */
function describe(place, { problem, underWay, lost }) {
  if (place.kind === "auto") return problem ? `Auto: ${problem}` : propose(place);
  const byHand = place.kind === "hand";
  if (underWay) return byHand ? "By hand, saving" : "Centre";
  if (lost) return `${byHand ? "By hand" : "Centre"}. The last change was not saved: try again.`;
  return { hand: "By hand, saved", moving: "By hand", centre: "Centre" }[place.kind];
}

/** @param {Place} place */
function propose({ shot = 0, shots = [] }) {
  if (shots.length === 0) return "Auto: looking at the picture …";
  if (shots.length === 1 && shots[0][1] === 0.5 && shots[0][2] === 0.5) return "Auto: nothing stands out, so it shows the centre.";
  const which = shots.length > 1 ? `, shot ${shot + 1} of ${shots.length}` : "";
  return `Auto: proposal${which}. Auto exports follow each shot; Keep saves this one.`;
}
