// <upload-desk>: videos chosen or dropped on the page go straight to the bucket, in parts, by URLs that are signed one by one.
//
// Uppy sends, repeats, pauses and goes on (see ./sender.js); the server knows what has arrived. What is under way belongs to this
// module and not to the element: it goes on while another page of the app is open. UploadsChanged tells the rows to show, VideoAdded that
// the library has a new video.
//
// A script, since files lie in the browser, and gigabytes go from there to the bucket without passing through the server.

import { closest } from "../frame/event_target.js";
import { ApiError, call } from "./calls.js";
import { Captions, isCaptions } from "./captions.js";
import { Sender } from "./sender.js";
import { isActive, isOf, isOver, mark, newUpload, rowOf } from "./upload.js";

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

// Tells the page, four times a second at most while bytes move.
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

function theSender() {
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
 * What the server refused for good is not offered to be tried again.
 *
 * @param {Upload} upload
 * @param {Error} error
 */
function fail(upload, error) {
  change(upload, { state: error instanceof ApiError && error.status === 422 ? "refused" : "failed", note: error.message, offline: false });
}

/** @param {Upload} upload */
async function attachTo(upload) {
  const said = await captions.attach(upload.name, upload.video);
  if (said) change(upload, { note: said });
}

/**
 * @param {Upload} upload
 * @param {string} video
 */
async function finished(upload, video) {
  change(upload, { state: "done", video, sent: upload.size });
  await attachTo(upload);
  desk?.dispatchEvent(new CustomEvent("VideoAdded", { detail: {} }));
}

/** @param {File} file */
async function take(file) {
  const known = [...uploads.values()].find(isOf(file));
  if (known && !isOver(known)) return;
  if (known) uploads.delete(known.id);
  const id = known?.id ?? `new-${crypto.getRandomValues(new Uint32Array(2)).join("")}`;
  const upload = track(newUpload({ id, name: file.name, size: file.size, mark: mark(file), file, state: "preparing" }));
  announce();
  if (file.size) await start(upload);
  else change(upload, { state: "refused", note: `${file.name} is empty.` });
}

/** @param {Upload} upload */
async function start(upload) {
  const { signal } = upload.abort;
  try {
    const [ready, begun] = await Promise.all([theSender(), begin(upload, signal)]);
    if (signal.aborted) {
      await call("DELETE", `/api/uploads/${begun.id}`);
      return;
    }
    uploads.delete(begun.id); // the row of an earlier visit
    change(upload, { state: "sending", server: begun.id, partSize: begun.partSize });
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
function begin(upload, signal) {
  const asked = { fileName: upload.name, size: upload.size, fingerprint: upload.mark };
  return call("POST", "/api/uploads", asked, { signal, offline: (offline) => tellOffline(upload, offline) });
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
    change(upload, { state: "preparing", note: "", abort: new AbortController() });
    await start(upload);
  },
  cancel,
  dismiss(upload) {
    uploads.delete(upload.id);
    announce();
  },
};

// What was begun before the page was loaded: it goes on once the same file is chosen again.
async function recall() {
  try {
    const { uploads: left } = await call("GET", "/api/uploads", null, { tries: 1 });
    const held = new Set([...uploads.values()].map((upload) => upload.server));
    for (const { id, fileName, size, partSize } of left) {
      if (!held.has(id)) track(newUpload({ id, server: id, name: fileName, size, partSize, sent: await arrived(id), state: "waiting" }));
    }
  } catch {
    return; // the next visit asks again
  }
  announce();
}

/**
 * Bytes of an upload that the store has.
 *
 * @param {string} id
 */
async function arrived(id) {
  /** @type {{parts: {size: number}[]}} */
  const { parts } = await call("GET", `/api/uploads/${id}/parts`, null, { tries: 1 });
  return parts.reduce((sum, part) => sum + part.size, 0);
}

/** @param {Iterable<File>} files */
function takeAll(files) {
  const all = [...files];
  captions.keep(all.filter(isCaptions));
  const videos = all.filter((file) => !isCaptions(file));
  for (const file of videos) take(file);
  if (!videos.length) for (const upload of uploads.values()) if (upload.state === "done") attachTo(upload);
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
    this.addEventListener("change", (event) => this.#chosen(/** @type {HTMLInputElement} */ (event.target)), { signal });
    document.addEventListener("click", (event) => this.#click(event), { signal });
    document.addEventListener("dragenter", (event) => hasFiles(event) && this.#hover(1), { signal });
    document.addEventListener("dragleave", (event) => hasFiles(event) && this.#hover(-1), { signal });
    document.addEventListener("dragover", (event) => hasFiles(event) && event.preventDefault(), { signal });
    document.addEventListener("drop", (event) => this.#drop(event), { signal });
    announce();
    recall();
  }

  disconnectedCallback() {
    this.#listeners.abort();
    this.#hover(-this.#depth);
    if (desk === this) desk = null;
  }

  /** @param {HTMLInputElement} input */
  #chosen(input) {
    takeAll(input.files ?? []);
    input.value = "";
  }

  /** @param {DragEvent} event */
  #drop(event) {
    if (!hasFiles(event)) return;
    event.preventDefault();
    this.#hover(-this.#depth);
    takeAll(event.dataTransfer?.files ?? []);
  }

  /** @param {number} step */
  #hover(step) {
    this.#depth = Math.max(0, this.#depth + step);
    this.toggleAttribute("data-drop", this.#depth > 0);
  }

  /** @param {Event} event */
  #click(event) {
    const { upload: action = "", row = "" } = closest(event, "[data-upload]")?.dataset ?? {};
    if (action === "choose") {
      /** @type {HTMLInputElement | null} */ (this.querySelector("input[type=file]"))?.click();
      return;
    }
    const upload = uploads.get(row);
    if (upload) actions[action]?.(upload);
  }
}

// Leaving the page ends what is being sent; it could go on later, but only with the file chosen anew.
addEventListener("beforeunload", (event) => {
  if ([...uploads.values()].some(isActive)) event.preventDefault();
});

customElements.define("upload-desk", UploadDesk);
