"""Retention of failed and cancelled exports: they are deleted after the team's period. Exported clips are never touched."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, select
from sqlalchemy.orm import Session
from sqlmodel import col

from clipviewer.db.export_models import ExportJob, ExportUpload
from clipviewer.db.statements import count_changed
from clipviewer.domain.job_state import JobState
from clipviewer.services.cells.board import hold_board
from clipviewer.services.prefs import load_preferences

_GIVEN_UP = (JobState.FAILED, JobState.CANCELLED)


def kept_since(db: Session, now: datetime) -> datetime | None:
    """Return the moment before which failed exports are deleted; None if the team keeps them."""
    days = load_preferences(db).keep_failed_days
    return now - timedelta(days=days) if days else None


def videos_with_old_failures(db: Session, before: datetime) -> list[str]:
    """Return the videos that have exports to delete."""
    return list(db.execute(select(col(ExportJob.video_id)).where(_is_expired(before)).distinct()).scalars())


def forget_failed_exports(db: Session, video_id: str, before: datetime) -> int:
    """Delete those of one video, with its board locked against concurrent retries; return their count."""
    hold_board(db, video_id)
    return count_changed(db, delete(ExportJob).where(col(ExportJob.video_id) == video_id, _is_expired(before)))


def _is_expired(before: datetime) -> ColumnElement[bool]:
    """Return the condition that an export is old enough and has left nothing in the bucket."""
    left = select(col(ExportUpload.s3_key)).where(col(ExportUpload.job_id) == col(ExportJob.id)).exists()
    return and_(col(ExportJob.state).in_(_GIVEN_UP), col(ExportJob.updated_at) < before, col(ExportJob.exported_clip_id).is_(None), ~left)
