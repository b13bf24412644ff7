// <storage-check>: how the storage looks from this browser, when the page opens and after a click on [data-check-storage].
// Fires StorageChecked with rows { check, verdict, text, remedy }, verdicts as in the server's own examination, and busy until all that was
// laid out is taken back.
//
// A script, since what this browser reaches only this browser can try.

import { closest } from "../frame/event_target.js";
import { call } from "../uploads/calls.js";
import { crc32 } from "../uploads/crc.js";

const CHECKS = ["Reach", "Read by range", "Upload", "Clock"];
const WAITS_MS = 15_000;
const SKEW_MS = 60_000;
const CORS = "Put the CORS rules below on the bucket.";
const UPLOAD = { name: "storage-check.mp4", mark: "storage-check", bytes: "clipviewer looks whether this browser may upload" };
const PROBE = "/api/settings/storage/probe";
const LOCAL = /^(localhost|127\.0\.0\.1|\[::1\])$/;

/** @typedef {"waiting" | "ok" | "warning" | "failed" | "not checked"} Verdict */
/** @typedef {{check: string, verdict: Verdict, text: string, remedy: string}} Row */
/** @typedef {{url: string, first: number, last: number, expected: string, serverTime: string}} Probe  an object to read a range of */

/** @type {(check: string, verdict: Verdict, text: string, remedy?: string) => Row} */
const row = (check, verdict, text, remedy = "") => ({ check, verdict, text, remedy });
/** @param {string} sentence */
const bare = (sentence) => sentence.replace(/\.$/, "");
/** @type {(check: string, reason: string) => Row} */
const skipped = (check, reason) => row(check, "not checked", `Not checked: ${reason}.`);
/** @type {(url: string, options?: RequestInit) => Promise<Response>} */
const ask = (url, options = {}) => fetch(url, { cache: "no-store", credentials: "omit", signal: AbortSignal.timeout(WAITS_MS), ...options });

/**
 * The answer, or null where the browser does not hand one over.
 *
 * @param {string} url
 * @param {RequestInit} options
 */
const answerOf = (url, options) => ask(url, options).catch(() => null);

/**
 * Whether there is an answer at all: of one without CORS a page may see nothing but that it came.
 *
 * @param {string} url
 */
const reaches = (url) =>
  ask(url, { mode: "no-cors" }).then(
    () => true,
    () => false,
  );

/**
 * @param {Probe} probe
 * @returns {Promise<Row[]>}
 */
async function read(probe) {
  const { url, first, last } = probe;
  const { protocol, hostname, host } = new URL(url);
  if (location.protocol === "https:" && protocol === "http:" && !LOCAL.test(hostname)) {
    const text = `This page came by HTTPS, and browsers let it fetch nothing by HTTP, as ${host} is addressed.`;
    return [row("Reach", "failed", text, "Give browsers an HTTPS address: set CLIPVIEWER_S3_PUBLIC_ENDPOINT_URL.")];
  }
  const answer = await answerOf(url, { headers: { Range: `bytes=${first}-${last}` } });
  if (!answer && !(await reaches(url))) {
    const text = `This browser does not reach the storage at ${host}: nothing plays in it.`;
    return [row("Reach", "failed", text, "Check CLIPVIEWER_S3_PUBLIC_ENDPOINT_URL, its certificate, and what filters this device's network.")];
  }
  return [row("Reach", "ok", `This browser reaches the storage at ${host}.`), await rangeOf(answer, probe.expected)];
}

/**
 * What an answer says of reading by range.
 *
 * @param {Response | null} answer
 * @param {string} expected
 */
async function rangeOf(answer, expected) {
  if (!answer) {
    return row("Read by range", "warning", "The storage answers, but its CORS rules let no page read: clips play, nothing is fetched ahead.", CORS);
  }
  const text = await answer.text().catch(() => "");
  if (answer.status === 206 && text === expected) return row("Read by range", "ok", "A presigned URL gives the bytes that are asked for.");
  if (answer.ok) {
    const others = `The bytes that are asked for do not come, but ${text.length} others with status ${answer.status}: players cannot seek.`;
    return row("Read by range", "failed", others, "Use a storage, and proxies, that pass Range on.");
  }
  const code = /<Code>([A-Za-z0-9]{1,60})<\/Code>/.exec(text)?.[1];
  const refusal = `A presigned URL is refused with status ${answer.status}${code ? ` (${code})` : ""}.`;
  return row("Read by range", "failed", refusal, "See that proxies keep Host, and what the server's own checks say of clock and region.");
}

