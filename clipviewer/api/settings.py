"""The team's settings: its preferences, and how the storage looks from a browser."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from clipviewer.api.access import allow, origin_of, peer_address, services_of
from clipviewer.api.blocking import run_blocking
from clipviewer.api.database_route import DatabaseRoute, Reading
from clipviewer.api.json_bodies import answer, json_body
from clipviewer.api.problems import problem
from clipviewer.api.schemas import described_body
from clipviewer.api.settings_schemas import PreferencesBody, StorageProbe, body_name
from clipviewer.db.models import utc_now
from clipviewer.domain.permissions import Action
from clipviewer.domain.preferences import Unfit, preferences_of
from clipviewer.services.bucket.browser_probe import delete_probe, upload_probe
from clipviewer.services.people.principal import Principal
from clipviewer.services.prefs import load_preferences, save_preferences

router = APIRouter(prefix="/api/settings", tags=["settings"], route_class=DatabaseRoute)
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
def get_preferences(db: Reading) -> PreferencesBody:
    return PreferencesBody.of(load_preferences(db))


@router.put(
    "/preferences",
    summary="Change the team's preferences",
    responses={**_MAY_NOT, 200: {"model": PreferencesBody}, 422: {"description": "The body is not as described, or values do not fit"}},
    openapi_extra=described_body(PreferencesBody),
)
async def put_preferences(request: Request, who: Admin, body: Annotated[PreferencesBody, Depends(json_body(PreferencesBody))]) -> Response:
    """All of them at once; they hold for everybody from now on."""
    try:
        wanted = preferences_of(body.by_field())
    except Unfit as unfit:
        places = [{"location": body_name(name), "message": text} for name, text in unfit.problems.items()]
        return problem(422, "invalid", "The input is not valid", "Correct the fields listed under errors.", errors=places)
    await services_of(request).database.run_write(lambda db: save_preferences(db, wanted, actor=who.user_id, address=peer_address(request)))
    return answer(PreferencesBody.of(wanted))


@router.post("/storage/probe", status_code=201, summary="Lay out a probe for this browser", responses={**_MAY_NOT, **_STORE})
async def post_storage_probe(request: Request, who: Admin) -> StorageProbe:
    """A small object in the bucket to read by range, as a player does; delete it afterwards."""
    probe = await run_blocking(upload_probe, services_of(request), who.user_id, origin_of(request))
    return StorageProbe.of(probe, utc_now())


@router.delete("/storage/probe", status_code=204, summary="Take the probe back", responses={**_MAY_NOT, **_STORE}, response_class=Response)
async def delete_storage_probe(request: Request, who: Admin) -> Response:
    await run_blocking(delete_probe, services_of(request), who.user_id)
    return Response(status_code=204)
