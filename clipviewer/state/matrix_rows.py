"""The rows of the export matrix: lines of cells, ready to display."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.caption_mode import CaptionMode
from clipviewer.domain.framing import FramingMode
from clipviewer.domain.language import language_name
from clipviewer.domain.timecode import format_clock
from clipviewer.services.cells.filters import CellState, ExportFilters
from clipviewer.services.exporting.matrix import MatrixPage, MatrixRow
from clipviewer.services.exporting.matrix_entries import MatrixEntry
from clipviewer.state.rows import FRAMING_WORDS, drift_words, making


@dataclasses.dataclass(frozen=True)
class MatrixCell:
    """``key`` is the job, else the exported clip, else the position of a missing cell; ``clip`` is the exported clip that can be played.

    ``note`` describes what is special about it, or distinguishes it from others in the same position.
    """

    key: str
    ratio: str
    state: str
    note: str
    clip: str


@dataclasses.dataclass(frozen=True)
class MatrixGroup:
    """The cells of one language."""

    language: str
    cells: list[MatrixCell]


@dataclasses.dataclass(frozen=True)
class MatrixLine:
    """A clip and its cells."""

    id: str
    title: str
    span: str
    groups: list[MatrixGroup]


@dataclasses.dataclass(frozen=True)
class OpenedCell:
    """The opened cell. ``made`` is how it was framed and captioned; ``text`` explains its state or what can be done."""

    key: str
    title: str
    ratio: str
    language: str
    state: str
    made: str
    text: str
    log: str
    job: str
    exportable: bool


@dataclasses.dataclass(frozen=True, slots=True)
class CellPosition:
    """The position of a cell, on the server only; ``entry`` is None for a missing cell."""

    row: MatrixRow
    ratio: str
    language: str
    entry: MatrixEntry | None

    @property
    def key(self) -> str:
        if self.entry is None:
            return f"{self.row.clip_id} {self.ratio} {self.language}"
        return self.entry.job_id or self.entry.exported_clip_id

    @property
    def state(self) -> str:
        return CellState.MISSING.value if self.entry is None else self.entry.state


def matrix_lines(page: MatrixPage, filters: ExportFilters) -> list[MatrixLine]:
    """Return the rows of a page with the cells that match ``filters``."""
    return [_line(page, row, filters) for row in page.rows]


def cell_positions(page: MatrixPage, row: MatrixRow, filters: ExportFilters) -> Iterator[CellPosition]:
    """Yield the cells of a row that match ``filters``, by language and ratio; a cell that cannot be exported never counts as missing."""
    for language in [filters.language] if filters.language else page.languages:
        for ratio in [filters.ratio] if filters.ratio else [ratio.value for ratio in AspectRatio]:
            entries: list[MatrixEntry | None] = [entry for entry in row.entries if (entry.ratio, entry.language) == (ratio, language)]
            if not entries and row.clip_id and language in page.served:
                entries = [None]
            for entry in entries:
                place = CellPosition(row, ratio, language, entry)
                if filters.state in ("", place.state):
                    yield place


def opened_cell(place: CellPosition, *, log: str, refusal: str) -> OpenedCell:
    """Return the details of a cell; ``refusal`` is why it cannot be exported, "" if it can."""
    entry = place.entry
    return OpenedCell(
        key=place.key,
        title=place.row.title,
        ratio=place.ratio,
        language=language_name(place.language),
        state=place.state,
        made=making(entry.framing, entry.captions) if entry else "",
        text=_text(place, refusal),
        log=log,
        job=entry.job_id if entry else "",
        exportable=not refusal,
    )


def _line(page: MatrixPage, row: MatrixRow, filters: ExportFilters) -> MatrixLine:
    groups: dict[str, list[MatrixCell]] = {}
    shown = list(cell_positions(page, row, filters))
    for place in shown:
        alone = sum((other.ratio, other.language) == (place.ratio, place.language) for other in shown) == 1
        groups.setdefault(place.language, []).append(_cell(place, alone=alone))
    return MatrixLine(
        id=row.clip_id or f"{row.start_ms}-{row.end_ms}",
        title=row.title,
        span=f"{format_clock(row.start_ms)} – {format_clock(row.end_ms)}",
        groups=[MatrixGroup(language_name(language), cells) for language, cells in groups.items()],
    )


def _cell(place: CellPosition, *, alone: bool) -> MatrixCell:
    entry = place.entry
    return MatrixCell(
        key=place.key,
        ratio=place.ratio,
        state=place.state,
        note="" if entry is None else _note(entry, alone=alone),
        clip="" if entry is None else entry.exported_clip_id,
    )


def _note(entry: MatrixEntry, *, alone: bool) -> str:
    framing = "" if alone and entry.framing == FramingMode.CENTRE else FRAMING_WORDS.get(entry.framing, "" if alone else "Delivered")
    return " ".join(word for word in (framing, "burned in" if entry.captions == CaptionMode.BURNED else "") if word)


def _text(place: CellPosition, refusal: str) -> str:
    entry = place.entry
    if entry is None:
        return refusal or "Not exported yet."
    if entry.state == CellState.STALE:
        return drift_words(entry.drift)
    if entry.state == CellState.DONE:
        return ""
    return entry.reason or ("Waiting to start." if entry.state == CellState.QUEUED else "")
