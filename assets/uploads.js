// <upload-desk>: videos chosen or dropped on the page go straight to the bucket, in parts, by URLs that are signed one by one.
//
// Uppy sends, repeats, pauses and goes on (see ./upload_sender.js); the server knows what has arrived. What is under way belongs to this
// module and not to the element: it goes on while another page of the app is open. UploadsChanged tells the rows to show, VideoAdded that
// the library has a new video.

import { ApiError, call } from "./upload_calls.js";
import { Pace, eta, size } from "./upload_pace.js";
import { Sender } from "./upload_sender.js";
import { Captions, isCaptions } from "./upload_captions.js";

const ACTIVE = new Set(["preparing", "sending", "checking"]);
const uploads = new Map(); // row id → upload
const captions = new Captions();
let desk = null;
let announced = 0;
let sender;

const mark = (file) => `${file.lastModified}`;
const sameFile = (file) => (upload) => upload.name === file.name && upload.size === file.size && upload.mark === mark(file);

function row(upload) {
  const { id, name, state, sent, size: all, note, video, pace, offline } = upload;
  const percent = all ? Math.floor((100 * sent) / all) : 0;
  const speed = pace.speed();
  const far = `${size(sent)} of ${size(all)}`;
  const lines = {
    preparing: "Starting",
    sending: offline ? `${far} · Connection lost, trying again` : moving(far, speed, (all - sent) / speed),
    paused: `${far} · Paused`,
    waiting: `${far} · Choose the same file again to go on`,
    checking: "All sent · Checking the video",
    done: note || "In the library",
    failed: note,
    refused: note,
  };
  return { id, name, state, percent, line: lines[state], video: video ?? "" };
}

const moving = (far, speed, left) => (speed ? `${far} · ${size(speed)}/s · ${eta(left)}` : far);

// Tells the page, four times a second at most while bytes move.
function announce(soon = false) {
  if (soon) {
    announced ||= setTimeout(() => announce(), 250);
    return;
  }
  clearTimeout(announced);
  announced = 0;
  desk?.dispatchEvent(new CustomEvent("UploadsChanged", { detail: { rows: [...uploads.values()].map(row) } }));
}

function change(upload, values) {
  Object.assign(upload, values);
  announce();
}

function tracked(values) {
  const upload = { sent: 0, note: "", offline: false, pace: new Pace(), abort: new AbortController(), ...values };
  uploads.set(upload.id, upload);
  return upload;
}

async function theSender() {
  sender ??= Sender.load({
    moved(upload, sent, moved) {
      upload.sent = sent;
      upload.pace.add(moved);
      announce(true);
    },
    offline: (upload, offline) => upload.offline !== offline && change(upload, { offline }),
    checking: (upload) => change(upload, { state: "checking", sent: upload.size }),
    done: (upload, videoId) => finished(upload, videoId),
    failed: (upload, error) => fail(upload, error),
  });
  return sender;
}

// What the server refused for good is not offered to be tried again.
function fail(upload, error) {
  change(upload, { state: error instanceof ApiError && error.status === 422 ? "refused" : "failed", note: error.message, offline: false });
}

async function attachTo(upload) {
  const said = await captions.attach(upload.name, upload.video);
  if (said) change(upload, { note: said });
}

async function finished(upload, video) {
  change(upload, { state: "done", video, sent: upload.size });
  await attachTo(upload);
  desk?.dispatchEvent(new CustomEvent("VideoAdded", { detail: {} }));
}

async function take(file) {
  const known = [...uploads.values()].find(sameFile(file));
  if (known && known.state !== "failed" && known.state !== "refused") return;
  if (known) uploads.delete(known.id);
  const upload = tracked({ id: known?.id ?? `new-${crypto.getRandomValues(new Uint32Array(2)).join("")}`, name: file.name, size: file.size, mark: mark(file), file, state: "preparing" });
  announce();
  await start(upload);
}

async function start(upload) {
  try {
    const [ready, begun] = await Promise.all([
      theSender(),
      call("POST", "/api/uploads", { fileName: upload.name, size: upload.size, fingerprint: upload.mark }, {
        signal: upload.abort.signal,
        offline: (offline) => upload.offline !== offline && change(upload, { offline }),
      }),
    ]);
    if (upload.abort.signal.aborted) {
      await call("DELETE", `/api/uploads/${begun.id}`);
      return;
    }
    uploads.delete(begun.id); // the row of an earlier visit
    upload.server = begun.id;
    upload.partSize = begun.partSize;
    change(upload, { state: "sending" });
    ready.send(upload);
  } catch (error) {
    if (!upload.abort.signal.aborted) fail(upload, error);
  }
}

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
    change(tracked({ ...upload, abort: new AbortController() }), { state: "failed", note: `It could not be cancelled: ${error.message}` });
  }
}

const actions = {
  pause: async (upload) => {
    (await sender).pause(upload);
    upload.pace.clear();
    change(upload, { state: "paused", offline: false });
  },
  resume: async (upload) => {
    change(upload, { state: "sending" });
    (await sender).resume(upload);
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
    for (const { id, fileName, size: all, partSize } of left) {
      if (held.has(id)) continue;
      const { parts } = await call("GET", `/api/uploads/${id}/parts`, null, { tries: 1 });
      const sent = parts.reduce((sum, part) => sum + part.size, 0);
      tracked({ id, server: id, name: fileName, size: all, partSize, sent, state: "waiting" });
    }
  } catch {
    return; // the next visit asks again
  }
  announce();
}

function takeAll(files) {
  const all = [...files];
  captions.keep(all.filter(isCaptions));
  const videos = all.filter((file) => !isCaptions(file));
  for (const file of videos) take(file);
  if (!videos.length) for (const upload of uploads.values()) if (upload.state === "done") attachTo(upload);
}

const hasFiles = (event) => event.dataTransfer?.types.includes("Files");

class UploadDesk extends HTMLElement {
  #listeners = null;
  #depth = 0;

  connectedCallback() {
    desk = this;
    this.#listeners = new AbortController();
    const on = (target, type, handler) => target.addEventListener(type, handler, { signal: this.#listeners.signal });
    on(document, "click", (event) => this.#click(event));
    on(this, "change", (event) => {
      takeAll(event.target.files);
      event.target.value = "";
    });
    on(document, "dragenter", (event) => hasFiles(event) && this.#hover(1));
    on(document, "dragleave", (event) => hasFiles(event) && this.#hover(-1));
    on(document, "dragover", (event) => hasFiles(event) && event.preventDefault());
    on(document, "drop", (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      this.#hover(-this.#depth);
      takeAll(event.dataTransfer.files);
    });
    announce();
    recall();
  }

  disconnectedCallback() {
    this.#listeners.abort();
    this.#hover(-this.#depth);
    if (desk === this) desk = null;
  }

  #hover(step) {
    this.#depth = Math.max(0, this.#depth + step);
    this.toggleAttribute("data-drop", this.#depth > 0);
  }

  #click(event) {
    const button = event.target.closest?.("[data-upload]");
    if (!button) return;
    if (button.dataset.upload === "choose") this.querySelector("input[type=file]").click();
    else {
      const upload = uploads.get(button.dataset.row);
      if (upload) actions[button.dataset.upload]?.(upload);
    }
  }
}

// Leaving the page ends what is being sent; it could go on later, but only with the file chosen anew.
addEventListener("beforeunload", (event) => {
  if ([...uploads.values()].some(({ state }) => ACTIVE.has(state))) event.preventDefault();
});

customElements.define("upload-desk", UploadDesk);
