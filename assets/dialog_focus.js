// The focus around dialogs that the server opens: none of them has a trigger of its own, so the page must know where to go back to.
// A menu that closes after the dialog has opened leaves the focus there; a dialog that closes gives it back to what was pressed, for an
// item of a menu to the button of that menu.

let pressed = null;

document.addEventListener(
  "click",
  ({ target }) => {
    const menu = target.closest?.("[role=menu]");
    if (menu) pressed = document.getElementById(menu.getAttribute("aria-labelledby"));
    else if (!target.closest?.("[role=dialog]")) pressed = target.closest?.("button") ?? null;
  },
  { capture: true },
);

// An item that the pointer leaves hands the focus to its menu, even if that is closing under a dialog.
document.addEventListener("pointerout", (event) => event.target.closest?.("[role=menu][data-state=closed]") && event.stopPropagation(), {
  capture: true,
});

globalThis.dialogFocus = {
  menuCloses(event) {
    if (document.querySelector("[role=dialog][data-state=open]")) event.preventDefault();
  },
  dialogCloses(event) {
    if (!pressed?.isConnected) return;
    event.preventDefault();
    pressed.focus();
  },
};
