// The toolbar of the crop preview: which of its controls can be used, and what it says.

import { axisOf } from "./crop_rect.js";

// ratio, zones, auto: what is chosen; place: {kind, shot, shots} of the frame; framing: whether there is one; mayFrame: whether this person
// may move it; content: {width, height} to be framed, as far as known; problem, underWay, lost: what became of looking and of saving.
export function showBar(bar, { ratio, zones, auto, place, framing, mayFrame, content, ...told }) {
  for (const input of bar.querySelectorAll("input[name=framing-ratio]")) {
    input.checked = input.value === ratio;
    input.disabled = Boolean(input.value && content.width && !axisOf(content.width, content.height, input.value));
    const label = input.parentElement;
    label.dataset.use ??= label.title;
    label.title = input.disabled ? "The picture has this shape already" : label.dataset.use;
  }
  const button = (name) => bar.querySelector(`button[data-framing=${name}]`);
  button("zones").setAttribute("aria-pressed", String(zones));
  button("zones").disabled = !framing || ratio !== "9:16";
  button("centre").hidden = !mayFrame;
  button("centre").disabled = !framing || !mayFrame || place.kind === "centre";
  button("auto").setAttribute("aria-pressed", String(framing && auto));
  button("auto").disabled = !framing;
  button("keep").hidden = !(framing && mayFrame && place.kind === "auto" && place.shots.length > 0);
  const words = bar.querySelector(".framing-words");
  const invitation = mayFrame ? "Choose a shape to see and to move its frame." : "Choose a shape to see its frame.";
  const sentence = framing ? describe(place, told) : ratio ? "" : invitation;
  words.setAttribute("aria-live", framing && ["auto", "moving"].includes(place.kind) ? "off" : "polite");
  if (words.textContent !== sentence) words.textContent = sentence;
}

function describe({ kind, shot, shots }, { problem, underWay, lost }) {
  if (kind === "auto") {
    if (problem) return `Auto: ${problem}`;
    if (shots.length === 0) return "Auto: looking at the picture …";
    if (shots.length === 1 && shots[0][1] === 0.5 && shots[0][2] === 0.5) return "Auto: nothing stands out, so it shows the centre.";
    const which = shots.length > 1 ? `, shot ${shot + 1} of ${shots.length}` : "";
    return `Auto: proposal${which}. Auto exports follow each shot; Keep saves this one.`;
  }
  if (underWay) return kind === "hand" ? "By hand, saving" : "Centre";
  if (lost) return `${kind === "hand" ? "By hand" : "Centre"}. The last change was not saved: try again.`;
  return { hand: "By hand, saved", moving: "By hand", centre: "Centre" }[kind];
}
