"""Running ffmpeg: it stops when it should, with all its children, and reports why."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from clipviewer.media.ffmpeg import Ffmpeg, MediaCancelled, MediaError


@pytest.fixture
def started(tmp_path: Path) -> Path:
    return tmp_path / "started"


@pytest.fixture
def endless(tmp_path: Path, started: Path) -> Ffmpeg:
    """An executable that never ends and starts a child, whose id it writes down."""
    return _script(tmp_path, f"sleep 600 &\necho $! > {started}.part\nmv {started}.part {started}\nwait")


def test_progress_is_told_in_milliseconds_up_to_the_end(tmp_path: Path) -> None:
    told: list[int] = []
    out = tmp_path / "out.mp4"
    Ffmpeg().run(["-f", "lavfi", "-i", "color=s=64x64:r=25:d=2", "-y", str(out)], timeout=60, on_progress=told.append)
    assert told == sorted(told)
    assert 1_900 <= told[-1] <= 2_000
    assert out.stat().st_size > 0


def test_cancelling_ends_the_whole_process_group(endless: Ffmpeg, started: Path) -> None:
    with pytest.raises(MediaCancelled):
        endless.run([], timeout=60, cancelled=started.exists)
    _expect_gone(int(started.read_text()))


def test_a_timeout_ends_the_whole_process_group_and_says_so(endless: Ffmpeg, started: Path) -> None:
    with pytest.raises(MediaError, match="did not finish within 2 seconds"):
        endless.run([], timeout=2)
    _expect_gone(int(started.read_text()))


def test_a_failure_has_a_sentence_for_people_and_the_last_lines_for_the_operator(tmp_path: Path) -> None:
    with pytest.raises(MediaError) as caught:
        Ffmpeg().run(["-i", str(tmp_path / "missing.mp4"), "-f", "null", "-"], timeout=60)
    assert "No such file" in caught.value.log
    assert "No such file" not in caught.value.detail
    assert caught.value.detail.endswith(".")


def test_the_query_of_a_url_stays_out_of_the_error(tmp_path: Path) -> None:
    ffmpeg = _script(tmp_path, "echo 'https://host/a.mp4?X-Amz-Signature=abc: Server returned 403' >&2\nexit 1")
    with pytest.raises(MediaError) as caught:
        ffmpeg.run([], timeout=60)
    assert "Server returned 403" in str(caught.value)
    assert "X-Amz" not in str(caught.value)


def test_an_output_that_did_not_reach_its_end_is_a_failure(tmp_path: Path) -> None:
    with pytest.raises(MediaError):
        _script(tmp_path, "echo progress=continue").run([], timeout=60)
    _script(tmp_path, "echo progress=end").run([], timeout=60)


def test_it_runs_at_low_priority(tmp_path: Path) -> None:
    wait_for_nice = 'until [ "$(cut -d" " -f19 /proc/$$/stat)" = 10 ]; do sleep 0.05; done'
    _script(tmp_path, f"{wait_for_nice}\necho progress=end").run([], timeout=10)


def test_it_gets_no_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_SECRET_ACCESS_KEY", "CLIPVIEWER_SECRET_KEY", "DATABASE_URL", "SOME_TOKEN"):
        monkeypatch.setenv(name, "c4narY")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    _script(tmp_path, f"env > {tmp_path}/environment\necho progress=end").run([], timeout=60)
    got = (tmp_path / "environment").read_text()
    assert "c4narY" not in got
    assert "LC_ALL=C.UTF-8" in got
    assert "PATH=" in got


def test_an_executable_that_is_not_there_names_its_setting(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="CLIPVIEWER_FFMPEG"):
        Ffmpeg(str(tmp_path / "nothing")).run([], timeout=60)


def _script(folder: Path, body: str) -> Ffmpeg:
    path = folder / "ffmpeg"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o700)
    return Ffmpeg(str(path))


def _expect_gone(pid: int) -> None:
    deadline = time.monotonic() + 10
    while _runs(pid):
        assert time.monotonic() < deadline, "a process was left behind"
        os.sched_yield()


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
