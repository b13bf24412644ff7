"""The table of keyboard shortcuts lists exactly the keys that the scripts handle."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from clipviewer.domain.keyboard import KEYBOARD, split_keys

ROOT = Path(__file__).parents[2]
SHORTCUTS = [shortcut for group in KEYBOARD for shortcut in group.shortcuts]
NAMED = r"\b(Arrow(?:Left|Right|Up|Down)|Home|End|Page(?:Up|Down)|Enter|Escape)\b"
COMPARED = r"\b(?:event\.)?key (?:===|!==) \"([^\"]+)\""
TABLED = r"(?m)^ +\"(.)\": \(\) =>"


def scripts() -> dict[str, str]:
    """Return the scripts that listen for keys, without comments and markup, by path."""
    sources = {path.relative_to(ROOT / "assets").as_posix(): path.read_text(encoding="utf-8") for path in (ROOT / "assets").rglob("*.js")}
    return {name: re.sub(r"//.*|`[^`]*`", "", text) for name, text in sources.items() if '"keydown"' in text}


def handled(script: str) -> set[str]:
    compared = {key.capitalize() if len(key) > 1 and key.islower() else key for key in re.findall(COMPARED, script)}
    return set(re.findall(NAMED, script)) | set(re.findall(TABLED, script)) | compared


@pytest.mark.parametrize("name", sorted(scripts()))
def test_every_key_of_a_script_is_in_the_table(name: str) -> None:
    listed = {split_keys(key)[-1] for shortcut in SHORTCUTS if shortcut.script == name for key in shortcut.keys}
    assert listed == handled(scripts()[name])


def test_the_table_names_only_existing_scripts() -> None:
    assert {shortcut.script for shortcut in SHORTCUTS} - {""} == scripts().keys()


def test_keys_are_shown_as_labelled_on_a_keyboard() -> None:
    shown = {keys: "/".join("+".join(parts) for parts in shortcut.shown) for shortcut in SHORTCUTS for keys in [shortcut.keys]}
    assert shown[" ", "k"] == "Space/K"
    assert shown["+", "=", "-"] == "+/=/−"
    assert shown["Shift+ArrowLeft", "Shift+ArrowRight"] == "Shift+←/Shift+→"


def test_the_readme_says_where_the_keys_are() -> None:
    assert "`?` shows every key" in (ROOT / "README.md").read_text(encoding="utf-8")
