"""A file that ended the process that opened it twice is not opened again by itself; a person, or another file, starts anew."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from clipviewer.db.models import Video, utc_now
from clipviewer.jobs.kinds import KINDS
from clipviewer.jobs.running import LibraryAttempt
from clipviewer.media.cage.cage import CAGE
from clipviewer.media.ffmpeg import Ffmpeg, MediaStopped
from clipviewer.services import work
from clipviewer.services.container import Services
from clipviewer.services.library.opening_media import opening_media
from clipviewer.services.library.video_previews import enqueue_missing_previews
from tests.claims import claim_next
from tests.jobs.conftest import MASTER_KEY, VIDEO_ID

pytestmark = pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], int]]:
    """Have every child process crash, and count them."""
    count = tmp_path / "opened"
    count.touch()
    CAGE.close()
    with monkeypatch.context() as patched:
        patched.setattr(CAGE, "_command", (sys.executable, "-c", f"input(); open({str(count)!r}, 'a').write('x')"))
        yield lambda: len(count.read_text())
    CAGE.close()


def attempt(services: Services, folder: Path, kind: str = "previews", actor: str = "", interrupted: bool = False) -> str:
    """Make one attempt at a job; return its state and why it failed."""
    with services.database.write() as db:
        work.enqueue(db, kind, VIDEO_ID, video_id=VIDEO_ID, actor=actor)
        if interrupted and (item := claim_next(db, [kind], utc_now())) is not None:
            work.release(db, item, utc_now())
        item = claim_next(db, [kind], utc_now())
    assert item is not None
    LibraryAttempt(services, item, folder / item.id, Ffmpeg()).run(KINDS[kind].perform)
    with services.database.read() as db:
        done = work.work(db, item.id)
    return f"{done.state}: {done.note}"


def test_a_file_that_crashed_two_processes_is_not_opened_a_third_time(room: Services, tmp_path: Path, opened: Callable[[], int]) -> None:
    for _ in range(2):
        assert attempt(room, tmp_path).startswith("failed: Opening this file crashed")
    assert opened() == 2
    for kind in ("previews", "find"):
        said = attempt(room, tmp_path, kind)
        assert said.startswith("failed: Opening this file crashed")
        assert said.endswith("It happened 2 times, so the file is not opened again by itself.")
    assert "not opened again" in attempt(room, tmp_path, actor="user_1", interrupted=True)
    with room.database.write() as db:
        assert enqueue_missing_previews(db) == 0
    assert opened() == 2


def test_a_person_may_have_it_opened_again(room: Services, tmp_path: Path, opened: Callable[[], int]) -> None:
    for _ in range(3):
        attempt(room, tmp_path, actor="user_1")
    assert opened() == 3


def test_another_file_in_its_place_is_opened(room: Services, tmp_path: Path, opened: Callable[[], int]) -> None:
    for _ in range(3):
        attempt(room, tmp_path)
    room.store.put(MASTER_KEY, b"another file", "video/mp4")
    attempt(room, tmp_path)
    assert opened() == 3


def test_a_file_that_could_be_opened_after_all_counts_no_longer(room: Services, tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(MediaStopped), opening_media(room.database, VIDEO_ID):
            raise MediaStopped("Too much.")
    with pytest.raises(MediaStopped, match="not opened again"), opening_media(room.database, VIDEO_ID):
        pytest.fail("it was opened")
    assert attempt(room, tmp_path, actor="user_1").startswith("done")
    with room.database.read() as db:
        assert "stopped" not in db.get_one(Video, VIDEO_ID).media
    assert attempt(room, tmp_path).startswith("done")
