"""Uploads on the library page: the button, the drop area and a row per file. ``assets/uploads/`` runs them."""

from __future__ import annotations

from dataclasses import dataclass

import reflex as rx
from reflex.experimental import ClientStateVar

from clipviewer.components.bundle import CustomElement
from clipviewer.domain.master_file import TYPES
from clipviewer.state.library import LibraryState
from clipviewer.state.uploads import UploadState

_ACCEPT = ",".join(["video/*", *sorted(TYPES), ".vtt", ".srt"])


@dataclass(frozen=True)
class UploadRow:
    """A file as the script describes it. ``state``: preparing, sending, paused, waiting, checking, done, failed or refused."""

    id: str = ""
    name: str = ""
    state: str = ""
    percent: int = 0
    line: str = ""
    video: str = ""


_rows = ClientStateVar.create("upload_rows", default=[])


def _rows_spec(event: rx.Var[dict[str, dict[str, list[UploadRow]]]]) -> tuple[rx.Var[list[UploadRow]]]:
    return (event["detail"]["rows"],)


class UploadDesk(CustomElement):
    """The custom element ``<upload-desk>``. Uppy is a separate file, fetched with the first upload."""

    tag = "UploadDeskElement"
    element = "upload-desk"
    assets = ("uploads/uploads.client.js", "uploads/uploads.css")
    lib_dependencies: list[str] = ["@uppy/core@5.2.0", "@uppy/aws-s3@5.1.0"]
    on_uploads_changed: rx.EventHandler[_rows_spec]
    on_video_added: rx.EventHandler[rx.event.no_args_event_spec]


def upload_button() -> rx.Component:
    """Return the library bar's upload button, shown only to people who may upload."""
    return rx.cond(
        UploadState.may_upload,
        rx.button(
            rx.icon("upload", size=16),
            rx.el.span("Upload videos"),
            variant="soft",
            class_name="upload-button",
            custom_attrs={"data-upload": "choose", "aria-label": "Upload videos"},
        ),
    )


def uploads_region() -> rx.Component:
    """Return the rows of the uploads, and the overlay shown while files are dragged over the page."""
    desk = UploadDesk.create(
        rx.el.input(
            type="file",
            multiple=True,
            accept=_ACCEPT,
            hidden=True,
            custom_attrs={"aria-label": "Videos to upload"},
        ),
        upload_rows(),
        rx.box(rx.icon("upload", size=28), "Drop videos to upload them", class_name="drop-here", aria_hidden="true"),
        on_uploads_changed=lambda rows: _rows.set_value(rows),
        on_video_added=LibraryState.load,
    )
    return rx.box(rx.cond(UploadState.may_upload, desk))


@rx.memo
def upload_rows() -> rx.Component:
    rows = _rows.value.to(list[UploadRow])
    listed = rx.el.section(
        rx.el.ul(rx.foreach(rows, _row), class_name="upload-list"), custom_attrs={"aria-label": "Uploads"}, class_name="uploads card"
    )
    return rx.cond(rows.length() > 0, listed)


def _row(row: rx.Var[UploadRow]) -> rx.Component:
    link = rx.link(row.name, href="/videos/" + row.video, class_name="clip-title")
    name = rx.cond(row.video != "", link, rx.el.span(row.name, class_name="clip-title"))
    news = rx.cond(rx.Var.create(["done", "failed", "refused"]).contains(row.state), "polite", "off")
    return rx.el.li(
        rx.box(name, rx.el.span(row.line, class_name="upload-line", custom_attrs={"aria-live": news}), class_name="upload-words"),
        rx.match(
            row.state,
            ("sending", rx.fragment(_button("pause", "pause", "Pause", row), _button("cancel", "x", "Cancel", row))),
            ("paused", rx.fragment(_button("resume", "play", "Resume", row), _button("cancel", "x", "Cancel", row))),
            ("waiting", rx.fragment(_choose(row), _button("cancel", "x", "Cancel", row))),
            ("failed", rx.fragment(_button("retry", "rotate-cw", "Retry", row), _button("cancel", "x", "Cancel", row))),
            ("done", _button("dismiss", "check", "Dismiss", row)),
            ("refused", _button("dismiss", "x", "Dismiss", row)),
            _button("cancel", "x", "Cancel", row),
        ),
        rx.el.progress(value=row.percent, max=100, custom_attrs={"aria-label": "Progress of " + row.name}),
        key=row.id,
        class_name="upload",
        custom_attrs={"data-state": row.state},
    )


def _button(action: str, icon: str, name: str, row: rx.Var[UploadRow]) -> rx.Component:
    return rx.el.button(
        rx.icon(icon, size=16),
        type="button",
        title=name,
        class_name="icon-button",
        custom_attrs={"data-upload": action, "data-row": row.id, "aria-label": name + " " + row.name},
    )


def _choose(row: rx.Var[UploadRow]) -> rx.Component:
    return rx.button("Choose file", size="1", variant="soft", custom_attrs={"data-upload": "choose", "aria-label": "Choose " + row.name})
