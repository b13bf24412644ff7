"""A wrapper for media-chrome's player controls: https://www.media-chrome.org (MIT)."""

from __future__ import annotations

from typing import Any

import reflex as rx


class _MediaChrome(rx.Component):
    library = "media-chrome/react"
    lib_dependencies: list[str] = ["media-chrome@4.19.4"]


class MediaController(_MediaChrome):
    tag = "MediaController"
    autohide: rx.Var[str]
    gestures_disabled: rx.Var[bool]
    hotkeys: rx.Var[str]


class MediaControlBar(_MediaChrome):
    tag = "MediaControlBar"


class MediaPlayButton(_MediaChrome):
    tag = "MediaPlayButton"


class MediaTimeRange(_MediaChrome):
    tag = "MediaTimeRange"


class MediaTimeDisplay(_MediaChrome):
    tag = "MediaTimeDisplay"
    show_duration: rx.Var[bool]


class MediaMuteButton(_MediaChrome):
    tag = "MediaMuteButton"


class MediaVolumeRange(_MediaChrome):
    tag = "MediaVolumeRange"


class MediaPlaybackRateButton(_MediaChrome):
    tag = "MediaPlaybackRateButton"


class MediaCaptionsButton(_MediaChrome):
    tag = "MediaCaptionsButton"


class MediaFullscreenButton(_MediaChrome):
    tag = "MediaFullscreenButton"


class MediaLoadingIndicator(_MediaChrome):
    tag = "MediaLoadingIndicator"


def control_bar() -> rx.Component:
    """Return the controls: play, time line, time, sound, speed, captions and full screen."""
    parts: list[Any] = [
        MediaPlayButton.create(),
        MediaTimeRange.create(),
        MediaTimeDisplay.create(show_duration=True),
        MediaMuteButton.create(),
        MediaVolumeRange.create(),
        MediaPlaybackRateButton.create(),
        MediaCaptionsButton.create(),
        MediaFullscreenButton.create(),
    ]
    return MediaControlBar.create(*parts)
