// <storage-check> checks the storage from this browser, when the page opens and after a click on [data-check-storage].
// Fires StorageChecked with rows { check, verdict, text, remedy }, whose verdicts are those of the server's checks, and busy until the test
// objects are deleted.
//
// A script, since only this browser can test what it can reach.

import { closest } from "../frame/event_target.js";
import { call } from "../uploads/calls.js";
import { crc32 } from "../uploads/crc.js";

const CHECKS = ["Reach", "Read by range", "Upload", "Clock"];
const TIMEOUT_MS = 15_000;
const SKEW_MS = 60_000;
const CORS = "Put the CORS rules below on the bucket.";
const UPLOAD = { name: "storage-check.mp4", mark: "storage-check", bytes: "clipviewer checks whether this browser can upload" };
const PROBE = "/api/settings/storage/probe";
const LOCAL = /^(localhost|127\.0\.0\.1|\[::1\])$/;

/** @typedef {"waiting" | "ok" | "warning" | "failed" | "not checked"} Verdict */
/** @typedef {{check: string, verdict: Verdict, text: string, remedy: string}} Row */
/** @typedef {{url: string, first: number, last: number, expected: string, serverTime: string}} Probe  an object to read a range of */

/** @type {(check: string, verdict: Verdict, text: string, remedy?: string) => Row} */
const row = (check, verdict, text, remedy = "") => ({ check, verdict, text, remedy });
/** @param {string} sentence */
const withoutFullStop = (sentence) => sentence.replace(/\.$/, "");
/** @type {(check: string, reason: string) => Row} */
const skipped = (check, reason) => row(check, "not checked", `Not checked: ${reason}.`);
/** @type {(url: string, options?: RequestInit) => Promise<Response>} */
const request = (url, options = {}) =>
  fetch(url, { cache: "no-store", credentials: "omit", signal: AbortSignal.timeout(TIMEOUT_MS), ...options });

/**
 * Returns the response, or null if the browser does not let the page read one.
 *
 * @param {string} url
 * @param {RequestInit} options
 */
const responseTo = (url, options) => request(url, options).catch(() => null);

/**
 * Returns whether there is a response at all, which a page may know even if CORS does not let it read the response.
 *
 * @param {string} url
 */
const reaches = (url) =>
  request(url, { mode: "no-cors" }).then(
    () => true,
    () => false,
  );

/**
 * @param {Probe} probe
 * @returns {Promise<Row[]>}
 */
async function checkReading(probe) {
  const { url, first, last } = probe;
  const { protocol, hostname, host } = new URL(url);
  if (location.protocol === "https:" && protocol === "http:" && !LOCAL.test(hostname)) {
    const text = `This page was loaded over HTTPS, so browsers block requests to ${host} over plain HTTP.`;
    return [row("Reach", "failed", text, "Give browsers an HTTPS address: set CLIPVIEWER_S3_PUBLIC_ENDPOINT_URL.")];
  }
  const answer = await responseTo(url, { headers: { Range: `bytes=${first}-${last}` } });
  if (!answer && !(await reaches(url))) {
    const text = `This browser does not reach the storage at ${host}, so nothing plays in it.`;
    return [row("Reach", "failed", text, "Check CLIPVIEWER_S3_PUBLIC_ENDPOINT_URL, its certificate, and filters on this device's network.")];
  }
  return [row("Reach", "ok", `This browser reaches the storage at ${host}.`), await checkRange(answer, probe.expected)];
}

/**
 * Returns the result of a range request.
 *
 * @param {Response | null} answer
 * @param {string} expected
 */
async function checkRange(answer, expected) {
  if (!answer) {
    const text = "The storage answers, but its CORS rules do not let pages read it. Clips play, but start more slowly.";
    return row("Read by range", "warning", text, CORS);
  }
  const text = await answer.text().catch(() => "");
  if (answer.status === 206 && text === expected) return row("Read by range", "ok", "A presigned URL returns the requested range of bytes.");
  if (answer.ok) {
    const others = `The storage returned ${text.length} other bytes with status ${answer.status}, so players cannot seek.`;
    return row("Read by range", "failed", others, "Use a storage and proxies that support the Range header.");
  }
  const code = /<Code>([A-Za-z0-9]{1,60})<\/Code>/.exec(text)?.[1];
  const refusal = `The storage refused a presigned URL with status ${answer.status}${code ? ` (${code})` : ""}.`;
  return row("Read by range", "failed", refusal, "Make sure that proxies keep the Host header, and see the server's checks of clock and region.");
}

