"""The demo ends with a row for every object and an object for every row, however often it is interrupted."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlmodel import select

from clipviewer.db.models import ExportedClip, IdentifiedClip, Video
from clipviewer.demo.making import MARKER_KEY, Demo
from clipviewer.errors import ObjectMissing, StorageUnreachable
from clipviewer.services.container import Services
from clipviewer.storage.s3 import StoredObject, open_store
from tests.footage import SMALL, frame_numbers
from tests.storage.serving import KEYS, serving

on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
OBJECTS = {
    MARKER_KEY,
    "demo/small/master.mp4",
    "demo/small/poster.jpg",
    "demo/small/exported/clip_01_9x16.mp4",
    "demo/small/exported/clip_01_1x1.mp4",
    "demo/small/exported/clip_01_16x9.mp4",
    "demo/small/exported/clip_03_9x16.mp4",
}


class Killed(BaseException):
    """Stands for a kill: nothing handles this exception."""


@dataclass
class MemoryStore:
    """The store's interface over a dict. ``puts`` counts writes; ``kill_at`` ends the process before or after a put."""

    objects: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    puts: Counter[str] = field(default_factory=Counter)
    kill_at: str = ""
    kill_after: bool = False
    failures: int = 0

    def head(self, key: str) -> StoredObject:
        data, content_type = self._found(key)
        return StoredObject(key, len(data), hashlib.md5(data).hexdigest(), content_type, datetime.now(UTC))

    def get(self, key: str) -> bytes:
        return self._found(key)[0]

    def get_range(self, key: str, start: int, end: int) -> bytes:
        return self._found(key)[0][start:end]

    def put(self, key: str, data: bytes, content_type: str) -> None:
        if key == self.kill_at and not self.kill_after:
            raise Killed
        self.objects[key] = data, content_type
        self.puts[key] += 1
        if key == self.kill_at:
            raise Killed

    def put_file(self, key: str, path: Path, content_type: str) -> None:
        self.put(key, path.read_bytes(), content_type)

    def list(self, prefix: str) -> Iterator[StoredObject]:
        return iter([self.head(key) for key in sorted(self.objects) if key.startswith(prefix)])

    def _found(self, key: str) -> tuple[bytes, str]:
        if self.failures:
            self.failures -= 1
            raise StorageUnreachable
        if key not in self.objects:
            raise ObjectMissing
        return self.objects[key]


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def demo(services: Services, store: MemoryStore) -> Demo:
    return _demo(services, store)


def test_every_object_has_its_row_and_every_row_its_object(services: Services, store: MemoryStore, demo: Demo) -> None:
    assert demo.wanted()
    _render(demo)
    assert not demo.wanted()
    assert store.objects.keys() == OBJECTS
    with services.database.read() as db:
        video = db.exec(select(Video)).one()
        identified = {clip.id: clip for clip in db.exec(select(IdentifiedClip))}
        exported = db.exec(select(ExportedClip)).all()
    assert {video.s3_key, video.poster_key, MARKER_KEY} | {clip.s3_key for clip in exported} == OBJECTS
    assert (video.title, video.duration_ms, video.width, video.height, video.frame_rate) == ("Demo: Small", 6_000, 1280, 720, "24/1")
    assert sorted((clip.reference, clip.start_ms, clip.score) for clip in identified.values()) == [
        ("clip_01", 500, 50.0),
        ("clip_02", 2_000, 50.0),
        ("clip_03", 3_510, 50.0),
    ]
    for row in (video, *exported):
        stored = store.head(row.s3_key)
        assert (row.etag, row.size, stored.content_type) == (stored.etag, stored.size, "video/mp4")
    for clip in exported:
        assert identified[clip.identified_clip_id or ""].title == clip.title
        assert clip.target_language == "original"


@on_sqlite
def test_an_exported_clip_shows_the_frames_of_its_range(services: Services, store: MemoryStore, demo: Demo, tmp_path: Path) -> None:
    _render(demo)
    with services.database.read() as db:
        exported = db.exec(select(ExportedClip)).all()
    assert {clip.aspect_ratio for clip in exported} == {"9:16", "1:1", "16:9"}
    for clip in exported:
        path = tmp_path / "exported.mp4"
        path.write_bytes(store.get(clip.s3_key))
        numbers = frame_numbers(path)
        assert abs(numbers[0] - clip.start_ms * 24 / 1000) <= 1
        assert abs(numbers[-1] + 1 - clip.end_ms * 24 / 1000) <= 1


