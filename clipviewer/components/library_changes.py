"""The dialogs that rename, tag and delete videos, and the message with Undo after a change."""

from __future__ import annotations

import reflex as rx
from reflex.experimental import ClientStateVar
from reflex.vars import VarData

from clipviewer.components.bundle import bundled
from clipviewer.components.dialog_focus import restore_focus_on_close
from clipviewer.domain.removal import RemovalScope
from clipviewer.domain.tag import MAX_TAG
from clipviewer.services.library.changes import MAX_TITLE
from clipviewer.state.library_changes import DELETE, REMOVE, RENAME, TAGS, LibraryChangesState

_FORM = "change-form"
_TAGS_FIELD = "entered_tags"
_entered = ClientStateVar.create("entered_tags", default="")


def library_changes() -> rx.Component:
    """Return dialogs and message, once for every page with a video menu. The dialog focuses its field itself to restore the focus."""
    dialog = LibraryChangesState.dialog
    return rx.fragment(
        bundled("library/changes.css"),
        rx.dialog.root(
            rx.dialog.content(
                rx.match(
                    dialog.kind,
                    (RENAME, _title()),
                    (TAGS, _tags()),
                    (DELETE, _deletion()),
                    (REMOVE, _removal()),
                    rx.dialog.title("", class_name="nothing"),
                ),
                max_width="480px",
                aria_describedby=rx.Var("undefined"),
                custom_attrs=restore_focus_on_close(),
            ),
            open=dialog.kind != "",
            on_open_change=LibraryChangesState.close_dialog().stop_propagation,
        ),
        _message(),
    )


def _title() -> rx.Component:
    dialog = LibraryChangesState.dialog
    return _form(
        "Rename",
        rx.el.input(
            name="title",
            default_value=dialog.text,
            max_length=MAX_TITLE,
            class_name="field",
            custom_attrs={"aria-label": "Title"},
        ),
        on_submit=LibraryChangesState.save_title,
    )


def _tags() -> rx.Component:
    dialog = LibraryChangesState.dialog
    several = dialog.videos.length() > 1
    return _form(
        "Tags",
        rx.text(dialog.title, size="2", class_name="quiet dialog-of"),
        tags_field(text=dialog.text),
        rx.text(
            rx.cond(several, "These tags are added to the existing ones. Separate tags with commas.", "Separate tags with commas."),
            f" Up to {MAX_TAG} characters each.",
            size="2",
            class_name="quiet",
        ),
        rx.cond(dialog.known.length() > 0, known_tags(known=dialog.known)),
        on_submit=LibraryChangesState.save_tags,
    )


@rx.memo
def tags_field(text: rx.Var[str]) -> rx.Component:
    """Return the field. Its text stays in the browser until it is sent, so that a known tag can be added at once."""
    return rx.el.input(
        id=_TAGS_FIELD,
        name="tags",
        value=_entered.value,
        on_change=lambda entered: _entered.set_value(entered),
        on_mount=_entered.set_value(text),
        auto_complete="off",
        class_name="field",
        custom_attrs={"aria-label": "Tags"},
    )


@rx.memo
def known_tags(known: rx.Var[list[str]]) -> rx.Component:
    """Return buttons that each add a known tag to the field, once."""
    return rx.box(
        rx.foreach(
            known,
            lambda tag: rx.el.button(
                tag, type="button", class_name="chip tag", on_click=[_entered.set_value(_with_tag(tag)), rx.set_focus(_TAGS_FIELD)]
            ),
        ),
        class_name="known-tags",
        role="group",
        aria_label="Known tags",
    )


def _with_tag(tag: rx.Var[str]) -> rx.Var[str]:
    entered = _entered.value
    words = f"{entered!s}.split(',').map((each) => each.trim())"
    return rx.Var(
        f"[...new Set([...{words}, {tag!s}])].filter(Boolean).join(', ')",
        _var_type=str,
        _var_data=VarData.merge(entered._get_all_var_data(), tag._get_all_var_data()),
    )


def _deletion() -> rx.Component:
    dialog = LibraryChangesState.dialog
    return rx.fragment(
        rx.dialog.title("Delete"),
        rx.text(dialog.title, size="2", class_name="quiet dialog-of"),
        rx.el.fieldset(
            rx.el.legend("What should happen to the files in the bucket?"),
            _objects(RemovalScope.KEEP, "Keep everything", "All files stay in the bucket."),
            _objects(RemovalScope.EXPORTS, "Delete the exports", dialog.exports),
            _objects(RemovalScope.ALL, "Delete everything", dialog.everything),
            class_name="choices",
        ),
        rx.text(
            "Deleted videos can be restored for 24 hours. After that they are removed permanently, with the files selected here.",
            size="2",
            class_name="quiet dialog-note",
        ),
        _problem(),
        _buttons(
            rx.button("Delete", type="button", color_scheme="red", disabled=dialog.objects == "", on_click=LibraryChangesState.delete),
        ),
    )


def _objects(objects: RemovalScope, name: str, note: str | rx.Var[str]) -> rx.Component:
    return rx.el.label(
        rx.el.input(
            type="radio",
            name="objects",
            value=objects.value,
            default_checked=False,
            on_change=LibraryChangesState.choose_objects(objects.value),
            class_name="tick",
        ),
        rx.el.span(name),
        rx.el.span(note, class_name="quiet choice-note tabular"),
        class_name="choice",
    )


def _removal() -> rx.Component:
    dialog = LibraryChangesState.dialog
    return rx.fragment(
        rx.dialog.title("Remove permanently"),
        rx.text(dialog.title, size="2", class_name="quiet dialog-of"),
        rx.text(dialog.text, " This cannot be undone.", size="2", class_name="dialog-note tabular"),
        _problem(),
        _buttons(rx.button("Remove permanently", type="button", color_scheme="red", on_click=LibraryChangesState.remove)),
    )


def _form(name: str, *content: rx.Component, on_submit: rx.EventHandler) -> rx.Component:
    return rx.fragment(
        rx.dialog.title(name),
        rx.el.form(*content, _problem(), id=_FORM, on_submit=on_submit, class_name="change-form"),
        _buttons(rx.button("Save", type="submit", custom_attrs={"form": _FORM})),
    )


def _problem() -> rx.Component:
    problem = LibraryChangesState.dialog.problem
    return rx.cond(problem != "", rx.el.p(problem, class_name="problem", role="alert"))


def _buttons(button: rx.Component) -> rx.Component:
    return rx.box(
        rx.dialog.close(rx.button("Cancel", type="button", variant="soft", color_scheme="gray")),
        button,
        class_name="dialog-actions",
    )


def _message() -> rx.Component:
    """Return the message. It disappears after a while, unless the pointer or the focus is on it."""
    return rx.cond(
        LibraryChangesState.done != "",
        rx.box(
            rx.el.span(LibraryChangesState.done, class_name="done-words"),
            rx.cond(
                LibraryChangesState.undoable,
                rx.el.button("Undo", type="button", on_click=LibraryChangesState.undo, class_name="link-button"),
            ),
            rx.el.button(
                rx.icon("x", size=16),
                type="button",
                on_click=LibraryChangesState.dismiss,
                class_name="icon-button small",
                aria_label="Dismiss",
            ),
            key=LibraryChangesState.number.to_string(),
            class_name=rx.cond(LibraryChangesState.undoable, "done-line", "done-line brief"),
            role="status",
        ),
    )
