"""The shown clip: selected in the browser at once, then confirmed by the server."""

from __future__ import annotations

from typing import Any

import reflex as rx
from reflex.experimental import ClientStateVar
from reflex.vars import VarData

from clipviewer.state.rows import ClipRow
from clipviewer.state.video_detail import VideoDetailState

picked = ClientStateVar.create("picked_clip", default="")


def shown_id() -> rx.Var[str]:
    """Return the id of the shown clip: the clicked one, else the one that the server opened."""
    exported, identified = VideoDetailState.selected_exported_clip, VideoDetailState.selected_identified_clip
    opened = rx.cond(VideoDetailState.tab == "exported", exported.id, identified.id)
    return rx.cond(picked.value == "", opened, picked.value).to(str)


def selected_clip() -> rx.Var[ClipRow]:
    """Return the row of the shown clip: a loaded row, else the one that the server confirmed."""
    exported, identified = VideoDetailState.selected_exported_clip, VideoDetailState.selected_identified_clip
    wanted = shown_id()
    rows = rx.cond(VideoDetailState.tab == "exported", VideoDetailState.exported_clips, VideoDetailState.identified_clips)
    confirmed = rx.cond(VideoDetailState.tab == "exported", exported, identified)
    return rx.Var(
        f"({rows!s}.find((row) => row.id === {wanted!s}) ?? {confirmed!s} ?? {{}})",
        _var_type=ClipRow,
        _var_data=VarData.merge(rows._get_all_var_data(), wanted._get_all_var_data(), confirmed._get_all_var_data()),
    ).to(ClipRow)


def shown_position() -> rx.Var[int]:
    """Return the position of the shown clip in the whole list, from 1; 0 if it is not among the loaded rows."""
    on_exported = VideoDetailState.tab == "exported"
    rows = rx.cond(on_exported, VideoDetailState.exported_clips, VideoDetailState.identified_clips)
    offset = rx.cond(on_exported, VideoDetailState.exported_offset, VideoDetailState.identified_offset)
    wanted = shown_id()
    return rx.Var(
        f"((at) => at < 0 ? 0 : at + 1 + {offset!s})({rows!s}.findIndex((row) => row.id === {wanted!s}))",
        _var_type=int,
        _var_data=VarData.merge(rows._get_all_var_data(), offset._get_all_var_data(), wanted._get_all_var_data()),
    ).to(int)


def select_events(clip_id: rx.Var[str]) -> list[Any]:
    """Return the events that show a clip at once and tell the server."""
    return [picked.set_value(clip_id), VideoDetailState.select_clip(clip_id)]


def select_tab_events(tab: str) -> list[Any]:
    """Return the events that switch the list and forget what was clicked in the other one."""
    return [picked.set_value(""), VideoDetailState.set_tab(tab)]
