"""The header of the tab Exported: list or matrix, and the filters of both."""

from __future__ import annotations

import reflex as rx

from clipviewer.components.bundle import bundled
from clipviewer.components.frame import empty
from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.services.cells.filters import CellState
from clipviewer.state.matrix import MatrixState
from clipviewer.state.rows import LanguageRow
from clipviewer.state.video_detail import VideoDetailState


def is_matrix_shown() -> rx.Var[bool]:
    """Return whether the matrix is on the screen."""
    return (MatrixState.view == "matrix") & (VideoDetailState.tab == "exported")


def export_views() -> rx.Component:
    """Return the header. ``assets/exports/matrix.client.js`` writes the choices into the address."""
    return rx.box(
        bundled("exports/views.css"),
        rx.box(_view("list", "List", "rows-3"), _view("matrix", "Matrix", "grid-3x3"), role="group", aria_label="View", class_name="views"),
        _filters(),
        class_name="export-views",
    )


def nothing_matches() -> rx.Component:
    """Return the message for filters without a match."""
    return empty(
        "list-filter",
        "Nothing matches",
        "No export matches the selected aspect ratio, language and state.",
        rx.button(
            "Show all", type="button", variant="soft", on_click=MatrixState.clear_filters, custom_attrs={"data-action": "clear-filters"}
        ),
    )


def _view(view: str, label: str, icon: str) -> rx.Component:
    return rx.el.button(
        rx.icon(icon, size=14),
        label,
        type="button",
        aria_pressed=MatrixState.view == view,
        on_click=MatrixState.set_view(view),
        custom_attrs={"data-view": view},
    )


def _filters() -> rx.Component:
    """Return the filters in a popover: options of a native select that is always present would count among those of the clip list."""
    chosen = [value != "" for value in (MatrixState.only_ratio, MatrixState.only_language, MatrixState.only_state)]
    return rx.popover.root(
        rx.popover.trigger(
            rx.el.button(
                rx.icon("list-filter", size=14),
                "Filter",
                type="button",
                class_name=rx.cond(chosen[0] | chosen[1] | chosen[2], "filter-button narrow", "filter-button"),
            )
        ),
        rx.popover.content(
            _filter("ratio", "Aspect ratio", MatrixState.only_ratio, *(_choice(ratio.value) for ratio in AspectRatio)),
            _filter("language", "Language", MatrixState.only_language, rx.foreach(MatrixState.languages, _language)),
            _filter("state", "State", MatrixState.only_state, *(_choice(state.value, state.capitalize()) for state in CellState)),
            class_name="filters",
        ),
    )


def _filter(name: str, label: str, value: rx.Var[str], *choices: rx.Component) -> rx.Component:
    return rx.el.label(
        label,
        rx.el.select(
            rx.el.option("All", value=""),
            *choices,
            value=value,
            on_change=lambda chosen: MatrixState.set_filter(name, chosen),
            class_name="field select",
            custom_attrs={"data-filter": name},
        ),
        class_name="labelled",
    )


def _choice(value: str, label: str = "") -> rx.Component:
    return rx.el.option(label or value, value=value)


def _language(choice: rx.Var[LanguageRow]) -> rx.Component:
    return rx.el.option(choice.name, value=choice.tag)
