"""The HTTP API as one application, mounted on the same port as the pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import Depends, FastAPI
from fastapi.responses import HTMLResponse, JSONResponse

from clipviewer.api import (
    adopting,
    auth,
    captions,
    exports,
    filmstrip,
    hand_outs,
    health,
    library,
    marking,
    registration,
    settings,
    several_videos,
    uploads,
    videos,
    work,
)
from clipviewer.api.access import allow
from clipviewer.api.blocking import run_blocking
from clipviewer.api.docs import render_docs
from clipviewer.api.problems import install_problems
from clipviewer.api.security_schemes import describe_security
from clipviewer.domain.permissions import Action
from clipviewer.services.readiness import StorageProbe

if TYPE_CHECKING:
    from clipviewer.services.container import Services

_DESCRIPTION = """The API of the clip review room, for its pages and for pipelines that make clips.

People sign in and get a session cookie; pipelines send `Authorization: Bearer cv_…`. Fields are in camelCase, times of footage are
decimal seconds in strings, moments are UTC. Errors are problem details (RFC 9457) with a stable `code`."""


class _Api(FastAPI):
    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            describe_security(super().openapi(), self.routes)
        return super().openapi()


def create_api(services: Services) -> FastAPI:
    """Return the API with every route under ``/api``. Nothing of it runs before the first request."""
    api = _Api(title="clipviewer", description=_DESCRIPTION, version="1", openapi_url=None, docs_url=None, redoc_url=None)
    api.state.services = services
    api.state.storage_probe = StorageProbe(services)
    install_problems(api)
    api.include_router(hand_outs.router)  # routes are matched in this order: latency-critical ones first
    api.include_router(videos.router)
    api.include_router(health.router)
    api.include_router(auth.router)
    api.include_router(library.router)
    api.include_router(several_videos.router)
    api.include_router(filmstrip.router)
    api.include_router(registration.router)
    api.include_router(marking.router)
    api.include_router(uploads.router)
    api.include_router(exports.router)
    api.include_router(captions.router)
    api.include_router(settings.router)
    api.include_router(adopting.router)
    api.include_router(work.router)
    _add_docs(api)
    return api


def _add_docs(api: FastAPI) -> None:
    """Add the description of the API for people and programs, for signed-in callers."""
    signed_in = [Depends(allow(Action.VIEW))]

    @api.get("/api/openapi.json", dependencies=signed_in, include_in_schema=False)
    async def openapi_json() -> JSONResponse:
        return JSONResponse(await run_blocking(api.openapi))

    @api.get("/api/docs", dependencies=signed_in, include_in_schema=False)
    async def docs() -> HTMLResponse:
        return HTMLResponse(await run_blocking(lambda: render_docs(api.openapi())))
