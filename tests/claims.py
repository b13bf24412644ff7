"""Claim library jobs as a worker does."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlmodel import Session

from clipviewer.services import work
from clipviewer.services.work import WorkView


def claim_next(db: Session, kinds: Collection[str], now: datetime) -> WorkView | None:
    """Claim the next due job of these kinds; return None if there is none."""
    for item in work.queued(db, kinds, 1):
        assert work.claim(db, item.ticket, now)
        return work.work(db, item.id)
    return None
