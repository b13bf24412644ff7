"""Validate the path to open after signing in, which must be a page of this app."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

HOME = "/"
_MAX_LENGTH = 2048


def safe_next(value: str | None) -> str:
    r"""Return ``value`` if it is a local path, else ``/``.

    Browsers drop tabs and line breaks, read ``\` as ``/``, and servers behind this one may decode once more: whatever would be another host
    in any of those readings is refused. So is the sign-in page, which would loop.
    """
    if not value or len(value) > _MAX_LENGTH or not _is_local(value):
        return HOME
    decoded = value
    for _ in range(5):
        previous, decoded = decoded, unquote(decoded, errors="strict") if _is_utf8(decoded) else "//"
        if not _is_local(decoded):
            return HOME
        if decoded == previous:
            return HOME if decoded.split("?")[0].rstrip("/") == "/sign-in" else value
    return HOME


def _is_local(path: str) -> bool:
    if not path.startswith("/") or path.startswith("//") or "\\" in path or not path.isprintable():
        return False
    try:
        parts = urlsplit(path)
    except ValueError:
        return False
    return not parts.scheme and not parts.netloc


def _is_utf8(path: str) -> bool:
    try:
        unquote(path, errors="strict")
    except UnicodeDecodeError:
        return False
    return True
