"""Exports that failed or were called off are forgotten once the team has no more use for them. What exists is never touched."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, select
from sqlalchemy.orm import Session

from clipviewer.db.export_models import ExportUpload
from clipviewer.domain.job_state import JobState
from clipviewer.services.cells.board import JOB, hold_board
from clipviewer.services.prefs import preferences

_UPLOAD = ExportUpload.metadata.tables["export_upload"]
_GIVEN_UP = (JobState.FAILED, JobState.CANCELLED)


def kept_since(db: Session, now: datetime) -> datetime | None:
    """What ended before that moment may be forgotten; None where the team keeps it for good."""
    days = preferences(db).keep_failed_days
    return now - timedelta(days=days) if days else None


def videos_with_old_failures(db: Session, before: datetime) -> list[str]:
    """The videos that have exports to be forgotten."""
    return list(db.connection().execute(select(JOB.c.video_id).where(_forgettable(before)).distinct()).scalars())


def forget_failed_exports(db: Session, video_id: str, before: datetime) -> int:
    """Forget those of one video, with its board held, so that none is asked for again at the same moment. → how many."""
    hold_board(db, video_id)
    return db.connection().execute(delete(JOB).where(JOB.c.video_id == video_id, _forgettable(before))).rowcount


def _forgettable(before: datetime) -> ColumnElement[bool]:
    """Not before everything that the export has put into the bucket is gone."""
    left = select(_UPLOAD.c.s3_key).where(_UPLOAD.c.job_id == JOB.c.id).exists()
    return and_(JOB.c.state.in_(_GIVEN_UP), JOB.c.updated_at < before, JOB.c.exported_clip_id.is_(None), ~left)
