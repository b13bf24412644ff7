"""The JSON of videos, clips and registration: camelCase, times as decimal seconds in strings, moments in UTC with a ``Z``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, FiniteFloat, WithJsonSchema, model_validator
from pydantic.alias_generators import to_camel

from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.language import parse_language
from clipviewer.domain.object_key import MAX_KEY_BYTES, check_object_key
from clipviewer.domain.timecode import ms_to_seconds, seconds_to_ms
from clipviewer.services.library.registration import MAX_ITEMS, NewExportedClip, NewIdentifiedClip, NewVideo
from clipviewer.services.library.row_writer import Status
from clipviewer.services.room.clips import IdentifiedClipView


@lru_cache(maxsize=8192)
def moment(value: datetime) -> str:
    """Return UTC with milliseconds: ``2025-10-05T12:00:00.000Z``. Cached, since people read the same lists again and again."""
    return value.astimezone(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def described_body(model: type[BaseModel]) -> dict[str, Any]:
    """Return the OpenAPI of a route that parses its JSON itself, after the caller is authorized."""
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": model.model_json_schema()}}}}


def _time(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("must be seconds such as 125.007")
    return seconds_to_ms(value)


def _printable(value: str) -> str:
    value.encode()
    if any(ord(char) < 32 or ord(char) == 127 for char in value):
        raise ValueError("must not contain control characters")
    return value.strip()


Seconds = Annotated[
    int,
    BeforeValidator(_time),
    WithJsonSchema(
        {"type": "string", "pattern": r"^[0-9]{1,5}(\.[0-9]{1,3})?$", "description": "Decimal seconds", "examples": ["125.007"]}
    ),
]
Key = Annotated[str, AfterValidator(check_object_key), Field(min_length=1, max_length=MAX_KEY_BYTES)]
Title = Annotated[str, AfterValidator(_printable), Field(max_length=300)]
Language = Annotated[str, AfterValidator(parse_language), Field(description="BCP 47 tag, or `original`", examples=["en", "pt-BR"])]
FrameRate = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,6}(/[1-9][0-9]{0,6})?$", examples=["30000/1001"])]
Shape = Annotated[AspectRatio, WithJsonSchema({"type": "string", "enum": [ratio.value for ratio in AspectRatio]})]
Pixels = Annotated[int, Field(ge=1, le=65_535)]


class Json(BaseModel):
    """camelCase outside, snake_case inside."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore")


class JsonIn(Json):
    """The body of a request. Unknown fields are refused: a misspelt one must not widen what is done."""

    model_config = ConfigDict(extra="forbid")


class ExportedClip(Json):
    id: str
    video_id: str
    identified_clip_id: str | None
    title: str
    start: str
    end: str
    s3_key: str
    aspect_ratio: str
    target_language: str
    size: int = Field(description="Bytes")
    created_at: str


class IdentifiedClip(Json):
    id: str
    video_id: str
    title: str
    start: str
    end: str
    score: float | None
    score_parts: dict[str, float]
    reference: str = Field(description="The pipeline's own name for the clip")
    origin: str = Field(description="`pipeline`, `found` by clipviewer, or `marked` by hand")
    reasons: list[str] = Field(description="Why the clip was found, in words")


class Ranges(Json):
    ranges_ms: list[Annotated[list[int], Field(min_length=2, max_length=2)]]


def exported_json(row: Sequence[Any]) -> dict[str, Any]:
    """Return the shape of ``ExportedClip`` for a row of ``clips.DELIVERED``; without a model because a list has thousands of them."""
    id_, video_id, identified_clip_id, title, start_ms, end_ms, s3_key, aspect_ratio, target_language, size, created_at = row
    return {
        "id": id_,
        "videoId": video_id,
        "identifiedClipId": identified_clip_id,
        "title": title,
        "start": ms_to_seconds(start_ms),
        "end": ms_to_seconds(end_ms),
        "s3Key": s3_key,
        "aspectRatio": aspect_ratio,
        "targetLanguage": target_language,
        "size": size,
        "createdAt": moment(created_at),
    }


def identified_json(clip: IdentifiedClipView) -> dict[str, Any]:
    """Return the shape of ``IdentifiedClip``."""
    return {
        "id": clip.id,
        "videoId": clip.video_id,
        "title": clip.title,
        "start": ms_to_seconds(clip.start_ms),
        "end": ms_to_seconds(clip.end_ms),
        "score": clip.score,
        "scoreParts": clip.score_parts,
        "reference": clip.reference,
        "origin": clip.origin,
        "reasons": list(clip.reasons),
    }


