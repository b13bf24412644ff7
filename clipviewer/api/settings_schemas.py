"""The JSON of the team's settings: camelCase."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from clipviewer.api.schemas import Json, moment
from clipviewer.services.browser_probe import Probe


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
