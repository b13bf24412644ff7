"""Running buckets, and the steps of an upload into one."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from clipviewer.domain.master_file import MIB
from clipviewer.media.ffmpeg import Ffmpeg
from clipviewer.services.bucket.signing import signer_for
from clipviewer.services.container import Services
from clipviewer.services.library.uploading import Uploading
from clipviewer.storage.s3 import ObjectStore, open_store
from tests.api.stores import running_bucket
from tests.storage.serving import KEYS, Served, serving


@pytest.fixture
def bucket(tmp_path: Path) -> Iterator[ObjectStore]:
    """An empty, running bucket."""
    with running_bucket("a secret key that only this bucket has", tmp_path / "store") as store:
        yield store


@pytest.fixture
def team(services: Services, bucket: ObjectStore) -> Services:
    """The services over that bucket."""
    return dataclasses.replace(services, store=bucket)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path / "store") as served:
        yield served


@pytest.fixture
def uploading(services: Services, served: Served) -> Uploading:
    settings = dataclasses.replace(services.settings, port=served.port, s3_prefix="team/")
    settings.data_dir.mkdir(exist_ok=True)
    store = open_store(settings, KEYS)
    return Uploading(dataclasses.replace(services, settings=settings, store=store, signer=signer_for(settings, store)))


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A video of two seconds and 17 MiB: two parts. Padding follows the picture, as in a file with a large header."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    Ffmpeg().run(["-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=2", "-pix_fmt", "yuv420p", str(path)], timeout=60)
    data = path.read_bytes()
    size = 17 * MIB - len(data)
    return data + size.to_bytes(4, "big") + b"free" + bytes(size - 8)
