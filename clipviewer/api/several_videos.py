"""Several videos changed by one request, as the library page does it: all of them, or none.

They are changed in one transaction. Where one of them is not there, or may not be changed, the answer names it and nothing has happened.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from clipviewer.api.access import allow
from clipviewer.api.database_route import DatabaseRoute, Writing
from clipviewer.api.json_bodies import json_body
from clipviewer.api.library import actor_of
from clipviewer.api.library_schemas import ChangedVideos, SeveralVideos, VideosChange, VideosDeletion
from clipviewer.api.schemas import described_body
from clipviewer.domain.permissions import Action
from clipviewer.services.library import changes, removal
from clipviewer.services.people.principal import Principal

router = APIRouter(prefix="/api/clips/videos", tags=["library"], route_class=DatabaseRoute)
Exporter = Annotated[Principal, Depends(allow(Action.EXPORT))]
Owner = Annotated[Principal, Depends(allow(Action.REGISTER))]
_Change = Annotated[VideosChange, Depends(json_body(VideosChange))]
_Deletion = Annotated[VideosDeletion, Depends(json_body(VideosDeletion))]
_Several = Annotated[SeveralVideos, Depends(json_body(SeveralVideos))]
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"model": ChangedVideos},
    401: {"description": "Nobody is signed in"},
    403: {"description": "The role does not allow this"},
    404: {"description": "One of the videos is not there; none was changed"},
    422: {"description": "The body is not as described"},
}
_REMOVED: dict[int | str, dict[str, Any]] = {409: {"description": "One of the videos is being removed for good; none was changed"}}


@router.patch(
    "",
    summary="Tag or archive several videos",
    responses={**_ANSWERS, 409: {"description": "One of the videos is deleted; none was changed"}},
    openapi_extra=described_body(VideosChange),
)
def patch_videos(request: Request, who: Exporter, wanted: _Change, db: Writing) -> ChangedVideos:
    """Up to 500 videos, all of them or none. An archived video is left out of lists, and works as before."""
    by = actor_of(request, who)
    changed = set(changes.change_tags(db, wanted.ids, add=wanted.add_tags, remove=wanted.remove_tags, by=by).tags)
    if wanted.archived is not None:
        changed |= changes.archive(db, wanted.ids, wanted.archived, by=by).archived.keys()
    return _changed(wanted, changed)


@router.post("/delete", summary="Delete several videos", responses={**_ANSWERS, **_REMOVED}, openapi_extra=described_body(VideosDeletion))
def post_delete(request: Request, who: Owner, wanted: _Deletion, db: Writing) -> ChangedVideos:
    """Up to 500 videos, all of them or none.

    They are left out of lists, and can be brought back until they are removed. What is being made for them is called off.
    """
    done = changes.delete(db, wanted.ids, wanted.objects, by=actor_of(request, who))
    for video_id in dict.fromkeys(wanted.ids if wanted.now else ()):
        removal.enqueue_removal(db, video_id, actor=who.user_id)
    return _changed(wanted, done.deleted, done.cancelled)


@router.post(
    "/restore", summary="Bring several videos back", responses={**_ANSWERS, **_REMOVED}, openapi_extra=described_body(SeveralVideos)
)
def post_restore(request: Request, who: Owner, wanted: _Several, db: Writing) -> ChangedVideos:
    """Up to 500 videos, all of them or none, as they were before they were deleted; nothing happens to those that are not."""
    return _changed(wanted, changes.restore(db, wanted.ids, by=actor_of(request, who)))


def _changed(wanted: SeveralVideos, changed: Collection[str], cancelled: int = 0) -> ChangedVideos:
    return ChangedVideos(changed=[one for one in dict.fromkeys(wanted.ids) if one in changed], cancelled=cancelled)
