"""The JSON of uploads: camelCase, sizes in bytes, checksums in base64."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from clipviewer.api.schemas import Json, JsonIn, Title, moment
from clipviewer.domain.master_file import MAX_PARTS, MAX_SIZE
from clipviewer.services.library.uploading import MAX_SIGNED, SignedPart, WantedPart
from clipviewer.services.library.uploads import UploadView
from clipviewer.storage.s3 import StoredPart

PartNumber = Annotated[int, Field(ge=1, le=MAX_PARTS, strict=True)]


class UploadIn(JsonIn):
    file_name: Title = Field(examples=["talk.mp4"])
    size: int = Field(ge=1, le=MAX_SIZE, strict=True, description="Bytes")
    fingerprint: Annotated[str, Field(pattern=r"^[A-Za-z0-9:._-]{0,100}$")] = Field(
        default="", description="Your own fingerprint of the file: the same name, size and fingerprint continue an unfinished upload"
    )


class PartIn(JsonIn):
    part_number: PartNumber
    crc32: Annotated[str, Field(pattern=r"^([A-Za-z0-9+/]{6}==)?$")] = Field(
        default="", description="The CRC-32 of the part's bytes, big-endian, in base64, verified by the store", examples=["y/Q5Jg=="]
    )

    def to_wanted(self) -> WantedPart:
        return WantedPart(self.part_number, self.crc32)


class PartsIn(JsonIn):
    parts: list[PartIn] = Field(min_length=1, max_length=MAX_SIGNED)


class Upload(Json):
    id: str
    video_id: str = Field(description="Id that the video will have")
    file_name: str
    size: int = Field(description="Bytes")
    part_size: int = Field(description="Bytes of each part but the last")
    part_count: int
    state: str = Field(description="open, checking, done, refused or cancelled")
    created_at: str

    @classmethod
    def of(cls, upload: UploadView) -> Upload:
        return cls(
            id=upload.id,
            video_id=upload.video_id,
            file_name=upload.file_name,
            size=upload.size,
            part_size=upload.part_size,
            part_count=upload.part_count,
            state=upload.state,
            created_at=moment(upload.created_at),
        )


class Uploads(Json):
    uploads: list[Upload]


class PartUrl(Json):
    part_number: int
    size: int = Field(description="Bytes: the store accepts exactly this many")
    url: str = Field(description="PUT the part to this URL")
    headers: dict[str, str] = Field(description="Send these headers with it")
    expires_at: str

    @classmethod
    def of(cls, part: SignedPart) -> PartUrl:
        return cls(
            part_number=part.number,
            size=part.size,
            url=part.signed.url,
            headers=dict(part.headers),
            expires_at=moment(part.signed.expires_at),
        )


class PartUrls(Json):
    parts: list[PartUrl]


class ArrivedPart(Json):
    part_number: int
    size: int
    etag: str


class ArrivedParts(Upload):
    parts: list[ArrivedPart] = Field(description="Parts that have arrived whole")

    @classmethod
    def of_parts(cls, upload: UploadView, parts: Sequence[StoredPart]) -> ArrivedParts:
        arrived = [ArrivedPart(part_number=part.number, size=part.size, etag=part.etag) for part in parts]
        return cls(**Upload.of(upload).model_dump(), parts=arrived)
