"""Clips found in real footage: the outstanding passage, to the frame, with nothing left behind; and odd or bad footage."""

from __future__ import annotations

import socket
import time
from itertools import pairwise
from pathlib import Path

import pytest

from clipviewer.domain.highlight import Candidate, FindOptions
from clipviewer.errors import ObjectMissing
from clipviewer.media.cage.cage import PROBE
from clipviewer.media.captions.tracks import CaptionTrack, Cue, parse_captions
from clipviewer.media.ffmpeg import Ffmpeg, MediaCancelled, MediaError
from clipviewer.media.finding import footage_scan
from clipviewer.media.finding.cuts import find_cuts
from clipviewer.media.finding.footage_scan import Footage
from clipviewer.media.finding.highlights import NothingFound, find_clips
from clipviewer.media.source.opened_source import open_source
from clipviewer.media.source.probe import probe
from tests.range_server import range_server, refuse_with, send_range

SAMPLES = Path(__file__).parents[3] / "shared" / "samples"
TEARS, FRIDAY = SAMPLES / "tears-of-steel-battle-clip-medium.webm", SAMPLES / "friday.mp4"
needs_samples = pytest.mark.skipif(not SAMPLES.exists(), reason=f"the sample footage is not on this machine: {SAMPLES}")

DURATION_MS, LOUD_FROM_MS, LOUD_TO_MS = 100_000, 40_000, 62_000
QUICK = ("-preset", "ultrafast", "-g", "50")


def make(out: Path, *args: str) -> Path:
    Ffmpeg().run([*args, "-y", str(out)], timeout=120)
    return out


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hundred seconds of a dim picture and a soft hum; from 40 to 62 s it is loud and the picture moves."""
    loud = f"between(t,{LOUD_FROM_MS / 1000},{LOUD_TO_MS / 1000 - 0.001})"
    picture = f"color=0x203040:s=320x180:r=25:d=100[dim];testsrc2=s=320x180:r=25:d=100[moving];[dim][moving]overlay=enable='{loud}'"
    sound = f"aevalsrc='if({loud},0.5*sin(2*PI*300*t)*(1+sin(2*PI*5*t))/2,0.01*sin(2*PI*100*t))':d=100:s=16000"
    return make(
        tmp_path_factory.mktemp("talk") / "talk.mp4",
        *("-filter_complex", f"{picture},format=yuv420p[picture];{sound}[sound]", "-map", "[picture]", "-map", "[sound]"),
        *(*QUICK, "-c:a", "aac"),
    )


@pytest.fixture(scope="module")
def small(small_footage: Path) -> Path:
    return small_footage


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder; the test fails if a search leaves something in it."""
    path = tmp_path / "work"
    path.mkdir()
    return path


def find(source: Path | str, folder: Path, captions: CaptionTrack | None = None, **options: int) -> list[Candidate]:
    found = find_clips(Ffmpeg(), str(source), duration_ms=3_600_000, captions=captions, folder=folder, options=FindOptions(**options))
    assert list(folder.iterdir()) == []
    return found


@pytest.mark.parametrize("by_keyframes", [False, True])
def test_the_loud_and_moving_passage_is_found_first_and_to_the_frame(
    talk: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, by_keyframes: bool
) -> None:
    if by_keyframes:
        monkeypatch.setattr(footage_scan, "LOOKED_THROUGH_UP_TO_MS", 0)
    first = find(talk, folder)[0]
    assert (first.start_ms, first.end_ms) == (LOUD_FROM_MS, LOUD_TO_MS)
    assert first.title == "At 0:40"
    assert "louder" in {reason.partition(" than the rest")[0] for reason in first.reasons}
    assert min(first.parts[name] for name in ("loudness σ", "contrast dB", "motion σ")) > 1.5


def test_the_same_video_gives_the_same_clips_from_a_path_and_from_the_store(talk: Path, folder: Path) -> None:
    with range_server(talk.read_bytes(), send_range) as url:
        assert find(url, folder) == find(talk, folder) == find(talk, folder)


