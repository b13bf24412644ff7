"""Importing a prefix: what is recognised, what is created, and what a second import finds."""

from __future__ import annotations

import dataclasses

import pytest
from sqlmodel import select

from clipviewer.db.adoption_models import PreviewsDue
from clipviewer.db.export_models import ExportUpload
from clipviewer.db.models import ExportedClip, Video
from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.bucket_contents import Ignored
from clipviewer.domain.export_choices import ExportChoices
from clipviewer.errors import Invalid, StorageUnreachable
from clipviewer.services import work
from clipviewer.services.adoption.adopting import checked_prefix, enqueue_import, preview_import, run_import
from clipviewer.services.adoption.tally import Tally
from clipviewer.services.cells.board import cells
from clipviewer.services.container import Services
from clipviewer.services.exporting.exports import request_exports
from clipviewer.services.library import uploads, video_previews
from clipviewer.services.library.listing import Filter, ListQuery, list_videos
from clipviewer.services.room.captions import attach, captions_of, remove
from clipviewer.storage.s3 import ObjectStore
from tests.exported_library import MASTER, make_library

VTT = b"WEBVTT\n\n00:00.000 --> 00:01.000\nHallo\n"


def under(services: Services, prefix: str) -> Services:
    return dataclasses.replace(services, settings=dataclasses.replace(services.settings, s3_prefix=prefix))


def adopted(services: Services, prefix: str = "") -> Tally:
    return run_import(services, prefix, actor="user_1", on_progress=lambda _: None, check=lambda: None)


def put(store: ObjectStore, *keys: str, data: bytes = b"data") -> None:
    for key in keys:
        store.put(key, data, "application/octet-stream")


def videos(services: Services) -> dict[str, Video]:
    with services.database.read() as db:
        return {video.s3_key: video for video in db.exec(select(Video))}


def counts(tally: Tally) -> dict[str, int]:
    """Return the counts that are not zero."""
    told = tally.as_json()
    return {name: told[name] for name in ("videos", "exports", "captions", "changed", "back", "missing", "known") if told[name]}


def test_videos_and_the_captions_beside_them_are_imported_and_the_rest_is_reported(team: Services, bucket: ObjectStore) -> None:
    put(bucket, "talks/harbour_day.mp4", "talks/b.MOV", "notes.txt", "previews/video_9/x/poster.jpg", "exports/loose.mp4", "live/1.ts")
    put(bucket, "talks/harbour_day.de.vtt", "talks/harbour_day.vtt", "talks/nobody.vtt", data=VTT)
    put(bucket, "talks/b.srt", data=b"no captions at all")
    put(bucket, "empty.mp4", data=b"")
    found = adopted(team)
    assert counts(found) == {"videos": 2, "captions": 2}
    assert found.ignored == {
        **dict.fromkeys((Ignored.OTHER, Ignored.OWN, Ignored.NO_SIDECAR, Ignored.PIECE, Ignored.NO_VIDEO, Ignored.CAPTIONS), 1),
        Ignored.EMPTY: 1,
    }
    assert (found.objects, found.complete, found.shown["video"]) == (11, True, ["talks/b.MOV", "talks/harbour_day.mp4"])
    made = videos(team)
    video = made["talks/harbour_day.mp4"]
    assert (made.keys(), video.title, video.size) == ({"talks/harbour_day.mp4", "talks/b.MOV"}, "harbour day", 4)
    assert video.etag == bucket.head("talks/harbour_day.mp4").etag
    with team.database.read() as db:
        assert {captions.language for captions in captions_of(db, video.id)} == {"original", "de"}


def test_a_second_import_finds_only_differences(team: Services, bucket: ObjectStore) -> None:
    put(bucket, "a.mp4", "b.mp4", "c.mp4")
    put(bucket, "a.vtt", data=VTT)
    adopted(team)
    again = adopted(team)
    assert counts(again) == {"known": 4}
    put(bucket, "b.mp4", data=b"another film")
    put(bucket, "d.mp4")
    bucket.delete("c.mp4")
    third = adopted(team)
    assert counts(third) == {"known": 2, "changed": 1, "videos": 1, "missing": 1}
    made = videos(team)
    assert made["c.mp4"].missing_at is not None
    assert (made["b.mp4"].etag, made["b.mp4"].size) == (bucket.head("b.mp4").etag, 12)
    with team.database.read() as db:
        assert [video.title for video in list_videos(db, ListQuery(filter=Filter.MISSING)).items] == ["c"]
    assert counts(adopted(team)) == {"known": 3 + 1}
    put(bucket, "c.mp4")
    assert counts(adopted(team)) == {"known": 4, "back": 1}
    assert videos(team)["c.mp4"].missing_at is None


