"""What a component takes from ``assets/``: scripts and style sheets, bundled with the page that it stands on.

Reflex's build gives them hashed names, which browsers keep for good. A script named ``….client.js`` runs in browsers only: the build
empties it where it draws pages beforehand, so it may define elements and listen to the document as soon as it is imported.
"""

from __future__ import annotations

from typing import ClassVar

import reflex as rx
from reflex.vars import VarData


def bundled(*paths: str) -> rx.Var[None]:
    """Return a child that draws nothing and imports these files of ``assets/``."""
    return rx.Var("null", _var_type=None, _var_data=VarData(imports=_imports(*paths)))


class CustomElement(rx.Component):
    """An element that a script of ``assets/`` defines, with its attributes and events described there."""

    element: ClassVar[str] = ""
    assets: ClassVar[tuple[str, ...]] = ()

    def add_custom_code(self) -> list[str]:
        """Reflex derives names from tags, and a custom element's name is no identifier."""
        return [f'const {self.tag} = "{self.element}";']

    def add_imports(self) -> dict[str, list[str]]:
        return _imports(*self.assets)


def _imports(*paths: str) -> dict[str, list[str]]:
    return {"": [rx.asset(path).importable_path for path in paths]}
