"""``/``: the library."""

from __future__ import annotations

import reflex as rx

from clipviewer.components.frame import empty, page_frame, skeletons
from clipviewer.components.pulse import Pulse
from clipviewer.components.uploads import upload_button, uploads_region
from clipviewer.state.library import LibraryState
from clipviewer.state.rows import VideoCard

PREPARING_MS = 2_000


def library_page() -> rx.Component:
    """The videos with poster, duration and counts; search."""
    return page_frame(
        rx.box(
            rx.el.input(
                type="search",
                placeholder="Search videos",
                default_value=LibraryState.search,
                on_change=LibraryState.set_search.debounce(150),
                class_name="search",
                aria_label="Search videos",
            ),
            rx.el.span(
                rx.match(LibraryState.total, (1, "1 video"), f"{LibraryState.total} videos"),
                class_name="quiet tabular",
                aria_live="polite",
            ),
            upload_button(),
            class_name="library-bar",
        ),
        uploads_region(),
        rx.cond(
            LibraryState.preparing != "",
            rx.fragment(
                rx.text(LibraryState.preparing, size="2", class_name="quiet preparing", role="status"),
                Pulse.create(interval=PREPARING_MS, on_pulse=LibraryState.load),
            ),
        ),
        rx.match(
            LibraryState.phase,
            ("loading", rx.box(skeletons(6, "video-card"), class_name="video-grid", aria_busy="true")),
            (
                "failed",
                empty(
                    "cloud-off",
                    "The library could not be loaded",
                    "The database did not answer.",
                    rx.button("Try again", on_click=LibraryState.load),
                ),
            ),
            rx.cond(
                LibraryState.total > 0,
                rx.box(
                    rx.el.ul(rx.foreach(LibraryState.videos, _card), class_name="video-grid", aria_label="Videos"),
                    rx.cond(
                        LibraryState.videos.length() < LibraryState.total,
                        rx.button("Show more", variant="soft", on_click=LibraryState.show_more, class_name="show-more"),
                    ),
                ),
                rx.cond(
                    LibraryState.search != "",
                    empty("search-x", "Nothing found", f'No title contains "{LibraryState.search}".'),
                    rx.cond(
                        LibraryState.preparing != "",
                        rx.box(skeletons(3, "video-card"), class_name="video-grid", aria_busy="true"),
                        _no_videos(),
                    ),
                ),
            ),
        ),
        title="Library",
    )


def _no_videos() -> rx.Component:
    return empty(
        "clapperboard",
        "No videos yet",
        "Drop some onto this page, or register those in the bucket through the API; the README shows how.",
        rx.button("Look again", variant="soft", on_click=LibraryState.load),
    )


def _card(video: rx.Var[VideoCard]) -> rx.Component:
    return rx.el.li(
        rx.link(
            rx.box(
                rx.cond(
                    video.poster != "",
                    rx.el.img(src=video.poster, alt="", loading="lazy"),
                    rx.icon("film", size=28, class_name="quiet"),
                ),
                rx.cond(video.duration != "", rx.el.span(video.duration, class_name="badge")),
                class_name="poster",
            ),
            rx.el.span(video.title, class_name="clip-title"),
            rx.el.span(f"{video.identified} identified · {video.exported} exported", class_name="clip-time"),
            href=f"/videos/{video.id}",
            underline="none",
            class_name="video-link",
        ),
        key=video.id,
        class_name="video-card",
    )
