"""CORS of the embedded store: which other origins may call it from a browser. The app's own origin needs no rule."""

from __future__ import annotations

import re
from collections.abc import Sequence

from clipviewer.storage.embedded.bucket import CORS_EXPOSED, CORS_MAX_AGE, CORS_METHODS
from clipviewer.storage.embedded.errors import S3Failure
from clipviewer.storage.embedded.messages import Answer, Request

_HEADER_NAMES = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~, -]{0,4000}")


def cors_headers(request: Request, origins: Sequence[str]) -> dict[str, str]:
    """Return the headers to add to a response; empty unless the origin is configured."""
    if not origins:
        return {}
    origin = request.header("origin")
    headers = {"vary": "Origin"}
    if origin is not None and origin in origins:
        headers |= {"access-control-allow-origin": origin, "access-control-expose-headers": ", ".join(CORS_EXPOSED)}
    return headers


def preflight(request: Request, origins: Sequence[str]) -> Answer:
    """Answer an OPTIONS request. Raises ``S3Failure`` (AccessForbidden) if no rule allows it."""
    wanted = request.header("access-control-request-headers") or ""
    allowed = request.header("origin") in origins and request.header("access-control-request-method") in CORS_METHODS
    if not allowed or not _HEADER_NAMES.fullmatch(wanted):
        raise S3Failure("AccessForbidden")
    headers = {"access-control-allow-methods": ", ".join(CORS_METHODS), "access-control-max-age": str(CORS_MAX_AGE)}
    if wanted:
        headers["access-control-allow-headers"] = wanted
    return Answer(200, headers)
