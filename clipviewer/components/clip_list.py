"""The clip list: a virtualized listbox that renders only visible rows."""

from __future__ import annotations

import reflex as rx
from reflex.vars import VarData
from reflex.vars.function import ArgsFunctionOperation

from clipviewer.components.bundle import bundled
from clipviewer.components.may_change import if_may_change
from clipviewer.components.selection import select_events, shown_id, shown_position
from clipviewer.components.virtuoso import Virtuoso
from clipviewer.state.rows import ClipRow
from clipviewer.state.video_detail import VideoDetailState


@rx.memo
def exported_row(clip: rx.Var[ClipRow], position: rx.Var[int]) -> rx.Component:
    """Render one exported clip."""
    return _option(
        clip,
        position,
        rx.box(
            rx.el.span(clip.title, class_name="clip-title"),
            rx.el.span(clip.span, " · ", clip.duration, rx.cond(clip.note != "", " · " + clip.note, ""), class_name="clip-time"),
            class_name="clip-words",
        ),
        rx.box(
            rx.box(drift_badge(clip.drift, clip.missing), rx.el.span(clip.ratio, class_name="chip"), class_name="clip-badges"),
            rx.el.span(clip.language, class_name="clip-language"),
            class_name="clip-marks",
        ),
    )


def drift_badge(drift: rx.Var[str], missing: rx.Var[bool]) -> rx.Component:
    """Return a badge that explains why the export is stale or that its file is missing."""
    return rx.cond(
        drift != "", rx.cond(missing, _badge("file-x", "File missing", drift, "drift missing"), _badge("history", "Stale", drift, "drift"))
    )


def _badge(icon: str, word: str, why: rx.Var[str], class_name: str) -> rx.Component:
    return rx.el.span(rx.icon(icon, size=12), word, title=why, role="img", aria_label=word + ": " + why, class_name=class_name)


@rx.memo
def identified_row(clip: rx.Var[ClipRow], position: rx.Var[int]) -> rx.Component:
    """Render one candidate with its score, and a checkbox for people who may export it."""
    return _option(
        clip,
        position,
        if_may_change(_tick(clip)),
        rx.box(
            rx.el.span(clip.title, class_name="clip-title"),
            rx.el.span(clip.span, " · ", clip.duration, rx.cond(clip.origin != "", " · " + clip.origin, ""), class_name="clip-time"),
            class_name="clip-words",
        ),
        rx.cond(clip.score != "", rx.el.span(clip.score, title=clip.score_parts, class_name="score")),
    )


def _tick(clip: rx.Var[ClipRow]) -> rx.Component:
    return rx.el.input(
        type="checkbox",
        default_checked=VideoDetailState.ticked.contains(clip.id),
        on_change=VideoDetailState.toggle_clip_selection(clip.id).stop_propagation,
        on_click=rx.stop_propagation,
        class_name="tick",
        custom_attrs={"aria-label": "Select " + clip.title},
    )


@rx.memo
def placeholder_row() -> rx.Component:
    """Render the placeholder of a row that is not loaded yet."""
    return rx.box(class_name="clip-row skeleton", aria_hidden="true")


def exported_list() -> rx.Component:
    return _list(
        exported_row, VideoDetailState.exported_clips, VideoDetailState.exported_offset, VideoDetailState.exported_total, "exported"
    )


def identified_list() -> rx.Component:
    return _list(
        identified_row,
        VideoDetailState.identified_clips,
        VideoDetailState.identified_offset,
        VideoDetailState.identified_total,
        "identified",
    )


def _option(clip: rx.Var[ClipRow], position: rx.Var[int], *children: rx.Component) -> rx.Component:
    return rx.box(
        bundled("clips/clip_list.client.js", "clips/clip_list.css"),
        *children,
        role="option",
        tab_index=rx.cond(shown_id() == clip.id, 0, -1),
        aria_selected=shown_id() == clip.id,
        on_click=select_events(clip.id),
        class_name="clip-row",
        custom_attrs={
            "data-clip-id": clip.id,
            "aria-posinset": position + 1,
            "aria-setsize": rx.cond(VideoDetailState.tab == "exported", VideoDetailState.exported_total, VideoDetailState.identified_total),
        },
    )


def _list(row, rows, offset, total, name: str) -> rx.Component:
    context = rx.Var(
        f"({{rows: {rows!s}, offset: {offset!s}}})",
        _var_type=dict,
        _var_data=VarData.merge(rows._get_all_var_data(), offset._get_all_var_data()),
    )
    clip = rx.Var("context.rows[index - context.offset]", _var_type=ClipRow)
    item = rx.cond(clip, row(clip=clip, position=rx.Var("index", _var_type=int)), placeholder_row())
    return Virtuoso.create(
        total_count=total,
        context=context,
        item_content=ArgsFunctionOperation.create(args_names=("index", "_item", "context"), return_expr=rx.Var.create(item)),
        initial_top_most_item_index=rx.Var.create({"index": shown_position() - 1, "align": "center"}),
        fixed_item_height=64,
        increase_viewport_by=320,
        range_changed=lambda first, last: VideoDetailState.show_range(first, last).debounce(120),
        class_name="clip-list",
        custom_attrs={"role": "listbox", "aria-label": "Clips", "data-list": name},
    )