// Sends one part in the same way as an upload does, then cancels the upload.
async function checkUpload() {
  const body = new Blob([UPLOAD.bytes]);
  const { id } = await call("POST", "/api/uploads", { fileName: UPLOAD.name, size: body.size, fingerprint: UPLOAD.mark }, { tries: 1 });
  try {
    return await sendPart(id, body);
  } finally {
    await call("DELETE", `/api/uploads/${id}`, undefined, { tries: 1 }).catch(() => {});
  }
}

/**
 * @param {string} id of an upload
 * @param {Blob} body
 */
async function sendPart(id, body) {
  const requested = { parts: [{ partNumber: 1, crc32: await crc32(body) }] };
  const [part] = (await call("POST", `/api/uploads/${id}/parts`, requested, { tries: 1 })).parts;
  const answer = await responseTo(part.url, { method: "PUT", headers: part.headers, body });
  if (!answer) return row("Upload", "failed", "The storage's CORS rules do not let this page upload.", CORS);
  if (!answer.ok) {
    const text = `The storage refused a part of an upload with status ${answer.status}.`;
    return row("Upload", "failed", text, "See the server's own check of multipart uploads.");
  }
  const { parts } = await call("GET", `/api/uploads/${id}/parts`, undefined, { tries: 1 });
  if (parts.length === 1) return row("Upload", "ok", "Uploads from this browser arrive.");
  const text = "Uploads from this browser do not arrive complete.";
  return row("Upload", "failed", text, "Check the proxies between this browser and the storage.");
}

/**
 * @param {string} serverTime
 * @param {number} asked when the browser asked for it, ms
 */
function checkClock(serverTime, asked) {
  const skew = (asked + Date.now()) / 2 - Date.parse(serverTime);
  if (Math.abs(skew) < SKEW_MS) return row("Clock", "ok", "This browser's clock agrees with the server's.");
  const apart = `${Math.round(Math.abs(skew) / 60_000)} min ${skew > 0 ? "ahead of" : "behind"} the server's`;
  return row("Clock", "warning", `This browser's clock is ${apart}. Clips still play.`, "Set the clock of this device.");
}

/** @param {unknown} error */
function reasonOf(error) {
  const { status, message } = /** @type {Error & {status?: number}} */ (error);
  return status === 401 ? "you are signed out" : `the server could not prepare the check. ${withoutFullStop(message)}`;
}

/** @param {(one: Row) => void} tell */
async function runChecks(tell) {
  const asked = Date.now();
  /** @type {Probe} */
  let probe;
  try {
    probe = await call("POST", PROBE, undefined, { tries: 1 });
  } catch (error) {
    for (const check of CHECKS) tell(skipped(check, reasonOf(error)));
    return;
  }
  tell(checkClock(probe.serverTime, asked));
  try {
    const found = await checkReading(probe);
    for (const one of found) tell(one);
    if (found[0].verdict === "failed") {
      for (const check of ["Read by range", "Upload"]) tell(skipped(check, "this browser does not reach the storage"));
    } else tell(await checkUpload().catch((error) => skipped("Upload", withoutFullStop(error.message))));
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
    document.addEventListener("click", (event) => closest(event, "[data-check-storage]") && this.#check(), { signal });
    this.#check();
  }

  disconnectedCallback() {
    this.#listeners.abort();
  }

  async #check() {
    if (this.#busy) return;
    this.#busy = true;
    const rows = new Map(CHECKS.map((check) => [check, row(check, "waiting", "")]));
    const show = () => this.dispatchEvent(new CustomEvent("StorageChecked", { detail: { rows: [...rows.values()], busy: this.#busy } }));
    show();
    await runChecks((one) => {
      rows.set(one.check, one);
      show();
    });
    this.#busy = false;
    show();
  }
}

customElements.define("storage-check", StorageCheck);
