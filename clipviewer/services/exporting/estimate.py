"""How long exports will take, judged by those that were rendered last."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from statistics import median

from sqlalchemy import select
from sqlmodel import Session

from clipviewer.domain.job_state import JobState
from clipviewer.services.cells.board import JOB

UNTRIED_SHARE = 0.6
"""Seconds of rendering for one of footage before anything was rendered here; 30 s of 1080p to 9:16 took 13 s on two cores."""

_LAST = 20


def renders_at_once() -> int:
    """One render for every two cores: two on two cores take longer than one after the other."""
    return max(1, len(os.sched_getaffinity(0)) // 2)


def estimated_seconds(db: Session, lengths_ms: Sequence[int]) -> int:
    """The wall time, in whole seconds, of rendering clips of these lengths here, once it is their turn; 0 for none."""
    if not lengths_ms:
        return 0
    done = select(JOB.c.render_ms, JOB.c.end_ms - JOB.c.start_ms).where(JOB.c.state == JobState.DONE, JOB.c.render_ms.is_not(None))
    rows = db.connection().execute(done.order_by(JOB.c.updated_at.desc()).limit(_LAST)).all()
    share = median([took / length for took, length in rows]) if rows else UNTRIED_SHARE
    return math.ceil(share * max(max(lengths_ms), sum(lengths_ms) / renders_at_once()) / 1000)