class DownloadRequest(JsonIn):
    s3_key: str = Field(examples=["youtube-videos/uuid/exported/clip_1.mp4"], description="The key of an exported clip of this video")
    download: bool = Field(default=False, description="True: the URL saves the file under a readable name instead of playing it")


class DownloadUrl(Json):
    url: str
    expires_at: str


class VideoIn(JsonIn):
    """Fields that are left out stay as they are."""

    s3_key: Key = Field(examples=["youtube-videos/uuid/master.mp4"])
    title: Title | None = None
    poster_key: Key | None = None
    duration: Seconds | None = None
    width: Pixels | None = None
    height: Pixels | None = None
    frame_rate: FrameRate | None = None

    def to_new(self) -> NewVideo:
        return NewVideo(self.s3_key, self.title, self.poster_key, self.duration, self.width, self.height, self.frame_rate)


class _Range(JsonIn):
    start: Seconds
    end: Seconds
    title: Title = ""

    @model_validator(mode="after")
    def _in_order(self) -> _Range:
        if self.end <= self.start:
            raise ValueError("end must be later than start")
        return self


class IdentifiedIn(_Range):
    """Fields that are left out stay as they are."""

    reference: Annotated[str, AfterValidator(_printable), Field(max_length=200)] = Field(
        default="",
        description="Your own name for the clip, by which it is recognized. Made from the times if left out",
    )
    score: FiniteFloat | None = None
    score_parts: (
        Annotated[dict[Annotated[str, AfterValidator(_printable), Field(max_length=60)], FiniteFloat], Field(max_length=20)] | None
    ) = None

    def to_new(self) -> NewIdentifiedClip:
        return NewIdentifiedClip(self.start, self.end, self.title, self.reference, self.score, self.score_parts)


class ExportedIn(_Range):
    """Fields that are left out stay as they are."""

    s3_key: Key = Field(examples=["youtube-videos/uuid/exported/clip_1.mp4"])
    aspect_ratio: Shape
    target_language: Language
    identified_clip_id: Annotated[str, Field(pattern=r"^clip_[A-Za-z0-9]{1,64}$")] | None = None
    captions_key: Key | None = Field(default=None, description="Key of its captions: a .vtt or .srt file whose times start with the clip")

    def to_new(self) -> NewExportedClip:
        return NewExportedClip(
            s3_key=self.s3_key,
            start_ms=self.start,
            end_ms=self.end,
            aspect_ratio=self.aspect_ratio.value,
            target_language=self.target_language,
            title=self.title,
            identified_clip_id=self.identified_clip_id,
            captions_key=self.captions_key,
        )


class IdentifiedItems(JsonIn):
    items: Annotated[list[Any], WithJsonSchema({"type": "array", "maxItems": MAX_ITEMS, "items": IdentifiedIn.model_json_schema()})] = (
        Field(
            max_length=MAX_ITEMS, examples=[[{"start": "125.007", "end": "221.043", "title": "The goal", "score": 87, "reference": "a1"}]]
        )
    )


class ExportedItems(JsonIn):
    items: Annotated[list[Any], WithJsonSchema({"type": "array", "maxItems": MAX_ITEMS, "items": ExportedIn.model_json_schema()})] = Field(
        max_length=MAX_ITEMS,
        examples=[
            [
                {
                    "s3Key": "youtube-videos/uuid/exported/clip_1.mp4",
                    "start": "125.007",
                    "end": "221.043",
                    "aspectRatio": "9:16",
                    "targetLanguage": "en",
                }
            ]
        ],
    )


class _Outcome(Json):
    id: str = Field(description="Empty if nothing is registered under this name. Of a `removed` clip: the id that it had")
    status: Status = Field(
        description="`created`; `updated`; `unchanged`; `kept`: a person has changed some of it, which stays, and the rest is updated; "
        "`removed`: a person has removed it, and it stays removed; `missing`: the bucket has no such object; "
        "`conflict`: the key belongs to another video; `invalid`"
    )
    detail: str = Field(description="Why it is `missing`, `conflict` or `invalid`, and what stays of it if it is `kept` or `removed`")


class RegisteredVideo(_Outcome):
    s3_key: str


class IdentifiedResult(_Outcome):
    reference: str


class ExportedResult(_Outcome):
    s3_key: str


class IdentifiedResults(Json):
    results: list[IdentifiedResult]


class ExportedResults(Json):
    results: list[ExportedResult]
