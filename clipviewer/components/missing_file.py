"""The message in place of the player when the file is missing from the bucket."""

from __future__ import annotations

import reflex as rx

from clipviewer.components.bundle import bundled
from clipviewer.components.selection import selected_clip
from clipviewer.state.missing_files import MissingFileState
from clipviewer.state.video_detail import VideoDetailState


def is_file_missing() -> rx.Var[bool]:
    """Return whether the shown export, or the master of the candidates, is known to be missing."""
    return rx.cond(VideoDetailState.tab == "exported", selected_clip().missing == True, VideoDetailState.video.missing)  # noqa: E712  (a Var)


def missing_file() -> rx.Component:
    return rx.cond(
        VideoDetailState.tab == "exported",
        _notice(
            "Clip not found",
            "The file is no longer in the bucket. Upload it again under the same key, or export the clip again.",
            selected_clip().s3_key,
            selected_clip().id,
            selected_clip().ratio,
        ),
        _notice(
            "Video file not found",
            "The file of this video is no longer in the bucket. Upload it again under the same key. Its exports still play.",
            VideoDetailState.video.s3_key,
            VideoDetailState.video.id,
            "16:9",
        ),
    )


def _notice(title: str, text: str, key: rx.Var[str], missing: rx.Var[str], ratio: str | rx.Var[str]) -> rx.Component:
    return rx.box(
        bundled("player/missing_file.css", "player/player.css"),
        rx.box(
            rx.icon("file-x", size=26),
            rx.text(title, weight="bold"),
            rx.text(text, size="2", class_name="quiet"),
            rx.el.code(key, class_name="missing-key"),
            rx.button(
                rx.cond(MissingFileState.gone == missing, "Still missing. Check again", "Check again"),
                type="button",
                variant="soft",
                on_click=MissingFileState.look(missing),
            ),
            class_name="player-notice",
            role="status",
        ),
        class_name="clip-player idle missing-file",
        custom_attrs={"data-ratio": ratio},
    )
