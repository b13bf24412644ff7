// Checkboxes, radio buttons and selects that answer at once, and still show what the server decides: it writes data-checked or data-value,
// and only a change of that moves the control.
//
// A script, since a control of React's shows a click only once the server has answered.

/** @param {Node} control */
function follow(control) {
  if (control instanceof HTMLInputElement && control.dataset.checked) control.checked = control.dataset.checked === "true";
  if (!(control instanceof HTMLInputElement || control instanceof HTMLSelectElement)) return;
  if (control.dataset.value !== undefined) control.value = control.dataset.value;
}

new MutationObserver((changes) => {
  for (const { target } of changes) follow(target);
}).observe(document, { subtree: true, attributeFilter: ["data-checked", "data-value"] });
