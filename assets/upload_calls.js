// Calls of the app's own API that outlive a lost connection.

const PAUSES = [500, 1_000, 2_000, 5_000, 10_000, 20_000];

// An answer that repeating will not change; message is a sentence for people.
export class ApiError extends Error {
  constructor(status, problem) {
    super(status === 401 ? "You are signed out. Sign in again, then choose the file again." : (problem.detail ?? problem.title ?? "That did not work. Try again in a moment."));
    this.status = status;
    this.code = problem.code ?? "";
  }
}

// Resolves after ms, or at once when the browser finds its network again; rejects when signal says so.
export function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    const listeners = new AbortController();
    const end = (settle) => (value) => {
      listeners.abort();
      clearTimeout(timer);
      settle(value);
    };
    const timer = setTimeout(end(resolve), ms);
    addEventListener("online", end(resolve), { signal: listeners.signal });
    signal?.addEventListener("abort", () => end(reject)(signal.reason), { signal: listeners.signal });
    if (signal?.aborted) end(reject)(signal.reason);
  });
}

// The answer as JSON (null where there is none) to a body of JSON or a file. Tries again while the server cannot be reached, until signal aborts; offline is told.
export async function call(method, path, body, { signal, offline, tries = Infinity } = {}) {
  for (let turn = 0; ; turn++) {
    const response = await fetch(path, {
      method,
      headers: body && !(body instanceof Blob) ? { "Content-Type": "application/json" } : {},
      body: body && !(body instanceof Blob) ? JSON.stringify(body) : body,
      cache: "no-store",
      signal,
    }).catch((error) => {
      if (signal?.aborted) throw error;
      return null;
    });
    if (response?.ok) {
      offline?.(false);
      return response.status === 204 ? null : response.json();
    }
    if (response && response.status < 500 && response.status !== 429) {
      throw new ApiError(response.status, await response.json().catch(() => ({})));
    }
    if (turn + 1 >= tries) throw new Error("The server cannot be reached. Try again in a moment.");
    if (!response) offline?.(true);
    await pause(PAUSES[Math.min(turn, PAUSES.length - 1)], signal);
  }
}
