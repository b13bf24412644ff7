"""Exports that failed or were called off are forgotten once the team has no more use for them. What exists is never touched."""

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
    """What ended before that moment may be forgotten; None where the team keeps it for good."""
    days = load_preferences(db).keep_failed_days
    return now - timedelta(days=days) if days else None


def videos_with_old_failures(db: Session, before: datetime) -> list[str]:
    """The videos that have exports to be forgotten."""
    return list(db.execute(select(col(ExportJob.video_id)).where(_forgettable(before)).distinct()).scalars())


def forget_failed_exports(db: Session, video_id: str, before: datetime) -> int:
    """Forget those of one video, with its board held, so that none is asked for again at the same moment. → how many."""
    hold_board(db, video_id)
    return count_changed(db, delete(ExportJob).where(col(ExportJob.video_id) == video_id, _forgettable(before)))


def _forgettable(before: datetime) -> ColumnElement[bool]:
    """Not before everything that the export has put into the bucket is gone."""
    left = select(col(ExportUpload.s3_key)).where(col(ExportUpload.job_id) == col(ExportJob.id)).exists()
    return and_(col(ExportJob.state).in_(_GIVEN_UP), col(ExportJob.updated_at) < before, col(ExportJob.exported_clip_id).is_(None), ~left)
