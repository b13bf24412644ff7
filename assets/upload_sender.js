// Sends files in parts with Uppy (MIT, @uppy/core and @uppy/aws-s3), which is fetched with the first file.
//
// Every upload is begun, or found again, by the server before Uppy hears of it; so to Uppy each one is one to be restored: it asks which
// parts are there and sends the others, some at a time.

import { ApiError, call, pause } from "./upload_calls.js";
import { crc32 } from "./upload_crc.js";

const PARALLEL = 4;
const STALLED = 45_000;
const RETRIES = [0, 1_000, 3_000, 5_000, 10_000, 20_000, ...Array(500).fill(30_000)];

export class Sender {
  #uppy;
  #byFile = new Map(); // Uppy's file id → upload
  #partSizes = new WeakMap(); // file → bytes
  #tell;

  // tell: moved(upload, sent, bytes), offline(upload, yes), checking(upload), done(upload, video id), failed(upload, error)
  static async load(tell) {
    const { Uppy, AwsS3 } = await globalThis.loadUppy();
    return new Sender(Uppy, AwsS3, tell);
  }

  constructor(Uppy, AwsS3, tell) {
    this.#tell = tell;
    const silent = () => {};
    this.#uppy = new Uppy({ id: "uploads", autoProceed: false, logger: { debug: silent, warn: silent, error: silent } });
    this.#uppy.use(AwsS3, {
      shouldUseMultipart: true,
      limit: PARALLEL,
      retryDelays: RETRIES,
      getChunkSize: (file) => this.#partSizes.get(file),
      createMultipartUpload: (file) => ({ uploadId: file.meta.upload, key: file.meta.upload }),
      listParts: (file, { signal }) => this.#arrived(this.#byFile.get(file.id), signal),
      signPart: (file, { partNumber, body, signal }) => this.#sign(this.#byFile.get(file.id), partNumber, body, signal),
      uploadPartBytes: (part) => this.#put(part),
      completeMultipartUpload: (file, { signal }) => this.#complete(this.#byFile.get(file.id), signal),
      abortMultipartUpload: silent, // who cancels tells the server; what merely fails may go on later
    });
    this.#uppy.on("upload-progress", (file, { bytesUploaded }) => {
      const upload = this.#byFile.get(file?.id);
      if (upload) this.#tell.moved(upload, bytesUploaded, 0);
    });
    this.#uppy.on("upload-success", (file, { body }) => this.#end(file, (upload) => this.#tell.done(upload, body.video)));
    this.#uppy.on("upload-error", (file, error) => this.#end(file, (upload) => this.#tell.failed(upload, error)));
  }

  send(upload) {
    this.#partSizes.set(upload.file, upload.partSize);
    upload.uppy = this.#uppy.addFile({ name: upload.name, type: upload.file.type, data: upload.file, meta: { upload: upload.server } });
    this.#uppy.setFileState(upload.uppy, { s3Multipart: { uploadId: upload.server, key: upload.server } });
    this.#byFile.set(upload.uppy, upload);
    this.#uppy.upload().catch(() => {}); // told by upload-error
  }

  pause(upload) {
    if (!this.#uppy.getFile(upload.uppy)?.isPaused) this.#uppy.pauseResume(upload.uppy);
  }

  resume(upload) {
    if (this.#uppy.getFile(upload.uppy)?.isPaused) this.#uppy.pauseResume(upload.uppy);
  }

  // Stops it here; the server keeps what has arrived.
  drop(upload) {
    this.#byFile.delete(upload.uppy);
    if (upload.uppy && this.#uppy.getFile(upload.uppy)) this.#uppy.removeFile(upload.uppy);
  }

  #end(file, tell) {
    const upload = this.#byFile.get(file?.id);
    if (!upload) return;
    this.drop(upload);
    tell(upload);
  }

  // Ends an upload that repeating does not help.
  #giveUp(upload, error) {
    this.drop(upload);
    this.#tell.failed(upload, error);
  }

  async #arrived(upload, signal) {
    const { parts } = await this.#ask(upload, "GET", "parts", null, signal);
    this.#tell.moved(upload, parts.reduce((sum, part) => sum + part.size, 0), 0);
    return parts.map(({ partNumber, size, etag }) => ({ PartNumber: partNumber, Size: size, ETag: etag }));
  }

  async #sign(upload, partNumber, body, signal) {
    let sum;
    try {
      sum = await crc32(body);
    } catch {
      const error = new Error("The file cannot be read any more: it was moved or changed. Choose it again.");
      this.#giveUp(upload, error);
      throw error;
    }
    const { parts } = await this.#ask(upload, "POST", "parts", { parts: [{ partNumber, crc32: sum }] }, signal);
    return { method: "PUT", url: parts[0].url, headers: parts[0].headers, upload };
  }

  async #complete(upload, signal) {
    this.#tell.checking(upload);
    for (;;) {
      try {
        const { videoId } = await this.#ask(upload, "POST", "complete", null, signal, false);
        return { video: videoId };
      } catch (error) {
        if (error.code !== "upload_busy") throw error;
        await pause(1_500, signal); // an earlier request, whose answer was lost, is still at it
      }
    }
  }

  async #ask(upload, method, what, body, signal, final = true) {
    try {
      return await call(method, `/api/uploads/${upload.server}/${what}`, body, {
        signal,
        offline: (offline) => this.#tell.offline(upload, offline),
      });
    } catch (error) {
      if (final && error instanceof ApiError) this.#giveUp(upload, error);
      throw error;
    }
  }

  // One part. Rejects with source.status 0 when the connection was lost or stood still, which Uppy takes as a reason to try again.
  #put({ signature: { url, headers, upload }, body, size, onProgress, onComplete, signal }) {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      const listeners = new AbortController();
      let moved = 0;
      let timer;
      const end = (settle, value) => {
        clearTimeout(timer);
        listeners.abort();
        settle(value);
      };
      const fail = (status) => {
        if (status === 0) this.#tell.offline(upload, true);
        end(reject, Object.assign(new Error("The storage did not take a part of the file. Try again in a moment."), { source: { status } }));
      };
      const watch = () => {
        clearTimeout(timer);
        timer = setTimeout(() => {
          fail(0);
          request.abort();
        }, STALLED);
      };
      const progress = (loaded) => {
        watch();
        this.#tell.offline(upload, false);
        this.#tell.moved(upload, upload.sent, loaded - moved);
        moved = loaded;
        onProgress({ loaded, lengthComputable: true });
      };
      request.open("PUT", url);
      for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
      request.upload.onprogress = (event) => progress(event.loaded);
      request.onload = () => {
        if (request.status < 200 || request.status > 299) return fail(request.status);
        progress(size);
        const tag = "arrived"; // the server reads the real ones from the store, so the bucket need not expose them
        onComplete(tag);
        end(resolve, { ETag: tag });
      };
      request.onerror = () => fail(0);
      request.onabort = () => end(reject, new DOMException("The part was stopped", "AbortError"));
      signal?.addEventListener("abort", () => request.abort(), { signal: listeners.signal });
      watch();
      request.send(body);
    });
  }
}
