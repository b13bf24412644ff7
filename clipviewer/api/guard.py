"""ASGI: refuses requests that another site makes a browser send, over HTTP and websocket; ``guarded`` applies all the wrappers.

The server does not know by which host names people reach it, so the rule is "same origin": an ``Origin`` must name the host that the
request itself names, or a configured one. Programs send no ``Origin`` and no cookie, so the rule does not concern them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
_DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}


def guarded(
    app: ASGIApp, settings: Settings, sessions: Sessions, *, media_origins: Sequence[str] = (), script_hashes: Iterable[str] = ()
) -> ASGIApp:
    """Wrap ``app`` in every guard, the outermost first: headers on all responses, then the origin, then the limits."""
    public = [settings.public_url] if settings.public_url else []
    limited = RequestLimits(SocketLimits(app, sessions), sessions)
    checked = OriginGuard(limited, extra_origins=public)
    return SecurityHeaders(checked, media_origins=media_origins, script_hashes=script_hashes)


class OriginGuard:
    """Answer 403 (or refuse the handshake) for a foreign ``Origin``.

    Checked are every websocket, every unsafe method and all of Reflex's event transport. ``Authorization: Bearer`` without a cookie
    passes: no browser adds that by itself. The embedded store under ``/s3`` reads no cookie and handles CORS itself. Elsewhere a foreign
    origin never gets a CORS header.
    """

    def __init__(self, app: ASGIApp, *, extra_origins: Sequence[str] = ()) -> None:
        self._app = app
        self._extra = frozenset(filter(None, map(_host_of_origin, extra_origins)))

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
        foreign = bool(origin) and not self._is_ours(origin.decode("latin-1"), host.decode("latin-1"))
        if scope["type"] == "websocket":
            if foreign:
                await send({"type": "websocket.close", "code": POLICY_VIOLATION, "reason": "foreign origin"})
                return
        elif foreign or site == b"cross-site":
            matters = scope["method"] not in _SAFE or is_under(scope["path"], EVENTS)
            if matters and not (has_bearer and not has_cookie):
                await problem(403, "foreign_origin", "This request came from another site")(scope, receive, send)
                return
            send = _without_cors(send) if foreign else send
        await self._app(scope, receive, send)

    def _is_ours(self, origin: str, host: str) -> bool:
        named = _host_of_origin(origin)
        return named is not None and (named in self._extra or named == _host_of_origin(f"{origin.partition(':')[0]}://{host}"))


def is_under(path: str, folder: str) -> bool:
    """Return whether ``path`` is ``folder`` or below it."""
    return path == folder or path.startswith(f"{folder}/")


def _host_of_origin(origin: str) -> tuple[str, int] | None:
    """Return host and port of an origin, with the scheme's default port; None for ``null`` and for anything else."""
    try:
        parts = urlsplit(origin)
        port = parts.port or _DEFAULT_PORTS[parts.scheme]
    except (ValueError, KeyError):
        return None
    if not parts.hostname or parts.path not in ("", "/") or parts.query or "@" in parts.netloc:
        return None
    return parts.hostname, port


def _without_cors(send: Send) -> Send:
    async def send_plain(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = [pair for pair in message.get("headers", ()) if not pair[0].lower().startswith(b"access-control-")]
            message = {**message, "headers": headers}
        await send(message)

    return send_plain
