"""Changes to videos in the library: title, tags, archive, delete, restore."""

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
    401: {"description": "Not signed in"},
    403: {"description": "The role may not do this"},
    404: {"description": "Video not found"},
}


@router.patch(
    "",
    summary="Rename, tag or archive a video",
    responses={
        **_ANSWERS,
        200: {"model": Video},
        409: {"description": "The video is deleted"},
        422: {"description": "The body is invalid"},
    },
    openapi_extra=described_body(VideoChange),
)
def patch_video(
    request: Request, video_id: str, who: Exporter, wanted: Annotated[VideoChange, Depends(json_body(VideoChange))], db: Writing
) -> Video:
    """Changes the fields that are sent. An archived video is left out of lists but works as before."""
    by = actor_of(request, who)
    if wanted.title is not None:
        changes.rename(db, video_id, wanted.title, by=by)
    if wanted.tags is not None:
        changes.set_tags(db, video_id, wanted.tags, by=by)
    if wanted.archived is not None:
        changes.archive(db, [video_id], wanted.archived, by=by)
    return _video(db, video_id)


@router.delete("", responses={**_ANSWERS, 409: {"description": "The video is being removed permanently"}}, summary="Delete a video")
def delete_video(
    request: Request,
    video_id: str,
    who: Owner,
    objects: Annotated[
        RemovalScope,
        Query(description="`keep` every object, remove the `exports`, or remove `all`: the master, its previews and its exports"),
    ],
    db: Writing,
    now: Annotated[bool, Query(description="Remove it at once instead of after a day")] = False,
) -> Video:
    """The video disappears from lists and can be restored until it is removed. Its unfinished jobs are cancelled."""
    changes.delete(db, [video_id], objects, by=actor_of(request, who))
    if now:
        removal.enqueue_removal(db, video_id, actor=who.user_id)
    return _video(db, video_id)


@router.post("/restore", responses={**_ANSWERS, 409: {"description": "The video is being removed permanently"}}, summary="Restore a video")
def post_restore(request: Request, video_id: str, who: Owner, db: Writing) -> Video:
    """Restores the video as it was before it was deleted. Does nothing to one that is not deleted."""
    changes.restore(db, [video_id], by=actor_of(request, who))
    return _video(db, video_id)


def _video(db: Session, video_id: str) -> Video:
    return Video.of_details(video_details(db, video_id, deleted=True), tags_by_video(db, [video_id]).get(video_id, ()))


def actor_of(request: Request, who: Principal) -> Actor:
    """Return who makes a change, and from where, for the audit log."""
    return Actor(who.user_id, peer_address(request))
