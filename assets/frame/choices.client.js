// Checkboxes, radio buttons and selects that change at once and still follow the server: it sets data-checked or data-value, and only a
// change of that attribute changes the control.
//
// A script, since a controlled input of React shows a click only after the server has answered.

/** @param {Node} control */
function applyServerValue(control) {
  if (control instanceof HTMLInputElement && control.dataset.checked) control.checked = control.dataset.checked === "true";
  if (!(control instanceof HTMLInputElement || control instanceof HTMLSelectElement)) return;
  if (control.dataset.value !== undefined) control.value = control.dataset.value;
}

new MutationObserver((changes) => {
  for (const { target } of changes) applyServerValue(target);
}).observe(document, { subtree: true, attributeFilter: ["data-checked", "data-value"] });
