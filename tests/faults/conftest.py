"""A bucket and a database with one small video, and a worker in a separate process over both."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from clipviewer.db.models import IdentifiedClip, Video
from clipviewer.db.session import Database
from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.caption_mode import CaptionMode
from clipviewer.domain.export_choices import ExportChoices
from clipviewer.services.bucket.signing import signer_for
from clipviewer.services.cells.board import CellView, cell
from clipviewer.services.container import Services
from clipviewer.services.exporting.exports import request_exports
from clipviewer.services.people.accounts import Accounts
from clipviewer.services.people.api_tokens import ApiTokens
from clipviewer.services.people.sessions import Sessions
from clipviewer.services.room.captions import attach
from clipviewer.settings import Settings
from clipviewer.storage.s3 import ObjectStore
from tests.api.stores import running_bucket
from tests.faults import job_process
from tests.faults.job_process import VIDEO_ID
from tests.forked import run_forked

ROOT = Path(__file__).parents[2]
SECRET = "a secret key that only this bucket has"


@dataclass(frozen=True)
class Scene:
    """A bucket with a video, its database, and a worker that can be started over both."""

    database: Database
    store: ObjectStore
    folder: Path

    def work(self, kill_at: str = "", lease_seconds: int = 60, under: Sequence[str] = ()) -> int:
        """Run a worker to its end, by the command ``under`` if given; return its exit code, negative for a signal."""
        arguments = [*self.arguments(), kill_at, str(lease_seconds)]
        if not under:
            return run_forked(job_process.main, *arguments)
        command = [*under, sys.executable, "-W", "error", "-m", "tests.faults.job_process", *arguments]
        return subprocess.run(command, cwd=ROOT, timeout=120, check=False).returncode

    def services(self) -> Services:
        """Return the services of this process over the scene."""
        settings = Settings(data_dir=self.folder, database_url="", port=int(self.arguments()[2]))
        self.folder.mkdir(exist_ok=True)
        signer = signer_for(settings, self.store)
        return Services(settings, self.database, self.store, signer, Sessions([SECRET]), Accounts(), ApiTokens())

    def arguments(self) -> list[str]:
        """Return what a process needs to open the scene: data folder, database URL, port of the store, its secret key."""
        port = urlsplit(self.store._client.meta.endpoint_url).port
        return [str(self.folder), self.database.engine.url.render_as_string(hide_password=False), str(port), SECRET]

    def job(self, job_id: str) -> CellView:
        with self.database.read() as db:
            return cell(db, job_id)

    def exported(self) -> list[str]:
        return [item.key for item in self.store.list("exports/")]


@pytest.fixture(scope="module")
def footage(small_footage: Path) -> Path:
    return small_footage


@pytest.fixture
def scene(database: Database, tmp_path: Path, footage: Path) -> Iterator[Scene]:
    with running_bucket(SECRET, tmp_path / "store") as store:
        store.put_file("small.mp4", footage, "video/mp4")
        etag = store.head("small.mp4").etag
        with database.write() as db:
            db.add(Video(id=VIDEO_ID, title="Small", s3_key="small.mp4", etag=etag, duration_ms=6_000))
            db.flush()
            db.add(IdentifiedClip(id="clip_1", video_id=VIDEO_ID, reference="1", start_ms=500, end_ms=3_000, title="One"))
            attach(db, VIDEO_ID, "de", b"WEBVTT\n\n00:01.000 --> 00:02.000\nHallo\n", "a.vtt")
        yield Scene(database, store, tmp_path / "data")


@pytest.fixture
def job(scene: Scene) -> CellView:
    with scene.database.write() as db:
        return request_exports(db, VIDEO_ID, ["clip_1"], ExportChoices([AspectRatio.PORTRAIT], ["de"], captions=CaptionMode.SOFT))[0]
