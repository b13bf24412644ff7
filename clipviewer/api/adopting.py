"""Import what is already in the bucket: a preview, and the request to import."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from clipviewer.api.access import peer_address, pipeline_or, services_of
from clipviewer.api.blocking import run_blocking
from clipviewer.api.database_route import DatabaseRoute, Writing
from clipviewer.api.json_bodies import json_body
from clipviewer.api.schemas import described_body
from clipviewer.api.work_schemas import AdoptIn, AdoptPreview, Work
from clipviewer.domain.permissions import Action
from clipviewer.services.adoption import adopting
from clipviewer.services.people.principal import Pipeline, Principal

router = APIRouter(prefix="/api/library/adopt", tags=["library"], route_class=DatabaseRoute)
Registrar = Annotated[Pipeline | Principal, Depends(pipeline_or(Action.REGISTER))]
Wanted = Annotated[AdoptIn, Depends(json_body(AdoptIn))]
_ANSWERS: dict[int | str, dict[str, Any]] = {
    401: {"description": "No valid API token or session"},
    403: {"description": "Only admins may do this"},
    422: {"description": "The body is invalid, or the prefix is outside the library"},
}
_STORE: dict[int | str, dict[str, Any]] = {
    404: {"description": "An object was deleted while it was being read"},
    502: {"description": "The storage refused the request"},
    503: {"description": "The storage cannot be reached"},
}


@router.post(
    "/preview",
    summary="Preview an import",
    responses={**_ANSWERS, **_STORE, 200: {"model": AdoptPreview}},
    openapi_extra=described_body(AdoptIn),
)
async def post_preview(request: Request, _registrar: Registrar, wanted: Wanted) -> AdoptPreview:
    """Counts what an import of the prefix would do; writes nothing.

    It takes about five seconds at most: for a larger prefix the counts cover the part read by then, and `complete` is false.
    """
    services = services_of(request)
    prefix = adopting.checked_prefix(services.settings.s3_prefix, wanted.prefix)
    return AdoptPreview.of(prefix, await run_blocking(adopting.preview_import, services, prefix))


@router.post(
    "",
    status_code=202,
    summary="Import from the bucket",
    responses={**_ANSWERS, 202: {"model": Work}},
    openapi_extra=described_body(AdoptIn),
)
def post_adopt(request: Request, registrar: Registrar, wanted: Wanted, db: Writing) -> Work:
    """Imports in the background what is new, changed or gone under the prefix. Repeating the request returns the unfinished job."""
    actor = registrar.token_id if isinstance(registrar, Pipeline) else registrar.user_id
    prefix = services_of(request).settings.s3_prefix
    return Work.of(adopting.enqueue_import(db, prefix, wanted.prefix, actor=actor, address=peer_address(request)))
