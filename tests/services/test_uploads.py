"""Uploads: the parts go to the store by signed URLs; a complete file becomes a video, anything else is removed."""

from __future__ import annotations

import dataclasses
import hashlib
import shutil
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from urllib.error import HTTPError

import pytest
from sqlmodel import col, select

from clipviewer.db.models import Video, utc_now
from clipviewer.db.upload_models import VideoUpload
from clipviewer.db.work_models import Work
from clipviewer.domain.master_file import MIB
from clipviewer.domain.preferences import Preferences
from clipviewer.errors import Conflict, DiskFull, Invalid, StorageUnreachable
from clipviewer.services.container import Services
from clipviewer.services.library import uploading as steps
from clipviewer.services.library import uploads
from clipviewer.services.library.uploading import Uploading, WantedPart
from clipviewer.services.library.uploads import UploadBusy, UploadNotFound, UploadRefused
from clipviewer.services.prefs import save_preferences
from tests.services.upload_steps import ANNA, BEN, begin, change_row, no_audit, put, row, send, split_parts
from tests.storage.serving import Served, files


def test_a_file_sent_in_parts_becomes_a_video(uploading: Uploading, served: Served, clip: bytes) -> None:
    found = begin(uploading, "My talk_2025.mp4", clip)
    assert (found.s3_key, found.part_count, found.checked) == (f"team/videos/{found.video_id}/My-talk_2025.mp4", 2, True)
    send(uploading, found, clip)
    assert list(uploading.services.store.list("")) == []
    done = uploading.complete(found.id, ANNA, no_audit)
    assert done.state == uploads.State.DONE
    stored = uploading.services.store.get(found.s3_key)
    assert hashlib.sha256(stored).digest() == hashlib.sha256(clip).digest()
    with uploading.services.database.read() as db:
        video = db.get_one(Video, found.video_id)
        asked = db.exec(select(Work).order_by(col(Work.created_at))).all()
    assert (video.title, video.s3_key, video.size, video.width, video.height) == ("My talk 2025", found.s3_key, len(clip), 320, 180)
    assert (video.frame_rate, abs(video.duration_ms - 2_000) <= 40) == ("25", True)
    assert video.etag == uploading.services.store.head(found.s3_key).etag
    assert [item.kind for item in asked] == ["previews", "find"]
    assert {(item.subject, item.video_id, item.requested_by) for item in asked} == {(video.id, video.id, ANNA)}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_clips_are_not_searched_for_if_the_team_turned_it_off(uploading: Uploading, clip: bytes) -> None:
    with uploading.services.database.write() as db:
        save_preferences(db, Preferences(find_on_upload=False))
    found = begin(uploading, "talk.mp4", clip)
    send(uploading, found, clip)
    uploading.complete(found.id, ANNA, no_audit)
    with uploading.services.database.read() as db:
        assert [item.kind for item in db.exec(select(Work)).all()] == ["previews"]


