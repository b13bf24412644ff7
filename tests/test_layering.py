"""Imports run one way: a package imports only from packages listed before it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "clipviewer"
FOUNDATION = {"errors", "settings"}
MAY_IMPORT = {
    "errors": set[str](),
    "settings": {"errors"},
    "domain": {"errors"},
    "db": {"domain"} | FOUNDATION,
    "storage": {"domain"} | FOUNDATION,
    "media": {"domain"} | FOUNDATION,
    "services": {"domain", "db", "storage", "media"} | FOUNDATION,
    "jobs": {"domain", "db", "storage", "media", "services"} | FOUNDATION,
    "demo": {"domain", "db", "storage", "media", "services"} | FOUNDATION,
    "api": {"domain", "db", "storage", "media", "services", "jobs"} | FOUNDATION,
    "state": {"domain", "db", "storage", "media", "services", "jobs"} | FOUNDATION,
    "components": {"domain", "state", "services"} | FOUNDATION,
    "pages": {"domain", "state", "services", "components"} | FOUNDATION,
}
ROOMS_OF_SERVICES = ("people", "bucket", "cells", "library", "room", "exporting", "adoption")
"""From the bottom up: each package imports only from those before it. Unlisted modules may import the lowest three."""
PURE = {"domain": {"reflex", "boto3", "botocore", "sqlalchemy", "sqlmodel", "fastapi", "starlette", "os", "pathlib", "time", "socket"}}


def backward_imports(room: str, source: str) -> Iterator[str]:
    """Return the forbidden imports of ``source``, a file of ``room``."""
    for module in _imported(source):
        top, _, rest = module.partition(".")
        target = rest.partition(".")[0]
        if top == "clipviewer" and target != room and target not in MAY_IMPORT[room]:
            yield f"{room} imports {module}"
        if top in PURE.get(room, set()):
            yield f"{room} imports {top} and is to be pure"


def _imported(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute here"
            module = node.module or ""
            yield from (f"{module}.{alias.name}" for alias in node.names) if module == "clipviewer" else (module,)


def _files() -> list[tuple[str, Path]]:
    files = [(path.relative_to(PACKAGE).parts[0].removesuffix(".py"), path) for path in sorted(PACKAGE.rglob("*.py"))]
    return [(room, path) for room, path in files if room in MAY_IMPORT]


def test_imports_run_one_way() -> None:
    assert [(path, backward) for room, path in _files() for backward in backward_imports(room, path.read_text(encoding="utf-8"))] == []


def test_a_room_of_the_services_knows_only_those_below_it() -> None:
    services = PACKAGE / "services"
    backward = {}
    for path in sorted(services.rglob("*.py")):
        own = path.relative_to(services).parts[0]
        below = ROOMS_OF_SERVICES[: ROOMS_OF_SERVICES.index(own) + 1] if own in ROOMS_OF_SERVICES else ROOMS_OF_SERVICES[:3]
        modules = _imported(path.read_text(encoding="utf-8"))
        targets = {module.split(".")[2] for module in modules if module.startswith("clipviewer.services.")}
        backward[path] = targets & set(ROOMS_OF_SERVICES) - set(below)
    assert {path: rooms for path, rooms in backward.items() if rooms} == {}


def test_every_room_of_the_services_has_a_place_in_the_order() -> None:
    assert {path.parent.name for path in (PACKAGE / "services").glob("*/__init__.py")} == set(ROOMS_OF_SERVICES)


def test_every_folder_has_a_place_in_the_order() -> None:
    folders = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert folders <= MAY_IMPORT.keys()
    assert {room for room, _ in _files()} >= {"domain", "db", "services", "errors", "settings"}


@pytest.mark.parametrize(
    ("room", "source"),
    [
        ("services", "from clipviewer.api.app import create_api"),
        ("services", "import clipviewer.state.auth"),
        ("services", "from clipviewer import state"),
        ("storage", "from clipviewer.db.models import Video"),
        ("domain", "def late():\n    from clipviewer.services import clips"),
        ("domain", "import sqlalchemy.orm"),
        ("api", "from clipviewer.pages import library"),
    ],
)
def test_a_backward_import_is_caught(room: str, source: str) -> None:
    assert list(backward_imports(room, source))


@pytest.mark.parametrize("room", ["services", "api"])
def test_a_forward_import_is_fine(room: str) -> None:
    assert not list(backward_imports(room, "from clipviewer.domain import sigv4\nfrom clipviewer.errors import NotFound\nimport os"))


def test_only_the_child_process_that_opens_media_imports_pyav() -> None:
    importers = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if {"av"} & {module.partition(".")[0] for module in _imported(path.read_text(encoding="utf-8"))}
    }
    others = [path for path in PACKAGE.rglob("*.py") if "clipviewer.media.cage.opened_media" in _imported(path.read_text(encoding="utf-8"))]
    assert importers == {"media/cage/opened_media.py", "media/cage/child.py"}
    assert others == [PACKAGE / "media/cage/child.py"]
