"""The built front end: when it must be built, and how. Imports no Reflex, so that commands start quickly."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from clipviewer.errors import StartupError

ROOT = Path(__file__).resolve().parent.parent
_SOURCES = (
    "rxconfig.py",
    "requirements.txt",
    "README.md",
    "assets",
    "reflex.lock",
    "clipviewer/build_plugins.py",
    "clipviewer/clipviewer.py",
    "clipviewer/frontend.py",
    "clipviewer/components",
    "clipviewer/docs",
    "clipviewer/domain",
    "clipviewer/pages",
    "clipviewer/state",
)
_STAMP = "clipviewer-build.json"


def web_dir() -> Path:
    """Return the folder in which Reflex keeps the generated front end."""
    return Path(os.environ.get("REFLEX_WEB_WORKDIR", ROOT / ".web"))


def static_dir() -> Path:
    """Return the folder of the files that are served."""
    return web_dir() / "build" / "client"


def fingerprint() -> str:
    """Return a SHA-256 over the names and contents of everything that the bundle is made from."""
    digest = hashlib.sha256(sys.version.split()[0].encode())
    for name in _SOURCES:
        path = ROOT / name
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file() and "__pycache__" not in file.parts and "external" not in file.parts:
                digest.update(f"\0{file.relative_to(ROOT).as_posix()}\0".encode())
                digest.update(file.read_bytes())
    return digest.hexdigest()


def is_built() -> bool:
    """Return whether the built front end belongs to the current sources."""
    try:
        stamp = json.loads((web_dir() / _STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return bool(stamp.get("fingerprint") == fingerprint()) and (static_dir() / "index.html").is_file()


def build_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for Reflex's build: Node from this virtual environment, npm, no telemetry."""
    scripts = sysconfig.get_path("scripts")
    return {
        **environ,
        "PATH": os.pathsep.join([scripts, environ.get("PATH", os.defpath)]),
        "REFLEX_USE_NPM": "1",
        "NODE_USE_SYSTEM_CA": "1",  # a company's certificate authority is in the system's store
        "REFLEX_CHECK_LATEST_VERSION": "false",
        "REFLEX_TELEMETRY_ENABLED": "false",
        "npm_config_omit_lockfile_registry_resolved": "true",
        "npm_config_audit": "false",
        "npm_config_fund": "false",
        "npm_config_update_notifier": "false",
    }


def build(say: Callable[[str], None]) -> None:
    """Build the front end with Reflex. Raises ``StartupError`` with the last lines of its output."""
    with locks_kept():
        _export(say)
    (web_dir() / _STAMP).write_text(json.dumps({"fingerprint": fingerprint()}), encoding="utf-8")


def _export(say: Callable[[str], None]) -> None:
    (web_dir() / _STAMP).unlink(missing_ok=True)
    command = [sys.executable, "-m", "reflex", "export", "--frontend-only", "--no-zip", "--env", "prod"]
    process = subprocess.Popen(  # noqa: S603
        command,
        cwd=ROOT,
        env=build_environment(os.environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    lines: list[str] = []
    try:
        for line in process.stdout or ():
            if line.strip():
                lines.append(line.rstrip())
                say(line.rstrip())
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait()
    if process.returncode != 0:
        said = [line for line in lines if "rror" in line] or lines
        raise StartupError("The front end could not be built:\n" + "\n".join(said[-15:]))


@contextlib.contextmanager
def locks_kept() -> Iterator[None]:
    """Restore lock files whose content has not changed: Reflex rewrites them at every compilation, with keys in another order."""
    locks = {path: path.read_bytes() for path in (ROOT / "reflex.lock").glob("*.json")}
    yield
    for path, before in locks.items():
        if path.is_file() and json.loads(path.read_bytes()) == json.loads(before):
            path.write_bytes(before)
