"""What the README says of commands and rooms is so."""

from __future__ import annotations

import json
import re
from pathlib import Path

from clipviewer.domain.bucket_policy import cors_policy, iam_policy

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SET_UP = "python3 -m venv .venv && .venv/bin/pip install -r requirements.txt"


def test_both_commands_stand_alone_and_share_their_set_up() -> None:
    commands = [block.strip() for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL)][:2]
    run, test = (f"{SET_UP}{more} && .venv/bin/python -m " for more in ("", " -r tests/requirements.txt"))
    assert commands == [f"{run}clipviewer", f"{test}tests"]


def test_continuous_integration_runs_the_readmes_test_command() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    steps = ("python3 -m venv .venv", "-r requirements.txt -r tests/requirements.txt", ".venv/bin/python -m tests")
    assert [step in script for step in steps] == [True] * 3


def test_the_picture_names_every_room_and_no_other() -> None:
    picture = README.split("## Architecture")[1].split("```")[1]
    named = set(re.findall(r"\b([a-z]+)/", picture)) - {"clipviewer", "assets", "tests"}
    rooms = [*(ROOT / "clipviewer").glob("*/__init__.py"), *(ROOT / "clipviewer" / "services").glob("*/__init__.py")]
    assert named == {path.parent.name for path in rooms}


def test_the_policies_are_described_as_they_are_printed() -> None:
    (rules,) = re.findall(r"```json\n(.*?)```", README, re.DOTALL)
    assert json.loads(rules) == cors_policy("https://clips.example.org")
    described = set(re.findall(r"`(s3:\w+)`", README))
    printed = set(re.findall(r'"(s3:[A-Z]\w+)"', json.dumps(iam_policy("team-videos", "", "eu-west-1"))))
    assert described == printed


def test_the_screenshot_is_there() -> None:
    (picture,) = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", README)
    assert (ROOT / picture).read_bytes().startswith(b"\x89PNG")
