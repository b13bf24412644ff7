// A file on its way into the library, and how it is shown.

import { Pace, eta, size } from "./pace.js";

/** @typedef {"preparing" | "sending" | "paused" | "waiting" | "checking" | "done" | "failed" | "refused"} State */

/**
 * @typedef {object} Upload
 * @property {string} id of its row
 * @property {string} name
 * @property {number} size bytes
 * @property {string} mark what tells the file from another one of its name and size
 * @property {State} state
 * @property {number} sent bytes
 * @property {string} note what became of it
 * @property {boolean} offline
 * @property {Pace} pace
 * @property {AbortController} abort
 * @property {File} [file] missing after a reload
 * @property {string} server the id that the server gave it, "" before
 * @property {string} uppy the id that Uppy gave it, "" before
 * @property {number} partSize bytes
 * @property {string} video its id, "" before it is one
 */

/**
 * @param {Pick<Upload, "id" | "name" | "size" | "state"> & Partial<Upload>} values
 * @returns {Upload}
 */
export function newUpload(values) {
  const none = { mark: "", sent: 0, note: "", offline: false, server: "", uppy: "", partSize: 0, video: "" };
  return { ...none, pace: new Pace(), abort: new AbortController(), ...values };
}

/** @param {File} file */
export const mark = (file) => `${file.lastModified}`;
/** @param {File} file */
export const isOf = (file) => (/** @type {Upload} */ upload) =>
  upload.name === file.name && upload.size === file.size && upload.mark === mark(file);

/** @param {Upload} upload */
export const isActive = ({ state }) => state === "preparing" || state === "sending" || state === "checking";
/** @param {Upload} upload */
export const isOver = ({ state }) => state === "failed" || state === "refused";

/** @param {Upload} upload */
export function rowOf(upload) {
  const { id, name, state, sent, size: all, video } = upload;
  return { id, name, state, percent: all ? Math.floor((100 * sent) / all) : 0, line: lineOf(upload), video };
}

/** @param {Upload} upload */
function lineOf({ state, sent, size: all, note, pace, offline }) {
  const far = `${size(sent)} of ${size(all)}`;
  const speed = pace.speed();
  const moving = speed ? `${far} · ${size(speed)}/s · ${eta((all - sent) / speed)}` : far;
  return {
    preparing: "Starting",
    sending: offline ? `${far} · Connection lost, trying again` : moving,
    paused: `${far} · Paused`,
    waiting: `${far} · Choose the same file again to go on`,
    checking: "All sent · Checking the video",
    done: note || "In the library",
    failed: note,
    refused: note,
  }[state];
}
