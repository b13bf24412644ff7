"""Send files to the bucket, step by step as an uploader does."""

from __future__ import annotations

import base64
import urllib.request
import zlib
from typing import Any

from sqlmodel import Session, update

from clipviewer.db.upload_models import VideoUpload
from clipviewer.services.library.uploading import SignedPart, Uploading, WantedPart
from clipviewer.services.library.uploads import UploadView

ANNA, BEN = "user_anna", "user_ben"


def no_audit(_db: Session, _upload: UploadView) -> None:
    """Record no audit entry."""


def begin(uploading: Uploading, name: str, data: bytes, sender: str = ANNA, fingerprint: str = "1") -> UploadView:
    return uploading.begin(name, len(data), fingerprint, sender, no_audit)[0]


def crc(data: bytes) -> str:
    return base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()


def put(part: SignedPart, data: bytes, **headers: str) -> None:
    request = urllib.request.Request(part.signed.url, data, {**part.headers, **headers}, method="PUT")
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 200


def split_parts(found: UploadView, data: bytes) -> list[bytes]:
    return [data[start : start + found.part_size] for start in range(0, len(data), found.part_size)]


def send(uploading: Uploading, found: UploadView, data: bytes, *numbers: int) -> None:
    pieces = split_parts(found, data)
    chosen = numbers or range(1, len(pieces) + 1)
    signed = uploading.sign(found.id, found.sender, [WantedPart(number, crc(pieces[number - 1])) for number in chosen], None)
    for part in signed:
        put(part, pieces[part.number - 1])


def row(uploading: Uploading, found: UploadView) -> VideoUpload:
    with uploading.services.database.read() as db:
        return db.get_one(VideoUpload, found.id)


def change_row(uploading: Uploading, found: UploadView, **values: Any) -> None:
    with uploading.services.database.write() as db:
        db.connection().execute(update(VideoUpload).where(VideoUpload.metadata.tables["video_upload"].c.id == found.id).values(**values))
