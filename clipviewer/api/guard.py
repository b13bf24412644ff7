"""ASGI: refuses requests that another site makes a browser send, over HTTP and websocket; ``guarded`` applies all the wrappers.

With a public address, only that origin and that host count. Without one the server does not know by which names people reach it, so the
rule is "same origin": an ``Origin`` must be the scheme and host by which the request itself came. Programs send no ``Origin`` and no
cookie, so the rules do not concern them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clipviewer.api.limits import RequestLimits
from clipviewer.api.problems import problem
from clipviewer.api.security_headers import SecurityHeaders
from clipviewer.api.socket_limits import EVENTS, SocketLimits
from clipviewer.services.people.sessions import Sessions
from clipviewer.settings import EMBEDDED_PATH, Settings

POLICY_VIOLATION = 1008
_SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_API, _HEALTH = "/api", "/api/health"
_DEFAULT_PORTS = {"http": 80, "https": 443}
_HTTP_SCHEMES = {"ws": "http", "wss": "https"}


def guarded(
    app: ASGIApp, settings: Settings, sessions: Sessions, *, media_origins: Sequence[str] = (), script_hashes: Iterable[str] = ()
) -> ASGIApp:
    """Wrap ``app`` in every guard, the outermost first: headers on all responses, then the origin, then the limits."""
    limited = RequestLimits(SocketLimits(app, sessions), sessions)
    checked = OriginGuard(limited, settings.public_url)
    return SecurityHeaders(checked, media_origins=media_origins, script_hashes=script_hashes)


class OriginGuard:
    """Answer 403 for a foreign ``Origin`` and 421 for a foreign ``Host``, or refuse the handshake.

    The origin is checked for every websocket, every unsafe method and all of Reflex's event transport. ``Authorization: Bearer`` without
    a cookie passes: no browser adds that by itself. The embedded store under ``/s3`` reads no cookie and handles CORS itself. Elsewhere a
    foreign origin never gets a CORS header.

    With a public address the host is checked for every request, since a foreign site can let its own name point here. Programs, the
    store's clients and whoever asks for the health may use any name.
    """

    def __init__(self, app: ASGIApp, public_url: str | None = None) -> None:
        self._app = app
        self._public_url = public_url
        self._public = _parse_origin(public_url.partition("://")[0] + "://" + urlsplit(public_url).netloc) if public_url else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or is_under(scope["path"], EMBEDDED_PATH):
            await self._app(scope, receive, send)
            return
        origin = host = site = b""
        has_cookie = has_bearer = False
        for name, value in scope["headers"]:
            if name == b"origin":
                origin = value
            elif name == b"host":
                host = value
            elif name == b"sec-fetch-site":
                site = value
            elif name == b"cookie":
                has_cookie = True
            elif name == b"authorization":
                has_bearer = value[:7].lower() == b"bearer "
        scheme = _HTTP_SCHEMES.get(scope["scheme"], scope["scheme"])
        own = self._public or _parse_origin(f"{scheme}://{host.decode('latin-1')}")
        foreign = bool(origin) and (own is None or _parse_origin(origin.decode("latin-1")) != own)
        is_program = has_bearer and not has_cookie
        misdirected = self._public is not None and _parse_origin(f"{self._public[0]}://{host.decode('latin-1')}") != self._public
        if scope["type"] == "websocket":
            if foreign or misdirected:
                await send({"type": "websocket.close", "code": POLICY_VIOLATION, "reason": "foreign origin"})
                return
        elif misdirected and not (is_program and is_under(scope["path"], _API)) and not is_under(scope["path"], _HEALTH):
            detail = f"Open {self._public_url}. A proxy in front must pass the Host header."
            await problem(HTTPStatus.MISDIRECTED_REQUEST, "foreign_host", "This is not clipviewer's address", detail)(scope, receive, send)
            return
        elif foreign or site == b"cross-site":
            matters = scope["method"] not in _SAFE or is_under(scope["path"], EVENTS)
            if matters and not is_program:
                detail = "Behind a proxy that ends TLS, set CLIPVIEWER_PUBLIC_URL to the address that people open."
                await problem(403, "foreign_origin", "This request came from another site", detail)(scope, receive, send)
                return
            send = _without_cors(send) if foreign else send
        await self._app(scope, receive, send)


def is_under(path: str, folder: str) -> bool:
    """Return whether ``path`` is ``folder`` or below it."""
    return path == folder or path.startswith(f"{folder}/")


def _parse_origin(origin: str) -> tuple[str, str, int] | None:
    """Return scheme, host and port of an origin, with the scheme's default port; None for ``null`` and for anything else."""
    try:
        parts = urlsplit(origin)
        port = parts.port or _DEFAULT_PORTS[parts.scheme]
    except (ValueError, KeyError):
        return None
    if not parts.hostname or parts.path not in ("", "/") or parts.query or "@" in parts.netloc:
        return None
    return parts.scheme, parts.hostname, port


def _without_cors(send: Send) -> Send:
    async def send_plain(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = [pair for pair in message.get("headers", ()) if not pair[0].lower().startswith(b"access-control-")]
            message = {**message, "headers": headers}
        await send(message)

    return send_plain
