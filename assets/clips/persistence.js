// Tries in every frame until it succeeds: what it needs is still being made, or on its way from the server. The newest attempt counts.

const PATIENCE = 10_000; // ms

/** @returns {(attempt: () => boolean) => void} */
export function persistence() {
  let newest = 0;
  return (attempt) => {
    const own = ++newest;
    const end = performance.now() + PATIENCE;
    const again = () => {
      if (own === newest && !attempt() && performance.now() < end) requestAnimationFrame(again);
    };
    again();
  };
}