def test_an_edge_never_cuts_a_word_and_the_title_is_what_is_said(talk: Path, folder: Path) -> None:
    words = [Cue(at, at + 2_900, f"Word number {at} goes on") for at in range(500, 37_000, 3_000)]
    track = CaptionTrack((*words, Cue(38_000, 41_500, "Will it"), Cue(41_500, 44_000, "hold?"), Cue(60_500, 63_000, "It did!")))
    found = find(talk, folder, track, shortest_ms=5_000, longest_ms=30_000)
    assert not [cue for cue in track.cues for one in found for edge in (one.start_ms, one.end_ms) if cue.start_ms < edge < cue.end_ms]
    assert found[0].title in ("Will it hold?", "It did!")


def test_progress_grows_to_the_end(talk: Path, folder: Path) -> None:
    told: list[float] = []
    find_clips(Ffmpeg(), str(talk), duration_ms=DURATION_MS, captions=None, folder=folder, on_progress=told.append)
    assert len(told) > 3
    assert all(before <= after for before, after in pairwise(told))
    assert told[-1] == 1


@pytest.mark.parametrize("after", [0, 3, 8])
def test_a_search_is_cancelled_within_a_second_and_leaves_nothing(folder: Path, tmp_path: Path, after: int) -> None:
    long = make(tmp_path / "long.mkv", "-f", "lavfi", "-i", "testsrc2=s=1280x720:d=20", "-f", "lavfi", "-i", "sine=d=20", *QUICK)
    asked: list[float] = []

    def cancelled() -> bool:
        asked.append(time.monotonic())
        return len(asked) > after

    with pytest.raises(MediaCancelled):
        find_clips(Ffmpeg(), str(long), duration_ms=20_000, captions=None, folder=folder, cancelled=cancelled)
    assert time.monotonic() - asked[after] < 1
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("name", ["small.mp4", "small.mkv", "small.mov", "small.ts"])
def test_cuts_are_found_on_their_frame_from_any_starting_point(small: Path, folder: Path, tmp_path: Path, name: str) -> None:
    source = small if name == "small.mp4" else make(tmp_path / name, "-i", str(small), "-c", "copy")
    with open_source(str(source), folder) as opened:
        info = opened.ask(PROBE)
        footage = Footage(Ffmpeg(), opened, info, info.duration_ms)
        for pictures, times in footage.look_closely([(500, 2_500), (1_234, 3_456), (3_010, 5_000)], folder):
            assert (2_000 if times[0] < 2_000 else 4_000) in [round(times[index], 1) for index in find_cuts(pictures)]
            assert {round(after - before) for before, after in pairwise(times)} <= {41, 42}


