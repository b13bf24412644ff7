"""Normalize a clip's loudness: measure the whole clip, then apply one gain, which keeps its dynamics.

The target of −14 LUFS is what the large platforms play at; measured by ITU-R BS.1770 as in EBU R 128.
"""

from __future__ import annotations

import re

TARGET_LUFS = -14.0
SAMPLE_RATE = 48_000

CLOSED = f"aresample={SAMPLE_RATE}:async=1:first_pts=0,aformat=sample_rates={SAMPLE_RATE}:channel_layouts=stereo"
"""Filters that make the sound stereo without gaps: late or interrupted sound stays in sync with the picture."""

MEASURE = f"{CLOSED},ebur128=framelog=quiet"
"""The filter that measures; ``parse_loudness`` reads its log."""


def without_lead(chain: str, lead: str) -> str:
    """Return ``chain`` without the first ``lead`` seconds."""
    return f"atrim=start={lead},asetpts=PTS-{lead}/TB,{chain}" if lead else chain


_INTEGRATED = re.compile(r"^\s*I:\s+(-?\d+(?:\.\d+)?) LUFS", re.MULTILINE)
_SILENCE_LUFS = -69.0
_MOST_GAIN_DB = 20.0
_CEILING = 0.84  # −1.5 dB: room for what the coder adds between the samples


def parse_loudness(log: str) -> float | None:
    """Return the integrated loudness in LUFS from ffmpeg's log; None for silence or if nothing was measured."""
    found = _INTEGRATED.findall(log)
    lufs = float(found[-1]) if found else _SILENCE_LUFS
    return lufs if lufs > _SILENCE_LUFS else None


def normalize_loudness(lufs: float | None) -> str:
    """Return the filters that bring sound of ``lufs`` to the target: one gain of at most 20 dB, and a peak limiter."""
    if lufs is None:
        return CLOSED
    gain = min(TARGET_LUFS - lufs, _MOST_GAIN_DB)
    return f"{CLOSED},volume={gain:.2f}dB,alimiter=limit={_CEILING}:level=false:latency=true"
