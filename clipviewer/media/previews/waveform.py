"""Waveform peaks: one loudness value per tenth of a second."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

SAMPLE_RATE = 16_000
"""Format of the sound: mono, signed 16-bit little-endian."""

PEAKS_PER_SECOND = 10

_SAMPLES = SAMPLE_RATE // PEAKS_PER_SECOND
_PEAKS_AT_ONCE = 3_000
_QUIETEST_FULL = 0.003 * 32_768  # About -50 dBFS: what is never louder is noise, and is not drawn as if it were something.


def peaks(sound: Path, duration_ms: int) -> list[int]:
    """Return the loudness (RMS) of each tenth of a second, 0 to 100 relative to the loudest, for the video's whole length.

    Reads in pieces: an hour is never in memory at once.
    """
    count = -(-duration_ms * PEAKS_PER_SECOND // 1000)
    levels = np.zeros(count)
    with sound.open("rb") as file:
        for start in range(0, count, _PEAKS_AT_ONCE):
            samples = np.frombuffer(file.read(min(_PEAKS_AT_ONCE, count - start) * _SAMPLES * 2), "<i2").astype(np.float32)
            if not samples.size:
                break
            rows = np.pad(samples, (0, -samples.size % _SAMPLES)).reshape(-1, _SAMPLES)
            levels[start : start + len(rows)] = np.sqrt(np.mean(np.square(rows), axis=1))
    loudest = max(levels.max(initial=0), _QUIETEST_FULL)
    return [round(level) for level in (levels * 100 / loudest).tolist()]


def write_waveform(sound: Path, duration_ms: int, out: Path) -> None:
    """Write ``{"version": 1, "seconds_per_peak": 0.1, "peaks": [0 … 100, …]}`` without whitespace."""
    content = {"version": 1, "seconds_per_peak": 1 / PEAKS_PER_SECOND, "peaks": peaks(sound, duration_ms)}
    out.write_text(json.dumps(content, separators=(",", ":")), encoding="utf-8")