@pytest.mark.parametrize(
    ("name", "coding", "every_ms"),
    [
        ("a.mp4", ["-c:v", "libx264", "-preset", "ultrafast"], 2_000),
        ("a.webm", ["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8"], 2_000),
        ("a.ts", ["-c:v", "mpeg2video"], 2_000),
        ("a.mov", ["-c:v", "prores_ks"], 500),
    ],
)
def test_a_long_video_is_analysed_by_its_keyframes_at_most_two_per_second(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, coding: list[str], every_ms: int
) -> None:
    monkeypatch.setattr(footage_scan, "LOOKED_THROUGH_UP_TO_MS", 0)
    source = make(tmp_path / name, "-f", "lavfi", "-i", "testsrc2=s=320x180:r=24:d=10", *coding, "-g", "48")
    with open_source(str(source), folder) as opened:
        info = opened.ask(PROBE)
        times = Footage(Ffmpeg(), opened, info, info.duration_ms).scan(folder, lambda share: None).times_ms
    assert [round(after - before) for before, after in pairwise(times)] == [every_ms] * (10_000 // every_ms - 1)


def test_a_video_without_sound_is_judged_by_its_picture(talk: Path, folder: Path, tmp_path: Path) -> None:
    first = find(make(tmp_path / "silent.mp4", "-i", str(talk), "-c", "copy", "-an"), folder)[0]
    assert (first.start_ms, first.end_ms) == (LOUD_FROM_MS, LOUD_TO_MS)
    assert not [name for name in first.parts if "σ" in name and name != "motion σ"]


def test_a_still_picture_is_judged_by_its_sound(talk: Path, folder: Path, tmp_path: Path) -> None:
    still = make(
        tmp_path / "still.mp4", "-f", "lavfi", "-i", "color=gray:s=320x180:r=5:d=100", "-i", str(talk), "-map", "0:v", "-map", "1:a", *QUICK
    )
    first = find(still, folder)[0]
    assert (first.start_ms, first.end_ms) == (pytest.approx(LOUD_FROM_MS, abs=300), pytest.approx(LOUD_TO_MS, abs=300))
    assert "cuts" not in first.parts


def test_silence_before_a_still_picture_says_so(folder: Path, tmp_path: Path) -> None:
    still = make(tmp_path / "still.mp4", "-f", "lavfi", "-i", "color=gray:s=320x180:r=5:d=30", "-f", "lavfi", "-i", "anullsrc=d=30", *QUICK)
    with pytest.raises(NothingFound, match="mark clips in it by hand"):
        find(still, folder)
    assert list(folder.iterdir()) == []


def test_a_short_video_is_one_candidate(small: Path, folder: Path) -> None:
    (only,) = find(small, folder)
    assert (only.start_ms, only.end_ms, only.title) == (0, 6_000, "At 0:00")


def test_damage_in_one_place_does_not_end_the_search(talk: Path, folder: Path, tmp_path: Path) -> None:
    data = bytearray(talk.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 2_000] = bytes(255 - byte for byte in data[middle : middle + 2_000])
    damaged = tmp_path / "damaged.mp4"
    damaged.write_bytes(data)
    first = find(damaged, folder)[0]
    assert abs(first.start_ms - LOUD_FROM_MS) < 1_000


def test_a_truncated_video_is_refused(talk: Path, folder: Path, tmp_path: Path) -> None:
    whole = make(tmp_path / "whole.mp4", "-i", str(talk), "-c", "copy", "-movflags", "+faststart")
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(whole.read_bytes()[: whole.stat().st_size * 6 // 10])
    with pytest.raises(MediaError, match="ends too early"):
        find(broken, folder)
    assert list(folder.iterdir()) == []


def test_a_missing_source_is_reported(folder: Path) -> None:
    with range_server(b"", refuse_with(404)) as url, pytest.raises(ObjectMissing):
        find(url, folder)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    "text",
    [
        "Dear Anna,\n" * 100,
        "",
        "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{url}\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile '{url}'\n",
    ],
)
def test_a_file_that_is_not_a_video_is_refused_without_a_request(folder: Path, tmp_path: Path, text: str) -> None:
    source = tmp_path / "text.mp4"
    with socket.create_server(("127.0.0.1", 0)) as canary:
        source.write_text(text.format(url=f"http://127.0.0.1:{canary.getsockname()[1]}/segment.ts"))
        with pytest.raises(MediaError, match="video file cannot be read"):
            find(source, folder)
        canary.setblocking(False)
        with pytest.raises(BlockingIOError):
            canary.accept()
    assert list(folder.iterdir()) == []


def test_an_unexpected_codec_is_refused(folder: Path, tmp_path: Path) -> None:
    source = make(tmp_path / "rare.avi", "-f", "lavfi", "-i", "testsrc2=s=320x180:d=2", "-c:v", "zmbv")
    with pytest.raises(MediaError, match="unsupported format"):
        find(source, folder)
    assert list(folder.iterdir()) == []


@needs_samples
def test_the_sample_scene_begins_and_ends_between_its_words(folder: Path, tmp_path: Path) -> None:
    track = parse_captions((SAMPLES / "friday.vtt").read_bytes(), "friday.vtt")
    looped = make(tmp_path / "looped.mp4", "-stream_loop", "9", "-i", str(FRIDAY), "-c", "copy")
    length = probe(looped).duration_ms / 10
    cues = tuple(
        Cue(round(cue.start_ms + turn * length), round(cue.end_ms + turn * length), cue.text) for turn in range(10) for cue in track.cues
    )
    found = find(looped, folder, CaptionTrack(cues))
    assert not [cue for cue in cues for one in found for edge in (one.start_ms, one.end_ms) if cue.start_ms < edge < cue.end_ms]
    assert {one.title for one in found} <= {cue.text for cue in cues}


@needs_samples
def test_the_sample_battle_is_found_to_the_frame(folder: Path) -> None:
    for one in find(TEARS, folder, share=1):
        for edge in (one.start_ms, one.end_ms):
            assert min(edge * 24 % 1000, -edge * 24 % 1000) < 24 or edge == probe(TEARS).duration_ms
