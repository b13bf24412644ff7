"""The form of the team's preferences. ``assets/frame/choices.client.js`` keeps it in step with the server."""

from __future__ import annotations

from typing import Any

import reflex as rx

from clipviewer.components.bundle import bundled
from clipviewer.components.settings_frame import settings_card
from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.caption_mode import CaptionMode
from clipviewer.domain.framing import FramingMode
from clipviewer.domain.language import ORIGINAL
from clipviewer.domain.preferences import FRAMINGS
from clipviewer.state.preferences import RATIO, PreferencesState, control_id

_FRAMINGS = {
    FramingMode.CENTRE: "Centre",
    FramingMode.AUTO: "Auto: follow faces, else motion",
    FramingMode.FIT: "Fit with a blurred background",
}
_CAPTIONS = {CaptionMode.OFF: "Off", CaptionMode.SOFT: "Soft", CaptionMode.BURNED: "Burned in"}


def preferences_form() -> rx.Component:
    """Return the form. Everybody can read it; only admins can submit it."""
    return rx.el.form(
        bundled("frame/choices.client.js"),
        rx.el.fieldset(
            settings_card("Exports", "Defaults of the export dialog. People can change them for each export.", *_exports()),
            settings_card("Finding clips", "Length of the clips that Find clips looks for, and when it runs.", *_finding()),
            settings_card("Cleanup", "Failed and cancelled jobs leave the lists after a while. Finished exports stay.", *_clearing()),
            disabled=~PreferencesState.may_change,
            class_name="settings-fields",
        ),
        rx.cond(
            PreferencesState.may_change,
            rx.box(rx.button("Save", type="submit"), class_name="settings-actions"),
            rx.text("Only admins can change preferences.", size="2", class_name="quiet"),
        ),
        on_submit=PreferencesState.save,
        no_validate=True,
        class_name="settings-form",
    )


def _exports() -> list[rx.Component]:
    shown = PreferencesState.shown
    return [
        _choices(
            "Aspect ratio",
            "ratios",
            *(
                _choice(
                    f"{RATIO}{ratio.value}",
                    ratio.value,
                    shown.ratios.contains(ratio.value),
                    ratio.frame.use,
                    wrong=_error_attributes("ratios"),
                )
                for ratio in AspectRatio
            ),
        ),
        _labelled(
            "Framing",
            "framing",
            rx.el.select(
                *(rx.el.option(_FRAMINGS[mode], value=mode.value) for mode in FRAMINGS),
                **_control("framing"),
                default_value=shown.framing,
                class_name="field select",
            ),
        ),
        _choices(
            "Language",
            "languages",
            _choice(ORIGINAL, "Original", shown.original, "Sound of the master"),
            rx.el.label(
                rx.el.span("Other languages, if the video has captions in them"),
                rx.el.input(
                    **_control("languages", name="others", value=shown.others),
                    default_value=shown.others,
                    placeholder="de, pt-BR",
                    auto_complete="off",
                    spell_check=False,
                    class_name="field",
                ),
                class_name="labelled",
            ),
        ),
        _choices(
            "Captions",
            "captions",
            *(_choice("captions", label, shown.captions == mode.value, value=mode.value) for mode, label in _CAPTIONS.items()),
            role="radiogroup",
        ),
    ]


def _finding() -> list[rx.Component]:
    return [
        rx.box(
            _labelled("Shortest, in seconds", "shortest_s", _number("shortest_s", PreferencesState.shown.shortest_s)),
            _labelled("Longest, in seconds", "longest_s", _number("longest_s", PreferencesState.shown.longest_s)),
            class_name="settings-pair",
        ),
        _choice("find_on_upload", "Find clips in every upload", PreferencesState.shown.find_on_upload),
    ]


def _clearing() -> list[rx.Component]:
    days = _number("keep_failed_days", PreferencesState.shown.keep_failed_days)
    return [_labelled("Days until they are removed (0 keeps them)", "keep_failed_days", days)]


def _number(name: str, value: rx.Var[str]) -> rx.Component:
    return rx.el.input(
        **_control(name, value=value), default_value=value, input_mode="numeric", auto_complete="off", class_name="field number tabular"
    )


def _labelled(label: str, field: str, control: rx.Component) -> rx.Component:
    return rx.box(rx.el.label(rx.el.span(label), control, class_name="labelled"), _problem(field))


def _choices(name: str, field: str, *controls: rx.Component, role: str = "group") -> rx.Component:
    """Return a group of controls. A ``radiogroup`` carries the error attributes itself; each checkbox carries its own."""
    of_all = _error_attributes(field) if role == "radiogroup" else {"aria-describedby": f"problem-{field}"}
    attributes = {**of_all, "role": role, "aria-label": name, **({} if field == "languages" else {"id": control_id(field)})}
    return rx.el.fieldset(rx.el.legend(name), *controls, _problem(field), class_name="choices", custom_attrs=attributes)


def _choice(
    name: str,
    label: str,
    chosen: rx.Var[bool],
    note: str = "",
    value: str = "on",
    wrong: dict[str, Any] | None = None,
) -> rx.Component:
    """Return a checkbox, or a radio button if it has a ``value`` of its own."""
    return rx.el.label(
        rx.el.input(
            type="checkbox" if value == "on" else "radio",
            name=name,
            value=value,
            default_checked=chosen,
            class_name="tick",
            custom_attrs={"data-checked": rx.cond(chosen, "true", "false"), **(wrong or {})},
        ),
        rx.el.span(label),
        rx.el.span(note, class_name="quiet choice-note"),
        class_name="choice",
    )


def _control(field: str, *, name: str = "", value: rx.Var[str] | None = None) -> dict[str, Any]:
    shown = PreferencesState.shown.framing if value is None else value
    return {"name": name or field, "custom_attrs": {**_error_attributes(field), "id": control_id(field), "data-value": shown}}


def _error_attributes(field: str) -> dict[str, Any]:
    """Return the attributes that mark a field as invalid while it has a problem."""
    wrong = rx.cond(PreferencesState.problems.contains(field), "true", "false")
    return {"aria-invalid": wrong, "aria-describedby": f"problem-{field}"}


def _problem(field: str) -> rx.Component:
    return rx.el.p(PreferencesState.problems[field], id=f"problem-{field}", role="alert", class_name="problem field-problem")
