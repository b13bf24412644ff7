// <upload-desk>: videos chosen or dropped on the page are sent directly to the bucket, in parts, with one presigned URL for each part.
//
// Uppy sends, retries, pauses and resumes (see ./sender.js); the server knows which parts are stored. Running uploads belong to this
// module, not to the element, so they continue while another page of the app is open. Events: UploadsChanged {rows} has the rows to show,
// VideoAdded says that the library has a new video.
//
// A script, since gigabytes go from the browser to the bucket without passing through the server.

import { closest } from "../frame/event_target.js";
import { ApiError, call, completeUpload } from "./calls.js";
import { Captions, isCaptions } from "./captions.js";
import { Sender } from "./sender.js";
import { fingerprintOf, hasFailed, isActive, matches, newUpload, rowOf } from "./upload.js";

/** @import { Upload } from "./upload.js" */

const ANNOUNCE_MS = 250; // while bytes move
/** @type {Map<string, Upload>} by row id */
const uploads = new Map();
const captions = new Captions();
/** @type {UploadDesk | null} */
let desk = null;
let announced = 0;
/** @type {Promise<Sender> | undefined} */
let sender;

// Sends the rows to the page; with `soon`, at most four times a second.
function announce(soon = false) {
  if (soon) {
    announced ||= setTimeout(() => announce(), ANNOUNCE_MS);
    return;
  }
  clearTimeout(announced);
  announced = 0;
  desk?.dispatchEvent(new CustomEvent("UploadsChanged", { detail: { rows: [...uploads.values()].map(rowOf) } }));
}

/**
 * @param {Upload} upload
 * @param {Partial<Upload>} values
 */
function change(upload, values) {
  Object.assign(upload, values);
  announce();
}

/**
 * @param {Upload} upload
 * @param {boolean} offline
 */
function tellOffline(upload, offline) {
  if (upload.offline !== offline) change(upload, { offline });
}

/** @param {Upload} upload */
function track(upload) {
  uploads.set(upload.id, upload);
  return upload;
}

function loadSender() {
  sender ??= Sender.load({
    moved(upload, sent, moved) {
      Object.assign(upload, { sent });
      upload.pace.add(moved);
      announce(true);
    },
    offline: tellOffline,
    checking: (upload) => change(upload, { state: "checking", sent: upload.size }),
    done: finished,
    failed: fail,
  });
  return sender;
}

/**
 * Marks an upload as failed, or as refused if a retry cannot help.
 *
 * @param {Upload} upload
 * @param {Error} error
 */
function fail(upload, error) {
  change(upload, { state: error instanceof ApiError && error.status === 422 ? "refused" : "failed", note: error.message, offline: false });
}

/** @param {Upload} upload */
async function attachCaptions(upload) {
  const said = await captions.attach(upload.name, upload.video);
  if (said) change(upload, { note: said });
}

/**
 * @param {Upload} upload
 * @param {string} video
 */
async function finished(upload, video) {
  change(upload, { state: "done", video, sent: upload.size });
  await attachCaptions(upload);
  desk?.dispatchEvent(new CustomEvent("VideoAdded", { detail: {} }));
}

/** @param {File} file */
async function addFile(file) {
  const known = [...uploads.values()].find(matches(file));
  if (known && !hasFailed(known)) return;
  if (known) uploads.delete(known.id);
  const id = known?.id ?? `new-${crypto.getRandomValues(new Uint32Array(2)).join("")}`;
  const upload = track(newUpload({ id, name: file.name, size: file.size, fingerprint: fingerprintOf(file), file, state: "preparing" }));
  announce();
  if (file.size) await start(upload);
  else change(upload, { state: "refused", note: `${file.name} is empty.` });
}

/** @param {Upload} upload */
async function start(upload) {
  const { signal } = upload.abort;
  try {
    const [ready, created] = await Promise.all([loadSender(), createUpload(upload, signal)]);
    if (signal.aborted) {
      await call("DELETE", `/api/uploads/${created.id}`);
      return;
    }
    uploads.delete(created.id); // the row of the same upload from an earlier visit
    change(upload, { state: "sending", server: created.id, partSize: created.partSize });
    ready.send(upload);
  } catch (error) {
    if (!signal.aborted) fail(upload, /** @type {Error} */ (error));
  }
}

/**
 * @param {Upload} upload
 * @param {AbortSignal} signal
 * @returns {Promise<{id: string, partSize: number}>}
 */
function createUpload(upload, signal) {
  const body = { fileName: upload.name, size: upload.size, fingerprint: upload.fingerprint };
  return call("POST", "/api/uploads", body, { signal, offline: (offline) => tellOffline(upload, offline) });
}

/** @param {Upload} upload */
async function cancel(upload) {
  uploads.delete(upload.id);
  announce();
  upload.abort.abort();
  (await sender)?.drop(upload);
  if (!upload.server || upload.state === "done") return;
  try {
    await call("DELETE", `/api/uploads/${upload.server}`);
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return;
    const note = `It could not be cancelled: ${/** @type {Error} */ (error).message}`;
    change(track({ ...upload, abort: new AbortController() }), { state: "failed", note });
  }
}

