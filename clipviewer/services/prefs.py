"""The team's preferences as they stand, and as an admin changes them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session

from clipviewer.db.models import utc_now
from clipviewer.db.team_models import TeamPref
from clipviewer.domain.preferences import Preferences, plain_values, usable_preferences
from clipviewer.services import audit

_PREF = TeamPref.metadata.tables["team_pref"]


def preferences(db: Session) -> Preferences:
    """As they stand; what cannot be used of the table has its default."""
    return usable_preferences({row.key: row.value for row in db.connection().execute(select(_PREF.c.key, _PREF.c.value))})


def save_preferences(
    db: Session, wanted: Preferences, *, actor: str = "", address: str = "", clock: Callable[[], datetime] = utc_now
) -> None:
    """Write down what differs from what stands."""
    before, after = plain_values(preferences(db)), plain_values(wanted)
    changed = [name for name, value in after.items() if before[name] != value]
    dialect = postgresql if db.connection().dialect.name == "postgresql" else sqlite
    for name in changed:
        row = {"value": after[name], "updated_at": clock(), "updated_by": actor}
        written = dialect.insert(_PREF).values(key=name, **row).on_conflict_do_update(index_elements=["key"], set_=row)
        db.connection().execute(written)
    if changed:
        audit.record(db, "preferences", actor=actor, address=address, changed=", ".join(changed))
