"""Changes made to the built front end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from clipviewer.build_plugins import PreloadRoom, ServeOnlyBundled

MANIFEST = {
    "routes": {
        "root": {"path": "", "module": "/assets/root-1.js", "imports": []},
        "library": {"module": "/assets/library-1.js", "imports": []},
        "room": {
            "path": "videos/:id",
            "module": "/assets/room-1.js",
            "imports": ["/assets/react-1.js", "/assets/tabs-1.js"],
            "css": ["/assets/room-1.css"],
        },
    }
}
PAGE = '<html><head><link rel="modulepreload" href="/assets/react-1.js"/></head><body></body></html>'


@pytest.fixture
def built(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "manifest-1.js").write_text(f"window.__reactRouterManifest={json.dumps(MANIFEST)};")
    (tmp_path / "__spa-fallback.html").write_text(PAGE)
    return tmp_path


def test_the_page_for_paths_with_an_id_loads_each_script_and_style_of_the_clip_room_once(built: Path) -> None:
    PreloadRoom().post_build(static_dir=built)

    text = (built / "__spa-fallback.html").read_text()
    added = "".join(f'<link rel="modulepreload" href="{script}"/>' for script in ("/assets/room-1.js", "/assets/tabs-1.js"))
    added += '<link rel="preload" as="style" href="/assets/room-1.css"/>'
    assert text == PAGE.replace("</head>", f"{added}</head>")


def test_a_build_without_a_clip_room_fails(built: Path) -> None:
    routes = {"routes": {"root": MANIFEST["routes"]["root"]}}
    (built / "assets" / "manifest-1.js").write_text(f"window.__reactRouterManifest={json.dumps(routes)};")

    with pytest.raises(RuntimeError, match="videos/:id"):
        PreloadRoom().post_build(static_dir=built)


def test_only_bundled_scripts_and_styles_are_served(built: Path) -> None:
    copies = [built / "player" / "player.client.js", built / "player" / "player.css", built / "settings" / "settings.css"]
    kept = [built / "icon.svg", built / "settings" / "index.html", *(built / "assets").iterdir()]
    for path in [*copies, *kept]:
        path.parent.mkdir(exist_ok=True)
        path.touch()

    ServeOnlyBundled().post_build(static_dir=built)

    assert [path for path in copies if path.exists()] == []
    assert not (built / "player").exists()
    assert all(path.is_file() for path in kept)
