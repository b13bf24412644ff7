"""An export shows the pixels of its framing, by the same rule as the frame over the master."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.framing import Framing, FramingMode, Rect, Shot, auto_framing_at, crop_rect
from clipviewer.media.ffmpeg import Ffmpeg, MediaCancelled
from clipviewer.media.framing.reframe import analyse_range
from clipviewer.media.render.picture_filters import picture_graph
from clipviewer.media.render.render import RenderResult, RenderSpec, render
from clipviewer.media.source.probe import probe
from tests.moving_subjects import FRAME_RATE, SCENES, Scene, film

Grey = NDArray[np.int16]

AUTO = Framing(FramingMode.AUTO)
EVERY_PICTURE_COUNTS = ("-x264-params", "scenecut=0:keyint=250:bframes=3:b-adapt=0")


def scene(name: str) -> Scene:
    return next(scene for scene in SCENES if scene.name == name)


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return film(scene("walks across"), tmp_path_factory.mktemp("walk") / "walk.mp4")


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A texture in which every place looks different."""
    return film(Scene("texture", 0.5, lambda _: (0.5, 0.5)), tmp_path_factory.mktemp("texture") / "texture.mp4", "-crf", "5")


@pytest.fixture(scope="module", params=["no bars", "above and below", "at the sides"])
def source(request: pytest.FixtureRequest, plain: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Rect]:
    """A file, and its picture between the bars."""
    sizes = {"no bars": (640, 360, 0, 0), "above and below": (640, 480, 0, 60), "at the sides": (800, 360, 80, 0)}
    width, height, left, top = sizes[request.param]
    out = tmp_path_factory.mktemp("barred") / "source.mp4"
    Ffmpeg().run(["-i", str(plain), "-vf", f"pad={width}:{height}:{left}:{top}", "-crf", "5", "-y", str(out)], timeout=60)
    return out, Rect(left, top, 640, 360)


def pictures(path: Path) -> Iterator[Grey]:
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield frame.to_ndarray(format="gray").astype(np.int16)


def shift(shown: Grey, whole: Grey, rect: Rect) -> tuple[int, int]:
    """Return the offset of ``shown`` from the ``rect`` of ``whole`` at the best fit, in pixels."""
    differences = {}
    for x in range(max(0, rect.x - 6), min(whole.shape[1] - rect.width, rect.x + 6) + 1):
        for y in range(max(0, rect.y - 6), min(whole.shape[0] - rect.height, rect.y + 6) + 1):
            part = whole[y : y + rect.height, x : x + rect.width]
            differences[x - rect.x, y - rect.y] = float(np.abs(part - shown).mean())
    return min(differences, key=differences.__getitem__)


def unscaled(source: Path, out: Path, ratio: AspectRatio, framing: Framing, content: Rect, end_ms: int) -> RenderResult:
    rect = crop_rect(content.width, content.height, ratio, framing)
    return render(Ffmpeg(), RenderSpec(str(source), 0, end_ms, ratio, framing, (rect.width, rect.height)), out)


@pytest.mark.parametrize("ratio", AspectRatio)
@pytest.mark.parametrize(("x", "y"), [(0, 0), (0.31, 0.6), (0.777, 0.5), (1, 1)])
def test_a_crop_by_hand_shows_its_pixels_and_no_others(
    source: tuple[Path, Rect], tmp_path: Path, ratio: AspectRatio, x: float, y: float
) -> None:
    path, content = source
    framing = Framing(FramingMode.MANUAL, x, y)
    result = unscaled(path, tmp_path / "clip.mp4", ratio, framing, content, 200)
    assert result.content == content
    rect = crop_rect(content.width, content.height, ratio, framing)
    there = Rect(content.x + rect.x, content.y + rect.y, rect.width, rect.height)
    assert shift(next(pictures(tmp_path / "clip.mp4")), next(pictures(path)), there) == (0, 0)


