"""Identified clips one at a time: mark by hand, change, remove."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from sqlmodel import Session

from clipviewer.api.access import peer_address, pipeline_or
from clipviewer.api.database_route import DatabaseRoute, Writing
from clipviewer.api.json_bodies import json_body
from clipviewer.api.marking_schemas import ClipChange, ClipMark
from clipviewer.api.schemas import IdentifiedClip, described_body, identified_json
from clipviewer.domain.permissions import Action
from clipviewer.services.people.principal import Pipeline, Principal
from clipviewer.services.room import marking
from clipviewer.services.room.clips import identified_clip

router = APIRouter(prefix="/api/clips/videos/{video_id}/identified", tags=["marking"], route_class=DatabaseRoute)
Marker = Annotated[Pipeline | Principal, Depends(pipeline_or(Action.EXPORT))]
_MAY_NOT: dict[int | str, dict[str, Any]] = {
    401: {"description": "No valid API token or session"},
    403: {"description": "The role may not change clips"},
}
_NO_VIDEO: dict[int | str, dict[str, Any]] = {404: {"description": "Video not found"}}
_NO_CLIP: dict[int | str, dict[str, Any]] = {404: {"description": "Video not found, or it does not have this clip"}}
_DECIDED: dict[int | str, dict[str, Any]] = {409: {"description": "A person has changed this, and an API token may not"}}
_NO_RANGE: dict[int | str, dict[str, Any]] = {422: {"description": "The body is invalid, or the range is not within the video"}}


@router.post(
    "/marked",
    status_code=201,
    summary="Mark a clip",
    responses={**_MAY_NOT, **_NO_VIDEO, **_NO_RANGE, 201: {"model": IdentifiedClip}, 409: {"description": "The video is deleted"}},
    openapi_extra=described_body(ClipMark),
)
def post_marked(
    request: Request, video_id: str, who: Marker, new: Annotated[ClipMark, Depends(json_body(ClipMark))], db: Writing
) -> Response:
    """Marks a clip by hand. Its range is aligned to whole frames and limited to the video."""
    clip_id = marking.mark_clip(db, video_id, new.start, new.end, new.title, **_origin(request, who))
    return _clip_response(db, video_id, clip_id, 201)


@router.patch(
    "/{clip_id}",
    summary="Change an identified clip",
    responses={**_MAY_NOT, **_NO_CLIP, **_NO_RANGE, **_DECIDED, 200: {"model": IdentifiedClip}},
    openapi_extra=described_body(ClipChange),
)
def patch_identified(
    request: Request, video_id: str, clip_id: str, who: Marker, new: Annotated[ClipChange, Depends(json_body(ClipChange))], db: Writing
) -> Response:
    """Changes the range or the title. The clip then counts as decided: a new search for clips leaves it alone.

    What a person changes is never set back by a registration, and an API token cannot change it again: `changed_by_person`.
    """
    marking.change_clip(db, video_id, clip_id, new.start, new.end, new.title, **_origin(request, who))
    return _clip_response(db, video_id, clip_id, 200)


@router.delete(
    "/{clip_id}",
    status_code=204,
    summary="Remove an identified clip",
    responses={**_MAY_NOT, **_NO_CLIP, **_DECIDED},
    response_class=Response,
)
def delete_identified(request: Request, video_id: str, clip_id: str, who: Marker, db: Writing) -> Response:
    """Its exports stay. What a person removes is not brought back by a registration; an API token cannot remove what a person changed."""
    marking.remove_clip(db, video_id, clip_id, **_origin(request, who))
    return Response(status_code=204)


def _clip_response(db: Session, video_id: str, clip_id: str, status: int) -> Response:
    return JSONResponse(identified_json(identified_clip(db, video_id, clip_id)), status)


def _origin(request: Request, who: Pipeline | Principal) -> dict[str, Any]:
    """Return who makes a change, and from where."""
    actor = who.token_id if isinstance(who, Pipeline) else who.user_id
    return {"by_program": isinstance(who, Pipeline), "actor": actor, "address": peer_address(request)}
