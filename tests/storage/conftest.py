"""The storages under the conformance suite: always the embedded one, and a real S3 if the environment names one.

``CLIPVIEWER_TEST_S3_BUCKET`` names a bucket that the tests may write to (below a prefix of their own, which they empty), ``…_ENDPOINT`` and
``…_REGION`` its location; credentials come from boto3's own chain.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config

from tests.storage.serving import BUCKET, Served, Storage, serving

REAL_BUCKET = os.environ.get("CLIPVIEWER_TEST_S3_BUCKET")


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("store") / "objects") as served:
        yield served


@pytest.fixture(scope="session")
def client(served: Served) -> Iterator[Any]:
    made = served.client()
    yield made
    made.close()


@pytest.fixture(scope="session", params=["embedded", *(["real"] if REAL_BUCKET else [])])
def connection(request: pytest.FixtureRequest) -> Iterator[tuple[Any, str]]:
    if request.param == "embedded":
        served: Served = request.getfixturevalue("served")
        made, bucket = served.client(), BUCKET
    else:
        endpoint, region = os.environ.get("CLIPVIEWER_TEST_S3_ENDPOINT"), os.environ.get("CLIPVIEWER_TEST_S3_REGION", "us-east-1")
        made = boto3.client("s3", endpoint_url=endpoint, region_name=region, config=Config(signature_version="s3v4"))
        bucket = REAL_BUCKET or ""
    yield made, bucket
    made.close()


@pytest.fixture
def storage(connection: tuple[Any, str]) -> Iterator[Storage]:
    made, bucket = connection
    storage = Storage(made, bucket, f"clipviewer-test-{uuid.uuid4().hex}/")
    yield storage
    for key in storage.names():
        made.delete_object(Bucket=bucket, Key=storage.prefix + key)
