"""A video in a running bucket, and the services over both."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from clipviewer.db.models import IdentifiedClip, Video
from clipviewer.services.container import Services
from clipviewer.storage.s3 import ObjectStore
from tests.api.stores import running_bucket

VIDEO_ID = "video_small"
SECRET = "a secret key that only this bucket has"
MASTER_KEY = "talks/small.mp4"


@pytest.fixture(scope="session")
def footage(small_footage: Path) -> Path:
    """Six seconds with a number in every frame."""
    return small_footage


@pytest.fixture
def bucket(tmp_path: Path, footage: Path) -> Iterator[ObjectStore]:
    with running_bucket(SECRET, tmp_path / "store") as store:
        store.put_file(MASTER_KEY, footage, "video/mp4")
        yield store


@pytest.fixture
def room(services: Services, bucket: ObjectStore) -> Services:
    """The services over the bucket; the video and its clips ``clip_1`` (0.5–1.5 s) and ``clip_2`` (2–3 s) are registered."""
    master = bucket.head(MASTER_KEY)
    with services.database.write() as db:
        size = {"duration_ms": 6_000, "width": 1280, "height": 720, "frame_rate": "24/1"}
        db.add(Video(id=VIDEO_ID, title="Small", s3_key=MASTER_KEY, etag=master.etag, size=master.size, **size))
        db.flush()
        for number, start_ms in ((1, 500), (2, 2_000)):
            db.add(
                IdentifiedClip(
                    id=f"clip_{number}",
                    video_id=VIDEO_ID,
                    reference=str(number),
                    start_ms=start_ms,
                    end_ms=start_ms + 1_000,
                    title=f"Clip {number}",
                    score=90.0 + number,
                )
            )
    port = urlsplit(bucket._client.meta.endpoint_url).port
    assert port is not None
    return dataclasses.replace(services, settings=dataclasses.replace(services.settings, port=port), store=bucket)
