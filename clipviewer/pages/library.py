"""``/``: the library."""

from __future__ import annotations

import reflex as rx

from clipviewer.components.adopt_dialog import adopt_button
from clipviewer.components.frame import empty, page_frame, skeletons
from clipviewer.components.library_bar import library_bar
from clipviewer.components.library_changes import library_changes
from clipviewer.components.library_list import library_list
from clipviewer.components.library_strip import library_strip
from clipviewer.components.uploads import upload_button, uploads_region
from clipviewer.state.library import LibraryState


def library_page() -> rx.Component:
    """Show the videos with poster, duration and counts; search, filters, sort order."""
    return page_frame(
        library_bar(adopt_button(), upload_button()),
        rx.cond(LibraryState.phase != "loading", uploads_region()),
        library_strip(),
        rx.cond(LibraryState.preparing != "", rx.text(LibraryState.preparing, size="2", class_name="quiet preparing", role="status")),
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
            rx.cond(LibraryState.total > 0, library_list(), _empty_library()),
        ),
        library_changes(),
        title="Library",
    )


def _empty_library() -> rx.Component:
    everything = rx.button("Show all videos", variant="soft", on_click=LibraryState.clear)
    return rx.cond(
        LibraryState.search != "",
        empty("search-x", "Nothing found", f'No title, clip or caption contains "{LibraryState.search}".', everything),
        rx.cond(
            (LibraryState.shown != "all") | (LibraryState.tag != ""),
            rx.cond(
                (LibraryState.shown == "deleted") & (LibraryState.tag == ""),
                empty("trash-2", "Nothing deleted", "Deleted videos can be restored here for 24 hours.", everything),
                empty("list-filter", "No videos here", "No video matches this filter.", everything),
            ),
            rx.cond(
                LibraryState.preparing != "",
                rx.box(skeletons(3, "video-card"), class_name="video-grid", aria_busy="true"),
                empty(
                    "clapperboard",
                    "No videos yet",
                    "Drop videos onto this page, or import those that are already in the bucket.",
                    rx.button("Check again", variant="soft", on_click=LibraryState.load),
                ),
            ),
        ),
    )
