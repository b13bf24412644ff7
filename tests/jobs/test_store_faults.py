"""Exports while the store goes away, hangs, or changes its keys or objects: they wait, or fail with a reason and leave nothing."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import boto3
import pytest
import urllib3
from botocore.credentials import RefreshableCredentials
from sqlmodel import select

from clipviewer.db.export_models import ExportUpload
from clipviewer.db.models import ExportedClip, IdentifiedClip, Video
from clipviewer.domain.job_state import JobState
from clipviewer.domain.sigv4 import Credentials
from clipviewer.jobs import landmarks
from clipviewer.jobs.export_run import remove_objects
from clipviewer.media.ffmpeg import Ffmpeg
from clipviewer.media.source import stored_source
from clipviewer.services.cells.board import CellView
from clipviewer.services.container import Services
from clipviewer.services.exporting import export_runs
from clipviewer.services.exporting.exports import cancel
from clipviewer.storage.credential_chain import credential_source
from clipviewer.storage.embedded.credentials import embedded_credentials
from clipviewer.storage.s3 import ObjectStore, open_store
from tests.jobs.attempts import attempt_in_thread, enqueue_export, reloaded, retried, run_attempt, wait_until
from tests.jobs.conftest import MASTER_KEY, SECRET, VIDEO_ID
from tests.storage.serving import KEYS, Served, serving
from tests.tcp_proxy import TcpProxy

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

SOME = 1_000_000
"""Bytes after which the render of the clip is under way and needs more."""


@pytest.fixture(scope="module")
def noise(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten seconds that hardly compress, about 1.3 MB each, at a low frame rate, so that they render quickly."""
    path = tmp_path_factory.mktemp("noise") / "noise.mp4"
    graph = "color=gray:s=640x360:r=6:d=10,noise=alls=60:allf=t,format=yuv420p"
    sound = ["-f", "lavfi", "-i", "sine=d=10", "-c:a", "aac"]
    Ffmpeg().run(["-f", "lavfi", "-i", graph, *sound, "-preset", "ultrafast", "-qp", "20", "-g", "12", "-y", str(path)], timeout=120)
    return path


@pytest.fixture
def proxy(bucket: ObjectStore) -> Iterator[TcpProxy]:
    port = urlsplit(bucket._client.meta.endpoint_url).port
    assert port is not None
    with TcpProxy(port) as proxy:
        yield proxy


@pytest.fixture
def proxied_room(room: Services, proxy: TcpProxy, noise: Path) -> Services:
    """The room, with noise for its video and a clip of two seconds; all traffic to the bucket goes through the gateway."""
    settings = dataclasses.replace(room.settings, port=proxy.port)
    return with_noise(dataclasses.replace(room, settings=settings, store=open_store(settings, embedded_credentials(SECRET))), noise)


def with_noise(room: Services, noise: Path) -> Services:
    room.store.put_file(MASTER_KEY, noise, "video/mp4")
    master = room.store.head(MASTER_KEY)
    with room.database.write() as db:
        video = db.get_one(Video, VIDEO_ID)
        video.etag, video.size, video.duration_ms = master.etag, master.size, 10_000
        clip = db.get_one(IdentifiedClip, "clip_1")
        clip.start_ms, clip.end_ms = 3_000, 5_000
    return room


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch, proxy: TcpProxy) -> Callable[[str, Callable[[], None]], None]:
    """``at(place, action)`` calls the action once when an export reaches that place; ``in the middle`` is while its source is read."""

    def arrange(place: str, action: Callable[[], None]) -> None:
        if place == "before it starts":
            action()
        elif place == "in the middle":
            proxy.when(SOME, action)
        else:
            actions = [action]
            monkeypatch.setattr(landmarks, "reached", lambda reached: actions.pop()() if reached == place and actions else None)

    return arrange


def call_off(proxied_room: Services, job: CellView) -> None:
    with proxied_room.database.write() as db:
        cancel(db, job.id)


PLACES = ["before it starts", "source checked", "in the middle", "announced", "object uploaded"]
At = Callable[[str, Callable[[], None]], None]


def exported(store: ObjectStore) -> list[str]:
    return [item.key for item in store.list("exports/")]


