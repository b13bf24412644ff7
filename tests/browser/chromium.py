"""A Chromium for the browser tests: found where the machine has one, else fetched.

A headless shell comes first: the same engine without the windows around its pages, which cost more CPU than most tests do.
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
    """The one that ``CLIPVIEWER_TEST_CHROMIUM`` names, else a headless shell, else a whole browser; None where there is none.

    Playwright's own comes before the system's.
    """
    named = os.environ.get("CLIPVIEWER_TEST_CHROMIUM")
    if named:
        return Path(named) if os.access(named, os.X_OK) else None
    with sync_playwright() as playwright:
        own = Path(playwright.chromium.executable_path)
    shells = [*_own_shells(own), *_installed(SHELL)]
    return next(iter([*shells, *([own] if own.is_file() else []), *_installed(*WHOLE)]), None)


def prepare_chromium() -> Path | None:
    """The browser for the tests, fetched where there is none: Playwright's download where it works, else the system's package.

    Beside Debian's browser its headless shell is installed, too. None where nothing can be had.
    """
    found = find_chromium()
    if found is None:
        fetched = _downloaded() or apt_install(SHELL) or apt_install("chromium")
        return find_chromium() if fetched else None
    if found in _installed("chromium") and _DEBIAN.is_file() and not os.environ.get("CLIPVIEWER_TEST_CHROMIUM") and apt_install(SHELL):
        return find_chromium()
    return found


def _own_shells(own: Path) -> list[Path]:
    """Playwright's headless shell of the same revision as its whole browser, which need not be there."""
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
