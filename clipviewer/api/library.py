"""What people change in the library: titles, tags, what is archived, what is deleted and brought back."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from sqlmodel import Session

from clipviewer.api.access import allow, peer_address
from clipviewer.api.database_route import DatabaseRoute, Writing
from clipviewer.api.json_bodies import json_body
from clipviewer.api.library_schemas import Video, VideoChange
from clipviewer.api.schemas import described_body
from clipviewer.domain.permissions import Action
from clipviewer.domain.removal import RemovalScope
from clipviewer.services.library import changes, removal
from clipviewer.services.library.changes import Actor
from clipviewer.services.library.tags import tags_by_video
from clipviewer.services.library.videos import video_details
from clipviewer.services.people.principal import Principal

router = APIRouter(prefix="/api/clips/videos/{video_id}", tags=["library"], route_class=DatabaseRoute)
Exporter = Annotated[Principal, Depends(allow(Action.EXPORT))]
Owner = Annotated[Principal, Depends(allow(Action.REGISTER))]
_ANSWERS: dict[int | str, dict[str, Any]] = {
    401: {"description": "Nobody is signed in"},
    403: {"description": "The role does not allow this"},
    404: {"description": "There is no such video"},
}


@router.patch(
    "",
    summary="Rename, tag or archive a video",
    responses={
        **_ANSWERS,
        200: {"model": Video},
        409: {"description": "The video is deleted"},
        422: {"description": "The body is not as described"},
    },
    openapi_extra=described_body(VideoChange),
)
def patch_video(
    request: Request, video_id: str, who: Exporter, wanted: Annotated[VideoChange, Depends(json_body(VideoChange))], db: Writing
) -> Video:
    """An archived video is left out of lists, and works as before."""
    by = actor_of(request, who)
    if wanted.title is not None:
        changes.rename(db, video_id, wanted.title, by=by)
    if wanted.tags is not None:
        changes.set_tags(db, video_id, wanted.tags, by=by)
    if wanted.archived is not None:
        changes.archive(db, [video_id], wanted.archived, by=by)
    return _video(db, video_id)


@router.delete("", responses={**_ANSWERS, 409: {"description": "The video is being removed for good"}}, summary="Delete a video")
def delete_video(
    request: Request,
    video_id: str,
    who: Owner,
    objects: Annotated[
        RemovalScope,
        Query(description="`keep` every object, remove the `exports`, or remove `all`: the master, its previews and its exports"),
    ],
    db: Writing,
    now: Annotated[bool, Query(description="Remove it at once, instead of a day later")] = False,
) -> Video:
    """It is left out of lists, and can be brought back until it is removed. What is being made for it is called off."""
    changes.delete(db, [video_id], objects, by=actor_of(request, who))
    if now:
        removal.enqueue_removal(db, video_id, actor=who.user_id)
    return _video(db, video_id)


@router.post("/restore", responses={**_ANSWERS, 409: {"description": "The video is being removed for good"}}, summary="Bring a video back")
def post_restore(request: Request, video_id: str, who: Owner, db: Writing) -> Video:
    """As it was before it was deleted; nothing happens to one that is not."""
    changes.restore(db, [video_id], by=actor_of(request, who))
    return _video(db, video_id)


def _video(db: Session, video_id: str) -> Video:
    return Video.of_details(video_details(db, video_id, deleted=True), tags_by_video(db, [video_id]).get(video_id, ()))


def actor_of(request: Request, who: Principal) -> Actor:
    """Who changes something, and from where, for the audit log."""
    return Actor(who.user_id, peer_address(request))
