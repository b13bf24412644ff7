"""The table of team preferences."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column
from sqlmodel import Field, SQLModel

from clipviewer.db.models import utc_now


class TeamPref(SQLModel, table=True):
    """One preference: ``key`` is a field of ``domain.preferences.Preferences``; missing fields have their default."""

    __tablename__ = "team_pref"

    key: str = Field(primary_key=True, max_length=64)
    value: Any = Field(sa_column=Column(JSON, nullable=False))
    updated_at: datetime = Field(default_factory=utc_now)
    updated_by: str = Field(default="", max_length=64)
