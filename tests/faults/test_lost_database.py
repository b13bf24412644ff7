"""A database that is lost: what people typed comes back from the videos' own sidecars in the bucket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, select

from clipviewer.db.adoption_models import SidecarDue
from clipviewer.db.clip_models import ClipFraming, RemovedItem, VideoCaptions
from clipviewer.db.models import ExportedClip, IdentifiedClip, Video, utc_now
from clipviewer.db.session import Database
from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.export_choices import ExportChoices
from clipviewer.domain.removal import RemovalScope
from clipviewer.errors import RemovedByPerson, StorageUnreachable
from clipviewer.media.captions.tracks import parse_captions
from clipviewer.services.adoption.rebuild import Rebuilt, read_sidecars, rebuild
from clipviewer.services.adoption.video_sidecars import read_video_sidecars, write_due
from clipviewer.services.container import Services
from clipviewer.services.exporting.exports import request_exports
from clipviewer.services.library import changes, removed_items
from clipviewer.services.library.registration import NewIdentifiedClip, register_identified
from clipviewer.services.library.row_writer import Status
from clipviewer.services.library.tags import tags_by_video
from clipviewer.services.room import marking
from clipviewer.services.room.captions import attach, attach_chosen, attach_sent, remove, write_track
from clipviewer.services.room.framings import save_framing
from tests.exported_library import finish
from tests.faults.conftest import Scene
from tests.faults.job_process import VIDEO_ID

NOTES = "videos/_notes/"
CAPTIONS = b"WEBVTT\n\n00:01.000 --> 00:02.000\nBonjour\n"
MINE, SENT = (write_track(parse_captions(CAPTIONS.replace(b"Bonjour", word), "a.vtt"), "a.vtt") for word in (b"Salut", b"Allo"))
UNWANTED = NewIdentifiedClip(100, 900, "Not this", "found:1")


@pytest.fixture
def services(scene: Scene) -> Services:
    return scene.services()


@pytest.fixture
def empty(sqlite_template: Path, tmp_path: Path) -> Iterator[Database]:
    path = tmp_path / "empty.db"
    path.write_bytes(sqlite_template.read_bytes())
    database = Database(f"sqlite:///{path}")
    yield database
    database.dispose()


def typed(db: Session) -> list[Any]:
    """Return what people typed."""
    known = {"id", "title", "archived_at", "s3_key", "etag", "deleted_at", "sent"}
    videos = [video.model_dump(include=known) for video in db.exec(select(Video))]
    kept = {"id", "reference", "start_ms", "end_ms", "title", "origin", "touched_at", "score", "sent"}
    clips = [clip.model_dump(include=kept) for clip in db.exec(select(IdentifiedClip).order_by("id")) if clip.touched_at]
    framings = [framing.model_dump(exclude={"chosen_by"}) for framing in db.exec(select(ClipFraming))]
    told = {"language", "name", "origin", "webvtt", "by_person"}
    captions = [one.model_dump(include=told) for one in db.exec(select(VideoCaptions).order_by("language"))]
    removed = [item.model_dump() for item in db.exec(select(RemovedItem).order_by("kind", "name"))]
    return [videos, tags_by_video(db, [VIDEO_ID]), clips, framings, captions, removed]


def due(services: Services) -> list[str]:
    with services.database.read() as db:
        return [one.video_id for one in db.exec(select(SidecarDue))]


def type_everything(db: Session) -> None:
    changes.rename(db, VIDEO_ID, "Größe")
    changes.set_tags(db, VIDEO_ID, ["autumn", "talks"])
    changes.archive(db, [VIDEO_ID])
    attach(db, VIDEO_ID, "fr", CAPTIONS, "talk.fr.vtt")
    marking.change_clip(db, VIDEO_ID, "clip_1", start_ms=700, end_ms=2_900, title="The better part")
    save_framing(db, VIDEO_ID, "clip_1", AspectRatio.PORTRAIT, 0.25, 0.5)
    attach_chosen(db, VIDEO_ID, "de", MINE, "talk.de.vtt", actor="user_1")
    attach(db, VIDEO_ID, "en", CAPTIONS, "talk.en.vtt")
    remove(db, VIDEO_ID, "en")
    (made,) = register_identified(db, VIDEO_ID, [UNWANTED])
    marking.remove_clip(db, VIDEO_ID, made.id)


def test_what_people_typed_comes_back_from_the_bucket(services: Services, scene: Scene, empty: Database) -> None:
    with services.database.write() as db:
        type_everything(db)
    assert write_due(services) == 1
    assert due(services) == []
    (sidecar,) = [found for found in scene.store.list(NOTES) if found.key.endswith(".json")]
    assert sidecar.size < 2_500
    found = Rebuilt()
    with empty.write() as db:
        rebuild(db, [], [], found, typed=list(read_video_sidecars(scene.store, "")))
    assert (found.videos, found.unusable) == (1, 0)
    with services.database.read() as before, empty.read() as after:
        assert typed(after) == typed(before)


def test_what_a_person_decided_still_holds_for_a_pipeline_after_a_rebuild(services: Services, scene: Scene, empty: Database) -> None:
    with services.database.write() as db:
        type_everything(db)
        reference = db.get_one(IdentifiedClip, "clip_1").reference
    write_due(services)
    with empty.write() as db:
        rebuild(db, [], [], Rebuilt(), typed=list(read_video_sidecars(scene.store, "")))
        again = register_identified(db, VIDEO_ID, [UNWANTED, NewIdentifiedClip(500, 2_500, "Sent again", reference)])
        assert [result.status for result in again] == [Status.REMOVED, Status.KEPT]
        with pytest.raises(RemovedByPerson):
            attach_sent(db, VIDEO_ID, "en", SENT, "a.vtt")
        assert attach_sent(db, VIDEO_ID, "de", SENT, "a.vtt")[1] is Status.KEPT
        assert attach_sent(db, VIDEO_ID, "fr", SENT, "a.vtt")[1] is Status.UPDATED


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_an_export_of_a_removed_candidate_does_not_bring_it_back(services: Services, scene: Scene, empty: Database) -> None:
    with services.database.write() as db:
        (job,) = request_exports(db, VIDEO_ID, ["clip_1"], ExportChoices([AspectRatio.PORTRAIT]))
        finish(db, scene.store, job)
        marking.remove_clip(db, VIDEO_ID, "clip_1")
    write_due(services)
    found = Rebuilt()
    with empty.write() as db:
        rebuild(db, read_sidecars(scene.store, "", found), [], found, typed=list(read_video_sidecars(scene.store, "")))
        assert db.exec(select(IdentifiedClip)).all() == []
        assert [export.identified_clip_id for export in db.exec(select(ExportedClip))] == [None]
    assert (found.videos, found.clips, found.exports, found.unusable) == (1, 0, 1, 0)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_an_earlier_sidecar_counts_what_it_does_not_tell_as_decided_by_a_person(services: Services, scene: Scene, empty: Database) -> None:
    with services.database.write() as db:
        type_everything(db)
    write_due(services)
    key = f"{NOTES}{VIDEO_ID}.json"
    document = json.loads(scene.store.get(key))
    for told in (document, *document["candidates"], *document["captions"]):
        for name in ("removed", "sent", "byPerson"):
            told.pop(name, None)
    scene.store.put(key, json.dumps(document).encode(), "application/json")
    found = Rebuilt()
    with empty.write() as db:
        rebuild(db, [], [], found, typed=list(read_video_sidecars(scene.store, "")))
        assert (found.videos, found.unusable) == (1, 0)
        assert (db.get_one(Video, VIDEO_ID).sent, db.get_one(IdentifiedClip, "clip_1").sent) == ({}, {})
        assert {one.language: one.by_person for one in db.exec(select(VideoCaptions))} == {"de": True, "fr": True}
        assert db.exec(select(RemovedItem)).all() == []


def test_every_kind_of_change_is_written_and_nothing_else(services: Services, scene: Scene) -> None:
    write_due(services)
    steps: list[Any] = [
        lambda db: changes.rename(db, VIDEO_ID, "Other"),
        lambda db: changes.set_tags(db, VIDEO_ID, ["one"]),
        lambda db: changes.set_tags(db, VIDEO_ID, []),
        lambda db: attach(db, VIDEO_ID, "fr", CAPTIONS, "a.vtt"),
        lambda db: remove(db, VIDEO_ID, "fr"),
        lambda db: removed_items.record_removal(db, VIDEO_ID, "captions", "fr", "captions_2", utc_now()),
        lambda db: removed_items.forget_removal(db, VIDEO_ID, "captions", "fr"),
        lambda db: removed_items.record_removal(db, VIDEO_ID, "captions", "fr", "captions_2", utc_now()),
        lambda db: marking.change_clip(db, VIDEO_ID, "clip_1", start_ms=600),
        lambda db: save_framing(db, VIDEO_ID, "clip_1", AspectRatio.PORTRAIT, 0.5, 0.5),
        lambda db: marking.remove_clip(db, VIDEO_ID, "clip_1"),
        lambda db: changes.delete(db, [VIDEO_ID], RemovalScope.KEEP),
    ]
    for step in steps:
        with services.database.write() as db:
            step(db)
        assert due(services) == [VIDEO_ID]
        assert (write_due(services), due(services)) == (1, [])
    with services.database.write() as db:
        db.add(IdentifiedClip(id="clip_9", video_id=VIDEO_ID, reference="9", start_ms=0, end_ms=900, title="By a pipeline"))
    assert due(services) == []
    with services.database.write() as db:
        db.delete(db.get_one(Video, VIDEO_ID))
    write_due(services)
    assert list(scene.store.list(NOTES)) == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_change_while_the_storage_is_away_is_written_later(services: Services, monkeypatch: pytest.MonkeyPatch, scene: Scene) -> None:
    def away(*_: Any) -> None:
        raise StorageUnreachable

    with monkeypatch.context() as patch:
        patch.setattr(services.store, "put", away)
        with pytest.raises(StorageUnreachable):
            write_due(services)
    assert due(services) == [VIDEO_ID]
    write_due(services)
    assert [found.key for found in scene.store.list(NOTES)][-1] == f"{NOTES}{VIDEO_ID}.json"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_forged_sidecar_changes_nothing(services: Services, scene: Scene, empty: Database) -> None:
    write_due(services)
    key = f"{NOTES}{VIDEO_ID}.json"
    whole = scene.store.get(key)
    removals: list[Any] = [7, [7], [{"kind": "video"}], [{"kind": "captions", "name": "../x", "id": "captions_1", "at": "2026-01-01"}]]
    forged = [b"[]", b"{", whole.replace(b"small.mp4", b"../../etc/passwd"), whole.replace(b'"Small"', b"7"), whole[:-1]]
    forged += [json.dumps(json.loads(whole) | {"removed": removed}).encode() for removed in removals]
    for data in forged:
        scene.store.put(key, data, "application/json")
        with empty.write() as db:
            rebuild(db, [], [], Rebuilt(), typed=list(read_video_sidecars(scene.store, "")))
            assert db.exec(select(Video)).all() == []
