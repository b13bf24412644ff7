"""The audit log cannot be forged or changed, and holds no secret."""

from __future__ import annotations

import json

import pytest
from sqlmodel import select

from clipviewer.db.models import AuditEntry
from clipviewer.db.session import Database
from clipviewer.services import audit


def entries(database: Database) -> list[AuditEntry]:
    with database.read() as db:
        return list(db.exec(select(AuditEntry)))


def test_an_entry_records_actor_action_subject_and_address(database: Database) -> None:
    with database.write() as db:
        audit.record(db, "role_change", actor="user_1", subject="user_2", address="192.0.2.1", before="viewer", after="admin", count=2)
    (entry,) = entries(database)
    assert (entry.actor, entry.action, entry.subject, entry.address) == ("user_1", "role_change", "user_2", "192.0.2.1")
    assert entry.details == {"before": "viewer", "after": "admin", "count": 2}


@pytest.mark.parametrize("separator", ["\n", "\r\n", "\x00", "\x1b[2K", "\u2028", "\x85", "\u202e"])
def test_control_characters_cannot_forge_an_entry(database: Database, separator: str) -> None:
    forged = f"someone{separator}2025-10-05 sign_in user_admin"
    with database.write() as db:
        audit.record(db, "sign_in_failed", subject=forged, address=forged, name=forged)
    (entry,) = entries(database)
    shown = [entry.subject, entry.address, entry.details["name"]]
    assert all(text.isprintable() and separator not in text for text in shown)
    assert len(json.dumps(entry.details).splitlines()) == 1


def test_an_escaped_newline_and_a_typed_backslash_stay_apart() -> None:
    assert audit.escape_line("a\nb") != audit.escape_line("a\\nb")


def test_a_subject_longer_than_the_column_is_cut(database: Database) -> None:
    with database.write() as db:
        audit.record(db, "download", subject="k" * 5000, actor="u" * 500)
    (entry,) = entries(database)
    assert len(entry.subject) == 1100
    assert len(entry.actor) == 64


@pytest.mark.parametrize("name", ["password", "token", "secret", "cookie", "authorization", "signature", "url"])
def test_a_detail_named_like_a_secret_is_refused(database: Database, name: str) -> None:
    with database.write() as db, pytest.raises(ValueError, match="secret"):
        audit.record(db, "register", **{name: "value"})
    assert entries(database) == []


def test_a_value_that_looks_like_a_secret_is_redacted(database: Database) -> None:
    with database.write() as db:
        audit.record(db, "download", subject="/s3/b/k?X-Amz-Signature=0123456789abcdef", note="Bearer cv_abcdefghijklmnopqrstuvwx")
    (entry,) = entries(database)
    assert "0123456789abcdef" not in entry.subject
    assert "abcdefghijklmnop" not in entry.details["note"]


def test_an_entry_can_be_neither_changed_nor_deleted(database: Database) -> None:
    with database.write() as db:
        audit.record(db, "sign_in", actor="user_1")
    with pytest.raises(RuntimeError, match="never changed"), database.write() as db:
        db.exec(select(AuditEntry)).one().actor = "user_2"
    with pytest.raises(RuntimeError, match="never changed"), database.write() as db:
        db.delete(db.exec(select(AuditEntry)).one())
    assert [entry.actor for entry in entries(database)] == ["user_1"]
