"""The JSON of clips that are marked and changed one at a time."""

from __future__ import annotations

from pydantic import Field

from clipviewer.api.schemas import JsonIn, Seconds, Title


class ClipMark(JsonIn):
    start: Seconds
    end: Seconds
    title: Title = Field(default="", description="Made from the times if left out")


class ClipChange(JsonIn):
    """Fields that are left out, or null, stay as they are."""

    start: Seconds | None = None
    end: Seconds | None = None
    title: Title | None = Field(default=None, description="Made from the times if empty")
