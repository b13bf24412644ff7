"""Footage that a run renders once, for all its workers and files. Nobody changes it: a test that does takes a copy."""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Callable
from pathlib import Path


class KeptFootage:
    """Files in ``folder``, which all workers share, by name and recipe."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, name: str, recipe: object, render: Callable[[Path], object]) -> Path:
        """Return the file that ``render(path)`` writes, rendered by the first who asks for ``recipe``, whose ``repr`` tells it apart."""
        folder = self._folder / hashlib.sha256(f"{name} {recipe!r}".encode()).hexdigest()[:16]
        new, done = folder / "new", folder / "done"
        new.mkdir(parents=True, exist_ok=True)
        with (folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not done.exists():
                render(new / name)
                new.rename(done)
        return done / name
