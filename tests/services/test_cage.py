"""Untrusted media is opened in a child process within limits: no file costs the server memory, and people read why it was refused."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from clipviewer.media.cage.cage import CAGE, PROBE, Cage, Patience
from clipviewer.media.captions.embedded import extract_captions
from clipviewer.media.ffmpeg import Ffmpeg, MediaCancelled, MediaError, MediaStopped
from clipviewer.media.finding.highlights import find_clips
from clipviewer.media.render.remux import remux
from clipviewer.media.source.inspection import inspect
from clipviewer.media.source.probe import probe
from clipviewer.services.library.uploading import Uploading
from clipviewer.services.library.uploads import UploadRefused
from tests.bombs import huge_picture, many_samples, watched
from tests.services.upload_steps import ANNA, begin, no_audit, send

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux only")
SECONDS, OWN_MIB, TOGETHER_MIB = 20, 60, 1_200
SENTENCES = {"many samples": "claims 60,000,000 pictures or sounds", "huge picture": "too large"}
READERS: dict[str, Callable[[Path, Path], object]] = {
    "probe": lambda path, _: probe(path),
    "inspection": lambda path, folder: inspect(str(path), folder),
    "finding": lambda path, folder: find_clips(Ffmpeg(), str(path), duration_ms=60_000, captions=None, folder=folder),
    "remux": lambda path, folder: remux(Ffmpeg(), str(path), folder / "out.mp4"),
}


@pytest.fixture(scope="module")
def bombs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("bombs")
    return {"many samples": many_samples(folder / "samples.mov"), "huge picture": huge_picture(folder / "picture.mov")}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("small") / "small.mp4"
    Ffmpeg().run(["-f", "lavfi", "-i", "testsrc2=s=64x64:r=25:d=1", "-y", str(path)], timeout=60)
    return path


@pytest.fixture
def cage(tmp_path: Path) -> Iterator[Callable[[str], Cage]]:
    """Make a cage whose child runs the given Python instead of opening media, and is given two seconds."""
    made: list[Cage] = []

    def make(source: str) -> Cage:
        made.append(Cage((sys.executable, "-c", source), Patience(2, 2)))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_the_bombs_are_small(bombs: dict[str, Path]) -> None:
    assert bombs["many samples"].stat().st_size < 6_000
    assert 2_900_000 < bombs["huge picture"].stat().st_size < 3_100_000


@pytest.mark.parametrize("name", SENTENCES)
@pytest.mark.parametrize("reader", READERS)
def test_a_bomb_costs_the_server_no_memory_and_little_time(bombs: dict[str, Path], tmp_path: Path, name: str, reader: str) -> None:
    begun = time.monotonic()
    with watched() as held, pytest.raises(MediaError, match=SENTENCES[name]):
        READERS[reader](bombs[name], tmp_path)
    assert time.monotonic() - begun < SECONDS
    assert held.own < OWN_MIB
    assert held.together < TOGETHER_MIB
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("name", SENTENCES)
def test_a_bomb_that_is_uploaded_is_refused_with_the_reason(uploading: Uploading, bombs: dict[str, Path], name: str) -> None:
    data, begun = bombs[name].read_bytes(), time.monotonic()
    found = begin(uploading, "talk.mov", data)
    send(uploading, found, data)
    with watched() as held, pytest.raises(UploadRefused, match=f"talk.mov was not added.*{SENTENCES[name]}"):
        uploading.complete(found.id, ANNA, no_audit)
    assert time.monotonic() - begun < SECONDS
    assert held.own < OWN_MIB
    assert list(uploading.services.store.list("")) == []


def test_captions_inside_a_bomb_cost_the_server_no_memory(bombs: dict[str, Path], tmp_path: Path) -> None:
    with watched() as held, pytest.raises(MediaError, match=SENTENCES["many samples"]):
        extract_captions(Ffmpeg(), str(bombs["many samples"]), tmp_path)
    assert held.together < TOGETHER_MIB


def test_a_file_that_needs_too_much_memory_is_refused_and_the_next_one_is_not(small: Path) -> None:
    child = "import clipviewer.media.cage.child as child; child.open_media = lambda _: bytearray(2 * child.MEMORY); child.main()"
    greedy = Cage((sys.executable, "-c", child))
    with pytest.raises(MediaStopped, match="more memory"):
        greedy.look(PROBE, f"file:{small}")
    assert probe(small).duration_ms == 1_000


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("import os, signal; input(); os.kill(os.getpid(), signal.SIGSEGV)", "crashed"),
        ("input(); raise SystemExit(3)", "crashed"),
        ("input(); print('not json', flush=True); input()", "crashed"),
        ('input(); print(\'{"found": {"duration_ms": "1; DROP"}}\', flush=True); input()', "crashed"),
        ("input(); print('x' * 2_000_000, flush=True); input()", "crashed"),
        ("input(); import time; time.sleep(600)", "took too long"),
        ("import signal; input(); signal.alarm(1); signal.pause()", "took too long"),
    ],
    ids=["a crash", "an early end", "no answer", "an answer of another kind", "an endless answer", "hanging", "its own alarm"],
)
def test_a_child_that_does_not_answer_is_ended_with_a_reason(cage: Callable[[str], Cage], source: str, sentence: str) -> None:
    with pytest.raises(MediaStopped, match=sentence):
        cage(source).look(PROBE, "file:/nowhere")
    assert not _children_that_run(source)


def test_cancelling_ends_the_child_at_once(cage: Callable[[str], Cage]) -> None:
    source, begun = "input(); import time; time.sleep(601)", time.monotonic()
    with pytest.raises(MediaCancelled):
        cage(source).look(PROBE, "file:/nowhere", cancelled=lambda: bool(_children_that_run(source)))
    assert time.monotonic() - begun < 2
    assert not _children_that_run(source)


def test_the_child_is_kept_for_the_next_file_and_replaced_when_it_has_died(small: Path) -> None:
    probe(small)
    (kept,) = _children_that_run("clipviewer.media.cage.child")
    probe(small)
    assert _children_that_run("clipviewer.media.cage.child") == [kept]
    os.kill(kept, 9)
    os.waitid(os.P_PID, kept, os.WEXITED | os.WNOWAIT)
    assert probe(small).width == 64
    CAGE.close()
    assert _children_that_run("clipviewer.media.cage.child") == []


def test_the_child_knows_none_of_the_servers_secrets(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "very secret")
    monkeypatch.setenv("CLIPVIEWER_SECRET_KEY", "very secret")
    CAGE.close()
    probe(small)
    (child,) = _children_that_run("clipviewer.media.cage.child")
    assert b"very secret" not in Path(f"/proc/{child}/environ").read_bytes()
    limits = Path(f"/proc/{child}/limits").read_text()
    assert {line.split("  ")[0]: line.split()[-2] for line in limits.splitlines()[1:]}["Max file size"] == "0"


def _children_that_run(source: str) -> list[int]:
    """Return this process's children whose command line has ``source``."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command, status = (folder / "cmdline").read_bytes().decode(), (folder / "status").read_text()
        except (OSError, UnicodeDecodeError):
            continue
        if source in command and f"\nPPid:\t{os.getpid()}\n" in status:
            found.append(int(folder.name))
    return found
