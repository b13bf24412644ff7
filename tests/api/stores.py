"""A running embedded store for tests that need a bucket behind a real connection."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from clipviewer.settings import Settings
from clipviewer.storage.embedded.app import EmbeddedStore
from clipviewer.storage.embedded.credentials import embedded_credentials
from clipviewer.storage.s3 import ObjectStore, open_store


@contextmanager
def running_bucket(secret_key: str, folder: Path) -> Iterator[ObjectStore]:
    """Run an embedded store over ``folder`` on a free port; yield a client of it."""
    credentials = embedded_credentials(secret_key)
    app = EmbeddedStore(folder, credentials)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        settings = Settings(data_dir=folder, database_url="", port=listener.getsockname()[1])
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off", ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            deadline = time.monotonic() + 10
            while not server.started and time.monotonic() < deadline:
                time.sleep(0.01)
            yield open_store(settings, credentials)
        finally:
            server.should_exit = True
            thread.join()
            app.close()
