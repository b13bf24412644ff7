// Calls of the app's own API that are retried after a lost connection.

const PAUSES = [500, 1_000, 2_000, 5_000, 10_000, 20_000];
const FULL = 507;
const BUSY_MS = 1_500;
const SIGNED_OUT = "You are signed out. Sign in again, then choose the file again.";
const FAILED = "The request failed. Try again in a moment.";

/** @typedef {(offline: boolean) => void} TellOffline */

// A response that a retry will not change. The message is a sentence for people.
export class ApiError extends Error {
  /**
   * @param {number} status
   * @param {{detail?: string, title?: string, code?: string}} problem
   */
  constructor(status, problem) {
    super(status === 401 ? SIGNED_OUT : (problem.detail ?? problem.title ?? FAILED));
    this.status = status;
    this.code = problem.code ?? "";
  }
}

/**
 * Resolves after `ms`, or earlier when the browser is online again. Rejects when `signal` aborts.
 *
 * @param {number} ms
 * @param {AbortSignal} [signal]
 * @returns {Promise<void>}
 */
export function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    const listeners = new AbortController();
    /** @type {(settle: () => void) => void} */
    const end = (settle) => {
      listeners.abort();
      settle();
    };
    const timer = setTimeout(() => end(resolve), ms);
    listeners.signal.addEventListener("abort", () => clearTimeout(timer));
    addEventListener("online", () => end(resolve), { signal: listeners.signal });
    const stop = () => end(() => reject(signal?.reason));
    signal?.addEventListener("abort", stop, { signal: listeners.signal });
    if (signal?.aborted) stop();
  });
}

/**
 * Calls the API and returns its JSON response, or null if it has no content. Retries while the server is unavailable, until `signal`
 * aborts. Throws ApiError if the server refuses the request.
 *
 * @param {string} method
 * @param {string} path
 * @param {object | Blob | null} [body] an object is sent as JSON, a file as it is
 * @param {{signal?: AbortSignal, offline?: TellOffline, tries?: number}} [options] `offline` is called when the connection is lost or back
 * @returns {Promise<any>}
 */
export async function call(method, path, body, { signal, offline, tries = Infinity } = {}) {
  for (let attempt = 0; ; attempt++) {
    const response = await request(method, path, body, signal);
    if (response?.ok) {
      offline?.(false);
      return response.status === 204 ? null : response.json();
    }
    if (response) await throwIfRefused(response);
    if (attempt + 1 >= tries) throw new Error("The server cannot be reached. Try again in a moment.");
    if (!response) offline?.(true);
    await pause(PAUSES[Math.min(attempt, PAUSES.length - 1)], signal);
  }
}

/**
 * Completes an upload whose parts have all been sent. Returns the id of its video.
 *
 * @param {string} upload its id
 * @param {{signal?: AbortSignal, offline?: TellOffline}} [options]
 * @returns {Promise<string>}
 */
export async function completeUpload(upload, options = {}) {
  for (;;) {
    try {
      return (await call("POST", `/api/uploads/${upload}/complete`, null, options)).videoId;
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== "upload_busy") throw error;
      await pause(BUSY_MS, options.signal); // an earlier request, whose response was lost, or a job is completing it
    }
  }
}

/**
 * Throws ApiError unless a retry may help (a server error other than a full disk, or too many requests).
 *
 * @param {Response} response
 */
async function throwIfRefused(response) {
  const { status } = response;
  if ((status < 500 && status !== 429) || status === FULL) throw new ApiError(response.status, await response.json().catch(() => ({})));
}

/**
 * Sends one request. Returns null if there is no response.
 *
 * @param {string} method
 * @param {string} path
 * @param {object | Blob | null} [body]
 * @param {AbortSignal} [signal]
 */
async function request(method, path, body, signal) {
  const json = body && !(body instanceof Blob);
  /** @type {RequestInit} */
  const options = { method, cache: "no-store", signal, headers: json ? { "Content-Type": "application/json" } : {} };
  if (body) options.body = json ? JSON.stringify(body) : /** @type {Blob} */ (body);
  try {
    return await fetch(path, options);
  } catch (error) {
    if (signal?.aborted) throw error;
    return null;
  }
}
