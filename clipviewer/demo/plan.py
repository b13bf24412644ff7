"""The plan of the demo footage: three videos, their scenes, their candidates and exports. Pure data."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate, pairwise

from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.language import ORIGINAL

_PORTRAIT, _SQUARE, _LANDSCAPE = AspectRatio.PORTRAIT, AspectRatio.SQUARE, AspectRatio.LANDSCAPE
_ALL = (_PORTRAIT, _SQUARE, _LANDSCAPE)
LANGUAGE = ORIGINAL


@dataclass(frozen=True, slots=True)
class Scene:
    """A scene. ``look`` and ``sound`` name entries of ``looks``."""

    look: str
    sound: str
    duration_ms: int


@dataclass(frozen=True, slots=True)
class DemoClip:
    """A range of a demo video, in ms; ``ratios`` are the shapes it is exported in. Parts of the score are 0 to 100."""

    number: int
    title: str
    start_ms: int
    end_ms: int
    score_parts: dict[str, float]
    ratios: tuple[AspectRatio, ...] = ()

    @property
    def reference(self) -> str:
        return f"clip_{self.number:02d}"

    @property
    def score(self) -> float:
        return round(sum(self.score_parts.values()) / len(self.score_parts), 1)


@dataclass(frozen=True, slots=True)
class DemoVideo:
    slug: str
    title: str
    frame_rate: int
    scenes: tuple[Scene, ...]
    clips: tuple[DemoClip, ...]

    @property
    def folder(self) -> str:
        return f"demo/{self.slug}"

    @property
    def master_key(self) -> str:
        return f"{self.folder}/master.mp4"

    @property
    def poster_key(self) -> str:
        return f"{self.folder}/poster.jpg"

    @property
    def duration_ms(self) -> int:
        return sum(scene.duration_ms for scene in self.scenes)

    def scene_frames(self) -> list[int]:
        """Return the number of frames of each scene; together exactly the duration, at any frame rate."""
        ends = [round(end * self.frame_rate / 1000) for end in accumulate((s.duration_ms for s in self.scenes), initial=0)]
        return [end - start for start, end in pairwise(ends)]

    def exports(self) -> list[tuple[DemoClip, AspectRatio]]:
        """Return every clip in every shape it is exported in, in time order."""
        return [(clip, ratio) for clip in sorted(self.clips, key=lambda clip: clip.start_ms) for ratio in clip.ratios]

    def export_key(self, clip: DemoClip, ratio: AspectRatio) -> str:
        return f"{self.folder}/exported/{clip.reference}_{ratio.value.replace(':', 'x')}.mp4"


def _scenes(*rows: tuple[str, str, int]) -> tuple[Scene, ...]:
    return tuple(Scene(look, sound, seconds * 1000) for look, sound, seconds in rows)


def _clip(number: int, title: str, start_ms: int, end_ms: int, scores: tuple[int, int, int], *ratios: AspectRatio) -> DemoClip:
    motion, sound, colour = scores
    return DemoClip(number, title, start_ms, end_ms, {"motion": motion, "sound": sound, "colour": colour}, ratios)


_DRIFT = DemoVideo(
    slug="drifting-colours",
    title="Demo: Drifting colours",
    frame_rate=24,
    scenes=_scenes(
        ("ember", "rising tone", 8), ("clouds", "silence", 11), ("fold", "chord", 10),
        ("wheel", "pulses", 9), ("corner", "steady tone", 12), ("lagoon", "falling tone", 10),
    ),
    clips=(
        _clip(1, "Scene 1: rising tone", 1_500, 6_500, (71, 88, 92), *_ALL),
        _clip(2, "Scene 2: silence", 10_000, 17_000, (55, 0, 78)),
        _clip(3, "Scene 3: chord", 20_250, 25_000, (64, 81, 86), _PORTRAIT),
        _clip(4, "Cut from scene 3 to scene 4", 27_000, 31_000, (90, 84, 79), _PORTRAIT, _SQUARE),
        _clip(5, "Scene 4: pulses", 31_500, 37_250, (68, 77, 83)),
        _clip(6, "Scene 5: steady tone", 40_000, 48_000, (34, 45, 30)),
        _clip(7, "Scene 6: falling tone", 51_750, 56_000, (48, 72, 57), _LANDSCAPE),
    ),
)  # fmt: skip

_CELLS = DemoVideo(
    slug="cells-and-tones",
    title="Demo: Cells and tones",
    frame_rate=25,
    scenes=_scenes(
        ("colony", "pulses", 10), ("weave", "steady tone", 9), ("bloom", "rising tone", 11),
        ("triangles", "silence", 8), ("thread", "trembling tone", 10), ("boxes", "chord", 12),
    ),
    clips=(
        _clip(1, "Scene 1: pulses", 2_000, 6_000, (86, 79, 60), *_ALL),
        _clip(2, "Scene 2: steady tone", 11_000, 18_000, (91, 40, 42)),
        _clip(3, "Scene 3: rising tone", 21_480, 26_000, (88, 90, 84), _PORTRAIT, _SQUARE),
        _clip(4, "Scene 4: silence", 31_000, 37_000, (72, 0, 25)),
        _clip(5, "Scene 5: trembling tone", 40_250, 44_250, (80, 66, 51), _PORTRAIT),
        _clip(6, "Scene 6: chord", 51_000, 58_000, (62, 70, 38)),
    ),
)  # fmt: skip

_ZOOM = DemoVideo(
    slug="slow-zoom",
    title="Demo: Slow zoom",
    frame_rate=30,
    scenes=_scenes(
        ("island", "steady tone", 12), ("rings", "trembling tone", 9), ("glow", "silence", 9),
        ("valley", "chord", 11), ("curtain", "falling tone", 9), ("tiles", "pulses", 10),
    ),
    clips=(
        _clip(1, "Scene 1: steady tone", 3_000, 7_000, (44, 52, 70), *_ALL),
        _clip(2, "Scene 2: trembling tone", 13_500, 17_500, (83, 68, 74), _PORTRAIT),
        _clip(3, "Cut from scene 2 to scene 3", 19_000, 23_000, (76, 35, 61)),
        _clip(4, "Scene 4: chord", 31_000, 35_500, (69, 82, 88), _PORTRAIT, _LANDSCAPE),
        _clip(5, "Scene 6: pulses", 51_250, 57_000, (58, 74, 63)),
    ),
)  # fmt: skip

DEMO_VIDEOS = (_DRIFT, _CELLS, _ZOOM)
