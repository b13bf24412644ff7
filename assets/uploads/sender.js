// Sends files in parts with Uppy (MIT, @uppy/core and @uppy/aws-s3), which is loaded with the first file.
//
// The server creates or finds every upload before Uppy is called, so for Uppy each upload is a resumed one: it lists the stored parts and
// sends the others, PARALLEL at a time.

import { ApiError, call, completeUpload } from "./calls.js";
import { crc32 } from "./crc.js";
import { sendPart } from "./part.js";

/** @import { Upload } from "./upload.js" */
/** @import UppyCore from "@uppy/core" */

/** @typedef {UppyCore<any, any>} Uppy */
/** @typedef {import("@uppy/core").UppyFile<any, any>} UppyFile */
/** @typedef {{method: "PUT", url: string, headers: Record<string, string>, upload: Upload}} Signature */

/**
 * Callbacks of the sender. `moved`: bytes stored so far and bytes just sent; `offline`: the connection was lost or is back; `checking`: all
 * parts are sent; `done` and `failed`: the end.
 *
 * @typedef {object} Listener
 * @property {(upload: Upload, sent: number, moved: number) => void} moved
 * @property {(upload: Upload, offline: boolean) => void} offline
 * @property {(upload: Upload) => void} checking
 * @property {(upload: Upload, videoId: string) => void} done
 * @property {(upload: Upload, error: Error) => void} failed
 */

const PARALLEL = 4;
const RETRIES = [0, 1_000, 3_000, 5_000, 10_000, 20_000, ...Array(500).fill(30_000)];
const UNREADABLE = "The file can no longer be read: it was moved or changed. Choose it again.";

export class Sender {
  #uppy;
  /** @type {Map<string, Upload>} by Uppy's file id */
  #byFile = new Map();
  /** @type {WeakMap<object, number>} bytes by file */
  #partSizes = new WeakMap();
  #listener;

