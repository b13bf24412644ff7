"""The team's settings: its preferences, and how the storage looks from a browser."""

from __future__ import annotations

from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Depends, Request, Response
from pydantic import ValidationError

from clipviewer.api.access import allow, origin_of, peer_address, services_of
from clipviewer.api.problems import problem, validation_problem
from clipviewer.api.schemas import described_body
from clipviewer.api.settings_schemas import PreferencesBody, StorageProbe, body_name
from clipviewer.db.models import utc_now
from clipviewer.domain.permissions import Action
from clipviewer.domain.preferences import Unfit, preferences_of
from clipviewer.services.bucket.browser_probe import lay_out, take_back
from clipviewer.services.people.principal import Principal
from clipviewer.services.prefs import preferences, save_preferences

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


@router.get(
    "/preferences",
    dependencies=[Depends(allow(Action.VIEW))],
    summary="Show the team's preferences",
    responses={401: _MAY_NOT[401]},
)
def get_preferences(request: Request) -> PreferencesBody:
    with services_of(request).database.read() as db:
        return PreferencesBody.of(preferences(db))


@router.put(
    "/preferences",
    summary="Change the team's preferences",
    responses={**_MAY_NOT, 200: {"model": PreferencesBody}, 422: {"description": "The body is not as described, or values do not fit"}},
    openapi_extra=described_body(PreferencesBody),
)
async def put_preferences(request: Request, who: Admin) -> Response:
    """All of them at once; they hold for everybody from now on."""
    body = await request.body()
    return await to_thread.run_sync(_change, request, body, who)


@router.post("/storage/probe", status_code=201, summary="Lay out a probe for this browser", responses={**_MAY_NOT, **_STORE})
def post_storage_probe(request: Request, who: Admin) -> StorageProbe:
    """A small object in the bucket to read by range, as a player does; delete it afterwards."""
    return StorageProbe.of(lay_out(services_of(request), who.user_id, origin_of(request)), utc_now())


@router.delete("/storage/probe", status_code=204, summary="Take the probe back", responses={**_MAY_NOT, **_STORE}, response_class=Response)
def delete_storage_probe(request: Request, who: Admin) -> Response:
    take_back(services_of(request), who.user_id)
    return Response(status_code=204)


def _change(request: Request, body: bytes, who: Principal) -> Response:
    try:
        wanted = preferences_of(PreferencesBody.model_validate_json(body).by_field())
    except ValidationError as error:
        return validation_problem(error.errors(include_input=False, include_url=False, include_context=False))
    except Unfit as unfit:
        places = [{"location": body_name(name), "message": text} for name, text in unfit.problems.items()]
        return problem(422, "invalid", "The input is not valid", "Check the fields named in errors.", errors=places)
    with services_of(request).database.write() as db:
        save_preferences(db, wanted, actor=who.user_id, address=peer_address(request))
    return Response(PreferencesBody.of(wanted).model_dump_json(by_alias=True), media_type="application/json")
