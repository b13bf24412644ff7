"""The README's commands, pictures and file tree match the repository."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SET_UP = "python3 -m venv .venv && .venv/bin/pip install -r requirements.txt"


def test_each_command_is_complete_and_both_share_their_set_up() -> None:
    commands = [block.strip() for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL)]
    assert commands == [
        f"{SET_UP} && .venv/bin/python -m clipviewer",
        f"{SET_UP} -r tests/requirements.txt && .venv/bin/python -m tests",
    ]


def test_continuous_integration_runs_the_readmes_test_command() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    steps = ("python3 -m venv .venv", "-r requirements.txt -r tests/requirements.txt", ".venv/bin/python -m tests")
    assert [step in script for step in steps] == [True] * 3


def test_the_readme_is_short() -> None:
    assert README.count("\n") <= 120


def test_the_tree_names_exactly_the_existing_folders() -> None:
    tree = README.split("## The tree")[1].split("```")[1]
    named = set(re.findall(r"\b([a-z]+)/", tree)) - {"clipviewer", "assets", "tests"}
    assert named == {path.name for path in (ROOT / "clipviewer").iterdir() if path.is_dir() and path.name != "__pycache__"}


def test_the_screenshot_exists() -> None:
    (picture,) = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", README)
    assert (ROOT / picture).read_bytes().startswith(b"\x89PNG")
