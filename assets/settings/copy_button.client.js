// Buttons that copy the text of an element: data-copies="{id of the element}". data-copied on the button then says "yes" or "no" for a while.
//
// A script, since only the browser can write to the clipboard, and only during the click.

import { copyText } from "../frame/copy_text.js";
import { closest } from "../frame/event_target.js";

const FEEDBACK_MS = 2_500;

document.addEventListener("click", async (event) => {
  const button = closest(event, "[data-copies]");
  const source = button && document.getElementById(button.dataset.copies ?? "");
  if (!source) return;
  button.dataset.copied = (await copyText(source.textContent ?? "")) ? "yes" : "no";
  setTimeout(() => delete button.dataset.copied, FEEDBACK_MS);
});