def test_other_prefixes_are_not_searched(team: Services, bucket: ObjectStore) -> None:
    put(bucket, "A/one.mp4", "a/one.mp4")
    adopted(team)
    bucket.delete("A/one.mp4")
    assert counts(adopted(team, "a/")) == {"known": 1}
    assert counts(adopted(team, "A")) == {"missing": 1}


def test_exports_are_recovered_by_their_sidecars_with_the_named_video(team: Services, bucket: ObjectStore) -> None:
    with team.database.write() as db:
        make_library(db, bucket)
        before = [(cell.identity, cell.state, cell.exported_clip_id is not None) for cell in cells(db, "video_1")]
        files = {clip.s3_key: (clip.etag, clip.captions_key) for clip in db.exec(select(ExportedClip))}
        db.delete(db.get_one(Video, "video_1"))
    found = adopted(team)
    assert counts(found) == {"videos": 1, "exports": 2, "known": 1}
    with team.database.read() as db:
        assert [(cell.identity, cell.state, cell.exported_clip_id is not None) for cell in cells(db, "video_1")] == before
        assert {clip.s3_key: (clip.etag, clip.captions_key) for clip in db.exec(select(ExportedClip))} == files
    assert counts(adopted(team)) == {"known": 3}


def test_exports_are_recognised_by_their_sidecars_under_any_prefix(team: Services, bucket: ObjectStore) -> None:
    with team.database.write() as db:
        make_library(db, bucket, "old/")
        db.delete(db.get_one(Video, "video_1"))
    assert counts(preview_import(team, "")) == {"videos": 1, "exports": 2}
    found = adopted(team)
    assert (counts(found), found.ignored) == ({"videos": 1, "exports": 2}, {Ignored.OWN: 3})
    assert adopted(team).ignored == {Ignored.OWN: 3}


def test_a_missing_export_can_be_rendered_again(team: Services, bucket: ObjectStore) -> None:
    with team.database.write() as db:
        jobs = make_library(db, bucket)
        keys = [clip.s3_key for clip in db.exec(select(ExportedClip)) if clip.target_language == "original"]
    bucket.delete(keys[0])
    found = adopted(team)
    assert counts(found) == {"known": 2, "missing": 1}
    assert found.ignored[Ignored.NO_FILE] == 1
    with team.database.write() as db:
        again = request_exports(db, "video_1", ["clip_1"], ExportChoices([AspectRatio.PORTRAIT]))
        assert [(cell.id, cell.state) for cell in again] == [(jobs[0].id, "queued")]


def test_a_missing_master_is_a_missing_video_whose_exports_play(team: Services, bucket: ObjectStore) -> None:
    with team.database.write() as db:
        make_library(db, bucket)
        db.delete(db.get_one(Video, "video_1"))
    bucket.delete(MASTER)
    assert counts(adopted(team)) == {"videos": 1, "exports": 2}
    assert videos(team)[MASTER].missing_at is not None


def test_a_dry_run_reports_the_same_and_writes_nothing(team: Services, bucket: ObjectStore) -> None:
    with team.database.write() as db:
        make_library(db, bucket)
        db.delete(db.get_one(Video, "video_1"))
    put(bucket, "a.mp4", "b.mp4")
    put(bucket, "a.vtt", data=VTT)
    look = preview_import(team, "")
    assert (counts(look), look.complete) == ({"videos": 3, "exports": 2, "captions": 1}, True)
    assert videos(team) == {}
    assert preview_import(team, "a").shown == {"video": ["a.mp4"], "captions": ["a.vtt"]}


