// "?" opens the keyboard sheet through its button, unless somebody is typing or a dialog or menu is open.
//
// A script, since a page-wide key belongs to no component, and the sheet must open at once.

import { isForPage } from "./keys.js";

document.addEventListener("keydown", (event) => {
  if (event.key !== "?" || !isForPage(event) || document.fullscreenElement) return;
  if (document.querySelector("[role=dialog], [role=alertdialog], [role=menu]")) return;
  event.preventDefault();
  /** @type {HTMLElement | null} */
  const button = document.querySelector("[data-keys]");
  button?.click();
});
