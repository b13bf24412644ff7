// "?" opens the sheet of keys by its button, wherever nobody types and nothing else is open.

import { TYPED_INTO } from "./typed_into.js";

document.addEventListener("keydown", (event) => {
  if (event.key !== "?" || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest?.(TYPED_INTO) || document.fullscreenElement) return;
  if (document.querySelector("[role=dialog], [role=alertdialog], [role=menu]")) return;
  event.preventDefault();
  document.querySelector("[data-keys]")?.click();
});
