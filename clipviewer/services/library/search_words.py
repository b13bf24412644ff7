"""Full-text search over what belongs to a video, alike on SQLite (FTS5) and PostgreSQL (tsvector).

Titles are kept by triggers; captions are written here, without their times.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, and_, column, func, insert, literal_column, select, table, true
from sqlalchemy.orm import Session
from sqlmodel import col

from clipviewer.db.library_models import SearchEntry
from clipviewer.db.statements import is_postgresql
from clipviewer.media.captions.reading import Cue

MAX_WORDS = 10
PIECE = 20_000
"""Characters of captions in one entry: PostgreSQL takes no more than a megabyte of words at once."""

_INDEX = table("search_index", column("rowid"), column("body"))
_WORD = re.compile(r"[^\W_]+")
_PIECES = re.compile(rf".{{1,{PIECE}}}(?:\s|\Z)|.{{1,{PIECE}}}")
_MARKS = re.compile("[\u0300-\u036f]")


def words_of(text: str) -> list[str]:
    """What is searched for: words in small letters without marks, at most ``MAX_WORDS``. A half of a surrogate pair is no letter."""
    plain = _MARKS.sub("", unicodedata.normalize("NFD", text.encode(errors="replace").decode()))
    return _WORD.findall(plain.lower())[:MAX_WORDS]


def found_by(db: Session, text: str, video_id: SQLColumnExpression[str]) -> ColumnElement[bool]:
    """Whether every word of ``text`` is in something of that video; the last one may be the beginning of a word.

    Everything is found by an empty text, and nothing by one that has no word in it.
    """
    words = words_of(text)
    if not words:
        return true() if not text.strip() else literal_column("1") == literal_column("0")
    matching = _in_postgresql if is_postgresql(db) else _in_sqlite
    return and_(*(video_id.in_(matching(word, at == len(words) - 1)) for at, word in enumerate(words)))


def list_captions(db: Session, owner: str, video_id: str, cues: Iterable[Cue]) -> None:
    """Let the video be found by what is said in them; it ends with the row ``owner``."""
    said = " ".join(re.sub(r"\s+", " ", cue.text) for cue in cues).replace("\0", "")
    pieces = [{"owner": owner, "video_id": video_id, "body": piece} for piece in _PIECES.findall(said)]
    if pieces:
        db.execute(insert(SearchEntry), pieces)


def _in_sqlite(word: str, begins: bool) -> Select[str]:
    wanted = _INDEX.c.body.op("MATCH")(f'"{word}"' + ("*" if begins else ""))
    return select(col(SearchEntry.video_id)).where(col(SearchEntry.number).in_(select(_INDEX.c.rowid).where(wanted)))


def _in_postgresql(word: str, begins: bool) -> Select[str]:
    wanted = func.to_tsquery(literal_column("'simple'::regconfig"), f"'{word}'" + (":*" if begins else ""))
    return select(col(SearchEntry.video_id)).where(literal_column("search_entry.words").op("@@")(wanted))
