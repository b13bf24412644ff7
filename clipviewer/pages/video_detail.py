"""``/videos/{video_id}``: the clip room."""

from __future__ import annotations

import reflex as rx

from clipviewer.components.bundle import bundled
from clipviewer.components.captions_panel import captions_button, captions_panel
from clipviewer.components.clip_details import clip_details
from clipviewer.components.clip_list import exported_list, identified_list
from clipviewer.components.clip_player import player
from clipviewer.components.crop_preview import crop_preview
from clipviewer.components.export_dialog import OPENED_BY, export_dialog
from clipviewer.components.export_matrix import export_matrix
from clipviewer.components.export_queue import export_queue
from clipviewer.components.export_views import export_views, is_matrix_shown, nothing_matches
from clipviewer.components.find_clips import find_clips_bar
from clipviewer.components.frame import empty, page_frame, skeletons
from clipviewer.components.library_changes import library_changes
from clipviewer.components.may_change import if_may_change, text_if_may_change
from clipviewer.components.missing_file import is_file_missing, missing_file
from clipviewer.components.room_pulse import room_pulse
from clipviewer.components.selection import picked, select_tab_events
from clipviewer.components.timeline import timeline
from clipviewer.components.video_menu import video_menu
from clipviewer.state.export_dialog import ExportDialogState
from clipviewer.state.library_changes import LibraryChangesState
from clipviewer.state.room import RoomState
from clipviewer.state.video_detail import VideoDetailState


def video_detail_page() -> rx.Component:
    """Return the clip room: tabs, list, player and details of one video."""
    return page_frame(
        bundled("room/room.css"),
        rx.match(
            VideoDetailState.phase,
            ("ready", rx.cond(_is_loaded(), _room(), _loading())),
            ("deleted", rx.cond(_is_loaded(VideoDetailState.deleted.id), _deleted(), _loading())),
            (
                "missing",
                empty(
                    "video-off",
                    "Video not found",
                    "It was removed, or the address is incomplete.",
                    rx.link(rx.button("Go to the library"), href="/"),
                ),
            ),
            (
                "failed",
                empty(
                    "cloud-off",
                    "The video could not be loaded",
                    "The database did not answer.",
                    rx.button("Try again", on_click=RoomState.open),
                ),
            ),
            _loading(),
        ),
        rx.box(on_mount=picked.set_value("")),
        library_changes(),
        actions=[rx.cond((VideoDetailState.phase == "ready") & _is_loaded(), _actions())],
        title=rx.cond((VideoDetailState.phase == "ready") & _is_loaded(), VideoDetailState.video.title, ""),
    )


def _is_loaded(video_id: rx.Var[str] | None = None) -> rx.Var[bool]:
    """Return whether the loaded video is the one of the address. Coming from another room, the state still holds the other video."""
    here = rx.Var("(typeof location === 'undefined' ? '' : location.pathname)").to(str)
    return here.contains(VideoDetailState.video.id if video_id is None else video_id)


def _actions() -> rx.Component:
    video = VideoDetailState.video
    return rx.fragment(
        rx.cond(video.archived, rx.el.span("Archived", class_name="chip room-archived")),
        captions_button(),
        video_menu(video.id, video.title, video.archived),
    )


def _deleted() -> rx.Component:
    video = VideoDetailState.deleted
    back = rx.button("Restore", on_click=LibraryChangesState.restore(rx.Var.create([video.id]).to(list[str])))
    return empty(
        "trash-2",
        "This video was deleted",
        video.title + " can be restored by an admin for 24 hours. After that it is removed permanently.",
        rx.cond(LibraryChangesState.may_delete, back),
        rx.link(rx.button("Go to the library", variant="soft"), href="/"),
    )


def _room() -> rx.Component:
    return rx.fragment(
        rx.box(
            rx.box(_tabs(), room_pulse(), export_queue(), _tab_panel(), class_name="room-list card"),
            rx.cond(
                (VideoDetailState.tab == "identified") | (VideoDetailState.exported_count > 0),
                rx.box(
                    rx.box(
                        rx.cond(is_file_missing(), missing_file(), player()),
                        timeline(),
                        rx.cond(_has_clip(), crop_preview()),
                        class_name="stage",
                    ),
                    rx.cond(_has_clip(), clip_details()),
                    class_name="room-main",
                ),
                rx.box(rx.box(class_name="clip-player idle", custom_attrs={"data-ratio": "16:9"}), class_name="room-main"),
            ),
            class_name="room",
        ),
        export_dialog(),
        captions_panel(),
    )


def _has_clip() -> rx.Var[bool]:
    """Return whether a clip is shown; a video without candidates plays as a whole."""
    return (VideoDetailState.tab == "exported") | (VideoDetailState.identified_total > 0)


def _tabs() -> rx.Component:
    return rx.tabs.root(
        rx.tabs.list(
            rx.tabs.trigger(
                "Identified", rx.el.span(VideoDetailState.identified_total, class_name="count", aria_hidden="true"), value="identified"
            ),
            rx.tabs.trigger(
                "Exported", rx.el.span(VideoDetailState.exported_count, class_name="count", aria_hidden="true"), value="exported"
            ),
        ),
        value=VideoDetailState.tab,
        on_change=select_tab_events,
        class_name="room-tabs",
    )


def _tab_panel() -> rx.Component:
    return rx.cond(
        VideoDetailState.tab == "exported",
        rx.fragment(export_views(), rx.cond(is_matrix_shown(), export_matrix(), _exported())),
        rx.fragment(
            find_clips_bar(),
            rx.cond(
                VideoDetailState.identified_total > 0,
                identified_list(),
                empty(
                    "text-search",
                    "No identified clips yet",
                    text_if_may_change(
                        "Find clips searches sound, picture and captions. A pipeline can register candidates through the API.",
                        "Reviewers and admins can find or mark clips.",
                    ),
                ),
            ),
            rx.box(
                if_may_change(
                    rx.el.span(f"{VideoDetailState.ticked.length()} ticked", class_name="quiet tabular"),
                    rx.button(
                        "Generate Shorts",
                        id=OPENED_BY,
                        on_click=[VideoDetailState.handle_generate_shorts, ExportDialogState.plan],
                        disabled=VideoDetailState.ticked.length() == 0,
                    ),
                    otherwise=rx.el.span("Only reviewers and admins can export clips.", class_name="quiet"),
                ),
                class_name="list-actions",
            ),
        ),
    )


def _exported() -> rx.Component:
    none_yet = empty(
        "scissors",
        "No exported clips yet",
        text_if_may_change(
            "Tick identified clips and press Generate Shorts, or register finished ones through the API.",
            "Clips that reviewers and admins export appear here.",
        ),
    )
    return rx.cond(
        VideoDetailState.exported_total > 0, exported_list(), rx.cond(VideoDetailState.exported_count > 0, nothing_matches(), none_yet)
    )


def _loading() -> rx.Component:
    return rx.box(
        rx.box(rx.box(class_name="room-tabs skeleton tabs-to-come"), skeletons(6, "clip-row"), class_name="room-list card"),
        rx.box(rx.box(class_name="clip-player idle", custom_attrs={"data-ratio": "16:9"}), class_name="room-main"),
        class_name="room",
        aria_busy="true",
    )
