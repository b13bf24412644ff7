// Checkboxes, radio buttons and selects that answer at once, and still show what the server decides: it writes data-checked or data-value,
// and only a change of that moves the control.

function follow(control) {
  if ("checked" in control.dataset) control.checked = control.dataset.checked === "true";
  if ("value" in control.dataset) control.value = control.dataset.value;
}

new MutationObserver((changes) => {
  for (const { target } of changes) follow(target);
}).observe(document, { subtree: true, attributeFilter: ["data-checked", "data-value"] });

// A form that the server refused leads to the first field that is wrong, every time: data-refused counts the refusals.
new MutationObserver((changes) => {
  for (const { target } of changes) {
    const wrong = target.querySelector("[aria-invalid=true]");
    (wrong?.querySelector(":checked") ?? wrong?.querySelector("input") ?? wrong)?.focus();
  }
}).observe(document, { subtree: true, attributeFilter: ["data-refused"] });
