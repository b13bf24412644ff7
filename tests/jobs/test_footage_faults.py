"""Objects that are broken or no videos, through the product's worker: each fails with its reason and harms nothing else."""

from __future__ import annotations

import asyncio
import gc
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlmodel import select

from clipviewer.db.models import ExportedClip, IdentifiedClip, Video
from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.export_choices import ExportChoices
from clipviewer.domain.job_state import UNFINISHED, JobState
from clipviewer.jobs.worker import JobWorker
from clipviewer.media.ffmpeg import Ffmpeg
from clipviewer.services.cells.board import CellView
from clipviewer.services.container import Services
from clipviewer.services.exporting.exports import request_exports
from tests.jobs.attempts import reloaded, wait_until
from tests.jobs.lag import idle_loop, worst_lag

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

PLAYLIST = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{url}\n#EXT-X-ENDLIST\n"
NO_VIDEO = "video file cannot be read"
REASONS = {
    "text": NO_VIDEO,
    "playlist": NO_VIDEO,
    "nothing": "source is empty",
    "truncated": "damaged|ends too early|ends within",
    "corrupt": "damaged|ends too early|ends within",
    "huge": "too large",
}
MOST_LAG = 0.5
"""Seconds by which the event loop may lag behind an idle one beside it."""


@pytest.fixture
def canary() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as canary:
        canary.setblocking(False)
        yield canary


@pytest.fixture
def bad_objects(footage: Path, canary: socket.socket, tmp_path: Path) -> dict[str, bytes]:
    """The objects, by what is wrong with them; each is named as an mp4."""
    data = footage.read_bytes()
    corrupt = bytearray(data)
    middle = len(data) // 2
    corrupt[middle : middle + 100_000] = bytes(255 - byte for byte in data[middle : middle + 100_000])
    huge = tmp_path / "huge.mkv"
    Ffmpeg().run(["-f", "lavfi", "-i", "color=s=16384x64:d=0.2", "-c:v", "ffv1", "-y", str(huge)], timeout=60)
    return {
        "text": b"Dear Anna,\nplease find attached.\n" * 100,
        "playlist": PLAYLIST.format(url=f"http://127.0.0.1:{canary.getsockname()[1]}/segment.ts").encode(),
        "nothing": b"",
        "truncated": data[:middle],
        "corrupt": bytes(corrupt),
        "huge": huge.read_bytes(),
    }


@pytest.fixture
def jobs(room: Services, bad_objects: dict[str, bytes]) -> dict[str, CellView]:
    """A queued export of each."""
    asked = {}
    for name, data in bad_objects.items():
        key = f"bad/{name}.mp4"
        room.store.put(key, data, "video/mp4")
        stored = room.store.head(key)
        with room.database.write() as db:
            db.add(Video(id=f"video_{name}", title=name, s3_key=key, etag=stored.etag, size=stored.size, duration_ms=6_000))
            db.flush()
            db.add(IdentifiedClip(id=f"clip_{name}", video_id=f"video_{name}", reference="1", start_ms=0, end_ms=6_000, title=name))
            db.flush()
            asked[name] = request_exports(db, f"video_{name}", [f"clip_{name}"], ExportChoices([AspectRatio.PORTRAIT]))[0]
    return asked


def test_bad_footage_fails_with_its_reason_while_the_app_stays_responsive(
    room: Services, jobs: dict[str, CellView], canary: socket.socket
) -> None:
    worker = JobWorker(room, poll_seconds=0.1)

    async def follow() -> float:
        ended = asyncio.ensure_future(asyncio.to_thread(wait_for_all, room, jobs))
        return await worst_lag(ended.done)

    gc.collect()
    gc.freeze()  # as a server does at start-up, so that objects of earlier tests are not collected while the lag is measured
    with idle_loop() as machines_lag:
        worker.start()
        try:
            lag = asyncio.run(follow()) - machines_lag()
        finally:
            worker.stop()
            gc.unfreeze()
    ended = {name: reloaded(room, job) for name, job in jobs.items()}
    assert {name: job.state for name, job in ended.items()} == dict.fromkeys(REASONS, JobState.FAILED)
    for name, words in REASONS.items():
        assert any(word in ended[name].reason for word in words.split("|")), (name, ended[name].reason)
    assert [item.key for item in room.store.list("exports/")] == []
    assert list((room.settings.data_dir / "exports").iterdir()) == []
    with room.database.read() as db:
        assert db.exec(select(ExportedClip)).all() == []
    with pytest.raises(BlockingIOError):
        canary.accept()
    assert lag < MOST_LAG


def wait_for_all(room: Services, jobs: dict[str, CellView]) -> None:
    wait_until(lambda: not any(reloaded(room, job).state in UNFINISHED for job in jobs.values()), seconds=120)
