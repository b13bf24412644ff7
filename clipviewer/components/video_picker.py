"""Selecting several videos of the library: the checkboxes, and the bar with actions for the selection."""

from __future__ import annotations

import reflex as rx
from reflex.experimental import ClientStateVar

from clipviewer.components.bundle import CustomElement
from clipviewer.services.library.listing import Filter
from clipviewer.state.library import LibraryState
from clipviewer.state.library_changes import LibraryChangesState

_picks = ClientStateVar.create("picked_videos", default=[])


def _picks_spec(event: rx.Var[dict[str, dict[str, list[str]]]]) -> tuple[rx.Var[list[str]]]:
    return (event["detail"]["ids"],)


class VideoPicker(CustomElement):
    """The custom element ``<video-picker>``, described in ``assets/library/video_picker.client.js``."""

    tag = "VideoPickerElement"
    element = "video-picker"
    assets = ("library/video_picker.client.js", "library/video_picker.css")
    on_picks_changed: rx.EventHandler[_picks_spec]


def video_picker(*videos: rx.Component) -> rx.Component:
    """Wrap a list whose videos each have a ``pick``."""
    return VideoPicker.create(*videos, picked_bar(), on_picks_changed=lambda ids: _picks.set_value(ids))


def pick(video_id: rx.Var[str], title: rx.Var[str], *, class_name: str = "") -> rx.Component:
    """Return the checkbox of a video, shown only to people who may change something."""
    return rx.cond(
        LibraryChangesState.may_change,
        rx.el.input(
            type="checkbox",
            default_checked=False,
            class_name=f"tick {class_name}",
            custom_attrs={"data-picks": video_id, "aria-label": "Select " + title},
        ),
    )


@rx.memo
def picked_bar() -> rx.Component:
    """Return the bar at the bottom of the page, shown while videos are selected."""
    ids = _picks.value.to(list[str])
    return rx.cond(
        ids.length() > 0,
        rx.box(
            rx.el.span(f"{ids.length()} selected", class_name="tabular picked-count", role="status"),
            rx.el.button(
                "All",
                type="button",
                title="Select all listed videos",
                class_name="bar-button",
                custom_attrs={"data-picks-all": "", "aria-label": "Select all"},
            ),
            rx.match(
                LibraryState.shown,
                (Filter.DELETED.value, _actions_if_deleted(ids)),
                (
                    Filter.ARCHIVED.value,
                    rx.fragment(
                        _button("archive-restore", "Restore", LibraryChangesState.archive(ids, False)),
                        _delete(ids),
                    ),
                ),
                rx.fragment(
                    _button("tag", "Tag", LibraryChangesState.ask_tags(ids)),
                    _button("archive", "Archive", LibraryChangesState.archive(ids, True)),
                    _delete(ids),
                ),
            ),
            rx.el.button(
                rx.icon("x", size=16),
                type="button",
                class_name="icon-button",
                custom_attrs={"data-picks-none": "", "aria-label": "Select none"},
            ),
            class_name="picked-bar",
            role="group",
            aria_label="Selected videos",
        ),
    )


def _actions_if_deleted(ids: rx.Var[list[str]]) -> rx.Component:
    return rx.cond(
        LibraryChangesState.may_delete,
        rx.fragment(
            _button("undo-2", "Restore", LibraryChangesState.restore(ids)),
            _button("trash-2", "Remove permanently", LibraryChangesState.ask_removal(ids)),
        ),
    )


def _delete(ids: rx.Var[list[str]]) -> rx.Component:
    return rx.cond(LibraryChangesState.may_delete, _button("trash-2", "Delete", LibraryChangesState.ask_objects(ids)))


def _button(icon: str, name: str, event: rx.event.EventType[()]) -> rx.Component:
    return rx.el.button(rx.icon(icon, size=16), rx.el.span(name), type="button", on_click=event, class_name="bar-button")
