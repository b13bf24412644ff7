"""The dialog "Export clips": which shapes and languages, and what will happen before it is pressed."""

from __future__ import annotations

import reflex as rx

from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.framing import FramingMode
from clipviewer.state.exports import FRAMINGS, ExportState
from clipviewer.state.video_detail import VideoDetailState

OPENED_BY = "generate_shorts"
_FRAMINGS = {
    FramingMode.CENTRE: ("Centre", "Cropped around the middle of the picture"),
    FramingMode.FIT: ("Fit", "The whole picture over a blurred background"),
}


def export_dialog() -> rx.Component:
    return rx.dialog.root(
        rx.dialog.content(
            rx.dialog.title("Export clips"),
            rx.dialog.description(ExportState.summary, size="2"),
            _group("Aspect ratio", *(_ratio(ratio) for ratio in AspectRatio)),
            _group("Language", _choice("Original", "The sound of the master", checked=True, disabled=True)),
            _group("Framing", *(_framing(mode) for mode in FRAMINGS)),
            rx.box(
                rx.dialog.close(rx.button("Cancel", type="button", variant="soft", color_scheme="gray")),
                rx.button("Export", type="button", disabled=ExportState.missing == 0, on_click=ExportState.handle_export_clips),
                class_name="dialog-actions",
            ),
            max_width="460px",
            on_close_auto_focus=rx.set_focus(OPENED_BY),
        ),
        open=VideoDetailState.export_open,
        on_open_change=VideoDetailState.set_export_open,
    )


def _group(name: str, *choices: rx.Component) -> rx.Component:
    return rx.el.fieldset(rx.el.legend(name), *choices, class_name="choices")


def _ratio(ratio: AspectRatio) -> rx.Component:
    return _choice(
        ratio.value,
        ratio.frame.use,
        default_checked=ExportState.ratios.contains(ratio.value),
        on_change=ExportState.toggle_ratio(ratio.value),
    )


def _framing(mode: FramingMode) -> rx.Component:
    label, note = _FRAMINGS[mode]
    return _choice(
        label,
        note,
        type="radio",
        name="framing",
        default_checked=ExportState.framing == mode.value,
        on_change=ExportState.set_framing(mode.value),
    )


def _choice(label: str, note: str, **props) -> rx.Component:
    return rx.el.label(
        rx.el.input(class_name="tick", **{"type": "checkbox", **props}),
        rx.el.span(label),
        rx.el.span(note, class_name="quiet choice-note"),
        class_name="choice",
    )
