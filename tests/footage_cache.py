"""Footage rendered once per run and shared by all workers and files. Read-only: a test that changes it makes a copy."""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Callable
from pathlib import Path


class FootageCache:
    """Cache of rendered files in ``folder``, shared by all workers, by name and recipe."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, name: str, recipe: object, render: Callable[[Path], object]) -> Path:
        """Return the file that ``render(path)`` writes. The first caller with a ``recipe`` renders it; recipes are compared by ``repr``."""
        folder = self._folder / hashlib.sha256(f"{name} {recipe!r}".encode()).hexdigest()[:16]
        new, done = folder / "new", folder / "done"
        new.mkdir(parents=True, exist_ok=True)
        with (folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not done.exists():
                render(new / name)
                new.rename(done)
        return done / name
