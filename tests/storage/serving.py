"""Run an embedded store on a loopback port, in its own thread."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from typing import Any

import boto3
import uvicorn
from botocore.config import Config

from clipviewer.domain.sigv4 import Credentials
from clipviewer.storage.embedded.app import EmbeddedStore

KEYS = Credentials("clipviewer", "a secret of the test")
BUCKET = "clipviewer"


@dataclass(frozen=True)
class Served:
    """A running store: ``endpoint`` is boto3's endpoint URL, ``host`` is ``address:port``."""

    store: EmbeddedStore
    root: Path
    port: int

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def endpoint(self) -> str:
        return f"http://{self.host}/s3"

    def client(self, keys: Credentials = KEYS, **config: Any) -> Any:
        return client(self.endpoint, keys, **config)


def client(endpoint: str, keys: Credentials = KEYS, region: str = "us-east-1", **config: Any) -> Any:
    """Return a boto3 client that never retries, so that a test sees the first response."""
    settings = {"signature_version": "s3v4", "s3": {"addressing_style": "path"}, "retries": {"total_max_attempts": 1}} | config
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name=region,
        aws_access_key_id=keys.access_key,
        aws_secret_access_key=keys.secret_key,
        aws_session_token=keys.session_token,
        config=Config(**settings),
    )


@dataclass(frozen=True)
class Storage:
    """A boto3 ``client``, a ``bucket``, and a ``prefix`` reserved for one test."""

    client: Any
    bucket: str
    prefix: str

    def put(self, key: str, body: bytes, **arguments: Any) -> Any:
        return self.client.put_object(Bucket=self.bucket, Key=self.prefix + key, Body=body, **arguments)

    def get(self, key: str, **arguments: Any) -> Any:
        return self.client.get_object(Bucket=self.bucket, Key=self.prefix + key, **arguments)

    def read(self, key: str, **arguments: Any) -> bytes:
        with self.get(key, **arguments)["Body"] as body:
            data: bytes = body.read()
        return data

    def head(self, key: str, **arguments: Any) -> Any:
        return self.client.head_object(Bucket=self.bucket, Key=self.prefix + key, **arguments)

    def names(self) -> list[str]:
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.prefix)
        return [found["Key"].removeprefix(self.prefix) for page in pages for found in page.get("Contents", [])]


@contextmanager
def serving(root: Path, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC), cors_origins: Sequence[str] = ()) -> Iterator[Served]:
    store = EmbeddedStore(root, KEYS, clock=clock, cors_origins=cors_origins)
    # Named as TCP: asyncio turns Nagle's delay off only for sockets that say so.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    config = uvicorn.Config(store, lifespan="off", ws="none", log_level="warning", access_log=False, timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield Served(store, root, listener.getsockname()[1])
    finally:
        server.should_exit = True
        thread.join(10)
        store.close()
        listener.close()


def files(root: Path) -> set[str]:
    """Return the names of the files that hold objects' bytes, complete or not."""
    return {path.name for folder in ("incoming", "data") for path in (root / folder).rglob("*") if path.is_file()}


@contextmanager
def using(root: Path, **arguments: Any) -> Iterator[tuple[Served, Any]]:
    with serving(root, **arguments) as served:
        made = served.client()
        yield served, made
        made.close()