@pytest.mark.parametrize("coding", [(), EVERY_PICTURE_COUNTS], ids=["cuts are keyframes", "cuts are anywhere"])
def test_auto_changes_its_crop_with_the_first_picture_of_a_shot(tmp_path: Path, coding: tuple[str, ...]) -> None:
    path = film(scene("two shots"), tmp_path / "source.mp4", *coding)
    result = unscaled(path, tmp_path / "clip.mp4", AspectRatio.PORTRAIT, AUTO, Rect(0, 0, 640, 360), 6_000)
    assert [shot.start_ms for shot in result.shots] == [0, 3_000]
    assert result.shots[0].x < 0.3
    assert result.shots[1].x > 0.7
    shown, whole = list(pictures(tmp_path / "clip.mp4")), list(pictures(path))
    for number in (0, 71, 72, 143):
        rect = crop_rect(640, 360, AspectRatio.PORTRAIT, auto_framing_at(result.shots, number * 1000 / FRAME_RATE))
        assert shift(shown[number], whole[number], rect) == (0, 0)


def test_auto_follows_a_moving_subject_along_the_reported_path(walk: Path, tmp_path: Path) -> None:
    result = unscaled(walk, tmp_path / "clip.mp4", AspectRatio.PORTRAIT, AUTO, Rect(0, 0, 640, 360), 8_000)
    shown, whole = list(pictures(tmp_path / "clip.mp4")), list(pictures(walk))
    for number in range(0, len(whole), 16):
        at_ms = number * 1000 / FRAME_RATE
        rect = crop_rect(640, 360, AspectRatio.PORTRAIT, auto_framing_at(result.shots, at_ms))
        left, _, right, _ = scene("walks across").box(at_ms)
        assert rect.x / 640 <= left < right <= (rect.x + rect.width) / 640
        x, y = shift(shown[number], whole[number], rect)
        assert abs(x) <= 2
        assert y == 0


def test_the_analysis_of_a_range_matches_its_export_and_leaves_nothing(walk: Path, tmp_path: Path) -> None:
    folder, out = tmp_path / "looks", tmp_path / "clips" / "clip.mp4"
    folder.mkdir()
    out.parent.mkdir()
    look = analyse_range(Ffmpeg(), str(walk), 1_300, 6_300, folder)
    for ratio in AspectRatio:
        result = render(Ffmpeg(), RenderSpec(str(walk), 1_300, 6_300, ratio, AUTO, (180, 180)), out, preset="ultrafast")
        assert (result.shots, result.content) == (look.shots[ratio], look.content)
    assert look == analyse_range(Ffmpeg(), str(walk), 1_300, 6_300, folder)
    assert list(folder.iterdir()) == []
    assert list(out.parent.iterdir()) == [out]


@pytest.mark.parametrize("asked", [1, 4, 12])
def test_a_cancelled_analysis_stops_and_leaves_nothing(walk: Path, tmp_path: Path, asked: int) -> None:
    questions = iter(range(1_000_000))
    with pytest.raises(MediaCancelled):
        analyse_range(Ffmpeg(), str(walk), 0, 8_000, tmp_path, cancelled=lambda: next(questions) >= asked)
    assert list(tmp_path.iterdir()) == []


def test_a_wide_export_of_a_wide_picture_shows_all_of_it(walk: Path, tmp_path: Path) -> None:
    assert analyse_range(Ffmpeg(), str(walk), 0, 2_000, tmp_path).shots[AspectRatio.LANDSCAPE] == (Shot(0, 0.5, 0.5),)


def test_any_number_of_shots_fits_one_filter_graph(walk: Path, tmp_path: Path) -> None:
    shots = [Shot(10 * number, 0.2 + 0.1 * (number % 7), 0.5, glides=number % 5 == 0) for number in range(500)]
    info, content = probe(walk), Rect(0, 0, 640, 360)
    graph = picture_graph(info, content, AspectRatio.PORTRAIT, AUTO, (202, 360), seconds="5.000", shots=shots)
    out = tmp_path / "clip.mp4"
    Ffmpeg().run(["-t", "5", "-i", str(walk), "-filter_complex", graph, "-map", "[picture]", "-y", str(out)], timeout=60)
    shown, whole = list(pictures(out)), list(pictures(walk))
    for number in (0, 50, 119):
        rect = crop_rect(640, 360, AspectRatio.PORTRAIT, auto_framing_at(shots, number * 1000 / FRAME_RATE))
        assert abs(shift(shown[number], whole[number], rect)[0]) <= 2
