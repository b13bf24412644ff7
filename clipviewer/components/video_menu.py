"""The menu "…" of a video: on its card, in its table row, and in its room."""

from __future__ import annotations

from collections.abc import Sequence

import reflex as rx

from clipviewer.components.dialog_focus import leave_focus_to_dialog
from clipviewer.state.library_changes import LibraryChangesState


def video_menu(
    video_id: rx.Var[str], title: rx.Var[str], archived: rx.Var[bool], deleted: rx.Var[bool] | bool = False, *, class_name: str = ""
) -> rx.Component:
    """Return the menu, shown only to people who may change something."""
    return rx.cond(
        LibraryChangesState.may_change,
        rx.menu.root(
            rx.menu.trigger(
                rx.el.button(
                    rx.icon("ellipsis", size=18),
                    type="button",
                    title="More",
                    class_name=f"icon-button {class_name}",
                    custom_attrs={"aria-label": "Actions for " + title},
                ),
            ),
            rx.menu.content(
                rx.cond(deleted, rx.fragment(*_items_if_deleted(video_id)), rx.fragment(*_items(video_id, archived))),
                size="2",
                variant="soft",
                align="end",
                custom_attrs=leave_focus_to_dialog(),
            ),
        ),
    )


def _items(video_id: rx.Var[str], archived: rx.Var[bool]) -> Sequence[rx.Component]:
    ids = rx.Var.create([video_id]).to(list[str])
    return (
        rx.menu.item("Rename", on_select=LibraryChangesState.ask_title(video_id)),
        rx.menu.item("Tags", on_select=LibraryChangesState.ask_tags(ids)),
        rx.cond(
            archived,
            rx.menu.item("Restore from archive", on_select=LibraryChangesState.archive(ids, False)),
            rx.menu.item("Archive", on_select=LibraryChangesState.archive(ids, True)),
        ),
        rx.cond(
            LibraryChangesState.may_delete,
            rx.fragment(rx.menu.separator(), rx.menu.item("Delete", color_scheme="red", on_select=LibraryChangesState.ask_objects(ids))),
        ),
    )


def _items_if_deleted(video_id: rx.Var[str]) -> Sequence[rx.Component]:
    ids = rx.Var.create([video_id]).to(list[str])
    return (
        rx.cond(
            LibraryChangesState.may_delete,
            rx.fragment(
                rx.menu.item("Restore", on_select=LibraryChangesState.restore(ids)),
                rx.menu.item("Remove permanently", color_scheme="red", on_select=LibraryChangesState.ask_removal(ids)),
            ),
            rx.menu.item("Only admins can restore it", disabled=True),
        ),
    )
