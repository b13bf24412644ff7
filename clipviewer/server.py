"""The running server: Reflex's application under uvicorn, with the tasks that live as long as it does."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import resource
import socket
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from functools import partial
from ipaddress import ip_network

import uvicorn
from reflex_base.constants import Env
from reflex_base.environment import environment
from starlette.types import ASGIApp

from clipviewer.api.connections import ConnectionLimits, Connections, HttpConnection, LimitedServer, SocketConnection
from clipviewer.api.log_rate import install_rate_limit
from clipviewer.api.redaction import install_redaction
from clipviewer.db.models import utc_now
from clipviewer.demo.making import Demo
from clipviewer.domain.network import is_within, with_mapped
from clipviewer.errors import StartupError
from clipviewer.media.cage.cage import CAGE
from clipviewer.services.container import Services

_LOG = logging.getLogger(__name__)
_KEEP_ALIVE_SECONDS = 75
"""Longer than any usual client or proxy keeps an idle connection (60 s), so that the sender is the one that closes it."""
_OWN_FILES = 1_024
"""Open files left for the database, the store, jobs and media; at most a quarter of the process's limit."""


def run(
    services: Services,
    listener: socket.socket,
    setup_token: str | None,
    started: float,
    *,
    compose: Callable[[ASGIApp], ASGIApp] | None = None,
) -> int:
    """Serve until a signal comes; return 0 after an orderly shutdown. ``started`` is when the command began (monotonic seconds).
    Raises ``StartupError`` if this process cannot run jobs.

    ``compose`` builds the application from Reflex's if the pages do not come from the built front end.
    """
    _configure_reflex(services, built=compose is None)
    from clipviewer.clipviewer import app

    if compose is not None:
        app.api_transformer = [compose]
    app.register_lifespan_task(_demo_footage)
    app.register_lifespan_task(_jobs)
    _sweep(services)
    settings = services.settings
    proxies = [ip_network(one) for one in settings.trusted_proxies]
    connections = Connections(connection_limits(raise_open_file_limit()), lambda address: is_within(address, proxies))
    config = uvicorn.Config(
        app(),
        http=partial(HttpConnection, connections=connections),  # type: ignore[arg-type]  # called, not subclassed
        ws=partial(SocketConnection, connections=connections),  # type: ignore[arg-type]
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=True,
        forwarded_allow_ips=with_mapped(proxies),
        ws_max_size=1024 * 1024,
        timeout_graceful_shutdown=3,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        lifespan="on",
    )
    install_redaction()
    install_rate_limit()
    global _server
    _server = _Server(config, connections, services, setup_token, started)
    _server.run(sockets=[listener])
    if _server.failure is not None:
        raise _server.failure
    return 0


