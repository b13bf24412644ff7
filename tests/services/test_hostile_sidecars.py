"""Sidecars written by an attacker: each is one line in the result, and none of it enters the library."""

from __future__ import annotations

import copy
import dataclasses
import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlmodel import select

from clipviewer.db.models import ExportedClip, IdentifiedClip, Video
from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.bucket_contents import MAX_SIDECAR, Ignored
from clipviewer.domain.export_identity import export_identity
from clipviewer.services.adoption.adopting import run_import
from clipviewer.services.adoption.tally import Tally
from clipviewer.services.cells.board import framing_of
from clipviewer.services.container import Services
from clipviewer.storage.s3 import ObjectStore
from tests.exported_library import make_library

Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def team(services: Services, bucket: ObjectStore) -> Services:
    """A library in ``team/`` whose rows are gone; there is another video with its own clip."""
    settings = dataclasses.replace(services.settings, s3_prefix="team/")
    with services.database.write() as db:
        make_library(db, bucket, "team/")
        db.delete(db.get_one(Video, "video_1"))
        db.add(Video(id="video_other", title="Other", s3_key="team/other.mp4"))
        db.flush()
        db.add(IdentifiedClip(id="clip_other", video_id="video_other", reference="r", start_ms=0, end_ms=9, title="Other"))
        span = {"start_ms": 0, "end_ms": 9, "aspect_ratio": "9:16", "target_language": "original"}
        db.add(ExportedClip(id="clip_file", video_id="video_other", title="Other", s3_key="team/other_clip.mp4", **span))
    return dataclasses.replace(services, store=bucket, settings=settings)


def sidecars(bucket: ObjectStore) -> list[str]:
    return [item.key for item in bucket.list("team/exports/") if item.key.endswith(".json")]


def spoil(bucket: ObjectStore, key: str, change: Change, *, honest_identity: bool = True) -> None:
    document = copy.deepcopy(json.loads(bucket.get(key)))
    change(document)
    if honest_identity:
        sign(document)
    bucket.put(key, json.dumps(document).encode(), "application/json")


def sign(document: dict[str, Any]) -> None:
    """Compute the identity from the other fields, as an attacker who knows the scheme would."""
    told = document["captions"]
    document["identity"] = export_identity(
        document["source"]["videoId"],
        document["source"]["etag"],
        0,
        1_500,
        ratio=AspectRatio(document["aspectRatio"]),
        language=document["targetLanguage"],
        framing=framing_of(document["framing"]),
        captions=f"{told['mode']}:{told['digest']}" if told else "",
        recipe=document["recipe"],
    )


def adopted(services: Services) -> Tally:
    return run_import(services, "team/exports/", on_progress=lambda _: None, check=lambda: None)


def contents(services: Services) -> set[str]:
    with services.database.read() as db:
        return {*db.exec(select(Video.s3_key)), *db.exec(select(IdentifiedClip.id)), *db.exec(select(ExportedClip.s3_key))}


def source(**values: Any) -> Change:
    return lambda document: document["source"].update(values)


def clip(**values: Any) -> Change:
    return lambda document: document["clip"].update(values)


HOSTILE: dict[str, Change] = {
    "a video outside the library": source(s3Key="secret/plans.mp4"),
    "a video that is no video": source(s3Key="team/passwords.txt"),
    "a video among the exports": source(s3Key="team/exports/video_1/x.mp4"),
    "a video that is somebody's clip": source(s3Key="team/other_clip.mp4"),
    "a key that walks up": source(s3Key="team/../secret.mp4"),
    "the key of one video and the id of another": source(videoId="video_other"),
    "an id that is none": source(videoId="../x"),
    "a clip of another video": clip(id="clip_other"),
    "a title with an end of line": clip(title="a\nb"),
    "a title that no encoding has": clip(title="\ud800"),
    "a title that is no text": clip(title=["a"]),
    "a score beyond numbers": clip(score=float("nan")),
    "a thousand parts of a score": clip(scoreParts={str(number): 1 for number in range(1_000)}),
    "a height beyond the database": source(height=2**70),
    "a width below nothing": source(width=-1),
    "a duration beyond a week": source(duration="99999999"),
    "a former title that is no text": source(sent={"title": 7}),
    "a former range that is no number": clip(sent={"start_ms": "0", "end_ms": 9}),
    "former values that are a list": clip(sent=[["title", "x"]]),
    "a range that is empty": clip(end="0.000"),
    "a time that is none": lambda document: document.update(renderedAt="yesterday"),
    "an export without a maker": lambda document: document.update(requestedBy=None),
    "no source at all": lambda document: document.update(source=None),
}


@pytest.mark.parametrize("change", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_sidecar_is_one_line_in_the_result(team: Services, bucket: ObjectStore, change: Change) -> None:
    known = {"team/other.mp4", "clip_other", "team/other_clip.mp4"}
    if change is HOSTILE["the key of one video and the id of another"]:
        with team.database.write() as db:
            db.add(Video(id="video_taken", title="Taken", s3_key="team/talks/talk.mp4"))
        known |= {"team/talks/talk.mp4"}
    good, bad = sidecars(bucket)
    bucket.delete(good.replace(".json", ".mp4"))
    spoil(bucket, bad, change, honest_identity=change not in (HOSTILE["no source at all"],))
    found = adopted(team)
    assert found.ignored[Ignored.SIDECAR] == 1
    assert (found.videos, found.exports) == (0, 0)
    assert contents(team) == known


def test_an_identity_cannot_be_claimed_for_another_file(team: Services, bucket: ObjectStore) -> None:
    first, second = sidecars(bucket)
    claimed = json.loads(bucket.get(first))["identity"]
    spoil(bucket, second, lambda document: document.update(identity=claimed), honest_identity=False)
    found = adopted(team)
    assert (found.exports, found.ignored[Ignored.SIDECAR]) == (1, 1)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("data", [b"[" * 50_000, b"{", b"\xff\xfe", b'{"schema":"clipviewer.export/9"}', b" " * (MAX_SIDECAR + 1), b"null"])
def test_a_file_that_is_not_a_sidecar_is_skipped(team: Services, bucket: ObjectStore, data: bytes) -> None:
    bucket.put(sidecars(bucket)[0], data, "application/json")
    found = adopted(team)
    assert found.exports == 1
    assert found.ignored[Ignored.SIDECAR] + found.ignored[Ignored.NO_SIDECAR] == 1


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_sidecar_that_names_another_file_is_skipped(team: Services, bucket: ObjectStore) -> None:
    first, second = sidecars(bucket)
    bucket.put(second, bucket.get(first), "application/json")
    assert (adopted(team).exports, contents(team) >= {"team/other.mp4"}) == (1, True)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_poster_is_taken_only_as_a_picture_of_the_library(team: Services, bucket: ObjectStore) -> None:
    for key in sidecars(bucket):
        spoil(bucket, key, source(posterKey="team/talks/contract.pdf"))
    adopted(team)
    with team.database.read() as db:
        assert db.get_one(Video, "video_1").poster_key is None
