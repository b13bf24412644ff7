"""One ASGI application in front of everything: route each path to its part, behind all guards."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote, urlsplit

from starlette.datastructures import Headers
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clipviewer.api.app import create_api
from clipviewer.api.guard import guarded, is_under
from clipviewer.frontend import static_dir
from clipviewer.services.bucket.signing import public_address
from clipviewer.services.container import installed
from clipviewer.services.people.sessions import read_cookie
from clipviewer.settings import EMBEDDED_PATH, Settings
from clipviewer.storage.embedded.app import EmbeddedStore
from clipviewer.storage.embedded.credentials import embedded_credentials

_INLINE_SCRIPT = re.compile(r"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", re.DOTALL)
_YEAR = b"public, max-age=31536000, immutable"
_ASK_AGAIN = b"no-cache"
_FOLDERS = ("/videos/", "/settings/", "/help/")
_PAGES = ("/", "/settings", "/help")


def compose(pages: ASGIApp) -> ASGIApp:
    """Wrap Reflex's application with the built pages, the API, the embedded store and the guards, over the installed services."""
    return compose_around(BuiltPages(pages, static_dir()), script_sources=script_hashes(static_dir()))


def compose_around(pages: ASGIApp, *, script_sources: Iterable[str]) -> ASGIApp:
    """Wrap ``pages``, which answer every path that is neither the API's nor the store's.

    ``script_sources`` are the CSP sources that allow the pages' inline scripts, without quotes.
    """
    services = installed()
    settings = services.settings
    store = _embedded_store(settings, services.secret_key) if settings.embedded else None
    app: ASGIApp = Dispatch(SignInFirst(pages), create_api(services), store)
    media_origins = () if settings.embedded else (_bucket_origin(settings),)
    app = guarded(app, settings, services.sessions, media_origins=media_origins, script_hashes=script_sources)
    return app if settings.public_url is None else PublicScheme(app, urlsplit(settings.public_url).scheme)


class Dispatch:
    """Route ``/api`` to the API, ``/s3`` to the embedded store, everything else to Reflex."""

    def __init__(self, pages: ASGIApp, api: ASGIApp, store: ASGIApp | None) -> None:
        self._pages, self._api, self._store = pages, api, store

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope.get("path", "")
        if scope["type"] == "http" and path.startswith("/api/"):
            await self._api(scope, receive, send)
        elif self._store is not None and scope["type"] == "http" and is_under(path, EMBEDDED_PATH):
            await self._store(scope, receive, send)
        else:
            await self._pages(scope, receive, send)


class SignInFirst:
    """Redirect requests without any session cookie to the sign-in page, before a page is loaded for nothing.

    Only a convenience: the guards of handlers and routes decide whether a cookie is valid.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (scope["path"] in _PAGES or scope["path"].startswith(_FOLDERS)):
            cookie = Headers(scope=scope).get("cookie")
            if read_cookie(cookie) is None:
                asked = scope["path"] + (f"?{scope['query_string'].decode('latin-1')}" if scope["query_string"] else "")
                answer = RedirectResponse(f"/sign-in?next={quote(asked, safe='')}", 303, {"Cache-Control": "no-store"})
                await answer(scope, receive, send)
                return
        await self._app(scope, receive, send)


class BuiltPages:
    """Serve a prerendered page at its own path, without a redirect to a trailing slash.

    The bundle's files are immutable, since their names change with their contents. Everything else is revalidated (304 if unchanged):
    scripts of two versions must not meet in one page.
    """

    def __init__(self, app: ASGIApp, folder: Path) -> None:
        self._app = app
        pages = (page.relative_to(folder).as_posix() for page in folder.rglob("*.html") if page.with_suffix("").is_dir())
        self._pages = {f"/{page.removesuffix('.html')}": f"/{page}" for page in pages}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] in self._pages:
            path = self._pages[scope["path"]]
            scope = {**scope, "path": path, "raw_path": path.encode()}
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        lasting = scope["path"].startswith("/assets/")

        async def keep(message: Message) -> None:
            if message["type"] == "http.response.start" and not any(name.lower() == b"cache-control" for name, _ in message["headers"]):
                rule = _YEAR if lasting and message["status"] == 200 else _ASK_AGAIN
                message["headers"] = [*message["headers"], (b"cache-control", rule)]
            await send(message)

        await self._app(scope, receive, keep)


class PublicScheme:
    """Set the scheme from the configured public address: behind a proxy that terminates TLS the connection does not know it."""

    def __init__(self, app: ASGIApp, scheme: str) -> None:
        self._app, self._scheme = app, scheme

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope["scheme"] = self._scheme
        elif scope["type"] == "websocket":
            scope["scheme"] = "wss" if self._scheme == "https" else "ws"
        await self._app(scope, receive, send)


def script_hashes(folder: Path) -> tuple[str, ...]:
    """Return the CSP hashes of the inline scripts in the built pages, so that no other inline script may run."""
    found = {script for page in folder.rglob("*.html") for script in _INLINE_SCRIPT.findall(page.read_text(encoding="utf-8")) if script}
    return tuple(sorted(f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}" for text in found))


def _embedded_store(settings: Settings, secret_key: str) -> EmbeddedStore:
    origins = () if settings.public_url is None else (settings.public_url,)
    return EmbeddedStore(settings.data_dir / "store", embedded_credentials(secret_key), region=settings.s3_region, cors_origins=origins)


def _bucket_origin(settings: Settings) -> str:
    bucket = public_address(settings)(None)
    return f"{bucket.scheme}://{bucket.host}"
