// Repeats an attempt in every frame until it succeeds: what it needs may not be rendered, or not here from the server yet.

const TIMEOUT_MS = 10_000;

/**
 * Returns a function that repeats an attempt until it returns true, or for ten seconds. A new attempt replaces the one before.
 *
 * @returns {(attempt: () => boolean) => void}
 */
export function createRetry() {
  let newest = 0;
  return (attempt) => {
    const own = ++newest;
    const end = performance.now() + TIMEOUT_MS;
    const tryOnce = () => {
      if (own === newest && !attempt() && performance.now() < end) requestAnimationFrame(tryOnce);
    };
    tryOnce();
  };
}
