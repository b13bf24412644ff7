"""A Chromium for the browser tests: found where the machine has one, else fetched."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.system_packages import apt_install

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
DOWNLOAD_SECONDS = 240


def find_chromium() -> Path | None:
    """The one that ``CLIPVIEWER_TEST_CHROMIUM`` names, else Playwright's own, else the system's; None where there is none."""
    named = os.environ.get("CLIPVIEWER_TEST_CHROMIUM")
    if named:
        return Path(named) if os.access(named, os.X_OK) else None
    with sync_playwright() as playwright:
        own = Path(playwright.chromium.executable_path)
    if own.is_file():
        return own
    return next((Path(found) for name in NAMES if (found := shutil.which(name))), None)


def install_chromium() -> bool:
    """Get one: Playwright's download where it works, else the system's package; False where neither can be had."""
    return _downloaded() or (apt_install("chromium") and find_chromium() is not None)


def _downloaded() -> bool:
    command = [sys.executable, "-m", "playwright", "install", "--with-deps", "chromium"]
    if os.geteuid() != 0:
        command.remove("--with-deps")
    print("+ playwright install chromium", flush=True)
    try:
        done = subprocess.run(command, check=False, timeout=DOWNLOAD_SECONDS, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0 and find_chromium() is not None
