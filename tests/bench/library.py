"""A library of 5,000 videos against one of 50: first page, search, strip; each video with 4 candidates, 4 exports and captions."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlmodel import Session

from clipviewer.db.export_models import ExportJob
from clipviewer.db.models import ExportedClip, IdentifiedClip, Video
from clipviewer.db.session import Database
from clipviewer.media.captions.reading import Cue
from clipviewer.services.library.listing import Filter, ListQuery, SortOrder, count_attention, list_videos
from clipviewer.services.library.search_words import index_captions
from tests.bench import Row, compare

MANY, FEW, EACH = 5_000, 50, 4
RARE = "zanzibar"


def run() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        many, few = (_filled(Path(folder) / f"{count}.db", count) for count in (MANY, FEW))
        work: dict[str, Callable[[Session], object]] = {
            **{f"first page, sorted by {sort}": lambda db, sort=sort: list_videos(db, ListQuery(sort=sort)) for sort in SortOrder},
            "search that finds one video": lambda db: list_videos(db, ListQuery(RARE)),
            "search that finds all of them": lambda db: list_videos(db, ListQuery("har")),
            "filter: needs attention": lambda db: list_videos(db, ListQuery(filter=Filter.ATTENTION)),
            "counts of the strip": count_attention,
        }
        rows = [compare(f"{name}: {MANY} videos, against {FEW}", _read(many, ask), _read(few, ask), times=5) for name, ask in work.items()]
        many.dispose()
        few.dispose()
    return rows


def _read(database: Database, ask: Callable[[Session], object]) -> Callable[[], None]:
    def read() -> None:
        with database.read() as db:
            ask(db)

    return read


def _filled(path: Path, count: int) -> Database:
    database = Database(f"sqlite:///{path}")
    database.migrate()
    start = datetime(2025, 1, 1, tzinfo=UTC)
    with database.write() as db:
        for number in range(count):
            at = start + timedelta(minutes=number)
            word = RARE if number == count // 2 else "quay"
            video = Video(
                title=f"Harbour {number} {word}", s3_key=f"{number}.mp4", etag="e", duration_ms=number * 7919 % 7_200_000, created_at=at
            )
            db.add(video)
            db.flush()
            for clip in range(EACH):
                span = {"video_id": video.id, "start_ms": clip, "end_ms": clip + 1, "title": f"Gulls {clip}"}
                cell = {"aspect_ratio": "9:16", "target_language": "en"}
                db.add(IdentifiedClip(**span, reference=str(clip), created_at=at))
                db.add(ExportedClip(**span, **cell, s3_key=f"{number}/{clip}.mp4", created_at=at))
                job = {"identity": f"{number}-{clip}", "state": "done", "source_etag": "e", "framing": {}, "recipe": 1}
                db.add(ExportJob(**span, **cell, **job, number=1, revision=1, created_at=at))
            index_captions(db, "none", video.id, [Cue(0, 1, f"what is said in the harbour on day {number} " * 20)])
        db.flush()
    return database
