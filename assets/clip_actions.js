// The buttons "Download" and "Copy S3 key". What came of it is told to the player, whose page shows it.

import { copyText } from "./copy_text.js";
import { sign } from "./presigned.js";

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
