"""The JSON of background jobs, and of imports from the bucket."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from clipviewer.api.schemas import Json, JsonIn, moment
from clipviewer.domain.bucket_contents import Ignored
from clipviewer.domain.object_key import MAX_KEY_BYTES
from clipviewer.services.adoption.tally import Tally
from clipviewer.services.library.activity import Job
from clipviewer.services.work import WorkView


class AdoptIn(JsonIn):
    prefix: Annotated[str, Field(max_length=MAX_KEY_BYTES)] = Field(
        description='Prefix of the keys; `""` for the whole library', examples=["talks/2025/"]
    )


class AdoptPreview(Json):
    """A preview of importing a prefix. ``complete`` is false if time ran out before everything was read."""

    prefix: str
    complete: bool
    objects: int
    size: int = Field(description="Bytes")
    videos: int
    exports: int
    captions: int
    changed: int = Field(description="Known videos and exports whose object has changed")
    back: int = Field(description="Known ones that were missing and exist again")
    missing: int = Field(description="Known ones whose object is gone; 0 unless `complete`")
    known: int = Field(description="Known ones that are unchanged")
    ignored: dict[str, int] = Field(description=f"By reason: {', '.join(Ignored)}")
    shown: dict[str, list[str]] = Field(description="The first keys of each kind and reason")

    @classmethod
    def of(cls, prefix: str, found: Tally) -> AdoptPreview:
        return cls(prefix=prefix, **found.as_json())


class Work(Json):
    """A background job."""

    id: str
    kind: str
    subject: str
    video_id: str | None
    state: str = Field(description="queued, running, done, failed or cancelled")
    progress: float = Field(description="0 to 1; 0 if the total is unknown")
    note: str
    result: dict[str, Any]
    attempt: int
    created_at: str
    updated_at: str

    @classmethod
    def of(cls, item: Job | WorkView) -> Work:
        told = {name: getattr(item, name) for name in ("id", "kind", "subject", "video_id", "state", "progress", "note", "attempt")}
        return cls(**told, result=item.result or {}, created_at=moment(item.created_at), updated_at=moment(item.updated_at))


class WorkList(Json):
    work: list[Work]
