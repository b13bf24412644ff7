"""Captions found inside a master in a running bucket, and translations of existing captions."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from sqlmodel import select

from clipviewer.db.models import AuditEntry, Video
from clipviewer.errors import Conflict, Invalid, ObjectMissing, VideoNotFound
from clipviewer.media.captions.tracks import CaptionsUnreadable
from clipviewer.media.captions.translator import TranslationFailed
from clipviewer.services.container import Services
from clipviewer.services.room import caption_sources
from clipviewer.services.room.caption_sources import find_captions, translate_captions
from clipviewer.services.room.captions import CaptionsNotFound, attach, captions_of, webvtt
from clipviewer.storage.s3 import ObjectStore
from tests.services.test_embedded_captions import video, with_bitmap_track

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
VTT = b"WEBVTT\n\n00:01.000 --> 00:02.000\nGood\nmorning\n\n00:03.000 --> 00:04.000\nBye\n"


class UppercaseTranslator:
    """A translator that returns capitals and records its requests."""

    def __init__(self) -> None:
        self.asked: list[tuple[list[str], str, str]] = []

    def translate(self, texts: Sequence[str], *, source: str, target: str) -> list[str]:
        self.asked.append((list(texts), source, target))
        return [text.upper() for text in texts]


@pytest.fixture
def library(services: Services, bucket: ObjectStore) -> Services:
    """The services over the bucket, with ``video_1`` whose object is not there yet."""
    with services.database.write() as db:
        db.add(Video(id="video_1", title="Talk", s3_key="talk.mkv"))
    port = urlsplit(bucket._client.meta.endpoint_url).port
    assert port is not None
    return dataclasses.replace(services, settings=dataclasses.replace(services.settings, port=port), store=bucket)


def put(library: Services, path: Path) -> None:
    library.store.put_file("talk.mkv", path, "video/x-matroska")


def have(library: Services, language: str = "en", data: bytes = VTT) -> None:
    with library.database.write() as db:
        attach(db, "video_1", language, data, "mine.vtt")


def languages(library: Services) -> list[tuple[str, str]]:
    with library.database.read() as db:
        return [(captions.language, captions.origin) for captions in captions_of(db, "video_1")]


def test_tracks_inside_the_master_are_attached_and_one_without_a_language_counts_as_the_spoken_one(
    library: Services, tmp_path: Path
) -> None:
    put(library, video(tmp_path / "talk.mkv", "-c:s", "srt"))
    found = find_captions(library, "video_1", actor="user_1", address="::1")
    assert [(captions.language, captions.name) for captions in found.attached] == [("de", "Untertitel"), ("original", "Track 2")]
    assert found.left_out == []
    assert languages(library) == [("original", "embedded"), ("de", "embedded")]
    with library.database.read() as db:
        (entry,) = db.exec(select(AuditEntry))
    assert (entry.action, entry.actor, entry.details) == ("captions_found", "user_1", {"attached": "de,original"})


def test_existing_captions_are_kept_and_finding_twice_changes_nothing(library: Services, tmp_path: Path) -> None:
    put(library, video(tmp_path / "talk.mkv", "-c:s", "srt"))
    have(library, "de")
    assert find_captions(library, "video_1").left_out == ["Untertitel: the video already has captions in German."]
    assert languages(library) == [("original", "embedded"), ("de", "uploaded")]
    again = find_captions(library, "video_1")
    assert (list(again.attached), len(again.left_out)) == ([], 2)


def test_of_two_tracks_in_one_language_the_longer_one_is_taken(library: Services, tmp_path: Path) -> None:
    put(library, video(tmp_path / "talk.mkv", "-c:s", "srt", "-metadata:s:s:1", "language=deu"))
    found = find_captions(library, "video_1")
    assert [(captions.language, captions.cues) for captions in found.attached] == [("de", 2)]
    assert found.left_out == ["Track 2: there is a longer track in German."]


def test_bitmap_captions_are_skipped_with_the_reason(library: Services, tmp_path: Path) -> None:
    put(library, with_bitmap_track(tmp_path))
    found = find_captions(library, "video_1")
    assert (list(found.attached), len(found.left_out)) == ([], 1)
    assert "pictures, not text" in found.left_out[0]


def test_missing_damaged_and_unknown_masters_are_distinguished(library: Services) -> None:
    with pytest.raises(VideoNotFound):
        find_captions(library, "video_none")
    with pytest.raises(ObjectMissing):
        find_captions(library, "video_1")
    library.store.put("talk.mkv", b"no video", "video/x-matroska")
    with pytest.raises(CaptionsUnreadable, match="video file cannot be read"):
        find_captions(library, "video_1")
    assert languages(library) == []


def test_finding_captions_is_refused_while_another_master_is_read(library: Services) -> None:
    with caption_sources._LOOKING, pytest.raises(Conflict, match="Try again"):
        find_captions(library, "video_1")


def test_a_translation_keeps_the_times_and_says_where_it_comes_from(library: Services) -> None:
    have(library)
    loud = UppercaseTranslator()
    made = translate_captions(library, "video_1", "en", "de", actor="user_1", address="::1", translator=loud)
    assert (made.language, made.name, made.origin, made.cues) == ("de", "Translated from English", "translated", 2)
    assert loud.asked == [(["Good morning", "Bye"], "en", "de")]
    with library.database.read() as db:
        assert webvtt(db, "video_1", "de") == (
            "WEBVTT\n\n00:00:01.000 --> 00:00:02.000\nGOOD MORNING\n\n00:00:03.000 --> 00:00:04.000\nBYE\n"
        )
        (entry,) = db.exec(select(AuditEntry))
    assert (entry.action, entry.actor, entry.details) == ("captions_translated", "user_1", {"source": "en", "language": "de"})


def test_a_translation_replaces_an_earlier_one_but_nothing_that_somebody_attached(library: Services) -> None:
    have(library)
    for _ in range(2):
        translate_captions(library, "video_1", "en", "de", translator=UppercaseTranslator())
    have(library, "fr")
    loud = UppercaseTranslator()
    with pytest.raises(Conflict, match="already has captions in French"):
        translate_captions(library, "video_1", "en", "fr", translator=loud)
    assert loud.asked == []
    assert languages(library) == [("en", "uploaded"), ("fr", "uploaded"), ("de", "translated")]


def test_captions_attached_while_they_were_being_translated_are_kept(library: Services) -> None:
    have(library)

    class Slow(UppercaseTranslator):
        def translate(self, texts: Sequence[str], *, source: str, target: str) -> list[str]:
            have(library, "de")
            return super().translate(texts, source=source, target=target)

    with pytest.raises(Conflict, match="already"):
        translate_captions(library, "video_1", "en", "de", translator=Slow())
    assert ("de", "uploaded") in languages(library)


def test_what_cannot_be_translated_is_refused_before_anything_is_sent(library: Services) -> None:
    have(library)
    loud = UppercaseTranslator()
    with pytest.raises(Conflict, match="CLIPVIEWER_TRANSLATE_URL"):
        translate_captions(library, "video_1", "en", "de")
    with pytest.raises(CaptionsNotFound, match="no captions in French"):
        translate_captions(library, "video_1", "fr", "de", translator=loud)
    with pytest.raises(VideoNotFound):
        translate_captions(library, "video_2", "en", "de", translator=loud)
    for target in ("en", "original", "German"):
        with pytest.raises(Invalid):
            translate_captions(library, "video_1", "en", target, translator=loud)
    assert loud.asked == []


def test_a_service_that_fails_changes_nothing(library: Services) -> None:
    have(library)

    class Broken:
        def translate(self, texts: Sequence[str], *, source: str, target: str) -> list[str]:
            raise TranslationFailed("It is broken: try again.")

    with pytest.raises(TranslationFailed):
        translate_captions(library, "video_1", "en", "de", translator=Broken())
    assert languages(library) == [("en", "uploaded")]
