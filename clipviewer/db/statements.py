"""Statements that differ between databases in SQLAlchemy, or that it types too loosely."""

from __future__ import annotations

from typing import cast

from sqlalchemy import CursorResult, UpdateBase, inspect, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from sqlmodel import SQLModel


def is_postgresql(db: Session) -> bool:
    """Return whether the database is PostgreSQL; else it is SQLite."""
    return db.get_bind().dialect.name == "postgresql"


def upsert(db: Session, model: type[SQLModel]) -> postgresql.Insert | sqlite.Insert:
    """Return an INSERT into the table of ``model`` that takes ``on_conflict_do_update`` and ``on_conflict_do_nothing``."""
    return postgresql.insert(model) if is_postgresql(db) else sqlite.insert(model)


def count_changed(db: Session, statement: UpdateBase) -> int:
    """Run an INSERT, UPDATE or DELETE and return the number of rows it changed."""
    return cast("CursorResult[object]", db.execute(statement)).rowcount


def refresh_statistics(db: Session, model: type[SQLModel]) -> None:
    """Measure the table of ``model`` anew for PostgreSQL's planner; call it after many rows were added.

    PostgreSQL does so by itself within minutes. Until then it can expect a single row where there are thousands, and join them in loops
    that take minutes.
    """
    if is_postgresql(db):
        db.execute(text(f'ANALYZE "{inspect(model).local_table.name}"'))
