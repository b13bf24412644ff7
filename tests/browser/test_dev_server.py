"""``python -m clipviewer dev``: edits show in the open page, and Ctrl-C ends all processes."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.running_app import EMAIL, PASSWORD, ROOT, free_port, wait_for_line
from tests.jobs.attempts import wait_until

SOURCES = ("rxconfig.py", "requirements.txt", "README.md", "clipviewer", "assets", "reflex.lock")


def link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:  # the target is on another file system
        shutil.copy2(source, target, follow_symlinks=False)


@pytest.fixture
def source_tree(tmp_path: Path) -> Path:
    """A copy of the sources, with the packages of the front end."""
    subprocess.run([sys.executable, "-m", "clipviewer", "build"], cwd=ROOT, check=True)
    for name in SOURCES:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
        copy(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / ".web", tmp_path / ".web", ignore=shutil.ignore_patterns("node_modules", "build"))
    shutil.copytree(ROOT / ".web" / "node_modules", tmp_path / ".web" / "node_modules", symlinks=True, copy_function=link_or_copy)
    return tmp_path


@contextmanager
def dev_server(source_tree: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The address of the app in development, and the process that a person ends with Ctrl-C."""
    port = free_port()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CLIPVIEWER_", "AWS_"))}
    settings = {"DATA_DIR": str(source_tree / "data"), "PORT": str(port), "DEMO": "off", "ADMIN_EMAIL": EMAIL, "ADMIN_PASSWORD": PASSWORD}
    environment = kept | {f"CLIPVIEWER_{name}": value for name, value in settings.items()}
    log = source_tree / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "clipviewer", "dev"],
            cwd=source_tree,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_for_line(process, log, "Ready in")
        yield f"http://localhost:{port}", process
    finally:
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(30)
        process.kill()
        process.wait()


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def descendants(process_id: int) -> set[int]:
    """Return the ids of the process's children and all their descendants."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], check=True, capture_output=True, text=True).stdout
    parents = {int(child): int(parent) for child, parent in map(str.split, listed.splitlines())}
    found, level = set[int](), {process_id}
    while level:
        level = {child for child, parent in parents.items() if parent in level}
        found |= level
    return found


def is_running(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    return True


def test_edits_show_in_the_open_page_and_ctrl_c_ends_every_process(source_tree: Path, browser: Browser) -> None:
    with dev_server(source_tree) as (address, process), browser.new_context() as context:
        answer = context.request.post(f"{address}/api/auth/sign-in", data={"email": EMAIL, "password": PASSWORD})
        assert answer.ok, answer.text()
        page = context.new_page()
        page.goto(f"{address}/settings")
        settings = page.get_by_role("navigation", name="Settings")
        expect(settings.get_by_role("link", name="Preferences")).to_be_visible()

        edit(source_tree / "clipviewer" / "components" / "settings_frame.py", '"Preferences"', '"What the team prefers"')
        expect(settings.get_by_role("link", name="What the team prefers")).to_be_visible()

        edit(
            source_tree / "assets" / "settings" / "settings.css",
            ".settings-nav { display: flex;",
            ".settings-nav { opacity: 0.5; display: flex;",
        )
        expect(settings).to_have_css("opacity", "0.5")

        script = source_tree / "assets" / "keyboard" / "keyboard.client.js"
        edit(script, "document.addEventListener(", 'document.documentElement.dataset.edited = "yes";\ndocument.addEventListener(')
        expect(page.locator("html")).to_have_attribute("data-edited", "yes")

        page.evaluate("window.openedBefore = true")
        edit(
            source_tree / "clipviewer" / "services" / "people" / "sessions.py",
            "Principal(user_id, email, name,",
            'Principal(user_id, email, "edited",',
        )
        expect(page.locator(".account")).to_contain_text("edited")
        page.wait_for_function("window.openedBefore === undefined")

        started = descendants(process.pid)
        assert len(started) >= 3
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
        wait_until(lambda: not any(map(is_running, started)))
