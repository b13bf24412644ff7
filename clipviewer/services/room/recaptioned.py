"""Exports whose captions would read otherwise if they were made now."""

from __future__ import annotations

from sqlalchemy import and_, select
from sqlmodel import Session

from clipviewer.db.clip_models import VideoCaptions
from clipviewer.domain.caption_mode import mode_of
from clipviewer.domain.job_state import JobState
from clipviewer.services.cells.board import JOB
from clipviewer.services.room.captions import captions_of_cell, track

MOST = 10_000
_CAPTIONS = VideoCaptions.metadata.tables["video_captions"]


def recaptioned_jobs(db: Session, video_id: str) -> list[str]:
    """The finished jobs of the video whose part of a track is another one now, at most ``MOST``; a track that is gone changes none.

    Only those made before their track was attached are looked at, so this costs nothing where no captions were replaced.
    """
    of_its_language = and_(_CAPTIONS.c.video_id == JOB.c.video_id, _CAPTIONS.c.language == JOB.c.target_language)
    query = (
        select(JOB.c.id, JOB.c.target_language, JOB.c.captions, JOB.c.start_ms, JOB.c.end_ms)
        .join(_CAPTIONS, of_its_language)
        .where(JOB.c.video_id == video_id, JOB.c.state == JobState.DONE, JOB.c.captions != "", _CAPTIONS.c.created_at > JOB.c.created_at)
        .order_by(JOB.c.number)
        .limit(MOST)
    )
    rows = db.connection().execute(query).all()
    tracks = {language: track(db, video_id, language) for language in {row.target_language for row in rows}}
    return [
        job_id
        for job_id, language, captions, start_ms, end_ms in rows
        if captions_of_cell(tracks[language], language, mode_of(captions), start_ms, end_ms) != captions
    ]
