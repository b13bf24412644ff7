"""The health check for load balancers and people. It is public, so it reveals only whether the service works."""

from __future__ import annotations

import logging
from typing import Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from clipviewer.api.access import public, services_of

router = APIRouter(prefix="/api", tags=["health"])
_LOG = logging.getLogger(__name__)


class Health(BaseModel):
    status: Literal["ok", "unavailable"]
    database: Literal["ok", "unavailable"]


@router.get("/health", dependencies=[Depends(public())], summary="Health", responses={503: {"model": Health}})
async def health(request: Request, response: Response) -> Health:
    """200 if the database answers, else 503."""
    try:
        await services_of(request).database.run_read(lambda db: db.execute(text("SELECT 1")).all())
    except SQLAlchemyError as error:
        _LOG.warning("health: the database does not answer (%s)", type(error).__name__)
        response.status_code = 503
        return Health(status="unavailable", database="unavailable")
    return Health(status="ok", database="ok")
