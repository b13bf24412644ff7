"""The rule for stale exports, written again in Python: list, filters, matrix and the trigger's count must agree with it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from clipviewer.db.clip_models import ClipFraming
from clipviewer.db.export_models import ExportJob
from clipviewer.db.library_models import VideoTally
from clipviewer.db.models import ExportedClip, IdentifiedClip, Video
from clipviewer.db.session import Database
from clipviewer.domain.export_identity import RECIPE_VERSION
from clipviewer.services.cells.drift import Drift
from clipviewer.services.cells.filters import ExportFilters
from clipviewer.services.exporting.matrix import matrix
from clipviewer.services.library.listing import list_videos
from clipviewer.services.room.clips import count_exported, exported_clips

NOON = datetime(2025, 10, 5, 12, tzinfo=UTC)
ETAGS = st.sampled_from(["", "a", "b", "b-2"])


@dataclass(frozen=True)
class Case:
    """An export from 1 to 3 s, and its video, candidate and saved crop now; ``moved`` is in ms, None: no candidate."""

    made_here: bool
    source_etag: str
    etag: str
    moved: int | None
    mode: str
    crop: tuple[float, int] | None
    old_recipe: bool
    missing: bool


CASES = st.builds(
    Case,
    made_here=st.sampled_from([True, True, False]),
    source_etag=ETAGS,
    etag=ETAGS,
    moved=st.sampled_from([None, 0, 1, -1, 100, 101]),
    mode=st.sampled_from(["centre", "manual", "auto", "fit"]),
    crop=st.none() | st.tuples(st.sampled_from([0.25, 0.5, 0.50004, 0.5001]), st.sampled_from([-1, 1])),
    old_recipe=st.booleans(),
    missing=st.booleans(),
)


def rule(case: Case) -> tuple[Drift, ...]:
    """Return why the export is stale."""
    here, found = case.made_here, []
    if case.missing:
        found.append(Drift.MISSING)
    if here and "" not in (case.source_etag, case.etag) and case.source_etag != case.etag:
        found.append(Drift.SOURCE)
    if case.moved is not None and abs(case.moved) > (0 if here else 100):
        found.append(Drift.RANGE)
    if here and case.moved is not None and case.crop and case.mode in ("centre", "manual"):
        x, hours = case.crop
        if hours > 0 and abs(x - 0.5) > 0.00005:
            found.append(Drift.CROP)
    if here and case.old_recipe:
        found.append(Drift.RECIPE)
    return tuple(found)


def add(db: Session, number: int, case: Case) -> str:
    """Add a video with that export, and return its id."""
    video_id, clip_id, file_id = f"video_{number}", f"clip_c{number}", f"clip_f{number}"
    db.add(Video(id=video_id, title="Talk", s3_key=f"{number}.mp4", etag="before"))
    db.flush()
    candidate = None if case.moved is None else clip_id
    if candidate:
        db.add(IdentifiedClip(id=clip_id, video_id=video_id, reference="c", start_ms=1000, end_ms=3000 + (case.moved or 0), title="C"))
        db.flush()
        if case.crop:
            x, hours = case.crop
            at = NOON + timedelta(hours=hours)
            db.add(ClipFraming(identified_clip_id=clip_id, aspect_ratio="9:16", x=x, y=0.5, chosen_at=at))
    same = {
        "video_id": video_id, "identified_clip_id": candidate, "start_ms": 1000, "end_ms": 3000, "title": "F",
        "aspect_ratio": "9:16", "target_language": "original", "created_at": NOON,
    }  # fmt: skip
    db.add(ExportedClip(id=file_id, s3_key=f"{number}_f.mp4", missing_at=NOON if case.missing else None, **same))
    db.flush()
    if case.made_here:
        framing = {"mode": case.mode, "x": 0.5, "y": 0.5}
        recipe = RECIPE_VERSION - case.old_recipe
        own = {"id": f"job_{number}", "identity": f"i{number}", "state": "done", "number": 1, "revision": 1}
        db.add(ExportJob(**same, **own, exported_clip_id=file_id, source_etag=case.source_etag, framing=framing, recipe=recipe))
        db.flush()
    db.execute(update(Video).where(col(Video.id) == video_id).values(etag=case.etag))
    return video_id


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cases=st.lists(CASES, min_size=1, max_size=8))
def test_list_filter_matrix_and_counts_all_follow_the_rule(database: Database, cases: list[Case]) -> None:
    with database.read() as db:
        for number, case in enumerate(cases):
            video_id, reasons = add(db, number, case), rule(case)
            assert [clip.drift for clip in exported_clips(db, video_id)] == [reasons]
            assert count_exported(db, video_id, ExportFilters(state="stale")) == bool(reasons)
            assert count_exported(db, video_id, ExportFilters(state="done")) == (not reasons)
            states = [(entry.state, entry.drift) for row in matrix(db, video_id).rows for entry in row.entries]
            assert states == [("stale" if reasons else "done", reasons)]
            counted = db.execute(select(col(VideoTally.stale)).where(col(VideoTally.video_id) == video_id)).scalar_one()
            assert counted == (Drift.SOURCE in reasons)
        told = {video.id: video.stale for video in list_videos(db).items}
        assert told == {f"video_{number}": int(Drift.SOURCE in rule(case)) for number, case in enumerate(cases)}


def test_the_rule_is_read_without_opencv() -> None:
    check = "import sys, clipviewer.services.cells.drift; sys.exit('cv2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check]).returncode == 0
