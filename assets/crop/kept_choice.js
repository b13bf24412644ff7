// The shape and the safe zones that were chosen last, kept in this browser.

const KEPT = "clipviewer.framing";

/** @typedef {{ratio: string, zones: boolean}} Choice */

/** @returns {Choice} */
export function remembered() {
  try {
    const { ratio = "", zones = false } = JSON.parse(localStorage.getItem(KEPT) ?? "{}") ?? {};
    return { ratio, zones: zones === true };
  } catch {
    return { ratio: "", zones: false };
  }
}

/** @param {Choice} choice */
export function remember(choice) {
  try {
    localStorage.setItem(KEPT, JSON.stringify(choice));
  } catch {
    // A browser that keeps nothing begins anew with every page.
  }
}
