"""The filmstrip by which the library previews a video."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, Request
from pydantic import Field

from clipviewer.api.access import allow, origin_of, services_of
from clipviewer.api.database_route import DatabaseRoute, Reading
from clipviewer.api.schemas import Json, moment
from clipviewer.domain.permissions import Action
from clipviewer.errors import NotFound
from clipviewer.services.library.video_previews import previews_of

router = APIRouter(prefix="/api/clips/videos/{video_id}", tags=["library"], route_class=DatabaseRoute)
_ANSWERS: dict[int | str, dict[str, Any]] = {
    401: {"description": "Not signed in"},
    404: {"description": "Video not found, or it has no previews yet"},
    500: {"description": "Failed to generate URL"},
}


class Sheet(Json):
    url: str
    columns: int
    rows: int
    count: int = Field(description="Number of pictures on the sheet, row by row")


class Filmstrip(Json):
    sheets: list[Sheet] = Field(description="In order of time")
    width: int = Field(description="Pixels of one picture")
    height: int
    expires_at: str


@router.get("/filmstrip", dependencies=[Depends(allow(Action.VIEW))], responses=_ANSWERS, summary="Get the filmstrip of a video")
def get_filmstrip(request: Request, video_id: str, db: Reading) -> Filmstrip:
    """Small pictures over the whole video, many on one sheet, with signed URLs that work until `expiresAt`."""
    previews = previews_of(db, video_id).previews
    if not previews.get("sheets"):
        raise NotFound("This video has no previews yet. Try again when they have been made.")
    signed = [services_of(request).signer.sign(sheet["key"], origin=origin_of(request)) for sheet in previews["sheets"]]
    sheets = [
        Sheet(url=url.url, columns=sheet["columns"], rows=-(-sheet["count"] // sheet["columns"]), count=sheet["count"])
        for sheet, url in zip(previews["sheets"], signed, strict=True)
    ]
    expires_at = moment(min(url.expires_at for url in signed))
    return Filmstrip(sheets=sheets, width=previews["picture"]["width"], height=previews["picture"]["height"], expires_at=expires_at)
