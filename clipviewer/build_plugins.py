"""Changes that the build of the front end makes to its result."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from reflex.plugins import Plugin
from reflex_base.constants import ReactRouter

PLACEHOLDER_ORIGIN = "http://clipviewer.invalid"
_PLACEHOLDER = re.compile(r"""(["'`])(?:http|ws)://clipviewer\.invalid(/[^"'`]*)?\1""")


class SameOrigin(Plugin):
    """Make the built front end call the address that it was loaded from.

    Reflex bakes one API address into the bundle; at run time it swaps only the host name, not the port or the scheme. With a placeholder
    instead, one build serves every host, port and proxy.
    """

    def post_build(self, **context: Any) -> None:
        static_dir = Path(context["static_dir"])
        changed = 0
        for script in static_dir.rglob("*.js"):
            text = script.read_text(encoding="utf-8")
            replaced, count = _PLACEHOLDER.subn(
                lambda match: f'((globalThis.location?.origin??"http://localhost")+"{match[2] or ""}")', text
            )
            if count:
                script.write_text(replaced, encoding="utf-8")
                changed += count
        if not changed:
            raise RuntimeError("the build does not contain the placeholder address: the API address cannot be set")


class PreloadRoom(Plugin):
    """Load the scripts and styles of a clip room together with its page, instead of after the router has started.

    Addresses with an id in them share one page, and Reflex lists in it only what every page needs.
    """

    def post_build(self, **context: Any) -> None:
        static_dir = Path(context["static_dir"])
        page = static_dir / ReactRouter.SPA_FALLBACK
        text = page.read_text(encoding="utf-8")
        scripts, sheets = _files_of_route(static_dir, "videos/:id")
        links = "".join(f'<link rel="modulepreload" href="{script}"/>' for script in scripts if f'"{script}"' not in text)
        links += "".join(f'<link rel="preload" as="style" href="{sheet}"/>' for sheet in sheets)
        page.write_text(text.replace("</head>", f"{links}</head>", 1), encoding="utf-8")


class ServeOnlyBundled(Plugin):
    """Remove Reflex's copies of scripts and style sheets: the pages load the bundled ones."""

    def post_build(self, **context: Any) -> None:
        static_dir = Path(context["static_dir"])
        copies = [
            path for path in static_dir.rglob("*") if path.suffix in (".js", ".css") and path.relative_to(static_dir).parts[0] != "assets"
        ]
        for path in copies:
            path.unlink()
        for folder in {path.parent for path in copies} - {static_dir}:
            if not any(folder.iterdir()):
                folder.rmdir()


def _files_of_route(static_dir: Path, path: str) -> tuple[list[str], list[str]]:
    """Return addresses of a route's scripts (its module and what that imports) and style sheets, from React Router's manifest."""
    manifest = next((static_dir / "assets").glob("manifest-*.js")).read_text(encoding="utf-8")
    routes = json.loads(manifest.partition("=")[2].rstrip("; \n"))["routes"].values()
    for route in routes:
        if route.get("path") == path:
            return [route["module"], *route["imports"]], route["css"]
    raise RuntimeError(f"the build has no page at {path}")
