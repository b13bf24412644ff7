"""A Chromium for the browser tests: found on the machine, else downloaded.

A headless shell is preferred: the same engine without windows around its pages, which cost more CPU than most tests do.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.system_packages import apt_install

SHELL = "chromium-headless-shell"
WHOLE = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
DOWNLOAD_SECONDS = 240
_DEBIAN = Path("/usr/lib/chromium/chromium")


def find_chromium() -> Path | None:
    """Return the browser named by ``CLIPVIEWER_TEST_CHROMIUM``, else a headless shell, else a full browser; None if there is none.

    Playwright's own browsers are preferred to the system's.
    """
    named = os.environ.get("CLIPVIEWER_TEST_CHROMIUM")
    if named:
        return Path(named) if os.access(named, os.X_OK) else None
    with sync_playwright() as playwright:
        own = Path(playwright.chromium.executable_path)
    shells = [*_own_shells(own), *_installed(SHELL)]
    return next(iter([*shells, *([own] if own.is_file() else []), *_installed(*WHOLE)]), None)


def prepare_chromium() -> Path | None:
    """Return a browser, downloading Playwright's or installing the system's package if there is none.

    Debian's browser comes with its headless shell. Return None if neither works.
    """
    found = find_chromium()
    if found is None:
        fetched = _downloaded() or apt_install(SHELL) or apt_install("chromium")
        return find_chromium() if fetched else None
    if found in _installed("chromium") and _DEBIAN.is_file() and not os.environ.get("CLIPVIEWER_TEST_CHROMIUM") and apt_install(SHELL):
        return find_chromium()
    return found


def _own_shells(own: Path) -> list[Path]:
    """Return Playwright's headless shells of the revision of its full browser, which may not exist."""
    revision = own.parents[1].name.removeprefix("chromium-")
    return [path for path in own.parents[2].glob(f"chromium_headless_shell-{revision}/*/*headless*shell") if path.is_file()]


def _installed(*names: str) -> list[Path]:
    return [Path(found) for name in names if (found := shutil.which(name))]


def _downloaded() -> bool:
    command = [sys.executable, "-m", "playwright", "install", "--with-deps", "--only-shell", "chromium"]
    if os.geteuid() != 0:
        command.remove("--with-deps")
    print("+ playwright install chromium", flush=True)
    try:
        done = subprocess.run(command, check=False, timeout=DOWNLOAD_SECONDS, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0 and find_chromium() is not None
