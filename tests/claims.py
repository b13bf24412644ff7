"""A job on the library as a worker has it when it begins."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlmodel import Session

from clipviewer.services import work
from clipviewer.services.work import WorkView


def claim_next(db: Session, kinds: Collection[str], now: datetime) -> WorkView | None:
    """Claim the job of those kinds whose turn it is; None when there is none."""
    for item in work.queued(db, kinds, 1):
        assert work.claim(db, item.ticket, now)
        return work.work(db, item.id)
    return None
