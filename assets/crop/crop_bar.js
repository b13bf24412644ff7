// The toolbar of the crop preview: which of its controls are enabled, and its status text.

import { axisOf } from "./crop_rect.js";

/** @import { Point, Shot } from "./crop_rect.js" */

/**
 * Where the frame is, and why: moving, hand, centre or auto. An automatic proposal has its shots and the index of the shown one.
 *
 * @typedef {{kind: "moving" | "hand" | "centre" | "auto", centre: Point, shot?: number, shots?: Shot[]}} FramePosition
 */

/** @typedef {{problem?: string, pending: boolean, lost: boolean}} Status  the outcome of the picture analysis and of saving */

/**
 * What the toolbar shows. `ratio`, `zones`, `auto`: the choices; `framing`: whether a frame is shown; `mayFrame`: whether this person may
 * move it; `content`: the picture without its bars, in pixels, as far as known.
 *
 * @typedef {Status & {ratio: string, zones: boolean, auto: boolean, position: FramePosition, framing: boolean, mayFrame: boolean,
 *   content: {width?: number, height?: number}}} BarState
 */

/**
 * @param {Element} bar
 * @param {BarState} shown
 */
export function showBar(bar, shown) {
  showShapes(bar, shown);
  showButtons(bar, shown);
  showStatus(bar, shown);
}

/**
 * @param {Element} bar
 * @param {BarState} shown
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
 * @param {BarState} shown
 */
function showButtons(bar, { ratio, zones, auto, position, framing, mayFrame }) {
  /** @type {(name: string) => HTMLButtonElement} */
  const button = (name) => /** @type {HTMLButtonElement} */ (bar.querySelector(`button[data-framing=${name}]`));
  button("zones").setAttribute("aria-pressed", String(zones));
  button("zones").disabled = !framing || ratio !== "9:16";
  button("centre").hidden = !mayFrame;
  button("centre").disabled = !framing || !mayFrame || position.kind === "centre";
  button("auto").setAttribute("aria-pressed", String(framing && auto));
  button("auto").disabled = !framing;
  button("keep").hidden = !(framing && mayFrame && position.kind === "auto" && position.shots?.length);
}

/**
 * @param {Element} bar
 * @param {BarState} shown
 */
function showStatus(bar, shown) {
  const status = /** @type {Element} */ (bar.querySelector(".framing-words"));
  const moves = shown.framing && (shown.position.kind === "auto" || shown.position.kind === "moving");
  status.setAttribute("aria-live", moves ? "off" : "polite");
  const sentence = shown.framing ? describePosition(shown.position, shown) : promptForShape(shown);
  if (status.textContent !== sentence) status.textContent = sentence;
}

/** @param {BarState} shown */
function promptForShape({ ratio, mayFrame }) {
  if (ratio) return "";
  return mayFrame ? "Choose a shape to see and to move its frame." : "Choose a shape to see its frame.";
}

/**
 * @param {FramePosition} position
 * @param {Status} told
 */
function describePosition(position, { problem, pending, lost }) {
  if (position.kind === "auto") return problem ? `Auto: ${problem}` : describeProposal(position);
  const byHand = position.kind === "hand";
  if (pending) return byHand ? "By hand, saving" : "Centre";
  if (lost) return `${byHand ? "By hand" : "Centre"}. The last change was not saved: try again.`;
  return { hand: "By hand, saved", moving: "By hand", centre: "Centre" }[position.kind];
}

/** @param {FramePosition} position */
function describeProposal({ shot = 0, shots = [] }) {
  if (shots.length === 0) return "Auto: looking at the picture …";
  if (shots.length === 1 && shots[0][1] === 0.5 && shots[0][2] === 0.5) return "Auto: nothing stands out, so it shows the centre.";
  const which = shots.length > 1 ? `, shot ${shot + 1} of ${shots.length}` : "";
  return `Auto: proposal${which}. Auto exports follow each shot; Keep saves this one.`;
}
