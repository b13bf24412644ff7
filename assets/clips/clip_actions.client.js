// The buttons "Download" and "Copy S3 key". What came of it is told to the player, whose page shows it.
//
// A script, since only the browser can open a window or reach the clipboard, and only at once after the click.

import { copyText } from "../frame/copy_text.js";
import { closest } from "../frame/event_target.js";
import { UrlError, sign } from "../player/presigned.js";

/**
 * @param {string} videoId
 * @param {string} s3Key
 */
async function download(videoId, s3Key) {
  const { url } = await sign(videoId, "download", { s3Key, download: true });
  const opened = window.open(url, "_blank");
  if (opened) opened.opener = null;
  else location.assign(url); // a file that is saved leaves the page where it is
}

/**
 * Does what the button says; gives the event that tells of it, "" for a download that began.
 *
 * @param {DOMStringMap} wanted
 */
async function act({ action, key = "", video = "" }) {
  if (action === "copy") return (await copyText(key)) ? "KeyCopied" : "KeyNotCopied";
  try {
    await download(video, key);
    return "";
  } catch (error) {
    return error instanceof UrlError && error.kind === "unauthorized" ? "ClipUnauthorized" : "DownloadFailed";
  }
}

document.addEventListener("click", async (event) => {
  const button = closest(event, "[data-action=download], [data-action=copy]");
  const player = document.querySelector("clip-player");
  if (!button || !player) return;
  const told = await act(button.dataset);
  if (told) player.dispatchEvent(new CustomEvent(told, { detail: {} }));
});
