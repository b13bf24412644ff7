"""Rows of videos and clips without any footage: nothing here reads the bucket."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session

from clipviewer.db.models import ExportedClip, IdentifiedClip, Video
from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.export_choices import ExportChoices
from clipviewer.domain.ids import new_id
from clipviewer.services import work
from clipviewer.services.adoption import adopting
from clipviewer.services.exporting.exports import request_exports
from clipviewer.services.room.captions import attach

RATIOS = ("9:16", "1:1", "16:9")


@dataclass(frozen=True)
class Footage:
    """Ids of a video and its clips; clips in the order of their lists."""

    video_id: str
    key: str
    exported: Sequence[str]
    identified: Sequence[str]
    exported_keys: Sequence[str]
    jobs: Sequence[str]

    @property
    def path(self) -> str:
        return f"/videos/{self.video_id}"


def add_footage(db: Session, title: str = "Harbour", *, exported: int = 3, identified: int = 3, ordered: bool = False) -> Footage:
    """Add a video with consecutive clips of two seconds. The first exported clip belongs to the first candidate, in 9:16.

    ``ordered``: exports of two candidates in 16:9 are queued, which no worker can render, since the bucket is empty; the video has German
    captions; and an import from the bucket was cancelled.
    """
    video = Video(id=new_id("video"), title=title, s3_key=f"masters/{new_id('key')}.mp4", duration_ms=3_600_000)
    db.add(video)
    db.flush()
    candidates = [
        IdentifiedClip(video_id=video.id, reference=f"r{i}", start_ms=i * 2000, end_ms=i * 2000 + 2000, title=f"Candidate {i}", score=i)
        for i in range(identified)
    ]
    db.add_all(candidates)
    db.flush()
    clips = [
        ExportedClip(
            video_id=video.id,
            identified_clip_id=candidates[i].id if i < identified else None,
            start_ms=i * 2000,
            end_ms=i * 2000 + 2000,
            title=f"Clip {i}",
            s3_key=f"clips/{video.id}/{i}.mp4",
            aspect_ratio=RATIOS[i % 3],
            target_language="original",
        )
        for i in range(exported)
    ]
    db.add_all(clips)
    db.flush()
    jobs = []
    if ordered:
        cells = request_exports(db, video.id, [c.id for c in candidates[:2]], ExportChoices([AspectRatio.LANDSCAPE]))
        jobs = [cell.id for cell in cells]
        work.cancel(db, work.enqueue(db, adopting.KIND, "").id)
        attach(db, video.id, "de", b"WEBVTT\n\n00:01.000 --> 00:03.000\nMoin\n", "harbour.de.vtt")
    return Footage(video.id, video.s3_key, [c.id for c in clips], [c.id for c in candidates], [c.s3_key for c in clips], jobs)
