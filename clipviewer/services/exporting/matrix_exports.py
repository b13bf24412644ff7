"""Export one cell of the matrix: framed and captioned as its clip and the team prefer, or as its stale file was made."""

from __future__ import annotations

from sqlalchemy.orm import Session

from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.caption_mode import CaptionMode, parse_mode
from clipviewer.domain.export_choices import ExportChoices
from clipviewer.domain.framing import Framing, FramingMode
from clipviewer.domain.language import ORIGINAL
from clipviewer.errors import Conflict
from clipviewer.services.cells import board
from clipviewer.services.cells.board import CellView, framing_of
from clipviewer.services.exporting import exports
from clipviewer.services.prefs import load_preferences
from clipviewer.services.room.framings import saved_framings


def export_cell(
    db: Session, video_id: str, clip_id: str, ratio: AspectRatio, language: str, *, instead_of: str = "", actor: str = ""
) -> CellView:
    """Queue one cell of the matrix; return the job, new or known.

    ``instead_of`` is the job of a stale file, whose kinds of framing and captions are kept. Otherwise the crop chosen for the clip is
    used, or the team's preferred framing, and the team's preferred captions, which are at least a track in every language but the spoken
    one. Raises what ``request_exports`` does, and ``Conflict`` if there is nothing to make.
    """
    if instead_of:
        made = board.cell(db, instead_of)
        framing, captions = _framing(db, clip_id, ratio, framing_of(made.framing)), parse_mode(made.captions)
    else:
        wanted = load_preferences(db)
        framing = saved_framings(db, [clip_id]).get((clip_id, ratio), Framing(wanted.framing))
        captions = CaptionMode.SOFT if wanted.captions is CaptionMode.OFF and language != ORIGINAL else wanted.captions
    choices = ExportChoices([ratio], [language], {ratio: framing}, captions)
    cells = exports.request_exports(db, video_id, [clip_id], choices, actor=actor)
    if not cells:
        raise Conflict("A pipeline has already delivered this export.")
    return cells[0]


def _framing(db: Session, clip_id: str, ratio: AspectRatio, made: Framing) -> Framing:
    """Return the framing of the former file; a manual crop is the one chosen now."""
    if made.mode in (FramingMode.CENTRE, FramingMode.MANUAL):
        return saved_framings(db, [clip_id]).get((clip_id, ratio), made)
    return made
