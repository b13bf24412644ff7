"""Scripts and style sheets of ``assets/`` that a component needs, bundled with the page that uses it.

Reflex's build gives the files hashed names, which browsers cache forever. A script named ``….client.js`` runs in browsers only: the build
replaces it with an empty module for prerendering, so it may define elements and add document listeners on import.
"""

from __future__ import annotations

from typing import ClassVar

import reflex as rx
from reflex.vars import VarData


def bundled(*paths: str) -> rx.Var[None]:
    """Return a child that renders nothing and imports the given files of ``assets/``."""
    return rx.Var("null", _var_type=None, _var_data=VarData(imports=_imports(*paths)))


class CustomElement(rx.Component):
    """A custom element defined by a script of ``assets/``, which describes its attributes and events."""

    element: ClassVar[str] = ""
    assets: ClassVar[tuple[str, ...]] = ()

    def add_custom_code(self) -> list[str]:
        """Declare the tag: Reflex derives identifiers from tags, and a custom element's name is not an identifier."""
        return [f'const {self.tag} = "{self.element}";']

    def add_imports(self) -> dict[str, list[str]]:
        return _imports(*self.assets)


def _imports(*paths: str) -> dict[str, list[str]]:
    return {"": [rx.asset(path).importable_path for path in paths]}
