"""The dialog "Export clips": aspect ratios, languages and captions, with a summary of what will be exported."""

from __future__ import annotations

from typing import Any

import reflex as rx

from clipviewer.components.bundle import bundled
from clipviewer.components.captions_panel import open_captions
from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.caption_mode import CaptionMode
from clipviewer.domain.framing import FramingMode
from clipviewer.domain.language import ORIGINAL
from clipviewer.state.export_dialog import ExportDialogState
from clipviewer.state.rows import LanguageRow
from clipviewer.state.video_detail import VideoDetailState

OPENED_BY = "generate_shorts"
_FRAMINGS = {
    FramingMode.CENTRE: "Centre",
    FramingMode.AUTO: "Auto: follow faces, else motion",
    FramingMode.FIT: "Fit with a blurred background",
}
_CAPTIONS = {
    CaptionMode.OFF: ("Off", ""),
    CaptionMode.SOFT: ("Soft", "A track that viewers can turn on, and a WebVTT file"),
    CaptionMode.BURNED: ("Burned in", "Drawn into the picture, and a WebVTT file"),
}


def export_dialog() -> rx.Component:
    return rx.dialog.root(
        rx.dialog.content(
            bundled("exports/dialog.css", "frame/choices.client.js"),
            rx.dialog.title("Export clips"),
            rx.dialog.description(ExportDialogState.summary, size="2", class_name="tabular"),
            _group("Aspect ratio", *(_ratio(ratio) for ratio in AspectRatio)),
            _group(
                "Language",
                rx.foreach(ExportDialogState.offered, _language),
                rx.text(
                    "Other languages are added as captions. The sound stays in the original language. ",
                    rx.el.button("Add captions", type="button", class_name="link-button", on_click=open_captions()),
                    size="2",
                    class_name="quiet",
                ),
            ),
            _group("Captions", *(_captions(mode) for mode in CaptionMode)),
            rx.box(
                rx.dialog.close(rx.button("Cancel", type="button", variant="soft", color_scheme="gray")),
                rx.button("Export", type="button", disabled=ExportDialogState.missing == 0, on_click=ExportDialogState.handle_export_clips),
                class_name="dialog-actions",
            ),
            max_width="560px",
            on_close_auto_focus=rx.set_focus(OPENED_BY),
        ),
        open=VideoDetailState.export_open,
        on_open_change=VideoDetailState.set_export_open,
    )


def _group(name: str, *choices: rx.Component) -> rx.Component:
    return rx.el.fieldset(rx.el.legend(name), *choices, class_name="choices")


def _ratio(ratio: AspectRatio) -> rx.Component:
    """Return the checkbox of an aspect ratio with the choice of its framing."""
    framed, ticked = ExportDialogState.framed[ratio.value].to(int), VideoDetailState.ticked.length()
    by_hand = rx.match(
        framed,
        (0, "By hand: none of these clips is framed yet"),
        (ticked, "By hand: as framed in the clip room"),
        f"By hand: {framed} of {ticked}, the others centred",
    )
    return rx.box(
        _choice(
            ratio.value,
            ratio.frame.use,
            ExportDialogState.ratios.contains(ratio.value),
            on_change=ExportDialogState.toggle_ratio(ratio.value),
        ),
        rx.el.select(
            *(rx.el.option(label, value=mode.value) for mode, label in _FRAMINGS.items()),
            rx.el.option(by_hand, value=FramingMode.MANUAL.value, disabled=framed == 0),
            default_value=ExportDialogState.framings[ratio.value],
            on_change=lambda mode: ExportDialogState.set_framing(ratio.value, mode),
            disabled=~ExportDialogState.ratios.contains(ratio.value),
            class_name="field select",
            custom_attrs={"aria-label": f"Framing, {ratio.name.lower()}", "data-value": ExportDialogState.framings[ratio.value]},
        ),
        class_name="choice-line",
    )


def _language(language: rx.Var[LanguageRow]) -> rx.Component:
    return _choice(
        language.name,
        rx.cond(language.tag == ORIGINAL, "Sound of the master", "Captions"),
        ExportDialogState.languages.contains(language.tag),
        on_change=ExportDialogState.toggle_language(language.tag),
        key=language.tag,
    )


def _captions(mode: CaptionMode) -> rx.Component:
    label, note = _CAPTIONS[mode]
    return _choice(
        label,
        note,
        ExportDialogState.captions == mode.value,
        type="radio",
        name="captions",
        on_change=ExportDialogState.set_captions(mode.value),
    )


def _choice(
    label: str | rx.Var[str], note: str | rx.Var[str], chosen: rx.Var[bool], key: rx.Var[str] | None = None, **props: Any
) -> rx.Component:
    """Return a checkbox or radio button. It responds at once; ``assets/frame/choices.client.js`` keeps it in step with the server."""
    return rx.el.label(
        rx.el.input(
            **{"type": "checkbox", **props},
            default_checked=chosen,
            class_name="tick",
            custom_attrs={"data-checked": rx.cond(chosen, "true", "false")},
        ),
        rx.el.span(label),
        rx.el.span(note, class_name="quiet choice-note"),
        class_name="choice",
        **({} if key is None else {"key": key}),
    )
