// "?" opens the sheet of keys by its button, wherever nobody types and nothing else is open.
//
// A script, since a key of the page belongs to no component, and the sheet must be there at once.

import { isForPage } from "./keys.js";

document.addEventListener("keydown", (event) => {
  if (event.key !== "?" || !isForPage(event) || document.fullscreenElement) return;
  if (document.querySelector("[role=dialog], [role=alertdialog], [role=menu]")) return;
  event.preventDefault();
  /** @type {HTMLElement | null} */
  const button = document.querySelector("[data-keys]");
  button?.click();
});
