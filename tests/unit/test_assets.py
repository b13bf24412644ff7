"""Scripts and style sheets: each is imported where it is needed, states its purpose, and depends on no order."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from pathlib import Path

import pytest

from clipviewer.components.uploads import UploadDesk

ROOT = Path(__file__).parents[2]
ASSETS = ROOT / "assets"
FRAME = "frame/frame.css"  # loaded by every page before all other files
FILES = {path.relative_to(ASSETS).as_posix(): path for kind in ("js", "css") for path in ASSETS.rglob(f"*.{kind}")}
COMPONENTS = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "clipviewer").rglob("*.py"))


def imported_by_scripts() -> set[str]:
    found = set()
    for name, path in FILES.items():
        for target in re.findall(r'^import .* from "(\.[^"]+)";$', path.read_text(encoding="utf-8"), re.MULTILINE):
            found.add((ASSETS / name).parent.joinpath(target).resolve().relative_to(ASSETS).as_posix())
    return found


def test_every_file_is_imported() -> None:
    by_components = {name for name in FILES if f'"{name}"' in COMPONENTS or f'"/{name}"' in COMPONENTS}
    assert FILES.keys() - by_components - imported_by_scripts() == set()


@pytest.mark.parametrize("name", sorted(name for name in FILES if name.endswith(".client.js")))
def test_every_component_script_states_why_it_is_not_python(name: str) -> None:
    head = FILES[name].read_text(encoding="utf-8").partition("\n\n")[0]
    assert re.search(r"^// A script, since ", head, re.MULTILINE)


def test_no_two_component_style_sheets_conflict() -> None:
    """The bundler chooses the order of style sheets."""
    sheets: defaultdict[tuple[str, str, int], set[str]] = defaultdict(set)
    for name in FILES:
        if name.endswith(".css") and name != FRAME:
            for declared in declarations(FILES[name].read_text(encoding="utf-8")):
                sheets[declared].add(name)
    assert len(sheets) > 400
    assert {declared: sorted(names) for declared, names in sheets.items() if len(names) > 1} == {}


def declarations(sheet: str) -> set[tuple[str, str, int]]:
    """Return (class, property set wherever that class occurs, number of classes and states in the selector)."""
    text = re.sub(r"/\*.*?\*/", "", sheet, flags=re.DOTALL)
    found = set()
    for selectors, body in re.findall(r"([^{};]+)\{([^{}]*)\}", text):
        properties = re.findall(r"(?:^|;)\s*([\w-]+)\s*:", body)
        for selector in (part.strip() for part in selectors.split(",")):
            weight = len(re.findall(r"\.[\w-]+|\[|(?<!:):(?!is|has|not|where)[\w-]+", selector))
            if not re.search(r"[\s>+~]", selector):
                found |= {(name, key, weight) for name in re.findall(r"\.([\w-]+)", selector) for key in properties}
    return found


def test_types_are_checked_against_the_uppy_that_is_bundled() -> None:
    checked = json.loads((ROOT / "tests" / "lint" / "package.json").read_text(encoding="utf-8"))["devDependencies"]
    bundled = dict(package.rsplit("@", 1) for package in UploadDesk.create().lib_dependencies)
    assert {name: version for name, version in checked.items() if name.startswith("@uppy/")} == bundled
