"""The JSON of the team's settings: camelCase."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from clipviewer.api.schemas import Json, JsonIn, Shape, moment
from clipviewer.domain.preferences import LONGEST_S, MOST_DAYS, MOST_LANGUAGES, SHORTEST_S, Preferences, plain_values
from clipviewer.services.bucket.browser_probe import Probe


class StorageProbe(Json):
    url: str = Field(description="Presigned GET")
    expires_at: str
    first: int = Field(description="First byte to read")
    last: int = Field(description="Last byte to read, inclusive")
    expected: str = Field(description="The expected content of these bytes")
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


class PreferencesBody(JsonIn):
    """All preferences, stored or requested."""

    aspect_ratios: list[Shape] = Field(max_length=20)
    languages: Tags
    captions: Literal["off", "soft", "burned"]
    framing: Literal["centre", "auto", "fit"]
    shortest_seconds: int = Field(ge=SHORTEST_S, le=LONGEST_S, strict=True, description="Length of found clips")
    longest_seconds: int = Field(ge=SHORTEST_S, le=LONGEST_S, strict=True)
    find_on_upload: bool = Field(strict=True, description="Whether to search every upload for clips")
    keep_failed_days: int = Field(ge=0, le=MOST_DAYS, strict=True, description="Days to keep failed and cancelled jobs; 0: forever")

    @classmethod
    def of(cls, preferences: Preferences) -> PreferencesBody:
        values = plain_values(preferences)
        return cls.model_validate({_NAMES.get(name, name): value for name, value in values.items()})

    def by_field(self) -> dict[str, object]:
        """Return the values by the fields of ``Preferences``."""
        values = self.model_dump()
        return {_FIELDS.get(name, name): value for name, value in values.items()}


def body_name(field: str) -> str:
    """Return the JSON name of a field of ``Preferences``."""
    return PreferencesBody.model_fields[_NAMES.get(field, field)].alias or field


_NAMES = {"ratios": "aspect_ratios", "shortest_s": "shortest_seconds", "longest_s": "longest_seconds"}
_FIELDS = {name: field for field, name in _NAMES.items()}
