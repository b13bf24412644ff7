"""Adopting what lies in the bucket already: a look beforehand, and the asking for it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from clipviewer.api.access import peer_address, pipeline_or, services_of
from clipviewer.api.json_bodies import answer, in_a_thread
from clipviewer.api.schemas import described_body
from clipviewer.api.work_schemas import AdoptIn, AdoptPreview, Work
from clipviewer.domain.permissions import Action
from clipviewer.services.adoption import adopting
from clipviewer.services.people.principal import Pipeline, Principal

router = APIRouter(prefix="/api/library/adopt", tags=["library"])
Registrar = Annotated[Pipeline | Principal, Depends(pipeline_or(Action.REGISTER))]
_ANSWERS: dict[int | str, dict[str, Any]] = {
    401: {"description": "No valid API token, and nobody is signed in"},
    403: {"description": "Signed in, but not as an admin"},
    422: {"description": "The body is not as described, or this is no prefix of the library"},
}
_STORE: dict[int | str, dict[str, Any]] = {
    404: {"description": "An object went away while it was looked at"},
    502: {"description": "The storage refused the request"},
    503: {"description": "The storage cannot be reached"},
}


@router.post(
    "/preview",
    summary="See what adopting a prefix would do",
    responses={**_ANSWERS, **_STORE, 200: {"model": AdoptPreview}},
    openapi_extra=described_body(AdoptIn),
)
async def post_preview(request: Request, _registrar: Registrar) -> Response:
    """Nothing is written. It takes some five seconds at most; of a larger prefix the counts are then those of the part that was seen."""
    return await in_a_thread(_preview, request)


@router.post(
    "",
    status_code=202,
    summary="Adopt a prefix",
    responses={**_ANSWERS, 202: {"model": Work}},
    openapi_extra=described_body(AdoptIn),
)
async def post_adopt(request: Request, registrar: Registrar) -> Response:
    """Takes in, in the background, what is new, changed or gone under the prefix; asked again meanwhile, it gives the same work."""
    return await in_a_thread(_adopt, request, registrar)


def _preview(request: Request, body: bytes) -> Response:
    services = services_of(request)
    prefix = adopting.checked_prefix(services.settings.s3_prefix, AdoptIn.model_validate_json(body).prefix)
    found = AdoptPreview.of(prefix, adopting.preview(services, prefix))
    return answer(found)


def _adopt(request: Request, body: bytes, registrar: Pipeline | Principal) -> Response:
    services, wanted = services_of(request), AdoptIn.model_validate_json(body)
    actor = registrar.token_id if isinstance(registrar, Pipeline) else registrar.user_id
    with services.database.write() as db:
        asked = adopting.ask(db, services.settings.s3_prefix, wanted.prefix, actor=actor, address=peer_address(request))
    return answer(Work.of(asked), 202)
