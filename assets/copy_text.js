// Text to the clipboard, also over plain HTTP in a LAN; and the buttons that copy the text of an element: data-copies="its id".
// data-copied on the button is then "yes" or "no" for a while.

const TOLD_MS = 2_500;

export async function copyText(text) {
  if (navigator.clipboard && isSecureContext) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // Not allowed here: the older way may be.
    }
  }
  // Plain HTTP in a LAN has no clipboard API.
  const area = document.createElement("textarea");
  area.value = text;
  area.style.cssText = "position:fixed;opacity:0";
  const focused = document.activeElement;
  document.body.append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  focused?.focus();
  return copied;
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-copies]");
  const source = button && document.getElementById(button.dataset.copies);
  if (!source) return;
  button.dataset.copied = (await copyText(source.textContent)) ? "yes" : "no";
  setTimeout(() => delete button.dataset.copied, TOLD_MS);
});
