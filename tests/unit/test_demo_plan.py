"""The demo's plan is consistent, and its counter can be read back from every crop."""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate

import pytest

from clipviewer.demo import counter
from clipviewer.demo.looks import LOOKS, SOUNDS
from clipviewer.demo.plan import DEMO_VIDEOS, DemoVideo, Scene
from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.object_key import check_object_key

videos = pytest.mark.parametrize("video", DEMO_VIDEOS, ids=lambda video: video.slug)


def test_there_is_one_video_at_each_of_three_frame_rates() -> None:
    assert sorted(video.frame_rate for video in DEMO_VIDEOS) == [24, 25, 30]


@videos
def test_a_video_lasts_a_minute_or_more_and_its_scenes_fill_it(video: DemoVideo) -> None:
    assert 60_000 <= video.duration_ms <= 90_000
    assert sum(video.scene_frames()) * 1000 == video.duration_ms * video.frame_rate


def test_scene_lengths_of_fractional_frames_still_add_up() -> None:
    scenes = tuple(Scene("boxes", "chord", length) for length in (1_010, 990, 333, 667))
    assert sum(DemoVideo("odd", "Odd", 24, scenes, ()).scene_frames()) == 72


@videos
def test_neighbouring_scenes_differ_in_picture_and_in_sound(video: DemoVideo) -> None:
    for before, after in zip(video.scenes, video.scenes[1:], strict=False):
        assert before.look != after.look
        assert before.sound != after.sound
    assert {scene.look for scene in video.scenes} <= LOOKS.keys()
    assert {scene.sound for scene in video.scenes} <= SOUNDS.keys()
    assert "silence" in {scene.sound for scene in video.scenes}


@videos
def test_clips_lie_inside_their_video_under_names_of_their_own(video: DemoVideo) -> None:
    assert 5 <= len(video.clips) <= 7
    assert len({clip.reference for clip in video.clips}) == len({clip.title for clip in video.clips}) == len(video.clips)
    for clip in video.clips:
        assert 0 <= clip.start_ms < clip.end_ms <= video.duration_ms
        assert len(clip.score_parts) >= 3
        assert all(0 <= part <= 100 for part in clip.score_parts.values())
        assert 0 <= clip.score <= 100


@videos
def test_a_title_describes_picture_and_sound(video: DemoVideo) -> None:
    ends = list(accumulate(scene.duration_ms for scene in video.scenes))
    for clip in video.clips:
        first = next(index for index, end in enumerate(ends) if clip.start_ms < end)
        last = next(index for index, end in enumerate(ends) if clip.end_ms <= end)
        if first == last:
            assert clip.title == f"Scene {first + 1}: {video.scenes[first].sound}"
        else:
            assert clip.title == f"Cut from scene {first + 1} to scene {last + 1}"


@videos
def test_six_to_eight_clips_are_exported_in_all_three_shapes_together(video: DemoVideo) -> None:
    exports = video.exports()
    assert 6 <= len(exports) <= 8
    assert {ratio for _, ratio in exports} == set(AspectRatio)
    assert any(len(clip.ratios) == len(AspectRatio) for clip in video.clips)
    assert [clip.start_ms for clip, _ in exports] == sorted(clip.start_ms for clip, _ in exports)


def test_every_key_is_valid_and_unique() -> None:
    keys = [key for video in DEMO_VIDEOS for key in (video.master_key, video.poster_key)]
    keys += [video.export_key(clip, ratio) for video in DEMO_VIDEOS for clip, ratio in video.exports()]
    assert [check_object_key(key, "demo/") for key in keys] == keys
    assert len(set(keys)) == len(keys)
    assert "demo/drifting-colours/exported/clip_01_9x16.mp4" in keys


@pytest.mark.parametrize("ratio", AspectRatio)
def test_the_frame_number_is_read_back_from_every_crop(ratio: AspectRatio) -> None:
    pictures = list(counter.counter_frames(1_801, 30))
    for number in (0, 1, 2, 255, 256, 1_023, 1_365, 1_800):
        assert counter.read_frame_number(_shown(pictures[number], ratio), ratio.frame.width, ratio.frame.height) == number


def test_an_inconsistent_counter_is_refused() -> None:
    shown = _shown(next(counter.counter_frames(1, 24)), AspectRatio.LANDSCAPE)
    with pytest.raises(ValueError, match="no frame number"):
        counter.read_frame_number(lambda x, y: 255 - shown(x, y), 1280, 720)
    with pytest.raises(ValueError, match="no frame number"):
        counter.read_frame_number(lambda x, y: 255 if x > 640 and x < 650 else shown(x, y), 1280, 720)


def _shown(picture: bytes, ratio: AspectRatio) -> Callable[[int, int], int]:
    """Return the luma of a frame cropped to ``ratio`` around the centre at full height, showing the counter as the footage does."""
    factor = ratio.frame.height / counter.MASTER_HEIGHT

    def luma(x: int, y: int) -> int:
        column = ((x - ratio.frame.width / 2) / factor + counter.WIDTH * counter.SCALE / 2) / counter.SCALE
        row = (y / factor - counter.TOP) / counter.SCALE
        inside = 0 <= column < counter.WIDTH and 0 <= row < counter.HEIGHT
        return picture[int(row) * counter.WIDTH + int(column)] if inside else 128

    return luma
