"""Full-text search of videos, alike on SQLite (FTS5) and PostgreSQL (tsvector).

Triggers index titles; captions are indexed here, without their times.
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
"""Characters of captions per entry: PostgreSQL indexes at most a megabyte of words at once."""

_INDEX = table("search_index", column("rowid"), column("body"))
_WORD = re.compile(r"[^\W_]+")
_PIECES = re.compile(rf".{{1,{PIECE}}}(?:\s|\Z)|.{{1,{PIECE}}}")
_MARKS = re.compile("[\u0300-\u036f]")


def split_query(text: str) -> list[str]:
    """Return the search words: lower case, without diacritics, at most ``MAX_WORDS``. Lone surrogates are not letters."""
    plain = _MARKS.sub("", unicodedata.normalize("NFD", text.encode(errors="replace").decode()))
    return _WORD.findall(plain.lower())[:MAX_WORDS]


def matches_search(db: Session, text: str, video_id: SQLColumnExpression[str]) -> ColumnElement[bool]:
    """Return a condition that every word of ``text`` occurs in a video; the last one may be a prefix.

    An empty text matches everything, a text without words nothing.
    """
    words = split_query(text)
    if not words:
        return true() if not text.strip() else literal_column("1") == literal_column("0")
    matching = _in_postgresql if is_postgresql(db) else _in_sqlite
    return and_(*(video_id.in_(matching(word, at == len(words) - 1)) for at, word in enumerate(words)))


def index_captions(db: Session, owner: str, video_id: str, cues: Iterable[Cue]) -> None:
    """Index a video's captions. The entry is deleted together with the row ``owner``."""
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
