// The last chosen shape and whether safe zones are shown, saved in this browser.

const STORAGE_KEY = "clipviewer.framing";

/** @typedef {{ratio: string, zones: boolean}} Choice */

/** @returns {Choice} */
export function loadChoice() {
  try {
    const { ratio = "", zones = false } = JSON.parse(localStorage.getItem(STORAGE_KEY) ?? "{}") ?? {};
    return { ratio, zones: zones === true };
  } catch {
    return { ratio: "", zones: false };
  }
}

/** @param {Choice} choice */
export function saveChoice(choice) {
  try {
    localStorage.setItem(STORAGE_KEY, JSON.stringify(choice));
  } catch {
    // Storage is not available: the choice lasts as long as the page.
  }
}
