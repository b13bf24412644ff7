"""Find exports whose captions would differ if they were made now."""

from __future__ import annotations

from sqlalchemy import and_, bindparam, select
from sqlalchemy.orm import Session
from sqlmodel import col

from clipviewer.db.clip_models import VideoCaptions
from clipviewer.db.export_models import ExportJob
from clipviewer.domain.caption_mode import parse_mode
from clipviewer.domain.job_state import JobState
from clipviewer.services.room.captions import captions_of_cell, find_track

MOST = 10_000


def recaptioned_jobs(db: Session, video_id: str) -> list[str]:
    """Return the finished jobs of the video whose part of a track has changed, at most ``MOST``; removed tracks change none.

    Only exports older than their track are checked, so this costs nothing if no captions were replaced.
    """
    rows = db.execute(_MADE_BEFORE_THEIR_TRACK, {"video_id": video_id}).all()
    tracks = {language: find_track(db, video_id, language) for language in {row.target_language for row in rows}}
    return [
        job_id
        for job_id, language, captions, start_ms, end_ms in rows
        if captions_of_cell(tracks[language], language, parse_mode(captions), start_ms, end_ms) != captions
    ]


_OF_ITS_LANGUAGE = and_(
    col(VideoCaptions.video_id) == col(ExportJob.video_id), col(VideoCaptions.language) == col(ExportJob.target_language)
)
_MADE_BEFORE_THEIR_TRACK = (
    select(col(ExportJob.id), col(ExportJob.target_language), col(ExportJob.captions), col(ExportJob.start_ms), col(ExportJob.end_ms))
    .join(VideoCaptions, _OF_ITS_LANGUAGE)
    .where(
        col(ExportJob.video_id) == bindparam("video_id"),
        col(ExportJob.state) == JobState.DONE,
        col(ExportJob.captions) != "",
        col(VideoCaptions.created_at) > col(ExportJob.created_at),
    )
    .order_by(col(ExportJob.number))
    .limit(MOST)
)
