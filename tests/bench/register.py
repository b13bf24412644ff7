"""Register 4,000 candidates on SQLite, for the first time and again, against bare INSERTs into the same table. CPU seconds."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from sqlalchemy import insert

from clipviewer.db.models import IdentifiedClip, Video, utc_now
from clipviewer.db.session import Database
from clipviewer.services.library.registration import NewIdentifiedClip, register_identified
from tests.bench import Row

CLIPS, RUNS = 4_000, 7
_SENT = [NewIdentifiedClip(at, at + 900, f"Title of {at}", f"r{at}", 50.0, {"speech": 0.5}) for at in range(0, CLIPS * 1_000, 1_000)]


def run() -> list[Row]:
    timed = [_once() for _ in range(RUNS + 1)][1:]
    bare, first, again, changed = (median(turn[place] for turn in timed) for place in range(4))
    return [
        Row(f"{CLIPS:,} new candidates", first, bare),
        Row("the same again", again, bare),
        Row("all of them changed", changed, bare),
    ]


def _once() -> tuple[float, float, float, float]:
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{Path(folder) / 'bench.db'}")
        with ExitStack() as ending:
            ending.callback(database.dispose)
            database.migrate()
            with database.write() as db:
                for name in ("bare", "sent"):
                    db.add(Video(id=f"video_{name}", title=name, s3_key=f"{name}.mp4"))
            moved = [NewIdentifiedClip(item.start_ms, item.end_ms + 50, item.title, item.reference) for item in _SENT]
            return (
                _cpu(lambda: _insert(database)),
                _cpu(lambda: _register(database, _SENT)),
                _cpu(lambda: _register(database, _SENT)),
                _cpu(lambda: _register(database, moved)),
            )


def _insert(database: Database) -> None:
    common = {"video_id": "video_bare", "created_at": utc_now(), "score": 50.0, "score_parts": {"speech": 0.5}}
    rows = [
        {"id": f"clip_{item.reference}", "reference": item.reference, "title": item.title, "start_ms": item.start_ms, "end_ms": item.end_ms}
        for item in _SENT
    ]
    with database.write() as db:
        db.execute(insert(IdentifiedClip), [row | common for row in rows])


def _register(database: Database, items: list[NewIdentifiedClip]) -> None:
    with database.write() as db:
        register_identified(db, "video_sent", items)


def _cpu(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start
