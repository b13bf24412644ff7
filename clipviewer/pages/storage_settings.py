"""``/settings/storage``: the checks of the storage, and the policies to paste if one fails."""

from __future__ import annotations

import reflex as rx

from clipviewer.components.frame import empty
from clipviewer.components.settings_frame import settings_card, settings_frame
from clipviewer.components.storage_check import browser_findings, policy, server_findings
from clipviewer.state.storage_doctor import StorageDoctorState


def storage_settings_page() -> rx.Component:
    """Return the page for admins; others see that it is for admins only."""
    return settings_frame(
        "/settings/storage",
        rx.match(
            StorageDoctorState.phase,
            ("loading", rx.box(rx.box(class_name="settings-card card skeleton storage-to-come"), aria_busy="true")),
            (
                "closed",
                rx.box(
                    empty("lock", "For admins", "Only admins can check the storage. Ask one if videos do not play or upload."),
                    class_name="card",
                ),
            ),
            rx.fragment(server_findings(), browser_findings(), _policies()),
        ),
    )


def _policies() -> rx.Component:
    state = StorageDoctorState
    credentials = (
        "For the server's credentials. It allows nothing outside this bucket and prefix. "
        "Without the statement Masters, files that clipviewer did not create are read-only."
    )
    return rx.cond(
        state.iam != "",
        rx.fragment(
            policy("IAM policy", credentials, "iam-policy", state.iam),
            policy("CORS rules", "For the bucket. They let pages from this address read and upload files.", "cors-rules", state.cors),
        ),
        settings_card("Policies", "The embedded store needs no policies."),
    )
