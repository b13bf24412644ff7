"""The library's bar: search, filter, tag, sort order and view."""

from __future__ import annotations

import reflex as rx

from clipviewer.components.bundle import bundled
from clipviewer.services.library.listing import Filter, SortOrder
from clipviewer.state.library import VIEWS, LibraryState

FILTERS = {
    Filter.ALL: "All videos",
    Filter.ATTENTION: "Needs attention",
    Filter.FAILED: "Failed",
    Filter.STALE: "Exports out of date",
    Filter.MISSING: "Files missing",
    Filter.RUNNING: "Running",
    Filter.EXPORTED: "With exports",
    Filter.CAPTIONED: "With captions",
    Filter.ARCHIVED: "Archived",
    Filter.DELETED: "Recently deleted",
}
SORTS = {
    SortOrder.NEWEST: "Newest",
    SortOrder.ACTIVITY: "Last activity",
    SortOrder.TITLE: "Title",
    SortOrder.DURATION: "Longest",
    SortOrder.EXPORTS: "Most exports",
}
_ICONS = {"grid": ("layout-grid", "Grid"), "table": ("table-2", "Table")}


def library_bar(*buttons: rx.Component) -> rx.Component:
    """Return the bar; ``buttons`` add videos to the library."""
    return rx.box(
        bundled("library/library.client.js", "library/library.css"),
        rx.el.input(
            type="search",
            placeholder="Search titles, clips, captions",
            default_value=LibraryState.search,
            key=LibraryState.entered.to_string(),
            on_change=LibraryState.set_search.debounce(150),
            class_name="search",
            custom_attrs={"aria-label": "Search videos", "data-address": "q"},
        ),
        _choice("Show", LibraryState.shown, {name.value: text for name, text in FILTERS.items()}, LibraryState.set_filter),
        _choice("Sort by", LibraryState.sort, {name.value: text for name, text in SORTS.items()}, LibraryState.set_sort),
        rx.cond((LibraryState.tags.length() > 0) | (LibraryState.tag != ""), _tags()),
        rx.el.span(
            rx.match(LibraryState.total, (1, "1 video"), f"{LibraryState.total} videos"), class_name="quiet tabular", aria_live="polite"
        ),
        rx.box(*(_view(view) for view in VIEWS), class_name="view-choice", role="group", aria_label="View"),
        *buttons,
        class_name="library-bar",
    )


def _choice(name: str, value: rx.Var[str], options: dict[str, str], on_change: rx.EventHandler) -> rx.Component:
    return rx.el.select(
        *(rx.el.option(text, value=option) for option, text in options.items()),
        value=value,
        on_change=on_change,
        class_name="field select",
        aria_label=name,
    )


def _tags() -> rx.Component:
    return rx.el.select(
        rx.el.option("Any tag", value=""),
        rx.cond(LibraryState.tags.contains(LibraryState.tag) | (LibraryState.tag == ""), None, rx.el.option(LibraryState.tag)),
        rx.foreach(LibraryState.tags, lambda tag: rx.el.option(tag, value=tag)),
        value=LibraryState.tag,
        on_change=LibraryState.set_tag,
        class_name="field select",
        aria_label="Tag",
    )


def _view(view: str) -> rx.Component:
    icon, name = _ICONS[view]
    return rx.el.button(
        rx.icon(icon, size=16),
        type="button",
        title=name,
        on_click=LibraryState.set_view(view),
        class_name="icon-button",
        aria_label=name,
        aria_pressed=LibraryState.view == view,
    )
