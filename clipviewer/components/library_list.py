"""The videos of the library, as cards or as a table."""

from __future__ import annotations

import reflex as rx

from clipviewer.components.bundle import bundled
from clipviewer.components.video_menu import video_menu
from clipviewer.components.video_picker import pick, video_picker
from clipviewer.state.library import MOST, LibraryState
from clipviewer.state.library_rows import VideoCard

_COLUMNS = ("Title", "Duration", "Identified", "Exported", "State", "Last activity")
_NO_NAME = rx.el.th(rx.el.span("Actions", class_name="unseen"), scope="col")


def library_list() -> rx.Component:
    """Return one page of videos with buttons for the previous and next pages."""
    return video_picker(
        bundled("library/film_scrub.client.js", "library/library.css"),
        _before(),
        rx.cond(
            LibraryState.view == "table",
            rx.box(
                rx.el.table(
                    rx.el.thead(rx.el.tr(*(rx.el.th(name, scope="col") for name in _COLUMNS), _NO_NAME)),
                    rx.el.tbody(rx.foreach(LibraryState.videos, _row)),
                    class_name="video-table",
                    aria_label="Videos",
                ),
                class_name="card video-table-box",
            ),
            rx.el.ul(rx.foreach(LibraryState.videos, _card), class_name="video-grid", aria_label="Videos"),
        ),
        _after(),
    )


def _before() -> rx.Component:
    earlier = LibraryState.first - MOST
    return rx.cond(
        LibraryState.first > 0,
        rx.box(
            rx.button(f"Previous {MOST}", variant="soft", on_click=LibraryState.show_from(earlier)),
            rx.el.span(_range(), class_name="quiet tabular"),
            class_name="list-ends before",
        ),
    )


def _after() -> rx.Component:
    """Return "Show more" up to the most videos of a page, then the button for the next page."""
    last = LibraryState.first + LibraryState.videos.length()
    return rx.cond(
        last < LibraryState.total,
        rx.box(
            rx.cond(
                LibraryState.videos.length() < MOST,
                rx.button("Show more", variant="soft", on_click=LibraryState.show_more),
                rx.button(f"Next {MOST}", variant="soft", on_click=LibraryState.show_from(last)),
            ),
            rx.el.span(_range(), class_name="quiet tabular"),
            class_name="list-ends",
        ),
    )


def _range() -> rx.Var[str]:
    last = LibraryState.first + LibraryState.videos.length()
    return f"{LibraryState.first + 1}–{last} of {LibraryState.total}"


def _card(video: rx.Var[VideoCard]) -> rx.Component:
    return rx.el.li(
        rx.link(
            rx.box(
                _picture(video),
                _film(video),
                rx.cond(video.duration != "", rx.el.span(video.duration, class_name="badge")),
                class_name="poster",
            ),
            rx.el.span(video.title, class_name="clip-title"),
            rx.box(
                rx.el.span(f"{video.identified} identified · {video.exported} exported", class_name="clip-time"),
                _state(video),
                class_name="card-line",
            ),
            href=f"/videos/{video.id}",
            underline="none",
            class_name="video-link",
        ),
        rx.cond(video.tags.length() > 0, rx.box(rx.foreach(video.tags, _tag), class_name="card-tags")),
        pick(video.id, video.title, class_name="card-pick"),
        video_menu(video.id, video.title, video.archived, video.deleted, class_name="card-menu"),
        key=video.id,
        class_name="video-card",
    )


def _row(video: rx.Var[VideoCard]) -> rx.Component:
    return rx.el.tr(
        rx.el.td(
            rx.box(
                pick(video.id, video.title),
                rx.link(
                    rx.box(_picture(video), _film(video), class_name="poster small"),
                    rx.el.span(video.title, class_name="clip-title"),
                    href=f"/videos/{video.id}",
                    underline="none",
                    class_name="row-link",
                ),
                class_name="row-first",
            )
        ),
        rx.el.td(video.duration),
        rx.el.td(video.identified),
        rx.el.td(video.exported),
        rx.el.td(_state(video)),
        rx.el.td(video.active, title=video.moment),
        rx.el.td(video_menu(video.id, video.title, video.archived, video.deleted)),
        key=video.id,
    )


def _film(video: rx.Var[VideoCard]) -> rx.Component:
    """Return the area in which ``assets/library/film_scrub.client.js`` shows the frame under the pointer."""
    return rx.cond(video.strip, rx.box(class_name="film", aria_hidden="true", custom_attrs={"data-film": video.id}))


def _tag(tag: rx.Var[str]) -> rx.Component:
    return rx.el.button(tag, type="button", title="Show all with this tag", on_click=LibraryState.set_tag(tag), class_name="chip tag")


def _picture(video: rx.Var[VideoCard]) -> rx.Component:
    return rx.cond(
        video.poster != "",
        rx.el.img(src=video.poster, alt="", loading="lazy"),
        rx.icon("film", size=22, class_name="quiet"),
    )


def _state(video: rx.Var[VideoCard]) -> rx.Component:
    return rx.cond(video.state != "", rx.el.span(video.state, class_name=rx.cond(video.trouble, "chip trouble", "chip")))