def check_done(proxied_room: Services, bucket: ObjectStore, job: CellView) -> None:
    assert (reloaded(proxied_room, job).state, reloaded(proxied_room, job).reason) == (JobState.DONE, "")
    with proxied_room.database.read() as db:
        (clip,) = db.exec(select(ExportedClip))
        assert db.exec(select(ExportUpload)).all() == []
    assert exported(bucket) == [clip.s3_key.replace(".mp4", ".json"), clip.s3_key]


def check_nothing(proxied_room: Services, bucket: ObjectStore, folder: Path) -> None:
    with proxied_room.database.read() as db:
        assert db.exec(select(ExportedClip)).all() == []
        leftovers = export_runs.leftovers(db)
    remove_objects(proxied_room, leftovers)
    assert exported(bucket) == []
    assert list(folder.iterdir()) == []


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "exports"
    path.mkdir()
    return path


@pytest.mark.parametrize("place", PLACES)
def test_an_export_continues_when_the_store_comes_back(
    place: str, proxied_room: Services, at: At, proxy: TcpProxy, bucket: ObjectStore, folder: Path
) -> None:
    at(place, proxy.close)
    job = enqueue_export(proxied_room)
    with attempt_in_thread(proxied_room, job, folder):
        wait_until(lambda: reloaded(proxied_room, job).reason == "The storage cannot be reached. Trying again.")
        proxy.open()
    check_done(proxied_room, bucket, job)


@pytest.mark.parametrize("place", [place for place in PLACES if place != "source checked"])
def test_an_export_waits_with_the_reason_when_the_store_stays_away_and_its_next_attempt_finishes_it(
    place: str, proxied_room: Services, at: At, proxy: TcpProxy, bucket: ObjectStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored_source, "_PAUSES", (0.1, 0.1))
    at(place, proxy.close)
    job = enqueue_export(proxied_room)
    waiting = run_attempt(proxied_room, job, folder)
    assert waiting.state == JobState.QUEUED
    assert waiting.reason.startswith("The storage")
    proxy.open()
    check_nothing(proxied_room, bucket, folder)
    run_attempt(proxied_room, waiting, folder)
    check_done(proxied_room, bucket, job)


def test_an_export_waits_for_a_store_that_hangs_and_its_progress_waits_with_it(
    proxied_room: Services, proxy: TcpProxy, bucket: ObjectStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored_source, "_TIMEOUT", urllib3.Timeout(connect=5, read=0.5))
    proxy.when(SOME, proxy.flowing.clear)
    job = enqueue_export(proxied_room)
    seen: list[float] = []
    with attempt_in_thread(proxied_room, job, folder) as thread:
        wait_until(lambda: not proxy.flowing.is_set())
        until = time.monotonic() + 2
        while time.monotonic() < until:
            seen.append(reloaded(proxied_room, job).progress)
            time.sleep(0.02)
        proxy.flowing.set()
        while thread.is_alive():
            seen.append(reloaded(proxied_room, job).progress)
            thread.join(0.02)
    assert seen == sorted(seen)
    assert max(seen[:50]) < 0.9
    check_done(proxied_room, bucket, job)


def test_an_export_from_a_slow_store_is_finished(proxied_room: Services, proxy: TcpProxy, bucket: ObjectStore, folder: Path) -> None:
    proxy.pace = 0.01
    job = enqueue_export(proxied_room)
    run_attempt(proxied_room, job, folder)
    check_done(proxied_room, bucket, job)


def test_cancelling_a_render_does_not_wait_for_a_store_that_hangs(
    proxied_room: Services, proxy: TcpProxy, bucket: ObjectStore, folder: Path
) -> None:
    proxy.when(SOME, proxy.flowing.clear)
    job = enqueue_export(proxied_room)
    with attempt_in_thread(proxied_room, job, folder) as thread:
        wait_until(lambda: not proxy.flowing.is_set())
        pressed = time.monotonic()
        call_off(proxied_room, job)
        thread.join(10)
        took = time.monotonic() - pressed
        proxy.flowing.set()
    assert took < 1
    assert reloaded(proxied_room, job).state == JobState.CANCELLED
    check_nothing(proxied_room, bucket, folder)


