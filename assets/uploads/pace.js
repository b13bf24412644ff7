// The speed of uploads, and how speeds, sizes and remaining times are shown.

const WINDOW = 6_000; // ms
const MIN_MS = 500; // before a speed is known
const UNITS = ["B", "KB", "MB", "GB", "TB"];

// Measures bytes per second over the last six seconds.
export class Pace {
  /** @type {{at: number, bytes: number}[]} */
  #steps = [];

  /** @param {number} bytes */
  add(bytes, now = performance.now()) {
    if (bytes > 0) this.#steps.push({ at: now, bytes });
    while (this.#steps.length && this.#steps[0].at < now - WINDOW) this.#steps.shift();
  }

  clear() {
    this.#steps = [];
  }

  // Bytes per second; 0 while it is not known.
  speed(now = performance.now()) {
    this.add(0, now);
    const first = this.#steps[0];
    if (!first || now - first.at < MIN_MS) return 0;
    return (1_000 * this.#steps.reduce((sum, step) => sum + step.bytes, 0)) / (now - first.at);
  }
}

/**
 * Returns a size in decimal units.
 *
 * @param {number} bytes
 */
export function formatSize(bytes) {
  const power = bytes < 1_000 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1_000 ** power;
  return `${value < 10 && power > 0 ? value.toFixed(1) : Math.round(value)} ${UNITS[power]}`;
}

/**
 * Returns the remaining time, or "" if it is not known.
 *
 * @param {number} seconds
 */
export function formatEta(seconds) {
  if (!Number.isFinite(seconds)) return "";
  if (seconds < 60) return `${Math.max(1, Math.ceil(seconds))} s left`;
  if (seconds < 3_600) return `${Math.round(seconds / 60)} min left`;
  return `${Math.floor(seconds / 3_600)} h ${Math.round((seconds % 3_600) / 60)} min left`;
}
