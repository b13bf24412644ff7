"""A library exported by this product: master, clips, and exports with their sidecars in the bucket."""

from __future__ import annotations

from sqlmodel import Session

from clipviewer.db.models import IdentifiedClip, Video
from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.caption_mode import CaptionMode
from clipviewer.domain.export_choices import ExportChoices
from clipviewer.services.cells.board import CellView
from clipviewer.services.exporting import export_runs
from clipviewer.services.exporting.export_runs import Ticket
from clipviewer.services.exporting.exports import request_exports
from clipviewer.services.exporting.provenance import provenance
from clipviewer.services.room.captions import attach
from clipviewer.storage.s3 import ObjectStore
from tests.conftest import Clock

MASTER = "talks/talk.mp4"


def make_library(db: Session, store: ObjectStore, prefix: str = "", master: bytes = b"a master") -> list[CellView]:
    """Create the video ``video_1`` with two clips, the first exported twice, once with captions; return the cells."""
    key = prefix + MASTER
    store.put(key, master, "video/mp4")
    stored = store.head(key)
    size = {"size": stored.size, "duration_ms": 60_000, "width": 64, "height": 36, "frame_rate": "25/1"}
    db.add(Video(id="video_1", title="Talk", s3_key=key, etag=stored.etag, **size))
    db.flush()
    for number in (1, 2):
        span = {"start_ms": 0, "end_ms": 1_500}
        db.add(IdentifiedClip(id=f"clip_{number}", video_id="video_1", reference=f"r{number}", title="Ü", score=7, **span))
    db.flush()
    attach(db, "video_1", "de", b"WEBVTT\n\n00:01.000 --> 00:02.000\nHallo\n", "a.vtt")
    jobs = [
        *request_exports(db, "video_1", ["clip_1"], ExportChoices([AspectRatio.PORTRAIT])),
        *request_exports(db, "video_1", ["clip_1"], ExportChoices([AspectRatio.PORTRAIT], ["de"], captions=CaptionMode.SOFT)),
    ]
    for job in jobs:
        finish(db, store, job, prefix)
    return jobs


def finish(db: Session, store: ObjectStore, job: CellView, prefix: str = "") -> str:
    """Publish the job's export as a worker would, with its objects in the bucket; return the object's key."""
    ticket = Ticket(job.id, job.attempt)
    assert export_runs.claim(db, ticket, Clock().now)
    order = export_runs.order_of(db, ticket)
    assert order is not None
    key = f"{prefix}exports/video_1/{job.id}-{job.attempt}.mp4"
    store.put(key, b"a clip", "video/mp4")
    stored = store.head(key)
    store.put(key.replace(".mp4", ".json"), provenance(db, order, stored, Clock().now), "application/json")
    if job.captions:
        store.put(key.replace(".mp4", ".vtt"), b"WEBVTT\n", "text/vtt")
    assert export_runs.publish(db, order, stored, Clock().now)
    return key