def test_a_dry_run_stops_at_its_time_limit_and_says_so(team: Services, bucket: ObjectStore) -> None:
    put(bucket, "a.mp4")
    assert not preview_import(team, "", seconds=0).complete


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_files_on_two_pages_of_a_listing_are_matched(team: Services, bucket: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    with team.database.write() as db:
        make_library(db, bucket)
        db.delete(db.get_one(Video, "video_1"))
    put(bucket, "a.de.vtt", "a.srt", "z.vtt", data=VTT)
    put(bucket, "a.mp4", "a.json")
    whole = preview_import(team, "").as_json()
    shown = {sort: sorted(keys) for sort, keys in whole.pop("shown").items()}
    for size in (2, 3, 5):
        monkeypatch.setattr("clipviewer.services.adoption.walk._PAGE", size)
        look = preview_import(team, "").as_json()
        assert {sort: sorted(keys) for sort, keys in look.pop("shown").items()} == shown
        assert look == whole
    monkeypatch.setattr("clipviewer.services.adoption.walk._PAGE", 2)
    found = adopted(team)
    assert counts(found) == {"videos": 2, "exports": 2, "captions": 2, "known": 1}
    assert found.ignored == whole["ignored"] == {Ignored.OWN: 3, Ignored.OTHER: 1, Ignored.NO_VIDEO: 1}


def test_previews_of_imported_videos_are_enqueued_one_at_a_time(team: Services, bucket: ObjectStore) -> None:
    put(bucket, "a.mp4", "b.mp4")
    adopted(team)
    made = videos(team)
    with team.database.write() as db:
        assert [due.video_id for due in db.exec(select(PreviewsDue).order_by("number"))] == [made["a.mp4"].id, made["b.mp4"].id]  # type: ignore[arg-type]
        assert work.unfinished_work(db) == []
        assert video_previews.enqueue_if_due(db, made["b.mp4"].id)
        assert not video_previews.enqueue_if_due(db, made["b.mp4"].id)
        assert video_previews.enqueue_next_due(db)
        assert not video_previews.enqueue_next_due(db)
        assert {item.subject for item in work.unfinished_work(db)} == {made["a.mp4"].id, made["b.mp4"].id}


def test_captions_that_a_person_removed_or_replaced_stay_as_they_are(team: Services, bucket: ObjectStore) -> None:
    put(bucket, "a.mp4", "b.mp4")
    put(bucket, "a.de.vtt", "b.de.vtt", data=VTT)
    adopted(team)
    made = videos(team)
    with team.database.write() as db:
        remove(db, made["a.mp4"].id, "de")
        attach(db, made["b.mp4"].id, "de", VTT.replace(b"Hallo", b"Servus"), "mine.vtt")
    adopted(team)
    put(bucket, "a.de.vtt", "b.de.vtt", data=VTT.replace(b"Hallo", b"Moin"))
    found = adopted(team)
    assert found.ignored == {Ignored.LANGUAGE: 1, Ignored.REMOVED: 1}
    with team.database.read() as db:
        assert captions_of(db, made["a.mp4"].id) == []
        assert [captions.name for captions in captions_of(db, made["b.mp4"].id)] == ["mine.vtt"]


def test_changed_captions_replace_the_imported_ones(team: Services, bucket: ObjectStore) -> None:
    put(bucket, "a.mp4")
    put(bucket, "a.de.vtt", data=VTT)
    adopted(team)
    put(bucket, "a.de.vtt", data=VTT.replace(b"Hallo", b"Moin"))
    assert counts(adopted(team)) == {"known": 1, "captions": 1}
    assert counts(adopted(team)) == {"known": 2}


def test_a_deleted_video_is_not_imported_again(team: Services, bucket: ObjectStore) -> None:
    put(bucket, "a.mp4")
    adopted(team)
    with team.database.write() as db:
        video = db.exec(select(Video)).one()
        video.deleted_at = video.created_at
        db.add(video)
    assert adopted(team).ignored == {Ignored.DELETED: 1}


def test_objects_being_uploaded_or_rendered_are_left_alone(team: Services, bucket: ObjectStore) -> None:
    plan = uploads.plan_upload("talk.mp4", 4, "", "user_1")
    put(bucket, plan.s3_key, "exports/video_1/x.mp4", "exports/video_1/x.json")
    with team.database.write() as db:
        uploads.begin(db, plan, "store", checked=False)
        db.add(ExportUpload(s3_key="exports/video_1/x.mp4", job_id="job_1", attempt=1))
    found = adopted(team)
    assert found.ignored == {Ignored.ARRIVING: 2, Ignored.OWN: 1}
    assert counts(found) == {}


def test_an_interrupted_import_is_finished_by_the_next(team: Services, bucket: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    put(bucket, *(f"{number}.mp4" for number in range(6)))
    monkeypatch.setattr("clipviewer.services.adoption.walk._PAGE", 2)
    seen: list[int] = []

    def check() -> None:
        if seen and seen[-1] >= 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_import(team, "", on_progress=seen.append, check=check)
    assert len(videos(team)) == 2
    assert counts(adopted(team)) == {"videos": 4, "known": 2}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_prefix_stays_within_the_library(team: Services, bucket: ObjectStore) -> None:
    put(bucket, "team/a.mp4", "other/b.mp4")
    inside = under(team, "team/")
    assert counts(adopted(inside)) == {"videos": 1}
    for prefix in ("other/", "team", "team/../other/", "/team/", "team/\n", "team/" + "x" * 1_100, "team/\ud800"):
        with pytest.raises(Invalid):
            adopted(inside, prefix)
    assert checked_prefix("team/", "") == "team/"
    assert checked_prefix("", "") == ""


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_an_unreachable_store_ends_the_import(services: Services) -> None:
    with pytest.raises(StorageUnreachable):
        adopted(services)


def test_enqueueing_twice_returns_one_job(services: Services) -> None:
    with services.database.write() as db:
        first, second = enqueue_import(db, "", "talks/", actor="user_1"), enqueue_import(db, "", "talks/", actor="user_2")
        assert (first.id, first.subject, first.kind) == (second.id, "talks/", "adopt")
        with pytest.raises(Invalid):
            enqueue_import(db, "team/", "talks/")
