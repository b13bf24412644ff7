// Sends files in parts with Uppy (MIT, @uppy/core and @uppy/aws-s3), which is fetched with the first file.
//
// Every upload is begun, or found again, by the server before Uppy hears of it; so to Uppy each one is one to be restored: it asks which
// parts are there and sends the others, some at a time.

import { ApiError, call, pause } from "./calls.js";
import { crc32 } from "./crc.js";
import { sendPart } from "./part.js";

/** @import { Upload } from "./upload.js" */
/** @import UppyCore from "@uppy/core" */

/** @typedef {UppyCore<any, any>} Uppy */
/** @typedef {import("@uppy/core").UppyFile<any, any>} UppyFile */
/** @typedef {{method: "PUT", url: string, headers: Record<string, string>, upload: Upload}} Signature */

/**
 * What the sender tells of an upload: how many bytes have arrived and how many just moved, whether the connection is lost, and its end.
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
const BUSY_MS = 1_500;
const UNREADABLE = "The file cannot be read any more: it was moved or changed. Choose it again.";

export class Sender {
  #uppy;
  /** @type {Map<string, Upload>} by Uppy's file id */
  #byFile = new Map();
  /** @type {WeakMap<object, number>} bytes by file */
  #partSizes = new WeakMap();
  #tell;

  /** @param {Listener} tell */
  static async load(tell) {
    const [{ default: Core }, { default: AwsS3 }] = await Promise.all([import("@uppy/core"), import("@uppy/aws-s3")]);
    const silent = () => {};
    const uppy = new Core({ id: "uploads", autoProceed: false, logger: { debug: silent, warn: silent, error: silent } });
    const sender = new Sender(uppy, tell);
    uppy.use(AwsS3, /** @type {any} */ (sender.#options())); // its types know no part sizes by file, and no signature but its own
    return sender;
  }

  /**
   * @param {Uppy} uppy
   * @param {Listener} tell
   */
  constructor(uppy, tell) {
    this.#uppy = uppy;
    this.#tell = tell;
    uppy.on("upload-progress", (file, { bytesUploaded }) => {
      const upload = this.#of(file);
      if (upload) this.#tell.moved(upload, Number(bytesUploaded), 0);
    });
    uppy.on("upload-success", (file, { body }) => this.#end(file, (upload) => this.#tell.done(upload, body?.video)));
    uppy.on("upload-error", (file, error) => this.#end(file, (upload) => this.#tell.failed(upload, error)));
  }

  // How Uppy is to send: through the server, which signs each part and knows what has arrived.
  #options() {
    return {
      shouldUseMultipart: true,
      limit: PARALLEL,
      retryDelays: RETRIES,
      getChunkSize: (/** @type {File} */ file) => this.#partSizes.get(file),
      createMultipartUpload: (/** @type {UppyFile} */ file) => ({ uploadId: file.meta.upload, key: file.meta.upload }),
      listParts: (/** @type {UppyFile} */ file, /** @type {{signal?: AbortSignal}} */ { signal }) => this.#arrived(this.#known(file), signal),
      signPart: (/** @type {UppyFile} */ file, /** @type {{partNumber: number, body: Blob, signal?: AbortSignal}} */ part) =>
        this.#sign(this.#known(file), part),
      uploadPartBytes: (/** @type {Parameters<Sender["put"]>[0]} */ part) => this.put(part),
      completeMultipartUpload: (/** @type {UppyFile} */ file, /** @type {{signal?: AbortSignal}} */ { signal }) =>
        this.#complete(this.#known(file), signal),
      abortMultipartUpload: () => {}, // who cancels tells the server; what merely fails may go on later
    };
  }

  /** @param {UppyFile | undefined} file */
  #of(file) {
    return file && this.#byFile.get(file.id);
  }

  /** @param {UppyFile} file */
  #known(file) {
    return /** @type {Upload} */ (this.#byFile.get(file.id));
  }

  /** @param {Upload} upload */
  send(upload) {
    const file = /** @type {File} */ (upload.file);
    this.#partSizes.set(file, upload.partSize);
    upload.uppy = this.#uppy.addFile({ name: upload.name, type: file.type, data: file, meta: { upload: upload.server } });
    this.#uppy.setFileState(upload.uppy, /** @type {any} */ ({ s3Multipart: { uploadId: upload.server, key: upload.server } }));
    this.#byFile.set(upload.uppy, upload);
    this.#uppy.upload().catch(() => {}); // told by upload-error
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
   * Stops it here; the server keeps what has arrived.
   *
   * @param {Upload} upload
   */
  drop(upload) {
    this.#byFile.delete(upload.uppy);
    if (upload.uppy && this.#uppy.getFile(upload.uppy)) this.#uppy.removeFile(upload.uppy);
  }

  /**
   * @param {UppyFile | undefined} file
   * @param {(upload: Upload) => void} tell
   */
  #end(file, tell) {
    const upload = this.#of(file);
    if (!upload) return;
    this.drop(upload);
    tell(upload);
  }

  /**
   * Ends an upload that repeating does not help.
   *
   * @param {Upload} upload
   * @param {Error} error
   */
  #giveUp(upload, error) {
    this.drop(upload);
    this.#tell.failed(upload, error);
  }

  /**
   * @param {Upload} upload
   * @param {AbortSignal} [signal]
   */
  async #arrived(upload, signal) {
    /** @type {{parts: {partNumber: number, size: number, etag: string}[]}} */
    const { parts } = await this.#ask(upload, "GET", "parts", { signal });
    this.#tell.moved(
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
    const { parts } = await this.#ask(upload, "POST", "parts", { body: { parts: [{ partNumber, crc32: sum }] }, signal });
    return { method: "PUT", url: parts[0].url, headers: parts[0].headers, upload };
  }

  /**
   * @param {Upload} upload
   * @param {AbortSignal} [signal]
   */
  async #complete(upload, signal) {
    this.#tell.checking(upload);
    for (;;) {
      try {
        return { video: (await this.#call(upload, "POST", "complete", { signal })).videoId };
      } catch (error) {
        if (!(error instanceof ApiError) || error.code !== "upload_busy") throw error;
        await pause(BUSY_MS, signal); // an earlier request, whose answer was lost, is still at it
      }
    }
  }

  /**
   * Asks the server; a refusal ends the upload.
   *
   * @param {Upload} upload
   * @param {string} method
   * @param {string} what
   * @param {{body?: object, signal?: AbortSignal}} how
   */
  async #ask(upload, method, what, how) {
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
      offline: (offline) => this.#tell.offline(upload, offline),
    });
  }

  /**
   * One part, as Uppy hands it over. The server reads the real ETags from the store, so the bucket need not expose them.
   *
   * @param {{signature: Signature, body: Blob, onProgress: (event: {loaded: number, lengthComputable: boolean}) => void,
   *   onComplete: (etag: string) => void, signal?: AbortSignal}} part
   */
  async put({ signature, body, onProgress, onComplete, signal }) {
    const { upload } = signature;
    await sendPart(signature, body, signal, {
      moved: (loaded, before) => {
        this.#tell.offline(upload, false);
        this.#tell.moved(upload, upload.sent, loaded - before);
        onProgress({ loaded, lengthComputable: true });
      },
      lost: () => this.#tell.offline(upload, true),
    });
    const etag = "arrived";
    onComplete(etag);
    return { ETag: etag };
  }
}
