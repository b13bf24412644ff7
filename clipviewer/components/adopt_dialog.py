"""The dialog "Import from bucket": prefix, preview, progress and result."""

from __future__ import annotations

import reflex as rx

from clipviewer.components.bundle import bundled
from clipviewer.components.pulse import Pulse
from clipviewer.state.adopt import AdoptRun, AdoptState, FoundView, KeyGroup

_FIELD = "adopt_prefix"
_OPENED_BY = "adopt_from_bucket"
_FOLLOW_MS = 1_000


def adopt_button() -> rx.Component:
    """Return the library bar's import button with its dialog, shown only to people who may import."""
    return rx.fragment(
        bundled("library/adopt.css"),
        rx.cond(
            AdoptState.may_adopt,
            rx.fragment(
                rx.button(
                    rx.icon("folder-input", size=16),
                    rx.el.span("Import from bucket"),
                    id=_OPENED_BY,
                    variant="soft",
                    color_scheme="gray",
                    on_click=AdoptState.set_opened(True),
                    class_name="adopt-button",
                    custom_attrs={"aria-label": "Import from bucket"},
                ),
                _dialog(),
            ),
        ),
    )


def _dialog() -> rx.Component:
    busy = _busy()
    return rx.dialog.root(
        rx.dialog.content(
            rx.dialog.title("Import from bucket"),
            rx.dialog.description(
                "Add videos, captions and exports that are already in the bucket. Nothing in the bucket changes.", size="2"
            ),
            rx.el.form(
                rx.el.label(
                    "Prefix",
                    rx.el.input(
                        id=_FIELD,
                        placeholder=rx.cond(AdoptState.library == "", "talks/2025/", AdoptState.library),
                        auto_complete="off",
                        spell_check=False,
                        class_name="field",
                        custom_attrs={"aria-describedby": "adopt_hint", "maxlength": "1024"},
                    ),
                    class_name="labelled",
                ),
                rx.button("Preview", type="submit", variant="soft", loading=AdoptState.looking),
                rx.text(
                    rx.cond(
                        AdoptState.library == "",
                        "The start of the object keys. Leave empty for the whole bucket.",
                        f"The start of the object keys. Leave empty for the whole library, {AdoptState.library}",
                    ),
                    id="adopt_hint",
                    size="2",
                    class_name="quiet",
                ),
                rx.el.p(AdoptState.problem, class_name="problem", role="alert"),
                on_submit=AdoptState.preview(_prefix()),
                class_name="adopt-form",
            ),
            rx.box(
                rx.cond(AdoptState.look, _found(AdoptState.look.to(FoundView), "Import preview")),
                rx.cond(AdoptState.run & ~AdoptState.look, _run(AdoptState.run.to(AdoptRun))),
                class_name="adopt-news",
            ),
            rx.cond(AdoptState.opened & busy, Pulse.create(interval=_FOLLOW_MS, on_pulse=AdoptState.follow)),
            rx.box(
                rx.dialog.close(rx.button("Close", type="button", variant="soft", color_scheme="gray")),
                rx.button("Import", type="button", on_click=AdoptState.adopt(_prefix()), disabled=busy | AdoptState.looking),
                class_name="dialog-actions",
            ),
            max_width="640px",
            on_close_auto_focus=rx.set_focus(_OPENED_BY),
        ),
        open=AdoptState.opened,
        on_open_change=AdoptState.set_opened,
    )


def _run(run: rx.Var[AdoptRun]) -> rx.Component:
    """Show the newest import: its progress or its result."""
    return rx.fragment(
        rx.cond(
            run.words != "",
            rx.box(
                rx.el.span(run.words, class_name="tabular adopt-words"),
                rx.cond(
                    _busy(),
                    rx.fragment(
                        rx.el.progress(aria_label="Importing"),
                        rx.button("Stop", type="button", size="1", variant="soft", color_scheme="gray", on_click=AdoptState.call_off),
                    ),
                ),
                role="status",
                class_name="adopt-run",
            ),
        ),
        rx.cond(run.found, _found(run.found.to(FoundView), "Import result")),
    )


def _found(found: rx.Var[FoundView], name: str) -> rx.Component:
    return rx.el.section(
        rx.el.h3(found.head, class_name="adopt-head tabular"),
        rx.el.ul(rx.foreach(found.lines, lambda line: rx.el.li(line)), class_name="adopt-lines tabular"),
        rx.foreach(found.groups, _group),
        rx.cond(
            found.left_out.length() > 0,
            rx.fragment(rx.el.h4("Left out", class_name="adopt-head"), rx.foreach(found.left_out, _group)),
        ),
        aria_label=name,
        class_name="adopt-found",
    )


def _group(group: rx.Var[KeyGroup]) -> rx.Component:
    return rx.el.details(
        rx.el.summary(group.name),
        rx.el.ul(rx.foreach(group.objects, lambda key: rx.el.li(rx.el.code(key))), class_name="adopt-keys"),
        key=group.name,
    )


def _busy() -> rx.Var[bool]:
    run = AdoptState.run.to(AdoptRun)
    return AdoptState.run.is_not_none() & ((run.state == "queued") | (run.state == "running"))


def _prefix() -> rx.Var[str]:
    return rx.Var(f"(document.getElementById('{_FIELD}')?.value ?? '')", _var_type=str)