  /** @param {Listener} listener */
  static async load(listener) {
    const [{ default: Core }, { default: AwsS3 }] = await Promise.all([import("@uppy/core"), import("@uppy/aws-s3")]);
    const silent = () => {};
    const uppy = new Core({ id: "uploads", autoProceed: false, logger: { debug: silent, warn: silent, error: silent } });
    const sender = new Sender(uppy, listener);
    uppy.use(AwsS3, /** @type {any} */ (sender.#options())); // its types allow neither part sizes by file nor signatures of another type
    return sender;
  }

  /**
   * @param {Uppy} uppy
   * @param {Listener} listener
   */
  constructor(uppy, listener) {
    this.#uppy = uppy;
    this.#listener = listener;
    uppy.on("upload-progress", (file, { bytesUploaded }) => {
      const upload = this.#of(file);
      if (upload) this.#listener.moved(upload, Number(bytesUploaded), 0);
    });
    uppy.on("upload-success", (file, { body }) => this.#end(file, (upload) => this.#listener.done(upload, body?.video)));
    uppy.on("upload-error", (file, error) => this.#end(file, (upload) => this.#listener.failed(upload, error)));
  }

  // Options that make Uppy use our server, which signs each part and lists the stored ones.
  #options() {
    return {
      shouldUseMultipart: true,
      limit: PARALLEL,
      retryDelays: RETRIES,
      getChunkSize: (/** @type {File} */ file) => this.#partSizes.get(file),
      createMultipartUpload: (/** @type {UppyFile} */ file) => ({ uploadId: file.meta.upload, key: file.meta.upload }),
      listParts: (/** @type {UppyFile} */ file, /** @type {{signal?: AbortSignal}} */ { signal }) => this.#listParts(this.#require(file), signal),
      signPart: (/** @type {UppyFile} */ file, /** @type {{partNumber: number, body: Blob, signal?: AbortSignal}} */ part) =>
        this.#sign(this.#require(file), part),
      uploadPartBytes: (/** @type {Parameters<Sender["put"]>[0]} */ part) => this.put(part),
      completeMultipartUpload: (/** @type {UppyFile} */ file, /** @type {{signal?: AbortSignal}} */ { signal }) =>
        this.#complete(this.#require(file), signal),
      abortMultipartUpload: () => {}, // cancelling calls the API elsewhere; a failed upload can be resumed later
    };
  }

  /** @param {UppyFile | undefined} file */
  #of(file) {
    return file && this.#byFile.get(file.id);
  }

  /** @param {UppyFile} file */
  #require(file) {
    return /** @type {Upload} */ (this.#byFile.get(file.id));
  }

  /** @param {Upload} upload */
  send(upload) {
    const file = /** @type {File} */ (upload.file);
    this.#partSizes.set(file, upload.partSize);
    upload.uppy = this.#uppy.addFile({ name: upload.name, type: file.type, data: file, meta: { upload: upload.server } });
    this.#uppy.setFileState(upload.uppy, /** @type {any} */ ({ s3Multipart: { uploadId: upload.server, key: upload.server } }));
    this.#byFile.set(upload.uppy, upload);
    this.#uppy.upload().catch(() => {}); // reported by upload-error
  }

  /** @param {Upload} upload */
  pause(upload) {
    if (!this.#isPaused(upload)) this.#uppy.pauseResume(upload.uppy);
  }

  /** @param {Upload} upload */
  resume(upload) {
    if (this.#isPaused(upload)) this.#uppy.pauseResume(upload.uppy);
  }

  /** @param {Upload} upload */
  #isPaused(upload) {
    return Boolean(/** @type {{isPaused?: boolean} | undefined} */ (this.#uppy.getFile(upload.uppy))?.isPaused);
  }

  /**
   * Stops sending; the server keeps the stored parts.
   *
   * @param {Upload} upload
   */
  drop(upload) {
    this.#byFile.delete(upload.uppy);
    if (upload.uppy && this.#uppy.getFile(upload.uppy)) this.#uppy.removeFile(upload.uppy);
  }

  /**
   * @param {UppyFile | undefined} file
   * @param {(upload: Upload) => void} notify
   */
  #end(file, notify) {
    const upload = this.#of(file);
    if (!upload) return;
    this.drop(upload);
    notify(upload);
  }

  /**
   * Ends an upload that a retry does not help.
   *
   * @param {Upload} upload
   * @param {Error} error
   */
  #giveUp(upload, error) {
    this.drop(upload);
    this.#listener.failed(upload, error);
  }

  /**
   * @param {Upload} upload
   * @param {AbortSignal} [signal]
   */
  async #listParts(upload, signal) {
    /** @type {{parts: {partNumber: number, size: number, etag: string}[]}} */
    const { parts } = await this.#callOrGiveUp(upload, "GET", "parts", { signal });
    this.#listener.moved(
      upload,
      parts.reduce((sum, part) => sum + part.size, 0),
      0,
    );
    return parts.map(({ partNumber, size, etag }) => ({ PartNumber: partNumber, Size: size, ETag: etag }));
  }

  /**
   * @param {Upload} upload
   * @param {{partNumber: number, body: Blob, signal?: AbortSignal}} part
   * @returns {Promise<Signature>}
   */
  async #sign(upload, { partNumber, body, signal }) {
    let sum;
    try {
      sum = await crc32(body);
    } catch {
      const error = new Error(UNREADABLE);
      this.#giveUp(upload, error);
      throw error;
    }
    const { parts } = await this.#callOrGiveUp(upload, "POST", "parts", { body: { parts: [{ partNumber, crc32: sum }] }, signal });
    return { method: "PUT", url: parts[0].url, headers: parts[0].headers, upload };
  }

  /**
   * @param {Upload} upload
   * @param {AbortSignal} [signal]
   */
  async #complete(upload, signal) {
    this.#listener.checking(upload);
    return { video: await completeUpload(upload.server, { signal, offline: (offline) => this.#listener.offline(upload, offline) }) };
  }

  /**
   * Calls the API for an upload; a refusal ends the upload.
   *
   * @param {Upload} upload
   * @param {string} method
   * @param {string} what
   * @param {{body?: object, signal?: AbortSignal}} how
   */
  async #callOrGiveUp(upload, method, what, how) {
    try {
      return await this.#call(upload, method, what, how);
    } catch (error) {
      if (error instanceof ApiError) this.#giveUp(upload, error);
      throw error;
    }
  }

  /**
   * @param {Upload} upload
   * @param {string} method
   * @param {string} what
   * @param {{body?: object, signal?: AbortSignal}} how
   */
  #call(upload, method, what, { body, signal }) {
    return call(method, `/api/uploads/${upload.server}/${what}`, body, {
      signal,
      offline: (offline) => this.#listener.offline(upload, offline),
    });
  }

  /**
   * Sends one part for Uppy. The server reads the real ETags from the store, so the bucket need not expose them.
   *
   * @param {{signature: Signature, body: Blob, onProgress: (event: {loaded: number, lengthComputable: boolean}) => void,
   *   onComplete: (etag: string) => void, signal?: AbortSignal}} part
   */
  async put({ signature, body, onProgress, onComplete, signal }) {
    const { upload } = signature;
    await sendPart(signature, body, signal, {
      moved: (loaded, before) => {
        this.#listener.offline(upload, false);
        this.#listener.moved(upload, upload.sent, loaded - before);
        onProgress({ loaded, lengthComputable: true });
      },
      lost: () => this.#listener.offline(upload, true),
    });
    const etag = "arrived";
    onComplete(etag);
    return { ETag: etag };
  }
}
