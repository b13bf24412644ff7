"""Identified clips one at a time: marked by hand, changed, removed."""

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
    401: {"description": "No valid API token, and nobody is signed in"},
    403: {"description": "The role does not allow to change clips"},
}
_NO_VIDEO: dict[int | str, dict[str, Any]] = {404: {"description": "There is no such video"}}
_NO_CLIP: dict[int | str, dict[str, Any]] = {404: {"description": "There is no such video, or it does not have this clip"}}
_NO_RANGE: dict[int | str, dict[str, Any]] = {422: {"description": "The body is not as described, or the range is none of this video"}}


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
    """A candidate as somebody marks it in the player: held to whole frames and to the end of the video."""
    clip_id = marking.mark_clip(db, video_id, new.start, new.end, new.title, actor=_actor(who), address=peer_address(request))
    return _shown(db, video_id, clip_id, 201)


@router.patch(
    "/{clip_id}",
    summary="Change an identified clip",
    responses={**_MAY_NOT, **_NO_CLIP, **_NO_RANGE, 200: {"model": IdentifiedClip}},
    openapi_extra=described_body(ClipChange),
)
def patch_identified(
    request: Request, video_id: str, clip_id: str, who: Marker, new: Annotated[ClipChange, Depends(json_body(ClipChange))], db: Writing
) -> Response:
    """Another range, another title. From then on it counts as decided: finding clips again leaves it as it is."""
    marking.change_clip(db, video_id, clip_id, new.start, new.end, new.title, actor=_actor(who), address=peer_address(request))
    return _shown(db, video_id, clip_id, 200)


@router.delete(
    "/{clip_id}", status_code=204, summary="Remove an identified clip", responses={**_MAY_NOT, **_NO_CLIP}, response_class=Response
)
def delete_identified(request: Request, video_id: str, clip_id: str, who: Marker, db: Writing) -> Response:
    """Files that were exported from it stay."""
    marking.remove_clip(db, video_id, clip_id, actor=_actor(who), address=peer_address(request))
    return Response(status_code=204)


def _shown(db: Session, video_id: str, clip_id: str, status: int) -> Response:
    return JSONResponse(identified_json(identified_clip(db, video_id, clip_id)), status)


def _actor(who: Pipeline | Principal) -> str:
    return who.token_id if isinstance(who, Pipeline) else who.user_id