// One part, sent as an upload sends its parts; the upload is called off in the end.
async function upload() {
  const body = new Blob([UPLOAD.bytes]);
  const { id } = await call("POST", "/api/uploads", { fileName: UPLOAD.name, size: body.size, fingerprint: UPLOAD.mark }, { tries: 1 });
  try {
    return await sendTo(id, body);
  } finally {
    await call("DELETE", `/api/uploads/${id}`, undefined, { tries: 1 }).catch(() => {});
  }
}

/**
 * @param {string} id of an upload
 * @param {Blob} body
 */
async function sendTo(id, body) {
  const wanted = { parts: [{ partNumber: 1, crc32: await crc32(body) }] };
  const [part] = (await call("POST", `/api/uploads/${id}/parts`, wanted, { tries: 1 })).parts;
  const answer = await answerOf(part.url, { method: "PUT", headers: part.headers, body });
  if (!answer) return row("Upload", "failed", "The storage's CORS rules do not let this page upload.", CORS);
  if (!answer.ok) {
    const text = `A part of an upload is refused with status ${answer.status}.`;
    return row("Upload", "failed", text, "See what the server's own checks say of uploads in parts.");
  }
  const { parts } = await call("GET", `/api/uploads/${id}/parts`, undefined, { tries: 1 });
  if (parts.length === 1) return row("Upload", "ok", "What this browser uploads arrives.");
  return row("Upload", "failed", "What this browser uploads does not arrive whole.", "Look at proxies between this browser and the storage.");
}

/**
 * @param {string} serverTime
 * @param {number} asked when the browser asked for it, ms
 */
function clock(serverTime, asked) {
  const skew = (asked + Date.now()) / 2 - Date.parse(serverTime);
  if (Math.abs(skew) < SKEW_MS) return row("Clock", "ok", "This browser's clock agrees with the server's.");
  const apart = `${Math.round(Math.abs(skew) / 60_000)} min ${skew > 0 ? "ahead of" : "behind"} the server's`;
  return row("Clock", "warning", `This browser's clock is ${apart}. Clips play all the same.`, "Set the clock of this device.");
}

/** @param {unknown} error */
function whyUnchecked(error) {
  const { status, message } = /** @type {Error & {status?: number}} */ (error);
  return status === 401 ? "you are signed out" : `the server has nothing to try it on. ${bare(message)}`;
}

/** @param {(one: Row) => void} tell */
async function examine(tell) {
  const asked = Date.now();
  /** @type {Probe} */
  let probe;
  try {
    probe = await call("POST", PROBE, undefined, { tries: 1 });
  } catch (error) {
    for (const check of CHECKS) tell(skipped(check, whyUnchecked(error)));
    return;
  }
  tell(clock(probe.serverTime, asked));
  try {
    const found = await read(probe);
    for (const one of found) tell(one);
    if (found[0].verdict === "failed") {
      for (const check of ["Read by range", "Upload"]) tell(skipped(check, "the storage is out of this browser's reach"));
    } else tell(await upload().catch((error) => skipped("Upload", bare(error.message))));
  } finally {
    await call("DELETE", PROBE, undefined, { tries: 1 }).catch(() => {});
  }
}

class StorageCheck extends HTMLElement {
  #listeners = new AbortController();
  #busy = false;

  connectedCallback() {
    this.#listeners = new AbortController();
    const { signal } = this.#listeners;
    document.addEventListener("click", (event) => closest(event, "[data-check-storage]") && this.#look(), { signal });
    this.#look();
  }

  disconnectedCallback() {
    this.#listeners.abort();
  }

  async #look() {
    if (this.#busy) return;
    this.#busy = true;
    const rows = new Map(CHECKS.map((check) => [check, row(check, "waiting", "")]));
    const show = () => this.dispatchEvent(new CustomEvent("StorageChecked", { detail: { rows: [...rows.values()], busy: this.#busy } }));
    show();
    await examine((one) => {
      rows.set(one.check, one);
      show();
    });
    this.#busy = false;
    show();
  }
}

customElements.define("storage-check", StorageCheck);
