"""A wrapper for react-virtuoso: a list of any length that renders only its visible rows (MIT)."""

from __future__ import annotations

from typing import Any

import reflex as rx


def _range_spec(shown: rx.Var[dict[str, int]]) -> tuple[rx.Var[int], rx.Var[int]]:
    return (rx.Var(f"{shown}.startIndex", _var_type=int), rx.Var(f"{shown}.endIndex", _var_type=int))


class Virtuoso(rx.Component):
    """The list. ``item_content(index, _, context)`` renders a row; ``context`` carries the data of the rows."""

    library = "react-virtuoso@4.18.21"
    tag = "Virtuoso"
    total_count: rx.Var[int]
    context: rx.Var[dict[str, Any]]
    item_content: rx.Var[Any]
    compute_item_key: rx.Var[Any]
    initial_top_most_item_index: rx.Var[Any]
    fixed_item_height: rx.Var[int]
    default_item_height: rx.Var[int]
    increase_viewport_by: rx.Var[int]
    range_changed: rx.EventHandler[_range_spec]
