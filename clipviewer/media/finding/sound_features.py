"""Features of the sound in steps of a tenth of a second: loudness, liveliness, and whether it sounds like speech."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clipviewer.media.ffmpeg import MediaCancelled
from clipviewer.media.finding.footage_scan import SOUND_RATE

STEP_MS = 100
SILENCE_DB = -60.0

_FRAME, _HOP = 512, 320  # 32 ms, every 20 ms
_IN_STEP = STEP_MS * SOUND_RATE // 1000 // _HOP
_CHUNK_STEPS = 600
_BANDS = 24
_VOICE_HZ = (300, 3400)

# Speech comes in syllables, three to seven a second, with the strength of its voice going up and down by as much as it has
# (Houtgast and Steeneken 1985; Scheirer and Slaney 1997).
_STRETCH, _STRETCH_HOP = 100, 25  # frames: 2 s, every 0.5 s
_MIDDLE = slice(5, 15)  # steps of a stretch that what it sounds like is said of
_SYLLABLES_HZ, _MODULATIONS_HZ = (2.5, 8.0), (0.5, 20.0)
_LEAST_SYLLABLES, _DEPTHS, _LEAST_VOICE = 0.3, (0.45, 1.2), 0.5
_SPEECH_RANGE_DB = 35.0

Steps = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SoundFeatures:
    """One value per step.

    ``level`` is in dB of full scale (−60: silence), ``flux`` the summed rise of the spectrum's bands (dB per frame), ``speech`` 1 where it
    sounds like speech, else 0.
    """

    level: Steps
    flux: Steps
    speech: Steps

    @property
    def silent(self) -> bool:
        return bool(self.level.max(initial=SILENCE_DB) <= SILENCE_DB)


def measure_sound(sound: Path, cancelled: Callable[[], bool]) -> SoundFeatures:
    """Read a file of 16-bit mono samples at 16 kHz, a minute at a time. Raises ``MediaCancelled``."""
    samples = np.memmap(sound, np.int16, "r")
    steps = max(1, len(samples) // (_HOP * _IN_STEP))
    levels, fluxes, voices, shares = [], [], [], []
    last = None
    for first in range(0, steps, _CHUNK_STEPS):
        if cancelled():
            raise MediaCancelled
        count = min(_CHUNK_STEPS, steps - first) * _IN_STEP
        begin = first * _IN_STEP * _HOP
        chunk = np.zeros(count * _HOP + _FRAME - _HOP, np.float32)
        part = samples[begin : begin + len(chunk)]
        chunk[: len(part)] = part / np.float32(32768)
        power = _power(chunk, count)
        bands = 10 * np.log10(power @ _BAND_SUMS + 1e-9)
        before = bands[:1] if last is None else last
        flux = np.maximum(np.diff(np.concatenate([before, bands]), axis=0), 0).mean(1)
        last = bands[-1:]
        voice = power[:, _VOICE].sum(1)
        squares = (chunk[: count * _HOP].reshape(-1, _HOP * _IN_STEP) ** 2).mean(1)
        levels.append(10 * np.log10(squares + 1e-12))
        fluxes.append(flux.reshape(-1, _IN_STEP).mean(1))
        voices.append(voice)
        shares.append(voice / (power.sum(1) + 1e-12))
    level = np.maximum(np.concatenate(levels).astype(np.float64), SILENCE_DB)
    return SoundFeatures(
        level, np.concatenate(fluxes).astype(np.float64), _speech_steps(np.concatenate(voices), np.concatenate(shares), level)
    )


def _power(chunk: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """Return the power spectrum of ``count`` frames."""
    frames = np.lib.stride_tricks.sliding_window_view(chunk, _FRAME)[::_HOP][:count]
    spectrum = np.fft.rfft(frames * _WINDOW, axis=1)
    return np.asarray((spectrum.real**2 + spectrum.imag**2) / _FRAME, np.float32)


def _speech_steps(voice: NDArray[np.float32], share: NDArray[np.float32], level: Steps) -> Steps:
    """Return whether each step lies in a stretch with syllables, modulation depth and a voice's spectrum that is not quiet."""
    if len(voice) < _STRETCH:
        voice = np.pad(voice, (0, _STRETCH - len(voice)), mode="wrap")
        share = np.pad(share, (0, _STRETCH - len(share)), mode="wrap")
    voices = np.lib.stride_tricks.sliding_window_view(voice, _STRETCH)[::_STRETCH_HOP]
    shares = np.lib.stride_tricks.sliding_window_view(share, _STRETCH)[::_STRETCH_HOP]
    strengths = np.sqrt(voices)
    means = strengths.mean(1, keepdims=True) + 1e-9
    modulation = np.abs(np.fft.rfft((strengths / means - 1) * np.hanning(_STRETCH), axis=1)) ** 2
    syllables = modulation[:, _hertz(_SYLLABLES_HZ)].sum(1) / (modulation[:, _hertz(_MODULATIONS_HZ)].sum(1) + 1e-9)
    depth = strengths.std(1) / means[:, 0]
    placed = (shares * voices).sum(1) / (voices.sum(1) + 1e-12)
    spoken = (syllables >= _LEAST_SYLLABLES) & (depth >= _DEPTHS[0]) & (depth <= _DEPTHS[1]) & (placed >= _LEAST_VOICE)
    speech = np.zeros(len(level))
    for index in np.flatnonzero(spoken):
        first = index * _STRETCH_HOP // _IN_STEP
        speech[first + _MIDDLE.start : first + _MIDDLE.stop] = 1
    quiet = moving_mean(level, 5) < max(SILENCE_DB + 1, np.percentile(level, 95) - _SPEECH_RANGE_DB)
    return np.where(quiet, 0.0, speech)


def moving_mean(values: Steps, count: int) -> Steps:
    """Return the moving mean over an odd ``count`` of steps."""
    padded = np.pad(values, count // 2, mode="edge")
    return np.convolve(padded, np.full(count, 1 / count), mode="valid")


def _hertz(bounds: tuple[float, float]) -> slice:
    per_bin = SOUND_RATE / _HOP / _STRETCH
    return slice(round(bounds[0] / per_bin), round(bounds[1] / per_bin) + 1)


def _bin(hertz: float) -> int:
    return round(hertz * _FRAME / SOUND_RATE)


def _band_sums() -> NDArray[np.float32]:
    """Return the matrix from spectrum bins to 24 bands, evenly spaced on the mel scale."""
    edges = 700 * (10 ** (np.linspace(0, 2595 * np.log10(1 + SOUND_RATE / 2 / 700), _BANDS + 1) / 2595) - 1)
    bins = np.arange(_FRAME // 2 + 1)
    band = np.clip(np.searchsorted(edges, bins * SOUND_RATE / _FRAME, side="right") - 1, 0, _BANDS - 1)
    return np.asarray(band[:, None] == np.arange(_BANDS), np.float32)


_WINDOW = np.hanning(_FRAME).astype(np.float32)
_BAND_SUMS = _band_sums()
_VOICE = slice(_bin(_VOICE_HZ[0]), _bin(_VOICE_HZ[1]) + 1)
