"""The toolbar of the crop preview. The scripts in ``assets/crop/`` run it and draw the frame over the picture."""

from __future__ import annotations

import reflex as rx

from clipviewer.components.bundle import CustomElement
from clipviewer.components.selection import selected_clip
from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.state.framing import FramingState
from clipviewer.state.library_changes import LibraryChangesState
from clipviewer.state.video_detail import VideoDetailState

_Event = rx.Var[dict[str, dict[str, str]]]


def _clip_spec(event: _Event) -> tuple[rx.Var[str]]:
    return (event["detail"]["clip"],)


def _ratio_spec(event: _Event) -> tuple[rx.Var[str], rx.Var[str]]:
    return (event["detail"]["clip"], event["detail"]["ratio"])


def _crop_spec(event: _Event) -> tuple[rx.Var[str], rx.Var[str], rx.Var[float], rx.Var[float]]:
    detail = event["detail"]
    return (detail["clip"], detail["ratio"], detail["x"].to(float), detail["y"].to(float))


class CropPreview(CustomElement):
    """The custom element ``<crop-preview>``; the script describes its attributes and events."""

    tag = "CropPreviewElement"
    element = "crop-preview"
    assets = ("crop/crop_preview.client.js", "crop/crop.css")
    on_framing_opened: rx.EventHandler[_clip_spec]
    on_framing_chosen: rx.EventHandler[_crop_spec]
    on_framing_forgotten: rx.EventHandler[_ratio_spec]
    on_look_wanted: rx.EventHandler[_clip_spec]


def crop_preview() -> rx.Component:
    """Return the toolbar below the master; it is hidden for exported clips."""
    clip = selected_clip()
    toolbar = CropPreview.create(
        rx.box(
            rx.box(
                _shape("Whole", "", "The whole picture"),
                *(_shape(ratio.value, ratio.value, ratio.frame.use) for ratio in AspectRatio),
                role="radiogroup",
                aria_label="Shape",
                class_name="framing-shapes",
            ),
            _button("zones", "smartphone", "Safe zones", "Areas of a 9:16 clip that TikTok, Reels and Shorts cover, approximately"),
            _button("centre", "align-center-horizontal", "Centre", "Reset the crop to the centre"),
            _button("auto", "scan-eye", "Auto", "Preview the Auto crop, shot by shot"),
            class_name="framing-bar",
        ),
        rx.box(
            rx.el.span(class_name="framing-words", role="status"),
            rx.el.button(
                "Keep",
                type="button",
                hidden=True,
                title="Use this crop for the whole clip",
                class_name="framing-keep",
                custom_attrs={"data-framing": "keep"},
            ),
            class_name="framing-note quiet",
        ),
        on_framing_opened=FramingState.open_clip,
        on_framing_chosen=FramingState.save_framing,
        on_framing_forgotten=FramingState.forget_framing,
        on_look_wanted=FramingState.look,
        class_name="framing",
        custom_attrs={
            "role": "region",
            "aria-label": "Framing",
            "clip-id": clip.id,
            "start-ms": clip.start_ms.to_string(),
            "framing": FramingState.shown.to_string(),
            "may-frame": LibraryChangesState.may_change.to_string(),
        },
    )
    return rx.cond(VideoDetailState.tab == "identified", toolbar)


def _shape(label: str, value: str, use: str) -> rx.Component:
    return rx.el.label(
        rx.el.input(type="radio", name="framing-ratio", value=value),
        rx.el.span(label),
        title=use,
        class_name="framing-shape",
    )


def _button(name: str, icon: str, label: str, title: str) -> rx.Component:
    return rx.el.button(
        rx.icon(icon, size=16),
        rx.el.span(label),
        type="button",
        title=title,
        class_name="framing-button",
        custom_attrs={"data-framing": name},
    )
