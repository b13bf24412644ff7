"""The captions of a video: one track per language, parsed and written again, sliced to an export's range."""

from __future__ import annotations

import hashlib

import pytest
from sqlmodel import Session

from clipviewer.db.models import ExportedClip, IdentifiedClip, Video
from clipviewer.db.session import Database
from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.caption_mode import CaptionMode
from clipviewer.domain.export_choices import ExportChoices
from clipviewer.errors import ClipNotFound, Conflict, Invalid, VideoNotFound
from clipviewer.media.captions.tracks import CaptionsUnreadable, Cue
from clipviewer.services.cells.board import CellView
from clipviewer.services.exporting.exports import request_exports
from clipviewer.services.room.captions import (
    CaptionsNotFound,
    attach,
    captions_for,
    captions_of,
    find_track,
    remove,
    sidecar_of,
    webvtt,
)
from tests.conftest import Clock

VTT = b"WEBVTT\n\n00:00.500 --> 00:01.500\nOne\n\n00:02.000 --> 00:03.000\nTwo <i>&amp; a half</i>\n"
SRT = b"1\n00:00:00,500 --> 00:00:01,500\nEins\n"


@pytest.fixture
def talk(database: Database) -> Database:
    with database.write() as db:
        db.add(Video(id="video_1", title="Talk", s3_key="talk.mp4", etag="e1"))
        db.flush()
        db.add(IdentifiedClip(id="clip_1", video_id="video_1", reference="1", start_ms=1_000, end_ms=2_500, title="One"))
    return database


def burned(db: Session, language: str = "en") -> CellView:
    return request_exports(db, "video_1", ["clip_1"], ExportChoices([AspectRatio.SQUARE], [language], captions=CaptionMode.BURNED))[0]


def test_a_file_of_either_kind_is_kept_as_webvtt_and_replaced_by_the_next_of_its_language(talk: Database, clock: Clock) -> None:
    with talk.write() as db:
        first = attach(db, "video_1", "de", VTT, "C:\\cut\\Rede.vtt", actor="user_1", clock=clock)
        attach(db, "video_1", "original", VTT, "", clock=clock)
        clock.pass_time(hours=1)
        again = attach(db, "video_1", "de", SRT, "Rede.srt", clock=clock)
        text = webvtt(db, "video_1", "de")
        assert text == "WEBVTT\n\n00:00:00.500 --> 00:00:01.500\nEins\n"
        assert (first.name, first.cues, first.origin) == ("Rede.vtt", 2, "uploaded")
        assert (again.cues, again.created_at, again.digest) == (1, clock(), hashlib.sha256(text.encode()).hexdigest())
        assert [(kept.language, kept.name) for kept in captions_of(db, "video_1")] == [("original", "Original"), ("de", "Rede.srt")]
        whole = find_track(db, "video_1", "original")
        assert whole is not None
        assert whole.cues == (Cue(500, 1_500, "One"), Cue(2_000, 3_000, "Two & a half"))


@pytest.mark.parametrize("video_id", ["video_none", "clip_1", "video_\0"])
def test_captions_of_an_unknown_video_are_not_found(talk: Database, video_id: str) -> None:
    with talk.write() as db:
        with pytest.raises(VideoNotFound):
            attach(db, video_id, "de", VTT, "a.vtt")
        with pytest.raises(VideoNotFound):
            captions_of(db, video_id)
        with pytest.raises(VideoNotFound):
            webvtt(db, video_id, "de")
        assert find_track(db, video_id, "de") is None


@pytest.mark.parametrize("language", ["en", "English", "\0", ""])
def test_a_language_without_captions_has_none_to_read_or_remove(talk: Database, language: str) -> None:
    with talk.write() as db:
        attach(db, "video_1", "de", VTT, "a.vtt")
        assert find_track(db, "video_1", language) is None
        with pytest.raises(CaptionsNotFound):
            webvtt(db, "video_1", language)
        with pytest.raises(CaptionsNotFound):
            remove(db, "video_1", language)
        assert len(captions_of(db, "video_1")) == 1


def test_removed_captions_are_gone(talk: Database) -> None:
    with talk.write() as db:
        attach(db, "video_1", "de", VTT, "a.vtt")
        remove(db, "video_1", "de")
        assert captions_of(db, "video_1") == []


def test_an_invalid_language_or_caption_file_is_refused_with_what_to_do(talk: Database) -> None:
    with talk.write() as db:
        with pytest.raises(Invalid, match="pt-BR"):
            attach(db, "video_1", "English", VTT, "a.vtt")
        with pytest.raises(CaptionsUnreadable, match="is neither WebVTT nor SubRip"):
            attach(db, "video_1", "en", b"%PDF", "a.pdf")
        assert captions_of(db, "video_1") == []


def test_captions_that_grow_beyond_what_can_be_read_again_are_refused(talk: Database) -> None:
    srt = b"1\n00:00:01,000 --> 00:00:02,000\n" + b"< " * 900
    with talk.write() as db:
        with pytest.raises(CaptionsUnreadable, match="2,000 characters"):
            attach(db, "video_1", "en", srt, "a.srt")
        assert captions_of(db, "video_1") == []


def test_an_export_shows_the_captions_of_its_clip_from_its_start(talk: Database) -> None:
    with talk.write() as db:
        attach(db, "video_1", "en", VTT, "a.vtt")
        part = captions_for(db, burned(db))
    assert part is not None
    assert part.cues == (Cue(0, 500, "One"), Cue(1_000, 1_500, "Two & a half"))


@pytest.mark.parametrize("change", ["another text", "removed"])
def test_captions_changed_since_an_export_was_enqueued_are_not_included(talk: Database, change: str) -> None:
    with talk.write() as db:
        attach(db, "video_1", "en", VTT, "a.vtt")
        job = burned(db)
        if change == "removed":
            remove(db, "video_1", "en")
        else:
            attach(db, "video_1", "en", VTT.replace(b"One", b"Won"), "a.vtt")
        with pytest.raises(Conflict, match="Press Retry"):
            captions_for(db, job)


def test_captions_that_changed_elsewhere_change_nothing_for_an_export(talk: Database) -> None:
    with talk.write() as db:
        attach(db, "video_1", "en", VTT, "a.vtt")
        job = burned(db)
        attach(db, "video_1", "en", VTT + b"\n01:00.000 --> 01:01.000\nLater\n", "a.vtt")
        assert captions_for(db, job) is not None
        assert burned(db).id == job.id


def test_the_sidecar_of_an_export_is_found_by_its_video_and_clip(talk: Database) -> None:
    with talk.write() as db:
        for clip_id, key in (("clip_7", "exports/7.vtt"), ("clip_8", None)):
            clip = ExportedClip(
                id=clip_id, video_id="video_1", start_ms=0, end_ms=1, title="", s3_key=f"{clip_id}.mp4", aspect_ratio="1:1",
                target_language="en", captions_key=key,
            )  # fmt: skip
            db.add(clip)
        db.flush()
        assert sidecar_of(db, "video_1", "clip_7") == "exports/7.vtt"
        with pytest.raises(CaptionsNotFound):
            sidecar_of(db, "video_1", "clip_8")
        with pytest.raises(ClipNotFound):
            sidecar_of(db, "video_2", "clip_7")
