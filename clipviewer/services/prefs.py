"""The team's preferences: read and save."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from clipviewer.db.models import utc_now
from clipviewer.db.statements import upsert
from clipviewer.db.team_models import TeamPref
from clipviewer.domain.preferences import Preferences, plain_values, usable_preferences
from clipviewer.services import audit


def load_preferences(db: Session) -> Preferences:
    """Return the current preferences; unusable stored values get their default."""
    return usable_preferences({row.key: row.value for row in db.execute(select(col(TeamPref.key), col(TeamPref.value)))})


def save_preferences(
    db: Session, wanted: Preferences, *, actor: str = "", address: str = "", clock: Callable[[], datetime] = utc_now
) -> None:
    """Save what differs from the current preferences."""
    before, after = plain_values(load_preferences(db)), plain_values(wanted)
    changed = [name for name, value in after.items() if before[name] != value]
    for name in changed:
        row = {"value": after[name], "updated_at": clock(), "updated_by": actor}
        written = upsert(db, TeamPref).values(key=name, **row).on_conflict_do_update(index_elements=["key"], set_=row)
        db.execute(written)
    if changed:
        audit.record(db, "preferences", actor=actor, address=address, changed=", ".join(changed))
