"""Classify the objects of a bucket by key and size, for import."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum

from clipviewer.domain.language import ORIGINAL, parse_language
from clipviewer.domain.master_file import MIB, TYPES
from clipviewer.domain.object_key import check_object_key

MAX_SIDECAR = 64 * 1024
"""Maximum size of a sidecar in bytes; ours have about 2,000."""
_PIECE = 20 * MIB
_CAPTIONS = (".vtt", ".srt")
_SIDECAR = ".json"
_TAG = re.compile(r"([A-Za-z]{2,3})(?:[-_]([A-Za-z]{4}))?(?:[-_]([A-Za-z]{2}|[0-9]{3}))?", re.ASCII)


class ObjectKind(StrEnum):
    """How the library can import an object."""

    VIDEO = "video"
    EXPORT = "export"
    CAPTIONS = "captions"
    SIDECAR = "sidecar"


class Ignored(StrEnum):
    """Why an object is not imported."""

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
    REMOVED = "removed"
    CAPTIONS = "captions"
    UNREADABLE = "unreadable"


IGNORED_WORDS = {
    Ignored.OTHER: "neither video nor captions",
    Ignored.OWN: "made by clipviewer beside videos and exports",
    Ignored.EMPTY: "empty",
    Ignored.NAME: "a name with control characters, backslashes, or empty or dotted folders: rename it",
    Ignored.PIECE: "a segment of a stream: join the segments into one file",
    Ignored.ARRIVING: "still being uploaded or rendered",
    Ignored.DELETED: "its video was deleted: restore it under Recently deleted",
    Ignored.SIDECAR: "an export whose sidecar is damaged or belongs to another file",
    Ignored.NO_SIDECAR: "under exports/ without its sidecar",
    Ignored.NO_FILE: "a sidecar whose export is gone",
    Ignored.NO_VIDEO: "captions without a video of the same name",
    Ignored.LANGUAGE: "captions in a language that the video already has: remove those in the clip room first",
    Ignored.REMOVED: "captions in a language whose captions a person removed: attach them in the clip room",
    Ignored.CAPTIONS: "captions that cannot be read",
    Ignored.UNREADABLE: "the storage did not return it",
}


def classify_object(key: str, size: int, prefix: str) -> ObjectKind | Ignored:
    """Return what the object of ``size`` bytes is, or why it is ignored. ``prefix`` is the library's prefix."""
    if key.startswith((f"{prefix}previews/", notes_folder(prefix))):
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
        return ObjectKind.SIDECAR
    if end in _CAPTIONS:
        return Ignored.OWN if own else ObjectKind.CAPTIONS
    if end not in TYPES:
        return Ignored.OTHER
    if own:
        return ObjectKind.EXPORT
    return Ignored.PIECE if end == ".ts" and size < _PIECE else ObjectKind.VIDEO


def notes_folder(prefix: str) -> str:
    """Return the prefix of the videos' own sidecars. No id of a video is like it."""
    return f"{prefix}videos/_notes/"


def export_of_sidecar(key: str) -> str:
    """Return the key of the file that a sidecar describes: ``a/b.json`` → ``a/b.mp4``."""
    return key.removesuffix(_SIDECAR) + ".mp4"


def stem(key: str) -> str:
    """Return the key without its extension: ``a/b.c.mp4`` → ``a/b.c``."""
    return key[: len(key) - len(_end(key))]


def stems_of_captions(key: str) -> Iterator[tuple[str, str]]:
    """Return the video stems that a caption file may belong to, each with its language, most likely first.

    ``a/talk.de.vtt`` → (``a/talk.de``, ``original``), (``a/talk``, ``de``).
    """
    whole = stem(key)
    yield whole, ORIGINAL
    base, dot, tag = whole.rpartition(".")
    if dot and base and not base.endswith("/") and (language := _language(tag)):
        yield base, language


def _language(tag: str) -> str:
    """Normalize a language tag: ``pt-br`` and ``pt_BR`` → ``pt-BR``; "" if it is not a valid tag."""
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
    """Return the extension with its dot, in lower case; "" for a name without one."""
    name = key.rpartition("/")[2]
    base, dot, end = name.rpartition(".")
    return f".{end.lower()}" if dot and base else ""
