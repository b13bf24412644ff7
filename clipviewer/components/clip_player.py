"""The player of the clip room: a native ``<video>`` with media-chrome's controls, driven by ``assets/player/player.client.js``."""

from __future__ import annotations

import reflex as rx

from clipviewer.components.bundle import CustomElement
from clipviewer.components.media_chrome import MediaController, MediaLoadingIndicator, control_bar
from clipviewer.components.selection import select_events, selected_clip, shown_position
from clipviewer.state.captions import CaptionsState
from clipviewer.state.missing_files import MissingFileState
from clipviewer.state.rows import CaptionsRow, ClipRow
from clipviewer.state.video_detail import VideoDetailState


def _clip_spec(event: rx.Var[dict[str, dict[str, str]]]) -> tuple[rx.Var[str]]:
    return (event["detail"]["clip"],)


class ClipPlayer(CustomElement):
    """The custom element ``<clip-player>``; the script describes its attributes and events."""

    tag = "ClipPlayerElement"
    element = "clip-player"
    assets = ("player/player.client.js", "player/player.css")
    on_clip_unauthorized: rx.EventHandler[rx.event.no_args_event_spec]
    on_clip_missing: rx.EventHandler[rx.event.no_args_event_spec]
    on_clip_failed: rx.EventHandler[rx.event.no_args_event_spec]
    on_clip_offline: rx.EventHandler[rx.event.no_args_event_spec]
    on_clip_unplayable: rx.EventHandler[rx.event.no_args_event_spec]
    on_clip_navigated: rx.EventHandler[_clip_spec]
    on_download_failed: rx.EventHandler[rx.event.no_args_event_spec]
    on_key_copied: rx.EventHandler[rx.event.no_args_event_spec]
    on_key_not_copied: rx.EventHandler[rx.event.no_args_event_spec]


def player() -> rx.Component:
    """Return the player of the shown clip, in a box of the clip's aspect ratio."""
    clip = selected_clip()
    on_master = VideoDetailState.tab == "identified"
    whole = on_master & (VideoDetailState.identified_total == 0)
    return ClipPlayer.create(
        MediaController.create(
            rx.el.video(*_caption_tracks(clip), slot="media", plays_inline=True, preload="auto", custom_attrs={"aria-label": clip.title}),
            MediaLoadingIndicator.create(slot="centered-chrome", custom_attrs={"noautohide": True}),
            control_bar(),
            hotkeys="noshift+/",
            class_name="player-controls",
        ),
        _notice("missing", "Clip not found", "The file is no longer in the bucket, or the clip was removed.", ""),
        _notice("failed", "Failed to generate URL", "The storage did not return the clip.", "Load Video"),
        _notice("offline", "Network error", "The connection was lost. The clip continues where it stopped.", "Retry"),
        _notice("unplayable", "The clip cannot be played", "The file is damaged, or this browser does not support its format.", "Retry"),
        _notice("unauthorized", "Unauthorized", "Sign in again to continue.", ""),
        on_clip_unauthorized=[rx.toast.error("Unauthorized"), rx.redirect(_sign_in_and_back())],
        on_clip_missing=[rx.toast.error("Clip not found"), MissingFileState.report(rx.cond(on_master, VideoDetailState.video.id, clip.id))],
        on_clip_failed=rx.toast.error("Failed to generate URL"),
        on_clip_offline=rx.toast.error("Network error"),
        on_clip_unplayable=rx.toast.error("The clip cannot be played"),
        on_clip_navigated=select_events,
        on_download_failed=rx.toast.error("Failed to download"),
        on_key_copied=rx.toast.success("S3 key copied"),
        on_key_not_copied=rx.toast.error("The browser did not allow copying"),
        class_name="clip-player",
        custom_attrs={
            "video-id": VideoDetailState.video.id,
            "clip-id": rx.cond(whole, VideoDetailState.video.id, clip.id),
            "source-id": rx.cond(on_master, VideoDetailState.video.id, clip.id),
            "s3-key": rx.cond(whole, VideoDetailState.video.s3_key, clip.s3_key),
            "start-ms": rx.cond(on_master & ~whole, clip.start_ms.to_string(), ""),
            "end-ms": rx.cond(on_master & ~whole, clip.end_ms.to_string(), ""),
            "urls": VideoDetailState.clip_video_urls.to_string(),
            "place": shown_position(),
            "ahead": _neighbours(clip.id),
            "data-ratio": clip.ratio,
        },
    )


def _caption_tracks(clip: rx.Var[ClipRow]) -> list[rx.Component]:
    """Return ``<track>`` elements from this origin, so that the video needs no CORS: the master's languages or the export's own."""
    video = f"/api/clips/videos/{VideoDetailState.video.id}"

    def of_master(track: rx.Var[CaptionsRow]) -> rx.Component:
        return _captions_track(f"{video}/captions/{track.tag}", track.language)

    return [
        rx.cond(
            VideoDetailState.tab == "identified",
            rx.foreach(CaptionsState.tracks, of_master),
            rx.cond(clip.captions, _captions_track(f"{video}/exported/{clip.id}/captions", clip.language)),
        )
    ]


def _captions_track(address: str, language: rx.Var[str]) -> rx.Component:
    return rx.el.track(kind="captions", src=address, label=language, key=address)


def _notice(state: str, title: str, text: str, button: str) -> rx.Component:
    """Return a message that replaces the picture; the script decides which one is shown."""
    action = [rx.button(button, type="button", custom_attrs={"data-action": "load"})] if button else []
    return rx.box(
        rx.text(title, weight="bold"),
        rx.text(text, size="2", class_name="quiet"),
        *action,
        class_name=f"player-notice when-{state}",
    )


def _neighbours(clip_id: rx.Var[str]) -> rx.Var[str]:
    """Return a JSON array with the ids of the next and the previous exported clip."""
    rows = VideoDetailState.exported_clips
    return rx.Var(
        f"((rows, id) => {{ const at = rows.findIndex((row) => row.id === id); "
        f"return at < 0 ? '[]' : JSON.stringify([rows[at + 1], rows[at - 1]].filter(Boolean).map((row) => row.id)); "
        f"}})({rows!s}, {clip_id!s})",
        _var_type=str,
        _var_data=rx.vars.VarData.merge(rows._get_all_var_data(), clip_id._get_all_var_data()),
    )


def _sign_in_and_back() -> rx.Var[str]:
    return rx.Var("`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`", _var_type=str)
