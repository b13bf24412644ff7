"""Queries are SQLAlchemy statements over the model classes, run by the session."""

from __future__ import annotations

import re
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "clipviewer"
OTHERWISE = re.compile(r"\.metadata\.tables|db\s*\.connection\(\)\s*\.execute")
OBJECTS_BY_EXECUTE = re.compile(r"execute\(\s*select\([A-Z]\w+[,)]")


def test_queries_name_models_and_are_run_by_the_session() -> None:
    files = {path.relative_to(PACKAGE).as_posix(): path for path in PACKAGE.rglob("*.py") if "migrations" not in path.parts}
    otherwise = {name for name, path in files.items() if OTHERWISE.search(path.read_text(encoding="utf-8"))}
    assert otherwise == set()
    assert "services/library/listing.py" in files


def test_objects_are_read_by_scalars() -> None:
    """``execute`` returns rows of columns, so ``select(Model)`` would return only the model's first column."""
    sources = (path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
    assert not [found for source in sources for found in OBJECTS_BY_EXECUTE.findall(source)]
