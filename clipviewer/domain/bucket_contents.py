"""What an object in the bucket is to the library, as far as its key and its size tell."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum

from clipviewer.domain.language import ORIGINAL, parse_language
from clipviewer.domain.master_file import MIB, TYPES
from clipviewer.domain.object_key import check_object_key

MAX_SIDECAR = 64 * 1024
"""Bytes; a sidecar of ours has two thousand."""
_PIECE = 20 * MIB
_CAPTIONS = (".vtt", ".srt")
_SIDECAR = ".json"
_TAG = re.compile(r"([A-Za-z]{2,3})(?:[-_]([A-Za-z]{4}))?(?:[-_]([A-Za-z]{2}|[0-9]{3}))?", re.ASCII)


class Sort(StrEnum):
    """What an object may be taken in as."""

    VIDEO = "video"
    EXPORT = "export"
    CAPTIONS = "captions"
    SIDECAR = "sidecar"


class Ignored(StrEnum):
    """Why an object is left where it is."""

    OTHER = "other"
    OWN = "own"
    EMPTY = "empty"
    NAME = "name"
    PIECE = "piece"
    ARRIVING = "arriving"
    DELETED = "deleted"
    SIDECAR = "sidecar"
    NO_SIDECAR = "no_sidecar"
    NO_FILE = "no_file"
    NO_VIDEO = "no_video"
    LANGUAGE = "language"
    CAPTIONS = "captions"
    UNREADABLE = "unreadable"


IGNORED_WORDS = {
    Ignored.OTHER: "neither video nor captions",
    Ignored.OWN: "made here beside videos and exports",
    Ignored.EMPTY: "empty",
    Ignored.NAME: "a name with control characters, backslashes, or empty or dotted folders: rename it",
    Ignored.PIECE: "a piece of a stream: join the pieces into one file",
    Ignored.ARRIVING: "still being uploaded or rendered",
    Ignored.DELETED: "its video was deleted: bring it back under Recently deleted",
    Ignored.SIDECAR: "an export whose sidecar is damaged or belongs to another file",
    Ignored.NO_SIDECAR: "under exports/ without its sidecar",
    Ignored.NO_FILE: "a sidecar whose export is gone",
    Ignored.NO_VIDEO: "captions without a video of their name",
    Ignored.LANGUAGE: "captions in a language that the video has already: remove those in the room first",
    Ignored.CAPTIONS: "captions that cannot be read",
    Ignored.UNREADABLE: "the storage did not hand it out",
}


def recognised(key: str, size: int, prefix: str) -> Sort | Ignored:
    """What the object of ``size`` bytes is, or why not; ``prefix`` is the library's, under which its own folders lie."""
    if key.startswith(f"{prefix}previews/"):
        return Ignored.OWN
    try:
        if size:
            check_object_key(key, prefix)
    except ValueError:
        return Ignored.NAME
    if not size:
        return Ignored.EMPTY
    end, own = _end(key), key.startswith(f"{prefix}exports/")
    if end == _SIDECAR:
        return Sort.SIDECAR
    if end in _CAPTIONS:
        return Ignored.OWN if own else Sort.CAPTIONS
    if end not in TYPES:
        return Ignored.OTHER
    if own:
        return Sort.EXPORT
    return Ignored.PIECE if end == ".ts" and size < _PIECE else Sort.VIDEO


def file_of_sidecar(key: str) -> str:
    """``a/b.json`` → ``a/b.mp4``."""
    return key.removesuffix(_SIDECAR) + ".mp4"


def stem(key: str) -> str:
    """The key without the end of its name: ``a/b.c.mp4`` → ``a/b.c``."""
    return key[: len(key) - len(_end(key))]


def captioned_stems(key: str) -> Iterator[tuple[str, str]]:
    """The stems of the videos that a caption file may belong to, each with the language it then has, the likeliest first.

    ``a/talk.de.vtt`` → (``a/talk.de``, ``original``), (``a/talk``, ``de``).
    """
    whole = stem(key)
    yield whole, ORIGINAL
    base, dot, tag = whole.rpartition(".")
    if dot and base and not base.endswith("/") and (language := _language(tag)):
        yield base, language


def _language(tag: str) -> str:
    """``pt-br`` and ``pt_BR`` → ``pt-BR``; "" for what is no language tag."""
    parts = _TAG.fullmatch(tag)
    if parts is None:
        return ""
    base, script, region = parts.groups()
    joined = "-".join(filter(None, (base.lower(), script and script.title(), region and region.upper())))
    try:
        return parse_language(joined)
    except ValueError:
        return ""


def _end(key: str) -> str:
    """The end of the name with its dot, in lower case; "" for a name without one, or of which it is all."""
    name = key.rpartition("/")[2]
    base, dot, end = name.rpartition(".")
    return f".{end.lower()}" if dot and base else ""
