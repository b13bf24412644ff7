"""The dialog "Captions": the caption languages of the open video and the ways to add one."""

from __future__ import annotations

from typing import Any

import reflex as rx

from clipviewer.components.bundle import CustomElement
from clipviewer.components.dialog_focus import restore_focus_on_close
from clipviewer.components.may_change import if_may_change
from clipviewer.domain.language import known_languages
from clipviewer.state.captions import CaptionsState
from clipviewer.state.rows import CaptionsRow
from clipviewer.state.video_detail import VideoDetailState


class CaptionsForm(CustomElement):
    """The custom element ``<captions-form>``, described in ``assets/captions/captions.client.js``."""

    tag = "CaptionsFormElement"
    element = "captions-form"
    assets = ("captions/captions.client.js", "captions/captions.css")
    on_captions_attached: rx.EventHandler[rx.event.no_args_event_spec]


def open_captions() -> Any:
    """Return the event that opens the dialog."""
    return CaptionsState.set_opened(True)


def captions_button() -> rx.Component:
    """Return the button that opens the dialog and shows the number of languages."""
    return rx.el.button(
        rx.icon("captions", size=16),
        rx.el.span("Captions", class_name="bar-word"),
        rx.cond(CaptionsState.tracks.length() > 0, rx.el.span(CaptionsState.tracks.length(), class_name="count")),
        type="button",
        on_click=open_captions(),
        class_name="bar-button",
        custom_attrs={"aria-label": "Captions"},
    )


def captions_panel() -> rx.Component:
    return rx.dialog.root(
        rx.dialog.content(
            rx.dialog.title("Captions"),
            rx.dialog.description("Captions play in the clip room and go into exports, as a track or burned in.", size="2"),
            rx.cond(
                CaptionsState.tracks.length() > 0,
                rx.el.ul(rx.foreach(CaptionsState.tracks, _track), class_name="caption-tracks", aria_label="Caption tracks"),
                rx.text("This video has no captions yet.", size="2", class_name="quiet caption-tracks"),
            ),
            if_may_change(
                _attach(),
                _other_sources(),
                otherwise=rx.text("Only reviewers and admins can add or remove captions.", size="2", class_name="quiet caption-ways"),
            ),
            rx.box(rx.dialog.close(rx.button("Done", type="button")), class_name="dialog-actions"),
            max_width="560px",
            custom_attrs=restore_focus_on_close(),
        ),
        open=CaptionsState.opened,
        on_open_change=CaptionsState.set_opened,
    )


def _track(track: rx.Var[CaptionsRow]) -> rx.Component:
    return rx.el.li(
        rx.box(
            rx.el.span(track.language, class_name="clip-title"),
            rx.el.span(track.note, class_name="clip-time"),
            class_name="clip-words",
        ),
        rx.el.a(
            rx.icon("download", size=15),
            href=f"/api/clips/videos/{VideoDetailState.video.id}/captions/{track.tag}",
            download=track.tag + ".vtt",
            class_name="icon-button small",
            custom_attrs={"aria-label": "Download the captions in " + track.language},
        ),
        if_may_change(
            rx.el.button(
                rx.icon("trash-2", size=15),
                type="button",
                on_click=CaptionsState.remove(track.tag),
                class_name="icon-button small",
                custom_attrs={"aria-label": "Remove the captions in " + track.language},
            )
        ),
        key=track.tag,
        class_name="caption-track",
    )


def _attach() -> rx.Component:
    return CaptionsForm.create(
        rx.el.label("File", rx.el.input(type="file", accept=".vtt,.srt", class_name="field file"), class_name="labelled"),
        rx.el.label("Language", _languages(original=True), class_name="labelled"),
        rx.button("Attach", type="button", custom_attrs={"data-action": "attach"}),
        rx.el.p(class_name="problem", role="alert"),
        on_captions_attached=CaptionsState.load,
        class_name="captions-form",
        custom_attrs={"video-id": VideoDetailState.video.id},
    )


def _other_sources() -> rx.Component:
    """Return the ways to add captions other than a file."""
    return rx.box(
        rx.button(
            rx.icon("file-search", size=16),
            "Find in the video file",
            type="button",
            variant="soft",
            color_scheme="gray",
            on_click=CaptionsState.find_in_file,
            disabled=CaptionsState.working != "",
        ),
        rx.text(CaptionsState.working, size="2", class_name="quiet", role="status"),
        rx.cond(CaptionsState.translates & (CaptionsState.tracks.length() > 0), _translate()),
        class_name="caption-ways",
    )


def _translate() -> rx.Component:
    return rx.box(
        rx.el.select(
            rx.foreach(CaptionsState.tracks, lambda track: rx.el.option(track.language, value=track.tag)),
            id="translate_from",
            class_name="field select",
            custom_attrs={"aria-label": "Translate from"},
        ),
        _languages(original=False, id="translate_to", custom_attrs={"aria-label": "Translate into"}),
        rx.button(
            rx.icon("languages", size=16),
            "Translate",
            type="button",
            variant="soft",
            color_scheme="gray",
            on_click=CaptionsState.translate(_value("translate_from"), _value("translate_to")),
            disabled=CaptionsState.working != "",
        ),
        class_name="caption-translate",
    )


def _languages(*, original: bool, **props: Any) -> rx.Component:
    spoken = [rx.el.option("Original: the spoken language", value="original")] if original else []
    options = [rx.el.option(name, value=tag) for tag, name in known_languages()]
    return rx.el.select(*spoken, *options, class_name="field select", **props)


def _value(element_id: str) -> rx.Var[str]:
    return rx.Var(f"document.getElementById('{element_id}').value", _var_type=str)
