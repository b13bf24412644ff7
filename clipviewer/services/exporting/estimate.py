"""Estimate how long exports will take, from the latest renderings."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from statistics import median

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from clipviewer.db.export_models import ExportJob
from clipviewer.domain.job_state import JobState

UNTRIED_SHARE = 0.6
"""Seconds of rendering per second of footage before anything was rendered here; 30 s of 1080p to 9:16 took 13 s on two cores."""

_LAST = 20


def renders_at_once() -> int:
    """Return the number of parallel renders, one per two cores: two on two cores take longer than one after the other."""
    return max(1, len(os.sched_getaffinity(0)) // 2)


def estimated_seconds(db: Session, lengths_ms: Sequence[int]) -> int:
    """Return the wall time, in whole seconds, of rendering clips of these lengths once it is their turn; 0 for none."""
    if not lengths_ms:
        return 0
    done = select(col(ExportJob.render_ms), col(ExportJob.end_ms) - col(ExportJob.start_ms)).where(
        col(ExportJob.state) == JobState.DONE, col(ExportJob.render_ms).is_not(None)
    )
    rows = db.execute(done.order_by(col(ExportJob.updated_at).desc()).limit(_LAST)).all()
    share = median([took / length for took, length in rows if took is not None]) if rows else UNTRIED_SHARE
    return math.ceil(share * max(max(lengths_ms), sum(lengths_ms) / renders_at_once()) / 1000)
