"""ASGI: pages from Vite's development server in place of the built ones, behind the same guards and on the same address."""

from __future__ import annotations

import asyncio
import contextlib

import httpx
from reflex_base.constants import Endpoint
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.typing import Subprotocol

from clipviewer import serving
from clipviewer.api.guard import is_under

_START_SECONDS = 60.0
_PRIVATE = frozenset({"cookie", "authorization", "origin", "host", "connection"})
_HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding"})
_SCRIPTS = ("unsafe-inline",)
"""Vite adds an inline script to every page, with different content at each start."""


def compose(pages: ASGIApp, *, vite_port: int) -> ASGIApp:
    """Return the whole application around Reflex's, whose pages come from the development server at ``vite_port``."""
    return serving.compose_around(VitePages(pages, vite_port), script_sources=_SCRIPTS)


class VitePages:
    """Send Reflex's own endpoints to ``app`` and all else to the development server, without cookies or tokens."""

    def __init__(self, app: ASGIApp, port: int) -> None:
        self._app, self._authority = app, f"127.0.0.1:{port}"
        self._endpoints = tuple(str(endpoint) for endpoint in Endpoint)
        self._client = httpx.AsyncClient(base_url=f"http://{self._authority}", timeout=_START_SECONDS, trust_env=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or any(is_under(scope["path"], endpoint) for endpoint in self._endpoints):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._relay(WebSocket(scope, receive, send))
        else:
            response = await self._fetch(Request(scope, receive))
            await response(scope, receive, send)

    async def _fetch(self, request: Request) -> Response:
        headers = [pair for pair in request.headers.items() if pair[0] not in _PRIVATE]
        target = httpx.URL(path=request.url.path, query=request.url.query.encode())
        asked = self._client.build_request(request.method, target, headers=headers)
        deadline = asyncio.get_running_loop().time() + _START_SECONDS
        while True:
            try:
                answer = await self._client.send(asked, stream=True)
                break
            except httpx.ConnectError:
                if asyncio.get_running_loop().time() > deadline:
                    return PlainTextResponse("The development server of the pages does not answer.", 502)
                await asyncio.sleep(0.1)
        response = StreamingResponse(answer.aiter_raw(), answer.status_code, background=BackgroundTask(answer.aclose))
        kept = ((name.lower(), value) for name, value in answer.headers.raw)
        response.raw_headers = [(name, value) for name, value in kept if name.decode("latin-1") not in _HOP_BY_HOP]
        return response

    async def _relay(self, browser: WebSocket) -> None:
        """Relay messages both ways until one side closes. Vite's client then polls until it is answered, and reloads the page."""
        protocols = [Subprotocol(name) for name in browser.scope["subprotocols"]]
        target = f"ws://{self._authority}{browser.url.path}?{browser.url.query}"
        try:
            async with connect(target, subprotocols=protocols or None, proxy=None) as vite:
                await browser.accept(vite.subprotocol)
                tasks = {asyncio.create_task(_from_browser(browser, vite)), asyncio.create_task(_to_browser(browser, vite))}
                _, unfinished = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in unfinished:
                    task.cancel()
        except (OSError, InvalidHandshake):
            pass
        with contextlib.suppress(RuntimeError, WebSocketDisconnect):  # the browser may have closed it already
            await browser.close()


async def _from_browser(browser: WebSocket, vite: ClientConnection) -> None:
    with contextlib.suppress(WebSocketDisconnect, ConnectionClosed):
        while True:
            await vite.send(await browser.receive_text())


async def _to_browser(browser: WebSocket, vite: ClientConnection) -> None:
    with contextlib.suppress(ConnectionClosed, RuntimeError):
        async for message in vite:
            await browser.send_text(message if isinstance(message, str) else message.decode())
