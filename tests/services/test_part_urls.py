"""The URL of a part accepts that one part, as announced, and nothing else."""

from __future__ import annotations

import dataclasses
import urllib.request
from datetime import UTC, datetime, timedelta
from urllib.error import HTTPError

import pytest

from clipviewer.errors import Invalid
from clipviewer.services.library.uploading import SignedPart, Uploading, WantedPart
from tests.services.upload_steps import ANNA, begin, crc, put, split_parts

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def test_bytes_that_were_damaged_on_the_way_are_refused(uploading: Uploading, clip: bytes) -> None:
    found = begin(uploading, "talk.mp4", clip)
    piece = split_parts(found, clip)[1]
    (part,) = uploading.sign(found.id, ANNA, [WantedPart(2, crc(piece))], None)
    assert refusal(part, bytes([piece[0] ^ 1]) + piece[1:]) == (400, "BadDigest")
    assert uploading.parts(found.id, ANNA)[1] == []
    put(part, piece)
    assert len(uploading.parts(found.id, ANNA)[1]) == 1


def test_a_part_url_accepts_only_its_own_size(uploading: Uploading, clip: bytes) -> None:
    found = begin(uploading, "talk.mp4", clip)
    (part,) = uploading.sign(found.id, ANNA, [WantedPart(2)], None)
    assert refusal(part, split_parts(found, clip)[1] + b"0") == (403, "SignatureDoesNotMatch")


def test_a_part_url_is_invalid_for_another_part_key_or_method(uploading: Uploading, clip: bytes) -> None:
    found = begin(uploading, "talk.mp4", clip)
    (part,) = uploading.sign(found.id, ANNA, [WantedPart(2)], None)
    for old, new in (("partNumber=2", "partNumber=1"), ("talk.mp4", "other.mp4")):
        url = dataclasses.replace(part.signed, url=part.signed.url.replace(old, new))
        assert refusal(dataclasses.replace(part, signed=url), split_parts(found, clip)[1])[0] == 403
    for method in ("GET", "DELETE", "POST"):
        assert refusal(part, b"", method)[0] == 403


def test_a_part_url_is_valid_for_an_hour_at_most(uploading: Uploading, clip: bytes) -> None:
    (part,) = uploading.sign(begin(uploading, "talk.mp4", clip).id, ANNA, [WantedPart(1)], None)
    assert datetime.now(UTC) < part.signed.expires_at <= datetime.now(UTC) + timedelta(hours=1)
    assert part.signed.url not in repr(part)


def test_a_part_beyond_the_file_has_no_url(uploading: Uploading, clip: bytes) -> None:
    found = begin(uploading, "talk.mp4", clip)
    for number in (0, 3):
        with pytest.raises(Invalid, match="parts 1 to 2"):
            uploading.sign(found.id, ANNA, [WantedPart(number)], None)


def refusal(part: SignedPart, data: bytes, method: str = "PUT") -> tuple[int, str]:
    request = urllib.request.Request(part.signed.url, data or None, dict(part.headers), method=method)
    with pytest.raises(HTTPError) as caught:
        urllib.request.urlopen(request)
    with caught.value as answer:
        return answer.code, answer.read().decode().partition("<Code>")[2].partition("</Code>")[0]
