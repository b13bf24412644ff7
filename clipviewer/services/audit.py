"""The audit log: who did what to which thing, when and from where. Append only."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import Session

from clipviewer.db.models import AuditEntry
from clipviewer.domain.redaction import redact

_SUBJECT_LENGTH = 1100
_SHORT_LENGTH = 64
_DETAIL_LENGTH = 500
_SECRET_NAMES = frozenset({"authorization", "cookie", "password", "password_hash", "secret", "signature", "token", "url"})


def record(
    db: Session, action: str, *, actor: str = "", subject: str = "", address: str = "", at: datetime | None = None, **details: Any
) -> None:
    """Add an entry. ``actor`` is a user, token or guest id; ``subject`` the thing acted upon; ``at`` defaults to now.

    Control characters are escaped, so no value can look like another entry, and secrets are redacted. Raises ``ValueError`` for a detail
    with the name of a secret.
    """
    if not _SECRET_NAMES.isdisjoint(details):
        raise ValueError("an audit entry must not hold a secret")
    entry = AuditEntry(
        action=escape_line(action)[:40],
        actor=escape_line(actor)[:_SHORT_LENGTH],
        subject=escape_line(subject)[:_SUBJECT_LENGTH],
        address=escape_line(address)[:_SHORT_LENGTH],
        details={name: _detail(value) for name, value in details.items()},
    )
    if at is not None:
        entry.at = at
    db.add(entry)


def escape_line(text: str) -> str:
    """Return ``text`` on one line, without secrets, with unprintable characters as escape sequences."""
    return "".join(_visible(character) for character in redact(text))


def _visible(character: str) -> str:
    return character if character.isprintable() and character != "\\" else character.encode("unicode_escape").decode()


def _detail(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int | float) else escape_line(str(value))[:_DETAIL_LENGTH]


def _refuse(_mapper: Any, _connection: Any, _entry: AuditEntry) -> None:
    raise RuntimeError("audit entries are never changed or deleted")


event.listen(AuditEntry, "before_update", _refuse)
event.listen(AuditEntry, "before_delete", _refuse)