def test_a_hanging_upload_that_is_cancelled_leaves_nothing_when_the_store_resumes(
    proxied_room: Services, at: At, proxy: TcpProxy, bucket: ObjectStore, folder: Path
) -> None:
    at("announced", proxy.flowing.clear)
    job = enqueue_export(proxied_room)
    with attempt_in_thread(proxied_room, job, folder):
        wait_until(lambda: not proxy.flowing.is_set())
        call_off(proxied_room, job)
        assert reloaded(proxied_room, job).state == JobState.CANCELLED
        proxy.flowing.set()
    check_nothing(proxied_room, bucket, folder)


def test_a_video_that_is_replaced_in_the_middle_is_not_exported_and_a_retry_uses_the_new_one(
    proxied_room: Services, proxy: TcpProxy, bucket: ObjectStore, folder: Path, footage: Path
) -> None:
    proxy.when(SOME, lambda: bucket.put_file(MASTER_KEY, footage, "video/mp4"))
    job = enqueue_export(proxied_room)
    failed = run_attempt(proxied_room, job, folder)
    assert failed.state == JobState.FAILED
    assert failed.reason.startswith("The video was replaced")
    check_nothing(proxied_room, bucket, folder)
    renewed = retried(proxied_room, job)
    assert renewed.identity != job.identity
    run_attempt(proxied_room, renewed, folder)
    check_done(proxied_room, bucket, renewed)


class RefreshedKeys:
    """Credentials that botocore refreshes from ``current`` at every use, since they are always about to expire."""

    def __init__(self, keys: Credentials) -> None:
        self.current = keys
        self.session = boto3.Session()
        chain = RefreshableCredentials.create_from_metadata(self._renew(), self._renew, "test")
        self.session._session._credentials = chain
        self.source = credential_source(chain)

    def _renew(self) -> dict[str, str | None]:
        ends = (datetime.now(UTC) + timedelta(minutes=5)).isoformat()
        return {"access_key": self.current.access_key, "secret_key": self.current.secret_key, "token": None, "expiry_time": ends}


@dataclass(frozen=True)
class KeyedRoom:
    """The room over a bucket with changeable keys, and the credentials that sign for it."""

    services: Services
    chain: RefreshedKeys
    served: Served
    proxy: TcpProxy


@pytest.fixture
def keyed_room(room: Services, noise: Path, tmp_path: Path) -> Iterator[KeyedRoom]:
    chain = RefreshedKeys(KEYS)
    with serving(tmp_path / "keyed") as served, TcpProxy(served.port) as proxy:
        settings = dataclasses.replace(room.settings, port=proxy.port)
        plain = open_store(settings, KEYS)
        address = plain._client.meta.endpoint_url
        client = chain.session.client("s3", region_name="us-east-1", endpoint_url=address, config=plain._client.meta.config)
        store = ObjectStore(client, plain.bucket, chain.source)
        yield KeyedRoom(with_noise(dataclasses.replace(room, settings=settings, store=store), noise), chain, served, proxy)


RENEWED = Credentials("renewed", "another secret of the test")


def test_an_export_continues_when_the_stores_keys_change_in_the_middle(keyed_room: KeyedRoom, folder: Path) -> None:
    def change() -> None:
        keyed_room.served.store._credentials = keyed_room.chain.current = RENEWED

    keyed_room.proxy.when(SOME, change)
    job = enqueue_export(keyed_room.services)
    run_attempt(keyed_room.services, job, folder)
    assert keyed_room.chain.current is RENEWED
    check_done(keyed_room.services, keyed_room.services.store, job)


def test_an_export_fails_with_the_reason_when_its_keys_are_withdrawn_and_a_retry_finishes_it(keyed_room: KeyedRoom, folder: Path) -> None:
    def withdraw() -> None:
        keyed_room.served.store._credentials = RENEWED

    proxied_room = keyed_room.services
    keyed_room.proxy.when(SOME, withdraw)
    job = enqueue_export(proxied_room)
    failed = run_attempt(proxied_room, job, folder)
    assert failed.state == JobState.FAILED
    assert "check the server's credentials" in failed.reason
    keyed_room.chain.current = RENEWED
    check_nothing(proxied_room, proxied_room.store, folder)
    run_attempt(proxied_room, retried(proxied_room, job), folder)
    check_done(proxied_room, proxied_room.store, job)
