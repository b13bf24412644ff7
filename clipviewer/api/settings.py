"""The team's settings: how the storage looks from a browser."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from clipviewer.api.access import allow, origin_of, services_of
from clipviewer.api.settings_schemas import StorageProbe
from clipviewer.db.models import utc_now
from clipviewer.domain.permissions import Action
from clipviewer.services.browser_probe import lay_out, take_back
from clipviewer.services.principal import Principal

router = APIRouter(prefix="/api/settings", tags=["settings"])
Admin = Annotated[Principal, Depends(allow(Action.CONFIGURE))]
_MAY_NOT: dict[int | str, dict[str, Any]] = {
    401: {"description": "Nobody is signed in"},
    403: {"description": "Only admins change settings"},
}
_STORE: dict[int | str, dict[str, Any]] = {
    500: {"description": "Failed to generate URL"},
    502: {"description": "The storage refused the request"},
    503: {"description": "The storage cannot be reached"},
}


@router.post("/storage/probe", status_code=201, summary="Lay out a probe for this browser", responses={**_MAY_NOT, **_STORE})
def post_storage_probe(request: Request, who: Admin) -> StorageProbe:
    """A small object in the bucket to read by range, as a player does; delete it afterwards."""
    return StorageProbe.of(lay_out(services_of(request), who.user_id, origin_of(request)), utc_now())


@router.delete("/storage/probe", status_code=204, summary="Take the probe back", responses={**_MAY_NOT, **_STORE}, response_class=Response)
def delete_storage_probe(request: Request, who: Admin) -> Response:
    take_back(services_of(request), who.user_id)
    return Response(status_code=204)
