// The buttons "Download" and "Copy S3 key". What came of it is told to the player, whose page shows it.

import { sign } from "./presigned.js";

async function copyText(text) {
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

async function download(videoId, s3Key) {
  const { url } = await sign(videoId, "download", { s3Key, download: true });
  const opened = window.open(url, "_blank");
  if (opened) opened.opener = null;
  else location.assign(url); // a file that is saved leaves the page where it is
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-action=download], [data-action=copy]");
  const player = document.querySelector("clip-player");
  if (!button || !player) return;
  const report = (type) => player.dispatchEvent(new CustomEvent(type, { detail: {} }));
  if (button.dataset.action === "copy") {
    report((await copyText(button.dataset.key)) ? "KeyCopied" : "KeyNotCopied");
    return;
  }
  try {
    await download(button.dataset.video, button.dataset.key);
  } catch (error) {
    report(error.kind === "unauthorized" ? "ClipUnauthorized" : "DownloadFailed");
  }
});
