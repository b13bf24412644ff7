"""Repaired videos found again in the bucket: each is one video, with the quick copy as its file and its exports unchanged."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest
from sqlmodel import select

from clipviewer.db.adoption_models import PreviewsDue
from clipviewer.db.export_models import ExportJob
from clipviewer.db.master_models import FormerMaster
from clipviewer.db.models import ExportedClip, Video, utc_now
from clipviewer.domain import quick_copy
from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.bucket_contents import Ignored
from clipviewer.domain.export_choices import ExportChoices
from clipviewer.domain.quick_copy import Original, copy_metadata
from clipviewer.domain.removal import RemovalScope
from clipviewer.services import work
from clipviewer.services.adoption.adopting import preview_import, run_import
from clipviewer.services.adoption.rebuild import Rebuilt, find_copies, read_sidecars, rebuild
from clipviewer.services.adoption.tally import Tally
from clipviewer.services.container import Services
from clipviewer.services.exporting.exports import request_exports
from clipviewer.services.library import quick_start
from clipviewer.services.library.changes import delete
from clipviewer.services.room.captions import captions_of
from clipviewer.services.room.clips import exported_clips
from clipviewer.storage.s3 import ObjectStore, StoredObject
from tests.claims import claim_next
from tests.exported_library import MASTER, finish, make_library
from tests.services.test_quick_start import QUICK

VTT = b"WEBVTT\n\n00:00.000 --> 00:01.000\nBonjour\n"
on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def repaired(team: Services, tmp_path: Path) -> StoredObject:
    """A library whose video was exported, repaired, and exported once more; returns the key of the copy."""
    with team.database.write() as db:
        make_library(db, team.store)
        work.enqueue(db, quick_start.KIND, "video_1", video_id="video_1")
        item = claim_next(db, [quick_start.KIND], utc_now())
    assert item is not None
    old = team.store.head(MASTER)
    copy = put_copy(team.store, quick_start.quick_key(MASTER, item), Original(MASTER, old.etag), tmp_path)
    with team.database.write() as db:
        assert work.finish(db, item, utc_now(), {})
        quick_start.promote_copy(db, item, old, copy, QUICK, utc_now())
        finish(db, team.store, request_exports(db, "video_1", ["clip_2"], ExportChoices([AspectRatio.SQUARE]))[0])
    return copy


def put_copy(store: ObjectStore, key: str, original: Original, folder: Path) -> StoredObject:
    """Put a quick copy into the bucket as the worker does."""
    path = folder / "quick.mp4"
    path.write_bytes(b"the same with its index first")
    store.send_file(key, path, "video/mp4", lambda _: None, copy_metadata(original))
    return store.head(key)


def contents(services: Services) -> list[object]:
    """Return what must be recovered: the video and its former file, its exports with their previews, the cells."""
    with services.database.read() as db:
        videos = [(video.id, video.title, video.s3_key, video.etag, video.size) for video in db.exec(select(Video))]
        former = [(row.s3_key, row.video_id, row.etag) for row in db.exec(select(FormerMaster))]
        exports = sorted((clip.s3_key, clip.drift) for clip in exported_clips(db, "video_1"))
        cells = sorted((job.identity, job.source_etag, job.state) for job in db.exec(select(ExportJob)))
    return [videos, former, exports, cells]


def forget(services: Services) -> None:
    with services.database.write() as db:
        for video in db.exec(select(Video)):
            db.delete(video)


def adopted(services: Services, prefix: str = "") -> Tally:
    return run_import(services, prefix, on_progress=lambda _: None, check=lambda: None)


def rebuilt(services: Services) -> Rebuilt:
    found = Rebuilt()
    sidecars = read_sidecars(services.store, "", found)
    copies = find_copies(services.store, "", sidecars)
    with services.database.write() as db:
        rebuild(db, sidecars, copies, found)
    return found


def masters(services: Services) -> list[tuple[str, str]]:
    with services.database.read() as db:
        return sorted((video.s3_key, video.title) for video in db.exec(select(Video)))


def formers(services: Services) -> list[str]:
    with services.database.read() as db:
        return sorted(db.exec(select(FormerMaster.s3_key)))


def test_a_rebuilt_library_equals_the_original(team: Services, repaired: StoredObject) -> None:
    before = contents(team)
    assert [drift for _, drift in before[2]] == [(), (), ()]  # type: ignore[attr-defined]
    forget(team)
    found = rebuilt(team)
    assert (found.videos, found.exports, found.unusable) == (1, 3, 0)
    assert contents(team) == before
    again = adopted(team)
    assert (again.videos, again.exports, again.known) == (0, 0, 5)
    assert contents(team) == before


@pytest.mark.parametrize("page", [1, 1_000])
def test_importing_it_restores_the_original(team: Services, repaired: StoredObject, page: int, monkeypatch: pytest.MonkeyPatch) -> None:
    before = contents(team)
    forget(team)
    monkeypatch.setattr("clipviewer.services.adoption.walk._PAGE", page)
    found = adopted(team)
    assert (found.videos, found.exports) == (1, 3)
    assert contents(team) == before
    assert adopted(team).videos == 0


@pytest.mark.parametrize("prefixes", [("talks/", "exports/"), ("exports/", "talks/")])
@on_sqlite
def test_importing_it_in_two_parts_restores_the_original(team: Services, repaired: StoredObject, prefixes: tuple[str, str]) -> None:
    forget(team)
    for prefix in prefixes:
        adopted(team, prefix)
    with team.database.read() as db:
        (video,) = db.exec(select(Video))
        assert video.etag == repaired.etag
        assert [clip.drift for clip in exported_clips(db, video.id)] == [(), (), ()]
        assert {job.source_etag for job in db.exec(select(ExportJob))} == {repaired.etag}
    assert formers(team) == [MASTER]


@pytest.mark.parametrize("is_there", [False, True])
@on_sqlite
def test_the_copy_is_the_video_unless_another_file_took_the_old_place(team: Services, repaired: StoredObject, is_there: bool) -> None:
    forget(team)
    team.store.delete(MASTER)
    if is_there:
        team.store.put(MASTER, b"another film", "video/mp4")
    rebuilt(team)
    present, former = (MASTER, repaired.key) if is_there else (repaired.key, MASTER)
    assert (masters(team), formers(team)) == ([(present, "Talk")], [former])
    before = contents(team)
    forget(team)
    adopted(team)
    assert contents(team) == before
    assert [bool(drift) for _, drift in before[2]] == [is_there] * 3  # type: ignore[attr-defined]


@pytest.mark.parametrize(("name", "page"), [("talk.mov", 1_000), ("talk.webm", 1_000), ("talk.webm", 1), ("Überblick" * 50 + ".mp4", 1)])
@on_sqlite
def test_a_repaired_video_without_exports_is_one_video(
    team: Services, tmp_path: Path, name: str, page: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clipviewer.services.adoption.walk._PAGE", page)
    key = f"talks/{name}"
    team.store.put(key, b"a master", "video/mp4")
    original = Original(key, team.store.head(key).etag)
    copies = [quick_copy.quick_key(key, "work_12345678", attempt) for attempt in (1, 2)]
    for copy in copies:
        put_copy(team.store, copy, original, tmp_path)
    look = preview_import(team, "")
    assert (look.videos, look.ignored) == (1, {Ignored.OWN: 2})
    assert adopted(team).videos == 1
    ((master, title),) = masters(team)
    assert (title, master in copies) == (PurePosixPath(name).stem[:300], True)
    assert formers(team) == sorted({key, *copies} - {master})
    assert (adopted(team).known, masters(team)) == (3, [(master, title)])
    forget(team)
    team.store.delete(key)
    adopted(team)
    assert [title for _, title in masters(team)] == [PurePosixPath(name).stem[:300]]


@on_sqlite
def test_a_file_that_is_only_named_like_a_copy_is_a_separate_video(team: Services, tmp_path: Path) -> None:
    team.store.put("a.mp4", b"a film", "video/mp4")
    team.store.put("a.quick-12345678-1.mp4", b"a quick cut of it", "video/mp4")
    put_copy(team.store, "b.quick-12345678-1.mp4", Original("a.mp4", "x"), tmp_path)
    put_copy(team.store, "c.quick-12345678-1.mp4", Original("c.txt", "x"), tmp_path)
    assert adopted(team).videos == 4
    assert formers(team) == []


@on_sqlite
def test_a_copy_of_an_imported_export_leaves_it_an_export(team: Services, tmp_path: Path) -> None:
    with team.database.write() as db:
        make_library(db, team.store)
        db.add(
            ExportedClip(video_id="video_1", start_ms=0, end_ms=9, title="A", s3_key="clip.mp4", aspect_ratio="9:16", target_language="de")
        )
    team.store.put("clip.mp4", b"a clip", "video/mp4")
    put_copy(team.store, "clip.quick-12345678-1.mp4", Original("clip.mp4", "x"), tmp_path)
    adopted(team)
    assert [key for key, _ in masters(team)] == ["clip.quick-12345678-1.mp4", MASTER]


@pytest.mark.parametrize("end", [None, "failed"])
@on_sqlite
def test_an_unfinished_or_abandoned_copy_changes_nothing(team: Services, tmp_path: Path, end: str | None) -> None:
    with team.database.write() as db:
        make_library(db, team.store)
        work.enqueue(db, quick_start.KIND, "video_1", video_id="video_1")
        item = claim_next(db, [quick_start.KIND], utc_now())
        assert item is not None
        if end:
            work.fail(db, item, utc_now(), "The store did not answer.")
    put_copy(team.store, quick_start.quick_key(MASTER, item), Original(MASTER, team.store.head(MASTER).etag), tmp_path)
    found = adopted(team)
    assert (found.videos, found.changed, found.ignored[Ignored.OWN]) == (0, 0, 4)
    assert (masters(team), formers(team)) == ([(MASTER, "Talk")], [])


@on_sqlite
def test_a_library_follows_when_another_library_repairs_the_video(team: Services, tmp_path: Path) -> None:
    with team.database.write() as db:
        make_library(db, team.store)
    copy = put_copy(team.store, "talks/talk.quick-12345678-1.mp4", Original(MASTER, team.store.head(MASTER).etag), tmp_path)
    assert adopted(team).videos == 0
    assert (masters(team), formers(team)) == ([(copy.key, "Talk")], [MASTER])
    with team.database.read() as db:
        assert [clip.drift for clip in exported_clips(db, "video_1")] == [(), ()]
        assert [due.video_id for due in db.exec(select(PreviewsDue))] == ["video_1"]


def languages(services: Services) -> list[tuple[str, str]]:
    with services.database.read() as db:
        (video,) = db.exec(select(Video))
        return [(captions.language, captions.name) for captions in captions_of(db, video.id) if captions.language != "de"]


def test_captions_added_beside_the_old_key_later_belong_to_the_video(team: Services, repaired: StoredObject) -> None:
    team.store.put("talks/talk.fr.vtt", VTT, "text/vtt")
    assert (adopted(team).captions, languages(team)) == (1, [("fr", "talk.fr.vtt")])
    assert (adopted(team).captions, adopted(team, "talks/").known) == (0, 3)
    team.store.put("talks/talk.fr.vtt", VTT.replace(b"Bonjour", b"Salut"), "text/vtt")
    assert (adopted(team).captions, languages(team)) == (1, [("fr", "talk.fr.vtt")])
    team.store.put("talks/talk.fr.srt", b"1\n00:00:00,000 --> 00:00:01,000\nBonjour\n", "text/plain")
    assert adopted(team).ignored[Ignored.LANGUAGE] == 1


@pytest.mark.parametrize("page", [1, 1_000])
@on_sqlite
def test_captions_beside_the_old_key_are_imported_with_a_repaired_video(
    team: Services, repaired: StoredObject, page: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    forget(team)
    team.store.put("talks/talk.fr.vtt", VTT, "text/vtt")
    monkeypatch.setattr("clipviewer.services.adoption.walk._PAGE", page)
    assert (adopted(team).captions, languages(team)) == (1, [("fr", "talk.fr.vtt")])


@on_sqlite
def test_captions_of_a_deleted_video_stay_where_they_are(team: Services, repaired: StoredObject) -> None:
    team.store.put("talks/talk.fr.vtt", VTT, "text/vtt")
    with team.database.write() as db:
        delete(db, ["video_1"], RemovalScope.KEEP)
    assert adopted(team).ignored[Ignored.NO_VIDEO] == 1


@on_sqlite
def test_a_deleted_video_remembers_its_copy_and_enqueues_nothing(team: Services, tmp_path: Path) -> None:
    with team.database.write() as db:
        make_library(db, team.store)
        delete(db, ["video_1"], RemovalScope.ALL)
    copy = put_copy(team.store, "talks/talk.quick-12345678-1.mp4", Original(MASTER, team.store.head(MASTER).etag), tmp_path)
    assert adopted(team).videos == 0
    with team.database.read() as db:
        assert {*quick_start.former_keys(db, "video_1"), db.get_one(Video, "video_1").s3_key} == {MASTER, copy.key}
        assert db.exec(select(PreviewsDue)).all() == []
