// Sends one part of a file to the bucket with its presigned URL.

const STALLED = 45_000; // ms without progress after which a connection counts as lost
const FULL_STATUS = 507;
const FULL = "The storage is full. Delete videos or exports, or free some space, then try again.";
const FAILED = "The storage refused a part of the file. Try again in a moment.";

/**
 * Callbacks while a part is sent.
 *
 * @typedef {object} Watch
 * @property {(loaded: number, before: number) => void} moved bytes of the part that are sent, now and at the last call
 * @property {() => void} lost the connection was lost or has stalled
 */

/**
 * Sends the part. Rejects with source.status 0 if the connection was lost or has stalled, which makes Uppy retry.
 *
 * @param {{url: string, headers: Record<string, string>}} signed
 * @param {Blob} body
 * @param {AbortSignal | undefined} signal
 * @param {Watch} watch
 * @returns {Promise<void>}
 */
export function sendPart({ url, headers }, body, signal, watch) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const listeners = new AbortController();
    const progress = progressOf(watch);
    const idle = idleTimer(() => {
      fail(0);
      request.abort();
    });
    /** @param {() => void} settle */
    const end = (settle) => {
      idle.stop();
      listeners.abort();
      settle();
    };
    /**
     * @param {number} status
     * @param {string} [message]
     */
    const fail = (status, message = FAILED) => {
      if (status === 0) watch.lost();
      end(() => reject(Object.assign(new Error(message), { source: { status } })));
    };
    request.open("PUT", url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded }) => {
      idle.restart();
      progress(loaded);
    };
    request.onload = () => {
      if (request.status < 200 || request.status > 299) return fail(request.status, request.status === FULL_STATUS ? FULL : FAILED);
      progress(body.size);
      return end(resolve);
    };
    request.onerror = () => fail(0);
    request.onabort = () => end(() => reject(new DOMException("The part was stopped", "AbortError")));
    signal?.addEventListener("abort", () => request.abort(), { signal: listeners.signal });
    idle.restart();
    request.send(body);
  });
}

/** @param {Watch} watch */
function progressOf(watch) {
  let before = 0;
  return (/** @type {number} */ loaded) => {
    watch.moved(loaded, before);
    before = loaded;
  };
}

/** @param {() => void} stalled */
function idleTimer(stalled) {
  let timer = 0;
  return {
    stop: () => clearTimeout(timer),
    restart() {
      clearTimeout(timer);
      timer = setTimeout(stalled, STALLED);
    },
  };
}
