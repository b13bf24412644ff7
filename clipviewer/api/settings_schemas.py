"""The JSON of the team's settings: camelCase."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from clipviewer.api.schemas import Json, Shape, moment
from clipviewer.domain.preferences import LONGEST_S, MOST_DAYS, MOST_LANGUAGES, SHORTEST_S, Preferences, plain_values
from clipviewer.services.bucket.browser_probe import Probe


class StorageProbe(Json):
    url: str = Field(description="Presigned GET")
    expires_at: str
    first: int = Field(description="The byte to read from")
    last: int = Field(description="The byte to read to, included")
    expected: str = Field(description="What these bytes read")
    server_time: str = Field(description="The server's clock")

    @classmethod
    def of(cls, probe: Probe, now: datetime) -> StorageProbe:
        return cls(
            url=probe.signed.url,
            expires_at=moment(probe.signed.expires_at),
            first=probe.first,
            last=probe.last,
            expected=probe.expected,
            server_time=moment(now),
        )


Tags = Annotated[list[Annotated[str, Field(max_length=40)]], Field(max_length=MOST_LANGUAGES, description="BCP 47 tags, or `original`")]


class PreferencesBody(Json):
    """All of them, as they stand or are wanted."""

    aspect_ratios: list[Shape] = Field(max_length=20)
    languages: Tags
    captions: Literal["off", "soft", "burned"]
    framing: Literal["centre", "auto", "fit"]
    shortest_seconds: int = Field(ge=SHORTEST_S, le=LONGEST_S, strict=True, description="Of found clips")
    longest_seconds: int = Field(ge=SHORTEST_S, le=LONGEST_S, strict=True)
    find_on_upload: bool = Field(strict=True, description="Whether clips are looked for in every upload")
    keep_failed_days: int = Field(ge=0, le=MOST_DAYS, strict=True, description="How long failed and cancelled work is kept; 0: for good")

    @classmethod
    def of(cls, preferences: Preferences) -> PreferencesBody:
        values = plain_values(preferences)
        return cls.model_validate({_NAMES.get(name, name): value for name, value in values.items()})

    def by_field(self) -> dict[str, object]:
        """The values by the fields of ``Preferences``."""
        values = self.model_dump()
        return {_FIELDS.get(name, name): value for name, value in values.items()}


def body_name(field: str) -> str:
    """The name in JSON of a field of ``Preferences``."""
    return PreferencesBody.model_fields[_NAMES.get(field, field)].alias or field


_NAMES = {"ratios": "aspect_ratios", "shortest_s": "shortest_seconds", "longest_s": "longest_seconds"}
_FIELDS = {name: field for field, name in _NAMES.items()}
