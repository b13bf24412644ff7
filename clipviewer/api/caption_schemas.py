"""The JSON of captions."""

from __future__ import annotations

from pydantic import Field

from clipviewer.api.schemas import Json, JsonIn, Language, moment
from clipviewer.services.library.row_writer import Status
from clipviewer.services.room.caption_sources import FoundCaptions
from clipviewer.services.room.captions import CaptionsView


class Captions(Json):
    id: str
    language: str = Field(description="BCP 47 tag, or `original`: the spoken language")
    name: str
    origin: str = Field(description="`uploaded`, `embedded` (found in the master) or `translated`")
    cues: int = Field(description="Number of captions")
    digest: str = Field(description="SHA-256 of the WebVTT file, in hex")
    created_at: str

    @classmethod
    def of(cls, captions: CaptionsView) -> Captions:
        return cls(
            id=captions.id,
            language=captions.language,
            name=captions.name,
            origin=captions.origin,
            cues=captions.cues,
            digest=captions.digest,
            created_at=moment(captions.created_at),
        )


class AttachedCaptions(Captions):
    """The captions that the video has in this language now."""

    status: Status = Field(
        description="`created`, `updated`, `unchanged`, or `kept`: a person chose other captions, and an API token does not replace them"
    )

    @classmethod
    def after(cls, captions: CaptionsView, status: Status) -> AttachedCaptions:
        return cls(**Captions.of(captions).model_dump(), status=status)


class VideoCaptions(Json):
    captions: list[Captions]


class FoundInMaster(VideoCaptions):
    left_out: list[str] = Field(description="Why each other track was not attached")

    @classmethod
    def of(cls, found: FoundCaptions) -> FoundInMaster:
        return cls(captions=[Captions.of(captions) for captions in found.attached], left_out=list(found.left_out))


class TranslateRequest(JsonIn):
    source: Language = Field(alias="from", default="original", description="The language of the captions to translate", examples=["en"])
