"""Six seconds of demo footage for tests, and a reader for its frame numbers."""

from __future__ import annotations

from pathlib import Path

import av

from clipviewer.demo.counter import read_frame_number
from clipviewer.demo.plan import DemoClip, DemoVideo, Scene
from clipviewer.domain.aspect_ratio import AspectRatio

SCORES = {"motion": 50.0, "sound": 80.0, "colour": 20.0}

SMALL = DemoVideo(
    slug="small",
    title="Demo: Small",
    frame_rate=24,
    scenes=(Scene("ember", "pulses", 2_000), Scene("bloom", "silence", 2_000), Scene("boxes", "chord", 2_000)),
    clips=(
        DemoClip(1, "Scene 1: pulses", 500, 1_500, SCORES, tuple(AspectRatio)),
        DemoClip(2, "Scene 2: silence", 2_000, 3_000, SCORES),
        DemoClip(3, "Cut from scene 2 to scene 3", 3_510, 4_510, SCORES, (AspectRatio.PORTRAIT,)),
    ),
)


def frame_numbers(path: Path) -> list[int]:
    """Return the number burned into each frame of ``path``, in order."""
    numbers = []
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            plane = frame.reformat(format="gray").planes[0]
            pixels, stride = bytes(plane), plane.line_size
            numbers.append(read_frame_number(lambda x, y, p=pixels, s=stride: p[y * s + x], frame.width, frame.height))  # type: ignore[misc]
    return numbers
