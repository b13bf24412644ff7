// The address names the shown clip, ?clip={id}, at the moment of the click: back, reload and sign-in lead to it.

const SKIMMED_MS = 300;
let written = 0;

export const clipInAddress = () => new URL(location.href).searchParams.get("clip");

/**
 * Writes the shown clip. The first one leaves no step in the history, nor does one that was only skimmed past.
 *
 * @param {string} clipId
 * @param {{first?: boolean}} [how]
 */
export function writeClipToAddress(clipId, { first = false } = {}) {
  if (clipInAddress() === clipId) return;
  const here = new URL(location.href);
  here.searchParams.set("clip", clipId);
  here.searchParams.delete("tab");
  if (first || Date.now() - written < SKIMMED_MS) {
    history.replaceState(history.state, "", here);
  } else {
    const step = { ...history.state, idx: (history.state?.idx ?? 0) + 1, key: Math.random().toString(36).slice(2) };
    history.pushState(step, "", here);
  }
  written = Date.now();
}