def raise_open_file_limit() -> int:
    """Raise this process's limit of open files to the highest that it may set itself; return the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):  # macOS allows less than it reports
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        return hard
    return soft


def connection_limits(open_files: int) -> ConnectionLimits:
    """Return the limits of connections for a process that may open so many files."""
    unlimited = ConnectionLimits()
    if open_files == resource.RLIM_INFINITY:
        return unlimited
    return replace(unlimited, total=min(unlimited.total, open_files - min(_OWN_FILES, open_files // 4)))


class _Server(LimitedServer):
    """Prints its address once it answers."""

    def __init__(
        self, config: uvicorn.Config, connections: Connections, services: Services, setup_token: str | None, started: float
    ) -> None:
        super().__init__(config, connections)
        self._services, self._setup_token, self._begun = services, setup_token, started
        self.failure: StartupError | None = None

    def fail(self, error: StartupError) -> None:
        """End the server because of ``error``."""
        self.failure, self.should_exit = error, True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        from clipviewer.state.failures import task_failed

        asyncio.get_running_loop().set_exception_handler(task_failed)
        await super().startup(sockets=sockets)
        _tune_runtime()
        address = address_of(self._services)
        print(f"Ready in {time.monotonic() - self._begun:.1f} s: {address}", flush=True)
        if self._setup_token is not None:
            print(f"Create the first admin account here (works once, for 24 hours): {address}/set-up/{self._setup_token}", flush=True)
        _ready.set()


def _tune_runtime() -> None:
    """Freeze start-up objects out of GC and lower the GIL switch interval to 1 ms.

    A full collection over them would stop everything for a third of a second. With the default interval of 5 ms the event loop waits too
    long for the interpreter while the library works.
    """
    gc.collect()
    gc.freeze()
    sys.setswitchinterval(_SWITCH_SECONDS)


_SWITCH_SECONDS = 0.001
_ready = threading.Event()
_server: _Server | None = None


def address_of(services: Services) -> str:
    """Return the address at which a person opens the app."""
    settings = services.settings
    if settings.public_url is not None:
        return settings.public_url
    host = "localhost" if settings.host in ("127.0.0.1", "0.0.0.0", "::", "::1") else settings.host  # noqa: S104
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"


@contextlib.asynccontextmanager
async def _demo_footage() -> AsyncIterator[None]:
    """Render the demo in a thread while the app already runs; stops with it."""
    from clipviewer.services.container import installed

    services = installed()
    stop = threading.Event()

    def say(sentence: str) -> None:
        services.progress.text = sentence
        print(sentence, flush=True)

    def work() -> None:
        _ready.wait()
        demo = Demo(services)
        try:
            if not stop.is_set() and demo.wanted(stop.is_set):
                demo.render(say, stop.is_set)
        except Exception:
            if not stop.is_set():
                _LOG.exception("the demo footage could not be rendered")
        finally:
            services.progress.text = ""

    thread = threading.Thread(target=work, name="demo footage", daemon=True)
    if services.settings.demo and services.settings.embedded:
        thread.start()
    yield
    stop.set()
    _ready.set()
    if thread.is_alive():
        thread.join(timeout=10)


@contextlib.asynccontextmanager
async def _jobs() -> AsyncIterator[None]:
    """Run jobs while the app runs; starts once the embedded store answers, and stops with the app. So does the process that opens media."""
    from clipviewer.services.container import installed

    services = installed()
    stop = threading.Event()

    def work() -> None:
        _ready.wait()
        if stop.is_set():
            return
        from clipviewer.jobs.worker import JobWorker

        CAGE.warm_up()
        worker = JobWorker(services)
        try:
            worker.start()
        except Exception as error:
            if not isinstance(error, StartupError):
                _LOG.exception("this process cannot run jobs")
            if _server is not None:
                _server.fail(error if isinstance(error, StartupError) else StartupError("Jobs cannot run. The reason is in the log above."))
            return
        stop.wait()
        worker.stop()

    thread = threading.Thread(target=work, name="job worker", daemon=True)
    thread.start()
    yield
    stop.set()
    _ready.set()
    await asyncio.to_thread(thread.join, 15)
    CAGE.close()


def _sweep(services: Services) -> None:
    """Delete ended sessions and expired throttle counters."""
    with services.database.write() as db:
        services.sessions.sweep(db)
        services.accounts.throttle.sweep(db, utc_now())


def _configure_reflex(services: Services, *, built: bool) -> None:
    """Serve the front end as it is if it is ``built``: nothing is compiled, fetched or reported."""
    os.environ.update(REFLEX_TELEMETRY_ENABLED="false", REFLEX_CHECK_LATEST_VERSION="false")
    if services.settings.redis_url is not None:
        os.environ.update(REFLEX_REDIS_URL=services.settings.redis_url, REFLEX_STATE_MANAGER_MODE="redis")
    environment.REFLEX_ENV_MODE.set(Env.PROD)
    environment.REFLEX_SKIP_COMPILE.set(True)
    environment.REFLEX_MOUNT_FRONTEND_COMPILED_APP.set(built)
