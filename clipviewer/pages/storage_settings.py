"""``/settings/storage``: whether the storage does what is asked of it, and what to paste where it does not."""

from __future__ import annotations

import reflex as rx

from clipviewer.components.frame import empty
from clipviewer.components.settings_frame import settings_card, settings_frame
from clipviewer.components.storage_check import browser_findings, policy, server_findings
from clipviewer.state.storage_doctor import StorageDoctorState


def storage_settings_page() -> rx.Component:
    """For admins; others are told that it is for them."""
    return settings_frame(
        "/settings/storage",
        rx.match(
            StorageDoctorState.phase,
            ("loading", rx.box(rx.box(class_name="settings-card card skeleton storage-to-come"), aria_busy="true")),
            (
                "closed",
                rx.box(
                    empty("lock", "For admins", "Only admins see how the storage is. Ask one if videos do not play or upload."),
                    class_name="card",
                ),
            ),
            rx.fragment(server_findings(), browser_findings(), _policies()),
        ),
    )


def _policies() -> rx.Component:
    state = StorageDoctorState
    credentials = (
        "For the server's credentials: nothing outside this bucket and prefix. "
        "Without the statement Masters, what lay there before is only read."
    )
    return rx.cond(
        state.iam != "",
        rx.fragment(
            policy("IAM policy", credentials, "iam-policy", state.iam),
            policy("CORS rules", "For the bucket: what pages of this address may do in a browser.", "cors-rules", state.cors),
        ),
        settings_card("Policies", "The embedded store needs none."),
    )
