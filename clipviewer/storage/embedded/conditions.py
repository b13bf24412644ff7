"""HTTP ranges and preconditions (RFC 9110, sections 13 and 14) as S3 answers them. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

from clipviewer.storage.embedded.errors import S3Failure

_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")

Header = Callable[[str], str | None]


def http_date(moment: datetime) -> str:
    return format_datetime(moment, usegmt=True)


def parse_http_date(text: str) -> datetime | None:
    """Return the date in UTC; ``None`` for an invalid one, which counts as not sent."""
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def parse_range(text: str | None, size: int) -> tuple[int, int] | None:
    """Return ``(first, last)`` of a single range, cut to ``size``; ``None`` to send everything (no range, several, another unit).

    Raises ``S3Failure`` (InvalidRange) if no byte of it exists.
    """
    match = _RANGE.fullmatch(text.strip()) if text is not None else None
    if match is None or match[0] == "bytes=-":
        return None
    if not match[1]:
        first, last = max(size - int(match[2]), 0), size - 1
        satisfiable = size > 0 and int(match[2]) > 0
    else:
        first, last = int(match[1]), int(match[2]) if match[2] else size - 1
        if match[2] and last < first:
            return None
        satisfiable = first < size
    if not satisfiable:
        raise S3Failure("InvalidRange", headers={"content-range": f"bytes */{size}"})
    return first, min(last, size - 1)


def is_unmodified(header: Header, etag: str, modified: datetime, prefix: str = "") -> bool:
    """Return whether the client's version is current (304). ``prefix`` precedes the header names.

    Raises ``S3Failure`` (PreconditionFailed) if If-Match or If-Unmodified-Since does not hold.
    """
    if (wanted := header(f"{prefix}if-match")) is not None:
        if not _names(wanted, etag):
            raise S3Failure("PreconditionFailed")
    elif (since := _date(header, f"{prefix}if-unmodified-since")) is not None and modified > since:
        raise S3Failure("PreconditionFailed")
    if (known := header(f"{prefix}if-none-match")) is not None:
        return _names(known, etag)
    since = _date(header, f"{prefix}if-modified-since")
    return since is not None and modified <= since


def range_applies(if_range: str | None, etag: str, modified: datetime) -> bool:
    """Return whether If-Range allows the range; otherwise everything is sent."""
    if if_range is None:
        return True
    text = if_range.strip()
    if text.startswith('"'):
        return text == f'"{etag}"'
    return parse_http_date(text) == modified


def check_write(header: Header, current_etag: str | None) -> None:
    """Check If-None-Match: ``*`` and If-Match of a write against the current object (``None``: there is none).

    Raises ``S3Failure``: PreconditionFailed, NoSuchKey, NotImplemented.
    """
    if (none_match := header("if-none-match")) is not None:
        if none_match.strip() != "*":
            raise S3Failure("NotImplemented", "A write takes If-None-Match: * only.")
        if current_etag is not None:
            raise S3Failure("PreconditionFailed")
    if (match := header("if-match")) is not None:
        if current_etag is None:
            raise S3Failure("NoSuchKey")
        if not _names(match, current_etag):
            raise S3Failure("PreconditionFailed")


def _names(header: str, etag: str) -> bool:
    listed = [text.strip().removeprefix("W/") for text in header.split(",")]
    return "*" in listed or f'"{etag}"' in listed or etag in listed


def _date(header: Header, name: str) -> datetime | None:
    text = header(name)
    return None if text is None else parse_http_date(text)
