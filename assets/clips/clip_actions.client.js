// The buttons "Download" and "Copy S3 key". The outcome is dispatched as an event on the player, and the page shows it.
//
// A script, since only the browser can open a window or write to the clipboard, and only during the click.

import { copyText } from "../frame/copy_text.js";
import { closest } from "../frame/event_target.js";
import { UrlError, sign } from "../player/presigned.js";

/**
 * Opens a presigned download URL. Throws UrlError if the API does not sign one.
 *
 * @param {string} videoId
 * @param {string} s3Key
 */
async function download(videoId, s3Key) {
  const { url } = await sign(videoId, "download", { s3Key, download: true });
  const opened = window.open(url, "_blank");
  if (opened) opened.opener = null;
  else location.assign(url); // a download does not navigate away from the page
}

/**
 * Performs the action of a button. Returns the name of the event to dispatch, or "" if a download has started.
 *
 * @param {DOMStringMap} dataset of the button
 */
async function perform({ action, key = "", video = "" }) {
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
  const outcome = await perform(button.dataset);
  if (outcome) player.dispatchEvent(new CustomEvent(outcome, { detail: {} }));
});
