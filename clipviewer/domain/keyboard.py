"""Every key that the pages answer to. The sheet of keys shows this table, and a test holds it to what the scripts really handle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_SHOWN = {
    " ": "Space",
    "ArrowLeft": "←",
    "ArrowRight": "→",
    "ArrowUp": "↑",
    "ArrowDown": "↓",
    "PageUp": "Page Up",
    "PageDown": "Page Down",
    "Escape": "Esc",
    "-": "−",
}


@dataclass(frozen=True, slots=True)
class Shortcut:
    """``keys`` that do the same or belong together, each as the browser names it (``KeyboardEvent.key``), after ``Ctrl+`` or ``Shift+``
    where that is held down. ``script``: the file of ``assets/`` that handles them, "" for the player's controls (media-chrome).
    """

    keys: tuple[str, ...]
    does: str
    script: str = ""

    @property
    def shown(self) -> tuple[tuple[str, ...], ...]:
        """What stands on the keys, of each that are pressed together."""
        return tuple(tuple(_shown(part) for part in split_keys(key)) for key in self.keys)


@dataclass(frozen=True, slots=True)
class Group:
    """The keys of one part of a page; ``where`` says when they count."""

    name: str
    where: str
    shortcuts: Sequence[Shortcut]


def split_keys(key: str) -> list[str]:
    """``Ctrl`` and ``Home`` of ``Ctrl+Home``; the last is the key itself."""
    return [key] if len(key) == 1 else key.split("+")


def _shown(key: str) -> str:
    return _SHOWN.get(key, key.upper() if len(key) == 1 else key)


_LIST, _MATRIX = "clips/clip_list.client.js", "exports/matrix.client.js"
_TIMELINE, _FRAME = "timeline/timeline.client.js", "crop/crop_overlay.js"
_FILM = "library/film_scrub.client.js"
KEYBOARD: Sequence[Group] = (
    Group(
        "Player",
        "while the focus is on it",
        (
            Shortcut((" ", "k"), "Play or pause"),
            Shortcut(("ArrowLeft", "j"), "10 seconds back"),
            Shortcut(("ArrowRight", "l"), "10 seconds forward"),
            Shortcut(("ArrowUp", "ArrowDown"), "Louder, quieter"),
            Shortcut(("m",), "Sound off or on"),
            Shortcut(("<", ">"), "Slower, faster"),
            Shortcut(("c",), "Captions on or off"),
            Shortcut(("f",), "Full screen"),
            Shortcut(("p",), "Picture in picture"),
        ),
    ),
    Group(
        "Clips",
        "in the list, and in the matrix of exports",
        (
            Shortcut(("ArrowUp", "ArrowDown"), "Show the clip before or after; in the matrix: go to it", _LIST),
            Shortcut(("Home", "End"), "First and last clip; in the matrix: first and last cell of the row", _LIST),
            Shortcut(("Enter", " "), "Show the focused clip; on a checkbox Space ticks it", _LIST),
            Shortcut(("ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight"), "Go through the cells of the matrix", _MATRIX),
            Shortcut(("Ctrl+Home", "Ctrl+End"), "First and last cell of the whole matrix", _MATRIX),
        ),
    ),
    Group(
        "Timeline",
        "while the focus is on it",
        (
            Shortcut(("ArrowLeft", "ArrowRight"), "One frame back or forward", _TIMELINE),
            Shortcut(("PageDown", "PageUp"), "5 seconds back or forward", _TIMELINE),
            Shortcut(("Home", "End"), "Start and end of the video", _TIMELINE),
            Shortcut(("+", "=", "-"), "Zoom in, zoom out", _TIMELINE),
            Shortcut(("0",), "Show all of the video", _TIMELINE),
            Shortcut(("Shift+ArrowLeft", "Shift+ArrowRight"), "Scroll the timeline", _TIMELINE),
        ),
    ),
    Group(
        "Marking",
        "anywhere among the candidates; arrows and ends on the frame of a shape",
        (
            Shortcut(("i", "o"), "In point and out point at the playhead", _TIMELINE),
            Shortcut(("Enter",), "Name the marked clip, then save it", _TIMELINE),
            Shortcut(("Escape",), "Clear the marks", _TIMELINE),
            Shortcut(("ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"), "Move the frame; with Shift in larger steps", _FRAME),
            Shortcut(("Home", "End"), "Frame at one edge or the other", _FRAME),
            Shortcut(("Escape",), "Put a dragged frame back", _FRAME),
        ),
    ),
    Group(
        "Library",
        "on a focused video",
        (
            Shortcut(("ArrowLeft", "ArrowRight"), "Look through the video", _FILM),
            Shortcut(("Escape",), "Stop looking through", _FILM),
            Shortcut(("Escape",), "Clear the selection", "library/video_picker.client.js"),
        ),
    ),
    Group("Everywhere", "unless you are typing", (Shortcut(("?",), "This sheet", "keyboard/keyboard.client.js"),)),
)