@on_sqlite
@pytest.mark.parametrize("after", [False, True], ids=["before its object was stored", "after its object, before its row"])
@pytest.mark.parametrize("key", [SMALL.master_key, SMALL.poster_key, "demo/small/exported/clip_01_1x1.mp4"])
def test_a_kill_leaves_nothing_incomplete_and_the_next_start_makes_only_the_rest(
    services: Services, store: MemoryStore, key: str, after: bool
) -> None:
    store.kill_at, store.kill_after = key, after
    with pytest.raises(Killed):
        _render(_demo(services, store))
    with services.database.read() as db:
        assert {*db.exec(select(Video.s3_key)), *db.exec(select(ExportedClip.s3_key))} <= store.objects.keys() - {key}

    store.kill_at = ""
    leftover = services.settings.data_dir / "demo-work" / "small.mp4"
    leftover.parent.mkdir()
    leftover.write_bytes(b"half a video")
    again = _demo(services, store)
    assert again.wanted()
    _render(again)
    assert not again.wanted()
    assert store.objects.keys() == OBJECTS
    assert all(count == 1 for key, count in store.puts.items() if key != MARKER_KEY)
    assert _rows(services) == (1, 3, 4)


@on_sqlite
def test_cancelling_half_way_returns_quietly_and_the_next_start_completes(services: Services, store: MemoryStore, demo: Demo) -> None:
    told: list[str] = []
    demo.render(told.append, lambda: len(told) >= 3)
    assert demo.wanted()
    assert _rows(services) == (1, 3, 2)
    _render(demo)
    assert not demo.wanted()
    assert set(store.puts.values()) - {store.puts[MARKER_KEY]} == {1}
    assert _rows(services) == (1, 3, 4)


@on_sqlite
def test_a_second_render_changes_nothing(services: Services, store: MemoryStore, demo: Demo) -> None:
    _render(demo)
    before = dict(store.objects)
    _render(demo)
    assert store.objects == before
    assert _rows(services) == (1, 3, 4)


@on_sqlite
def test_nothing_is_left_in_the_data_directory(services: Services, demo: Demo) -> None:
    demo.render(lambda _: None, lambda: True)
    assert list(services.settings.data_dir.iterdir()) == []


@on_sqlite
def test_the_demo_leaves_a_store_with_objects_alone(services: Services, store: MemoryStore, demo: Demo) -> None:
    store.put("ours.mp4", b"footage", "video/mp4")
    assert not demo.wanted()


@on_sqlite
def test_a_finished_demo_does_not_come_back_after_it_was_deleted(services: Services, store: MemoryStore, demo: Demo) -> None:
    store.put(MARKER_KEY, json.dumps({"finished": True}).encode(), "application/json")
    assert not demo.wanted()


@on_sqlite
def test_the_setting_or_a_configured_bucket_disables_the_demo(services: Services, store: MemoryStore) -> None:
    for change in ({"demo": False}, {"s3_bucket": "ours"}):
        assert not _demo(replace(services, settings=replace(services.settings, **change)), store).wanted()


@on_sqlite
def test_keys_lie_under_the_prefix(services: Services, store: MemoryStore) -> None:
    _render(_demo(replace(services, settings=replace(services.settings, s3_prefix="team/")), store))
    assert store.objects.keys() == {f"team/{key}" for key in OBJECTS}


@on_sqlite
def test_the_demo_waits_for_a_store_that_is_not_reachable_yet(services: Services, store: MemoryStore, demo: Demo) -> None:
    store.failures = 2
    assert demo.wanted()


@on_sqlite
def test_the_demo_stops_waiting_when_it_is_cancelled(services: Services, store: MemoryStore, demo: Demo) -> None:
    store.failures = 1_000_000
    assert not demo.wanted(lambda: store.failures < 999_999)


@on_sqlite
def test_the_demo_fills_the_embedded_store_over_http(services: Services, tmp_path: Path) -> None:
    with serving(tmp_path / "objects") as served:
        store = open_store(replace(services.settings, port=served.port), KEYS)
        demo = Demo(replace(services, store=store), [SMALL])
        assert demo.wanted()
        _render(demo)
        assert not demo.wanted()
        assert {found.key for found in store.list("")} == OBJECTS
    assert _rows(services) == (1, 3, 4)


def _demo(services: Services, store: MemoryStore) -> Demo:
    return Demo(replace(services, store=store), [SMALL])  # type: ignore[arg-type]


def _render(demo: Demo) -> None:
    demo.render(lambda _: None, lambda: False)


def _rows(services: Services) -> tuple[int, int, int]:
    with services.database.read() as db:
        return (
            len(db.exec(select(Video.id)).all()),
            len(db.exec(select(IdentifiedClip.id)).all()),
            len(db.exec(select(ExportedClip.id)).all()),
        )
