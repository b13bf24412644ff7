"""The Help pages and their Markdown as HTML, rendered when the front end is built, never by the server."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it.token import Token

_ROOT = Path(__file__).parents[2]
_DOCS = _ROOT / "clipviewer" / "docs"
_WIDE = '<div tabindex="0" role="group" aria-label="Table" class="help-wide">'
"""The table's box scrolls sideways; a keyboard can scroll only focusable elements."""


@dataclass(frozen=True, slots=True)
class HelpPage:
    """A Help page. ``part`` is the heading of the section of ``file`` that the page shows, "" for the whole file."""

    route: str
    name: str
    icon: str
    file: Path
    part: str = ""


HELP_PAGES: Sequence[HelpPage] = (
    HelpPage("/help", "Help", "circle-help", _DOCS / "index.md"),
    HelpPage("/help/library", "Library", "library", _DOCS / "library.md"),
    HelpPage("/help/clips-and-exports", "Clips and exports", "scissors", _DOCS / "clips-and-exports.md"),
    HelpPage("/help/pipelines", "Pipelines and API", "workflow", _DOCS / "pipelines.md"),
    HelpPage("/help/operate", "Operate", "server", _DOCS / "operate.md"),
    HelpPage("/help/configuration", "Configuration", "sliders-horizontal", _ROOT / "README.md", part="Configuration"),
    HelpPage("/help/develop", "Develop", "code", _DOCS / "develop.md"),
)


def render(page: HelpPage) -> str:
    """Return the page's HTML. The first heading is an ``h2``, below the page's own; heading ids are those of Git hosting sites.

    Raises ``ValueError`` for a link that leads neither to a Help page nor to another site.
    """
    from markdown_it import MarkdownIt  # here, since the server imports this module and never renders

    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(_markdown(page))
    for token, following in zip(tokens, [*tokens[1:], None], strict=True):
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{int(token.tag[1]) + 1}"
        if token.type == "heading_open" and following is not None:
            token.attrSet("id", heading_id(following.content))
        elif token.type == "inline":
            _point_links(token, page)
    html = str(parser.renderer.render(tokens, parser.options, {}))
    return html.replace("<table>", f"{_WIDE}<table>").replace("</table>", "</table></div>").replace("<pre>", '<pre tabindex="0">')


def heading_id(text: str) -> str:
    """Return ``storage-doctor`` for ``Storage doctor``."""
    return re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")


def address(page: HelpPage, link: str) -> str:
    """Return the app's address for a ``link`` as written in the page's file. Raises ``ValueError`` if there is none."""
    if link.startswith(("https://", "http://")):
        return link
    target, _, fragment = link.partition("#")
    file = (page.file.parent / target).resolve() if target else page.file
    for other in HELP_PAGES:
        if other.file == file and (not other.part or heading_id(other.part) == fragment):
            return other.route + (f"#{fragment}" if fragment and not other.part else "")
    raise ValueError(f"{page.file.name} links to {link}, which is not a page of Help")


def _markdown(page: HelpPage) -> str:
    text = page.file.read_text(encoding="utf-8")
    if not page.part:
        return text
    found = re.search(rf"^## ({re.escape(page.part)}\n.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    if found is None:
        raise ValueError(f"{page.file.name} has no part {page.part}")
    return f"# {found[1]}"


def _point_links(token: Token, page: HelpPage) -> None:
    for child in token.children or ():
        if child.type == "link_open":
            child.attrSet("href", address(page, str(child.attrGet("href"))))
