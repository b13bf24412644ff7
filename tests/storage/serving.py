"""An embedded store on a loopback port, in a thread of its own."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from typing import Any

import boto3
import uvicorn
from botocore.config import Config

from clipviewer.domain.sigv4 import Credentials
from clipviewer.storage.embedded import EmbeddedStore

KEYS = Credentials("clipviewer", "a secret of the test")
BUCKET = "clipviewer"


@dataclass(frozen=True)
class Served:
    """``endpoint`` is what boto3 wants to know; ``host`` is ``address:port``."""

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
    """A boto3 client that never retries, so that a test sees the first answer."""
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


@contextmanager
def serving(
    root: Path, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC), cors_origins: Sequence[str] = ()
) -> Iterator[Served]:
    store = EmbeddedStore(root, KEYS, clock=clock, cors_origins=cors_origins)
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(store, lifespan="off", log_level="warning", access_log=False, timeout_graceful_shutdown=1))
    started = Event()

    async def run() -> None:
        serve = asyncio.ensure_future(server.serve([listener]))
        while not server.started and not serve.done():
            await asyncio.sleep(0.005)
        started.set()
        await serve

    thread = Thread(target=lambda: asyncio.run(run()))
    thread.start()
    assert started.wait(10)
    try:
        yield Served(store, root, listener.getsockname()[1])
    finally:
        server.should_exit = True
        thread.join(10)
        store.close()
        listener.close()
