"""ASGI middleware for security headers: content security policy, sniffing, referrers, features, HSTS."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_FEATURES = ("camera", "microphone", "geolocation", "payment", "usb", "serial", "hid", "midi", "display-capture")


def content_security_policy(media_origins: Sequence[str] = (), script_hashes: Iterable[str] = (), *, allow_eval: bool = True) -> str:
    """Return the policy. ``media_origins`` serve objects to the browser; ``script_hashes`` such as ``sha256-…`` allow inline scripts.

    ``allow_eval`` is on because Reflex's client uses ``eval`` for scripts that events send.
    """
    media = " ".join(["'self'", "blob:", "data:", *media_origins])
    scripts = ["'self'", *(f"'{value}'" for value in script_hashes), *(["'unsafe-eval'"] if allow_eval else [])]
    directives = {
        "default-src": "'self'",
        "script-src": " ".join(scripts),
        "style-src": "'self' 'unsafe-inline'",
        "font-src": "'self' data:",
        "img-src": media,
        "media-src": media,
        "connect-src": media,
        "worker-src": "'self' blob:",
        "object-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in directives.items())


class SecurityHeaders:
    """Add the headers that the inner application has not set itself.

    The referrer policy is ``same-origin``: nothing leaks to other sites, and unlike with ``no-referrer`` our own forms still send an
    ``Origin`` that can be checked (Fetch, "append a request Origin header").
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        media_origins: Sequence[str] = (),
        script_hashes: Iterable[str] = (),
        allow_eval: bool = True,
    ) -> None:
        self._app = app
        headers = {
            "content-security-policy": content_security_policy(media_origins, script_hashes, allow_eval=allow_eval),
            "x-content-type-options": "nosniff",
            "referrer-policy": "same-origin",
            "permissions-policy": ", ".join(f"{feature}=()" for feature in _FEATURES),
        }
        self._plain = [(name.encode(), value.encode()) for name, value in headers.items()]
        # Browsers complain of an opener policy over plain HTTP, where they ignore it.
        https = {"strict-transport-security": "max-age=31536000", "cross-origin-opener-policy": "same-origin"}
        self._https = [*self._plain, *((name.encode(), value.encode()) for name, value in https.items())]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        wanted = self._https if scope.get("scheme") in ("https", "wss") else self._plain

        async def send_with_headers(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                headers = list(message.get("headers", ()))
                present = {name.lower() for name, _ in headers}
                headers += [pair for pair in wanted if pair[0] not in present]
                message = {**message, "headers": headers}
            await send(message)

        await self._app(scope, receive, send_with_headers)
