// Keeps the id of the shown clip in the address, ?clip={id}, from the moment of the click: Back, reload and sign-in return to it.

const SKIM_MS = 300; // clips opened within this time of each other share a history entry
let writtenAt = 0;

export const clipInAddress = () => new URL(location.href).searchParams.get("clip");

/**
 * Writes the id of the shown clip. The first clip, and one that was only skimmed past, get no history entry of their own.
 *
 * @param {string} clipId
 * @param {{first?: boolean}} [options]
 */
export function writeClipToAddress(clipId, { first = false } = {}) {
  if (clipInAddress() === clipId) return;
  const url = new URL(location.href);
  url.searchParams.set("clip", clipId);
  url.searchParams.delete("tab");
  if (first || Date.now() - writtenAt < SKIM_MS) {
    history.replaceState(history.state, "", url);
  } else {
    const entry = { ...history.state, idx: (history.state?.idx ?? 0) + 1, key: Math.random().toString(36).slice(2) };
    history.pushState(entry, "", url);
  }
  writtenAt = Date.now();
}
