"""Plain HTTP to the store, as a browser sends it: one request, one response, no redirects, no retries."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3

from clipviewer.errors import StorageUnreachable

_TIMEOUT = urllib3.Timeout(connect=5, read=15)
_MOST_BYTES = 1_000_000
_ELEMENT = re.compile(rb"<(Code|Region)>([A-Za-z0-9.-]{1,100})</\1>")


@dataclass(frozen=True, slots=True)
class PlainResponse:
    """A response. ``headers`` have lower-case names; ``body`` holds at most one megabyte."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def said(self, name: str) -> str:
        """Return the text of ``Code`` or ``Region`` in an S3 error; "" if there is none."""
        if self.status < 300:
            return ""
        return next((text.decode() for tag, text in _ELEMENT.findall(self.body) if tag == name.encode()), "")


@dataclass(frozen=True, slots=True)
class PlainRequest:
    """A request. Its ``url`` grants access, so it is not part of ``repr``."""

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None


Http = Callable[[PlainRequest], PlainResponse]


def send(ask: PlainRequest, *, direct: bool = False) -> PlainResponse:
    """Send the request, through the machine's proxy unless ``direct``. Raises ``StorageUnreachable`` if there is no response."""
    parts = urlsplit(ask.url)
    proxy = None if direct else getproxies().get(parts.scheme)
    through = proxy if proxy and not proxy_bypass(parts.hostname or "") else None
    pool = urllib3.ProxyManager(through, timeout=_TIMEOUT) if through else urllib3.PoolManager(timeout=_TIMEOUT)
    try:
        with pool:
            answer = pool.request(
                ask.method, ask.url, headers=dict(ask.headers), body=ask.body, retries=False, redirect=False, preload_content=False
            )
            body = answer.read(_MOST_BYTES, decode_content=False)
            answer.drain_conn() if len(body) < _MOST_BYTES else answer.close()
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise StorageUnreachable from error
    return PlainResponse(answer.status, {name.lower(): value for name, value in answer.headers.items()}, body)
