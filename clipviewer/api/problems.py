"""API errors as problem details (RFC 9457) with a stable ``code``; input is never echoed."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clipviewer.domain.ids import new_id
from clipviewer.errors import ClipviewerError, DiskFull, TooManyAttempts
from clipviewer.services.disk import is_full_error

MEDIA_TYPE = "application/problem+json"
_LOG = logging.getLogger(__name__)
_LONGEST_NAME = 200


def problem(
    status: int, code: str, title: str, detail: str | None = None, *, headers: Mapping[str, str] | None = None, **more: Any
) -> JSONResponse:
    """Return a problem response. ``type`` is a URN made of the code; ``more`` are extension members."""
    body = {"type": f"urn:clipviewer:problem:{code}", "title": title, "status": status, "detail": detail or title, "code": code, **more}
    return JSONResponse(body, status, headers={"Cache-Control": "no-store", **(headers or {})}, media_type=MEDIA_TYPE)


def problem_of(error: ClipviewerError) -> JSONResponse:
    headers = {"Retry-After": str(error.retry_after)} if isinstance(error, TooManyAttempts) else {}
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return problem(error.status, error.code, error.title, error.detail, headers=headers)


def unexpected(error: Exception, path: str) -> JSONResponse:
    """Return a generic problem with an id; the log has the same id and the traceback. A full disk is told, and is one line of the log."""
    if is_full_error(error):
        _LOG.warning("%s failed: the disk is full (%s)", path, type(error).__name__)
        return problem_of(DiskFull(f"{DiskFull.title}."))
    error_id = new_id("error")
    _LOG.error("%s: %s failed", error_id, path, exc_info=error)
    if isinstance(error, OperationalError):
        return problem(503, "database_unavailable", "The database cannot be reached", "Try again in a moment.", id=error_id)
    return problem(500, "internal_error", "Something went wrong", "The server log has details under this id.", id=error_id)


def install_problems(api: FastAPI) -> None:
    """Translate every exception of ``api``."""
    api.add_exception_handler(ClipviewerError, _expected)
    api.add_exception_handler(RequestValidationError, _invalid)
    api.add_exception_handler(HTTPException, _http)
    api.add_middleware(LastResort)


class LastResort:
    """ASGI middleware: ``Cache-Control: no-store`` on every response, and a problem for unexpected exceptions.

    A client that hangs up in the middle of its body is none: there is nobody to answer.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def send_uncached(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = [pair for pair in message.get("headers", ()) if pair[0].lower() != b"cache-control"]
                message = {**message, "headers": [*headers, (b"cache-control", b"no-store")]}
            await send(message)

        try:
            await self._app(scope, receive, send_uncached)
        except ClientDisconnect:
            return
        except Exception as error:
            response = unexpected(error, f"{scope['method']} {scope['path']}")
            if started:
                raise
            await response(scope, receive, send)


async def _expected(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ClipviewerError)  # noqa: S101  (it is registered for this class)
    if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _LOG.warning("%s %s: %s", request.method, request.url.path, error.code)
    return problem_of(error)


async def _invalid(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    return validation_problem(error.errors())


def validation_problem(errors: Sequence[Any]) -> JSONResponse:
    """Return the locations and rules of pydantic's ``errors``, without the values. The name of an unknown field is shortened."""
    places = [{"location": ".".join(map(str, item["loc"]))[:_LONGEST_NAME], "message": str(item["msg"])} for item in errors[:20]]
    return problem(422, "invalid", "The input is not valid", "Correct the fields listed under errors.", errors=places)


async def _http(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101
    status = HTTPStatus(error.status_code)
    return problem(status, status.name.lower(), status.phrase, headers=error.headers)
