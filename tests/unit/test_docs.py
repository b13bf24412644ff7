"""Links, files, commands, routes and settings named in ``clipviewer/docs``, the README and CONTRIBUTING.md exist."""

from __future__ import annotations

import json
import re
import shlex
from html.parser import HTMLParser
from pathlib import Path
from typing import cast

import pytest

from clipviewer.api.app import create_api
from clipviewer.cli import _parser
from clipviewer.components.help_text import HELP_PAGES, HelpPage, heading_id, render
from clipviewer.domain.bucket_policy import cors_policy, iam_policy
from clipviewer.services.container import Services
from clipviewer.settings import DOCUMENTED

ROOT = Path(__file__).parents[2]
DOCS = sorted((ROOT / "clipviewer" / "docs").glob("*.md"))
FILES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *DOCS]
TEXTS = {path: path.read_text(encoding="utf-8") for path in FILES}
ALL = "\n".join(TEXTS.values())
every_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
every_page = pytest.mark.parametrize("page", HELP_PAGES, ids=lambda page: page.route)


class Headings(HTMLParser):
    """Collects headings, their ids and the targets of links."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.levels: list[int] = []
        self.ids: list[str | None] = []
        self.links: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        if re.fullmatch(r"h\d", tag):
            self.levels.append(int(tag[1]))
            self.ids.append(given.get("id"))
        if tag == "a":
            self.links.append(given["href"] or "")


def lines_of_code(text: str) -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    return [line for block in blocks for line in block.replace("\\\n", " ").splitlines() if line.strip()]


@every_file
def test_links_lead_to_existing_files_and_headings(path: Path) -> None:
    for link in re.findall(r"\]\(([^)]+)\)", TEXTS[path]):
        if not link.startswith("http"):
            target, _, fragment = link.partition("#")
            file = (path.parent / target).resolve() if target else path
            assert file.is_file(), f"{path.name} links to {link}"
            if fragment:
                headings = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
                assert fragment in map(heading_id, headings), f"{path.name} links to {link}"


@every_file
def test_named_files_exist(path: Path) -> None:
    named = re.findall(r"`((?:clipviewer|tests|assets|\.ci)/[\w./-]*)`", TEXTS[path])
    assert [name for name in named if not (ROOT / name).exists()] == []


@every_file
def test_named_settings_are_documented(path: Path) -> None:
    assert set(re.findall(r"CLIPVIEWER_\w+", TEXTS[path])) <= {row.name for row in DOCUMENTED}


def test_documented_commands_match_the_parser() -> None:
    parser = _parser()
    lines = [line.split("-m clipviewer", 1)[1] for text in TEXTS.values() for line in lines_of_code(text) if "-m clipviewer" in line]
    runs = {parser.parse_args(shlex.split(line, comments=True)).run.__name__ for line in lines}
    inline = set(re.findall(r"`python -m clipviewer ([a-z]+)", ALL))
    (commands,) = (action.choices for action in parser._actions if action.choices)
    assert inline <= set(commands or ())
    assert {command.get_default("run").__name__ for command in (commands or {}).values() if command.get_default("run")} - runs <= {"_build"}


def test_named_routes_exist_in_the_api() -> None:
    described = create_api(cast("Services", None)).openapi()["paths"]
    known = {(method.upper(), re.sub(r"\{\w+\}", "{}", path)) for path, methods in described.items() for method in methods}
    named = re.findall(r"`(GET|POST|PUT|PATCH|DELETE) (/api/[^\s`?]+)", ALL)
    assert len(named) > 10
    assert {(method, re.sub(r"\{\w+\}", "{}", path)) for method, path in named} <= known


def test_policies_are_described_as_they_are_printed() -> None:
    text = TEXTS[ROOT / "clipviewer" / "docs" / "operate.md"]
    (rules,) = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    assert json.loads(rules) == cors_policy("https://clips.example.org")
    described = set(re.findall(r"`(s3:\w+)`", text))
    printed = set(re.findall(r'"(s3:[A-Z]\w+)"', json.dumps(iam_policy("team-videos", "", "eu-west-1"))))
    assert described == printed


def test_the_architecture_names_exactly_the_top_level_files_and_folders() -> None:
    picture = TEXTS[ROOT / "clipviewer" / "docs" / "develop.md"].split("## Architecture")[1].split("```")[1]
    own = picture.split("clipviewer/\n")[1].split("\ntests/")[0]
    rooms = [*(ROOT / "clipviewer").iterdir(), *(ROOT / "clipviewer" / "services").iterdir()]
    assert set(re.findall(r"\b([a-z]+)/", own)) == {path.name for path in rooms if path.is_dir() and path.name != "__pycache__"}
    modules = {path.name for path in (ROOT / "clipviewer").glob("*.py")} - {"__init__.py", "__main__.py"}
    assert set(re.findall(r"\b(\w+\.py)\b", own)) == modules


def test_every_page_is_in_the_help() -> None:
    assert {page.file for page in HELP_PAGES if not page.part} == set(DOCS)


@every_page
def test_a_page_of_the_help_has_headings_in_order_and_links_that_resolve(page: HelpPage) -> None:
    headings = Headings(render(page))
    assert headings.levels[0] == 2
    assert all(after - before <= 1 for before, after in zip(headings.levels, headings.levels[1:], strict=False))
    assert len(set(headings.ids)) == len(headings.ids)
    ids = {other.route: Headings(render(other)).ids for other in HELP_PAGES}
    for link in headings.links:
        route, _, fragment = link.partition("#")
        assert route.startswith("http") or not fragment or fragment in ids[route]


@pytest.mark.parametrize("text", ["[gone](gone.md)", "[picture](../../assets/icon.svg)", "[top](/settings)"])
def test_a_broken_link_into_the_app_fails_the_build(tmp_path: Path, text: str) -> None:
    file = tmp_path / "page.md"
    file.write_text(text)
    with pytest.raises(ValueError, match="not a page of Help"):
        render(HelpPage("/help/page", "Page", "file", file))


def test_html_in_a_page_is_escaped(tmp_path: Path) -> None:
    file = tmp_path / "page.md"
    file.write_text("<script>alert(1)</script>\n\na <b>c</b>")
    html = render(HelpPage("/help/page", "Page", "file", file))
    assert "<script" not in html
    assert "<b>" not in html