def test_completing_twice_gives_the_same_video(uploading: Uploading, clip: bytes) -> None:
    found = begin(uploading, "talk.mp4", clip)
    send(uploading, found, clip)
    assert uploading.complete(found.id, ANNA, no_audit) == uploading.complete(found.id, ANNA, no_audit)
    with uploading.services.database.read() as db:
        assert len(db.exec(select(Video)).all()) == 1


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_same_file_resumes_its_upload(uploading: Uploading, clip: bytes) -> None:
    found, new = uploading.begin("talk.mp4", len(clip), "1", ANNA, no_audit)
    assert new
    send(uploading, found, clip, 2)
    again, new = uploading.begin("talk.mp4", len(clip), "1", ANNA, no_audit)
    assert (again.id, new) == (found.id, False)
    assert [(part.number, part.size) for part in uploading.parts(again.id, ANNA)[1]] == [(2, MIB)]
    assert begin(uploading, "talk.mp4", clip, fingerprint="2").id != found.id
    assert begin(uploading, "talk.mp4", clip, BEN).id != found.id
    assert begin(uploading, "talk.mp4", clip + b"0").id != found.id


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_an_upload_with_missing_parts_stays_open(uploading: Uploading, clip: bytes) -> None:
    found = begin(uploading, "talk.mp4", clip)
    send(uploading, found, clip, 1)
    with pytest.raises(Conflict, match="1 of 2 parts have not arrived"):
        uploading.complete(found.id, ANNA, no_audit)
    send(uploading, found, clip, 2)
    assert uploading.complete(found.id, ANNA, no_audit).state == uploads.State.DONE


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("name", ["talk.mp4", "talk.webm"])
@pytest.mark.parametrize("data", [b"no video at all", b"#EXTM3U\n#EXTINF:10,\nhttp://127.0.0.1:9/canary.ts\n", b"\0" * 100_000])
def test_a_file_that_is_not_a_video_is_refused_and_nothing_is_left(uploading: Uploading, served: Served, name: str, data: bytes) -> None:
    found = begin(uploading, name, data)
    send(uploading, found, data)
    with pytest.raises(UploadRefused, match=f"{name} was not added. This video file cannot be read") as refusal:
        uploading.complete(found.id, ANNA, no_audit)
    assert files(served.root) == set()
    with uploading.services.database.read() as db:
        assert db.exec(select(Video)).all() == []
    assert row(uploading, found).cleared_at is not None
    with pytest.raises(UploadRefused, match="was not added") as again:
        uploading.complete(found.id, ANNA, no_audit)
    assert again.value.detail == refusal.value.detail


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_cancelled_upload_leaves_nothing(uploading: Uploading, served: Served, clip: bytes) -> None:
    found = begin(uploading, "talk.mp4", clip)
    send(uploading, found, clip, 1)
    (late,) = uploading.sign(found.id, ANNA, [WantedPart(2)], None)
    assert len(files(served.root)) == 1
    uploading.cancel(found.id, ANNA, no_audit)
    uploading.cancel(found.id, ANNA, no_audit)
    assert files(served.root) == set()
    with pytest.raises(HTTPError) as caught:
        put(late, split_parts(found, clip)[1])
    assert caught.value.code == 404
    caught.value.close()
    assert files(served.root) == set()
    with pytest.raises(Conflict, match="cancelled"):
        uploading.sign(found.id, ANNA, [WantedPart(1)], None)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_finished_upload_cannot_be_cancelled(uploading: Uploading, clip: bytes) -> None:
    found = begin(uploading, "talk.mp4", clip)
    send(uploading, found, clip)
    uploading.complete(found.id, ANNA, no_audit)
    with pytest.raises(Conflict, match="already finished"):
        uploading.cancel(found.id, ANNA, no_audit)
    assert uploading.services.store.head(found.s3_key).size == len(clip)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_an_upload_is_visible_only_to_its_sender(uploading: Uploading, clip: bytes) -> None:
    found = begin(uploading, "talk.mp4", clip)
    with pytest.raises(UploadNotFound):
        uploading.sign(found.id, BEN, [WantedPart(1)], None)
    for step in (uploading.complete, uploading.cancel):
        with pytest.raises(UploadNotFound):
            step(found.id, BEN, no_audit)
    with pytest.raises(UploadNotFound):
        uploading.parts(found.id, BEN)
    with uploading.services.database.read() as db:
        assert (uploads.list_unfinished(db, BEN), [each.id for each in uploads.list_unfinished(db, ANNA)]) == ([], [found.id])


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("name", "size", "reason"),
    [
        ("talk.exe", 10, "Unsupported file type"),
        ("talk.mp4", 0, "empty"),
        ("a" * 256 + ".mp4", 10, "1 to 255"),
        ("talk.mp4", 2**60, "5 TiB"),
    ],
)
def test_an_upload_of_an_invalid_file_is_not_started(uploading: Uploading, name: str, size: int, reason: str) -> None:
    with pytest.raises(Invalid, match=reason):
        uploading.begin(name, size, "", ANNA, no_audit)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_file_larger_than_the_free_disk_space_is_not_started(uploading: Uploading) -> None:
    with pytest.raises(DiskFull, match=r"Free .* MB more, then try again"):
        uploading.begin("talk.mp4", 4 * 1024**4, "", ANNA, no_audit)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_an_upload_refused_for_space_tells_how_much_must_stay_free(uploading: Uploading, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=290 * 1024**2))
    with pytest.raises(DiskFull) as refused:
        uploading.begin("talk.mp4", 500_000, "", ANNA, no_audit)
    assert refused.value.detail == (
        "1,024 MB must stay free on the server's disk beside this file, and it has 290 MB left. Free 735 MB more, then try again."
    )
    assert "full" not in refused.value.title


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_sender_has_a_limited_number_of_unfinished_uploads(uploading: Uploading, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MAX_OPEN", 2)
    first = begin(uploading, "1.mp4", b"1")
    begin(uploading, "2.mp4", b"2")
    with pytest.raises(Conflict, match="2 unfinished uploads"):
        begin(uploading, "3.mp4", b"3")
    assert begin(uploading, "1.mp4", b"1").id == first.id
    assert begin(uploading, "3.mp4", b"3", BEN).sender == BEN


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_path_in_the_name_is_reduced_to_the_file_name(uploading: Uploading) -> None:
    found = begin(uploading, "C:\\fakepath\\../../talk.mp4", b"0")
    assert (found.file_name, found.s3_key) == ("talk.mp4", f"team/videos/{found.video_id}/talk.mp4")


def test_one_request_at_a_time_checks_an_upload_and_a_dead_one_is_replaced(uploading: Uploading, clip: bytes) -> None:
    found = begin(uploading, "talk.mp4", clip)
    send(uploading, found, clip)
    with uploading.services.database.write() as db:
        assert uploads.claim(db, found, utc_now())
    with pytest.raises(UploadBusy):
        uploading.complete(found.id, ANNA, no_audit)
    change_row(uploading, found, updated_at=utc_now() - timedelta(minutes=3))
    assert uploading.complete(found.id, ANNA, no_audit).state == uploads.State.DONE


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_request_that_died_after_completing_the_parts_is_finished(
    uploading: Uploading, clip: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = begin(uploading, "talk.mp4", clip)
    send(uploading, found, clip)

    def out_of_order(_url: str) -> None:
        raise StorageUnreachable

    with monkeypatch.context() as patch:
        patch.setattr(steps, "probe", out_of_order)
        with pytest.raises(StorageUnreachable):
            uploading.complete(found.id, ANNA, no_audit)
    assert row(uploading, found).state == uploads.State.OPEN
    assert uploading.complete(found.id, ANNA, no_audit).state == uploads.State.DONE


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_one_cancelled_while_it_is_checked_leaves_nothing(
    uploading: Uploading, served: Served, clip: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = begin(uploading, "talk.mp4", clip)
    send(uploading, found, clip)
    look = steps.probe

    def cancelled_meanwhile(url: str) -> Any:
        uploading.cancel(found.id, ANNA, no_audit)
        return look(url)

    monkeypatch.setattr(steps, "probe", cancelled_meanwhile)
    with pytest.raises(Conflict, match="was cancelled"):
        uploading.complete(found.id, ANNA, no_audit)
    assert files(served.root) == set()
    assert row(uploading, found).state == uploads.State.CANCELLED


def test_an_upload_abandoned_for_a_week_is_swept(uploading: Uploading, served: Served, clip: bytes) -> None:
    old, new = begin(uploading, "old.mp4", clip), begin(uploading, "new.mp4", clip)
    for found in (old, new):
        send(uploading, found, clip, 2)
    change_row(uploading, old, updated_at=utc_now() - timedelta(days=8))
    uploading.sweep(utc_now())
    assert len(files(served.root)) == 1
    with uploading.services.database.read() as db:
        assert [each.id for each in uploads.list_unfinished(db, ANNA)] == [new.id]
    change_row(uploading, old, cleared_at=utc_now() - timedelta(days=8))
    uploading.sweep(utc_now())
    with uploading.services.database.read() as db:
        assert [each.id for each in db.exec(select(VideoUpload))] == [new.id]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_objects_that_could_not_be_removed_are_removed_later(uploading: Uploading, served: Served, clip: bytes, services: Services) -> None:
    found = begin(uploading, "talk.mp4", clip)
    send(uploading, found, clip, 2)
    Uploading(dataclasses.replace(uploading.services, store=services.store)).cancel(found.id, ANNA, no_audit)
    assert len(files(served.root)) == 1
    uploading.sweep(utc_now())
    assert files(served.root) == set()
