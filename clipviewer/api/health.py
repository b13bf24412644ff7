"""The health checks for load balancers and people. They are public, so they reveal only which part does not work."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from typing import Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel
from sqlalchemy.exc import SQLAlchemyError

from clipviewer.api.access import public, services_of
from clipviewer.api.blocking import run_blocking
from clipviewer.db.models import utc_now
from clipviewer.services.readiness import StorageProbe, has_disk_space, keeps_pages, why_jobs_wait

router = APIRouter(prefix="/api", tags=["health"])
_PATIENCE_SECONDS = 3.0
_LOG = logging.getLogger(__name__)
State = Literal["ok", "unavailable"]


class Live(BaseModel):
    status: Literal["ok"] = "ok"


class Ready(BaseModel):
    status: State
    database: State
    workers: State
    storage: State
    disk: State
    pages: State


@router.get("/health/live", dependencies=[Depends(public())], summary="Whether the process answers")
async def live() -> Live:
    """Always 200. If there is no answer, restart the process."""
    return Live()


@router.get("/health/ready", dependencies=[Depends(public())], summary="Whether everything works", responses={503: {"model": Ready}})
@router.get("/health", dependencies=[Depends(public())], summary="Health", responses={503: {"model": Ready}})
async def ready(request: Request, response: Response) -> Ready:
    """200 if the database, a worker and the storage answer, the disk has space and the state of pages is kept; else 503, part by part."""
    services = services_of(request)
    probe: StorageProbe = request.app.state.storage_probe

    async def waits() -> bool:
        return not await services.database.run_read(lambda db: why_jobs_wait(db, services, utc_now()))

    storage = _in_time(asyncio.to_thread(probe.answers))
    disk, pages = run_blocking(has_disk_space, services), _in_time(asyncio.to_thread(keeps_pages, services))
    try:
        works = await asyncio.wait_for(waits(), _PATIENCE_SECONDS)
        database = True
    except (SQLAlchemyError, TimeoutError) as error:
        _LOG.warning("health: the database does not answer (%s)", type(error).__name__)
        works = database = False
    found = {"database": database, "workers": works, "storage": await storage, "disk": await disk, "pages": await pages}
    if not all(found.values()):
        response.status_code = 503
    states: dict[str, State] = {name: "ok" if fine else "unavailable" for name, fine in found.items()}
    return Ready(status="ok" if all(found.values()) else "unavailable", **states)


async def _in_time(answer: Awaitable[bool]) -> bool:
    try:
        return await asyncio.wait_for(answer, _PATIENCE_SECONDS)
    except TimeoutError:
        return False
