"""Drawn footage whose subject's position is known in every frame."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from clipviewer.media.ffmpeg import Ffmpeg

Box = tuple[float, float, float, float]
"""Left, top, right and bottom as fractions of the picture."""

Grey = NDArray[np.uint8]

WIDTH, HEIGHT, FRAME_RATE = 640, 360, 24
_TALL, _WIDE = 200, 90


@dataclass(frozen=True)
class Scene:
    """A moving subject: ``centre(t)`` is its position at ``t`` seconds in fractions, ``camera(t)`` the background's offset in pixels."""

    name: str
    seconds: float
    centre: Callable[[float], tuple[float, float]]
    camera: Callable[[float], float] = lambda _: 0.0
    noise: int = 0

    def box(self, at_ms: float) -> Box:
        x, y = self.centre(at_ms / 1000)
        left, top = x - _WIDE / WIDTH / 2, y - _TALL / HEIGHT / 2
        return left, top, left + _WIDE / WIDTH, top + _TALL / HEIGHT


def swaying(x: float) -> Callable[[float], tuple[float, float]]:
    return lambda t: (x + 0.008 * float(np.sin(4 * t)), 0.6)


def walking(start: float, end: float, seconds: float) -> Callable[[float], tuple[float, float]]:
    return lambda t: (start + (end - start) * t / seconds, 0.6 + 0.01 * float(np.sin(9 * t)))


SCENES = (
    Scene("stands at the left", 6, swaying(0.2)),
    Scene("stands at the right", 6, swaying(0.8)),
    Scene("stands in the middle", 6, swaying(0.5)),
    Scene("walks across", 8, walking(0.1, 0.9, 8)),
    Scene("walks, then stands", 8, lambda t: (0.15 + 0.6 * min(t, 4) / 4, 0.6 + 0.01 * float(np.sin(5 * t)))),
    Scene("two shots", 6, lambda t: swaying(0.18 if t < 3 else 0.82)(t), camera=lambda t: 0.0 if t < 3 else 777.0),
    Scene("walks before a panning camera", 8, swaying(0.25), camera=lambda t: 60 * t),
    Scene("stands while the camera pans", 6, lambda t: (0.85 - 0.1 * t, 0.6), camera=lambda t: 64 * t),
    Scene("walks in noise", 8, walking(0.85, 0.15, 8), noise=20),
    Scene("stands in noise", 6, swaying(0.78), noise=20),
)


def film(scene: Scene, out: Path, *coding: str) -> Path:
    """Render the scene to ``out``, encoded as ``coding`` says."""
    random = np.random.default_rng(7)
    background, subject = _texture(random, HEIGHT, WIDTH * 3, 6, 40), _texture(random, _TALL, _WIDE, 3, 70)
    raw = out.with_suffix(".grey")
    with raw.open("wb") as file:
        for number in range(round(scene.seconds * FRAME_RATE)):
            file.write(_draw(scene, number / FRAME_RATE, background, subject, random).tobytes())
    size = f"{WIDTH}x{HEIGHT}"
    try:
        Ffmpeg().run(
            [
                "-f",
                "rawvideo",
                "-pix_fmt",
                "gray",
                "-s",
                size,
                "-r",
                str(FRAME_RATE),
                "-i",
                str(raw),
                "-pix_fmt",
                "yuv420p",
                "-y",
                str(out),
            ],
            timeout=120,
        )
    finally:
        raw.unlink()
    return out


def _texture(random: np.random.Generator, height: int, width: int, grain: int, contrast: int) -> Grey:
    noise = cv2.GaussianBlur(random.standard_normal((height, width)).astype(np.float32), (0, 0), grain)
    return (128 + contrast * noise / float(noise.std())).clip(0, 255).astype(np.uint8)


def _draw(scene: Scene, t: float, background: Grey, subject: Grey, random: np.random.Generator) -> Grey:
    picture = np.roll(background, -round(scene.camera(t)), axis=1)[:, :WIDTH].copy()
    left, top = (round(share * size) for share, size in zip(scene.box(t * 1000)[:2], (WIDTH, HEIGHT), strict=True))
    x, y = max(0, left), max(0, top)
    shown = subject[y - top : HEIGHT - top, x - left : WIDTH - left]
    picture[y : y + shown.shape[0], x : x + shown.shape[1]] = shown
    if scene.noise:
        picture = (picture + random.normal(0, scene.noise, picture.shape)).clip(0, 255).astype(np.uint8)
    return picture
