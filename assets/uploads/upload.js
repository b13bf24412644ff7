// An upload of a file into the library, and how it is shown.

import { Pace, formatEta, formatSize } from "./pace.js";

/** @typedef {"preparing" | "sending" | "paused" | "waiting" | "checking" | "done" | "failed" | "refused"} State */

/**
 * @typedef {object} Upload
 * @property {string} id of its row
 * @property {string} name
 * @property {number} size bytes
 * @property {string} fingerprint distinguishes the file from another one of the same name and size
 * @property {State} state
 * @property {number} sent bytes
 * @property {string} note the result, as a sentence
 * @property {boolean} offline
 * @property {Pace} pace
 * @property {AbortController} abort
 * @property {File} [file] missing after a reload
 * @property {string} server its id on the server, "" before it has one
 * @property {string} uppy its file id in Uppy, "" before it has one
 * @property {number} partSize bytes
 * @property {string} video the id of the video, "" before it is in the library
 */

/**
 * @param {Pick<Upload, "id" | "name" | "size" | "state"> & Partial<Upload>} values
 * @returns {Upload}
 */
export function newUpload(values) {
  const none = { fingerprint: "", sent: 0, note: "", offline: false, server: "", uppy: "", partSize: 0, video: "" };
  return { ...none, pace: new Pace(), abort: new AbortController(), ...values };
}

/** @param {File} file */
export const fingerprintOf = (file) => `${file.lastModified}`;
/** @param {File} file */
export const matches = (file) => (/** @type {Upload} */ upload) =>
  upload.name === file.name && upload.size === file.size && upload.fingerprint === fingerprintOf(file);

/** @param {Upload} upload */
export const isActive = ({ state }) => state === "preparing" || state === "sending" || state === "checking";
/** @param {Upload} upload */
export const hasFailed = ({ state }) => state === "failed" || state === "refused";

/** @param {Upload} upload */
export function rowOf(upload) {
  const { id, name, state, sent, size: all, video } = upload;
  return { id, name, state, percent: all ? Math.floor((100 * sent) / all) : 0, line: lineOf(upload), video };
}

/** @param {Upload} upload */
function lineOf({ state, sent, size: all, note, pace, offline }) {
  const far = `${formatSize(sent)} of ${formatSize(all)}`;
  const speed = pace.speed();
  const moving = speed ? `${far} · ${formatSize(speed)}/s · ${formatEta((all - sent) / speed)}` : far;
  return {
    preparing: "Starting",
    sending: offline ? `${far} · Connection lost, trying again` : moving,
    paused: `${far} · Paused`,
    waiting: `${far} · Choose the same file again to resume`,
    checking: "All sent · Checking the video",
    done: note || "In the library",
    failed: note,
    refused: note,
  }[state];
}
