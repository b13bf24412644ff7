"""The storage findings of the server and of this browser, whose script is ``assets/settings/storage_check.client.js``."""

from __future__ import annotations

from typing import Any

import reflex as rx
from reflex.experimental import ClientStateVar

from clipviewer.components.bundle import CustomElement, bundled
from clipviewer.components.settings_frame import settings_card
from clipviewer.state.storage_doctor import FindingRow, StorageDoctorState

_seen_here = ClientStateVar.create("storage_seen_here", default=[])
_busy_here = ClientStateVar.create("storage_busy_here", default=False)


def _rows_spec(event: rx.Var[dict[str, dict[str, Any]]]) -> tuple[rx.Var[list[FindingRow]], rx.Var[bool]]:
    return event["detail"]["rows"].to(list[FindingRow]), event["detail"]["busy"].to(bool)


class StorageCheck(CustomElement):
    """The custom element ``<storage-check>``."""

    tag = "StorageCheckElement"
    element = "storage-check"
    assets = ("settings/storage_check.client.js",)
    on_storage_checked: rx.EventHandler[_rows_spec]


def server_findings() -> rx.Component:
    return settings_card("Checked by the server", StorageDoctorState.summary, _list(StorageDoctorState.findings), actions=(check_again(),))


@rx.memo
def check_again() -> rx.Component:
    """Return the button that repeats both checks."""
    return rx.button(
        rx.icon("rotate-cw", size=16),
        "Check again",
        type="button",
        variant="soft",
        disabled=(StorageDoctorState.phase == "checking") | _busy_here.value.to(bool),
        on_click=StorageDoctorState.look,
        custom_attrs={"data-check-storage": "true"},
    )


def browser_findings() -> rx.Component:
    return settings_card(
        "Checked by this browser",
        "Other people may reach the storage differently. Run the check in their browsers, too.",
        StorageCheck.create(browser_rows(), on_storage_checked=lambda rows, busy: [_seen_here.set_value(rows), _busy_here.set_value(busy)]),
    )


@rx.memo
def browser_rows() -> rx.Component:
    return _list(_seen_here.value.to(list[FindingRow]))


def policy(title: str, text: str, anchor: str, shown: rx.Var[str]) -> rx.Component:
    """Return a policy to paste, with a button that copies it."""
    copy = rx.button(
        rx.icon("copy", size=16),
        rx.el.span(
            rx.el.span("Copy", custom_attrs={"data-when": ""}),
            rx.el.span("Copied", custom_attrs={"data-when": "yes"}),
            rx.el.span("Select the text to copy it", custom_attrs={"data-when": "no"}),
            custom_attrs={"aria-live": "polite"},
        ),
        type="button",
        variant="soft",
        color_scheme="gray",
        class_name="copy-button",
        custom_attrs={"data-copies": anchor, "aria-label": f"Copy the {title}"},
    )
    return settings_card(
        title,
        text,
        bundled("settings/copy_button.client.js"),
        rx.el.pre(shown, id=anchor, class_name="to-paste", tab_index=0),
        actions=(copy,),
    )


def _list(rows: rx.Var[list[FindingRow]]) -> rx.Component:
    return rx.el.ul(rx.foreach(rows, _row), class_name="findings")


def _row(row: rx.Var[FindingRow]) -> rx.Component:
    return rx.el.li(
        rx.match(
            row.verdict,
            ("ok", rx.icon("circle-check", size=16)),
            ("warning", rx.icon("triangle-alert", size=16)),
            ("failed", rx.icon("circle-x", size=16)),
            ("not checked", rx.icon("circle-minus", size=16)),
            rx.icon("circle-dashed", size=16),
        ),
        rx.el.span(row.check, rx.el.span(f": {row.verdict}", class_name="unseen"), class_name="finding-check"),
        rx.el.span(row.text, rx.cond(row.remedy != "", rx.el.span(row.remedy, class_name="finding-remedy")), class_name="finding-words"),
        key=row.check,
        class_name="finding",
        custom_attrs={"data-verdict": row.verdict},
    )