/** @type {Record<string, (upload: Upload) => unknown>} */
const actions = {
  pause: async (upload) => {
    (await sender)?.pause(upload);
    upload.pace.clear();
    change(upload, { state: "paused", offline: false });
  },
  resume: async (upload) => {
    change(upload, { state: "sending" });
    (await sender)?.resume(upload);
  },
  retry: async (upload) => {
    (await sender)?.drop(upload);
    change(upload, { state: upload.file ? "preparing" : "checking", note: "", abort: new AbortController() });
    await (upload.file ? start(upload) : complete(upload));
  },
  cancel,
  dismiss(upload) {
    uploads.delete(upload.id);
    announce();
  },
};

// Lists uploads from before the page was loaded. Those that were sent whole are completed; the others resume when the same file is chosen.
async function restoreUploads() {
  try {
    const { uploads: left } = await call("GET", "/api/uploads", null, { tries: 1 });
    const held = new Set([...uploads.values()].map((upload) => upload.server));
    for (const { id, fileName, size, partSize, state } of left) {
      if (held.has(id)) continue;
      const sent = state === "checking" ? size : await storedBytes(id);
      const upload = track(newUpload({ id, server: id, name: fileName, size, partSize, sent, state: sent === size ? "checking" : "waiting" }));
      if (sent === size) complete(upload);
    }
  } catch {
    return; // the next visit tries again
  }
  announce();
}

/** @param {Upload} upload */
async function complete(upload) {
  const { signal } = upload.abort;
  try {
    await finished(upload, await completeUpload(upload.server, { signal, offline: (offline) => tellOffline(upload, offline) }));
  } catch (error) {
    if (!signal.aborted) fail(upload, /** @type {Error} */ (error));
  }
}

/**
 * Returns the number of bytes of an upload that are stored.
 *
 * @param {string} id
 */
async function storedBytes(id) {
  /** @type {{parts: {size: number}[]}} */
  const { parts } = await call("GET", `/api/uploads/${id}/parts`, null, { tries: 1 });
  return parts.reduce((sum, part) => sum + part.size, 0);
}

/** @param {Iterable<File>} files */
function addFiles(files) {
  const all = [...files];
  captions.add(all.filter(isCaptions));
  const videos = all.filter((file) => !isCaptions(file));
  for (const file of videos) addFile(file);
  if (!videos.length) for (const upload of uploads.values()) if (upload.state === "done") attachCaptions(upload);
}

/** @param {DragEvent} event */
const hasFiles = (event) => event.dataTransfer?.types.includes("Files");

class UploadDesk extends HTMLElement {
  #listeners = new AbortController();
  #depth = 0;

  connectedCallback() {
    desk = this;
    this.#listeners = new AbortController();
    const { signal } = this.#listeners;
    this.addEventListener("change", (event) => this.#onFiles(/** @type {HTMLInputElement} */ (event.target)), { signal });
    document.addEventListener("click", (event) => this.#onClick(event), { signal });
    document.addEventListener("dragenter", (event) => hasFiles(event) && this.#hover(1), { signal });
    document.addEventListener("dragleave", (event) => hasFiles(event) && this.#hover(-1), { signal });
    document.addEventListener("dragover", (event) => hasFiles(event) && event.preventDefault(), { signal });
    document.addEventListener("drop", (event) => this.#onDrop(event), { signal });
    announce();
    restoreUploads();
  }

  disconnectedCallback() {
    this.#listeners.abort();
    this.#hover(-this.#depth);
    if (desk === this) desk = null;
  }

  /** @param {HTMLInputElement} input */
  #onFiles(input) {
    addFiles(input.files ?? []);
    input.value = "";
  }

  /** @param {DragEvent} event */
  #onDrop(event) {
    if (!hasFiles(event)) return;
    event.preventDefault();
    this.#hover(-this.#depth);
    addFiles(event.dataTransfer?.files ?? []);
  }

  /** @param {number} step */
  #hover(step) {
    this.#depth = Math.max(0, this.#depth + step);
    this.toggleAttribute("data-drop", this.#depth > 0);
  }

  /** @param {Event} event */
  #onClick(event) {
    const { upload: action = "", row = "" } = closest(event, "[data-upload]")?.dataset ?? {};
    if (action === "choose") {
      /** @type {HTMLInputElement | null} */ (this.querySelector("input[type=file]"))?.click();
      return;
    }
    const upload = uploads.get(row);
    if (upload) actions[action]?.(upload);
  }
}

// Leaving the page stops running uploads; to resume one, its file must be chosen again.
addEventListener("beforeunload", (event) => {
  if ([...uploads.values()].some(isActive)) event.preventDefault();
});

customElements.define("upload-desk", UploadDesk);
