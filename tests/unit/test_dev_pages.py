"""Routing in development: Reflex serves its own endpoints, Vite all others, and Vite receives no cookie and no token."""

from __future__ import annotations

import asyncio

import httpx
from starlette.responses import PlainTextResponse

from clipviewer.dev_pages import VitePages


def answers(path: str, headers: dict[str, str]) -> tuple[httpx.Response, list[bytes]]:
    """Return the response to a request, and the request that a server in Vite's place received."""
    sent: list[bytes] = []

    async def in_vites_place(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sent.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nX-From: vite\r\nConnection: close\r\n\r\nvite")
        await writer.drain()
        writer.close()

    async def ask() -> httpx.Response:
        server = await asyncio.start_server(in_vites_place, "127.0.0.1", 0)
        app = VitePages(PlainTextResponse("reflex"), server.sockets[0].getsockname()[1])
        async with server, httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://app") as client:
            return await client.get(path, headers=headers)

    return asyncio.run(ask()), sent


def test_a_page_comes_from_vite_without_the_cookie_and_the_token() -> None:
    response, sent = answers("/app/root.jsx?t=1", {"Cookie": "session=secret", "Authorization": "Bearer secret", "Accept": "text/css"})
    assert (response.text, response.headers["x-from"]) == ("vite", "vite")
    assert "connection" not in response.headers
    (request,) = sent
    assert request.startswith(b"GET /app/root.jsx?t=1 HTTP/1.1\r\n")
    assert b"text/css" in request
    assert b"secret" not in request


def test_reflex_answers_at_its_own_endpoints() -> None:
    response, sent = answers("/_event/?token=1", {})
    assert (response.text, sent) == ("reflex", [])
