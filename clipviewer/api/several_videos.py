"""Several videos changed by one request, as the library page does it: all of them, or none.

They are changed in one transaction. If one of them does not exist or cannot be changed, the error names it and nothing has happened.
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
    401: {"description": "Not signed in"},
    403: {"description": "The role may not do this"},
    404: {"description": "One of the videos was not found; none was changed"},
    422: {"description": "The body is invalid"},
}
_REMOVED: dict[int | str, dict[str, Any]] = {409: {"description": "One of the videos is being removed permanently; none was changed"}}


@router.patch(
    "",
    summary="Tag or archive several videos",
    responses={**_ANSWERS, 409: {"description": "One of the videos is deleted; none was changed"}},
    openapi_extra=described_body(VideosChange),
)
def patch_videos(request: Request, who: Exporter, wanted: _Change, db: Writing) -> ChangedVideos:
    """Up to 500 videos, all of them or none. An archived video is left out of lists but works as before."""
    by = actor_of(request, who)
    changed = set(changes.change_tags(db, wanted.ids, add=wanted.add_tags, remove=wanted.remove_tags, by=by).tags)
    if wanted.archived is not None:
        changed |= changes.archive(db, wanted.ids, wanted.archived, by=by).archived.keys()
    return _changed_response(wanted, changed)


@router.post("/delete", summary="Delete several videos", responses={**_ANSWERS, **_REMOVED}, openapi_extra=described_body(VideosDeletion))
def post_delete(request: Request, who: Owner, wanted: _Deletion, db: Writing) -> ChangedVideos:
    """Up to 500 videos, all of them or none.

    They disappear from lists and can be restored until they are removed. Their unfinished jobs are cancelled.
    """
    done = changes.delete(db, wanted.ids, wanted.objects, by=actor_of(request, who))
    for video_id in dict.fromkeys(wanted.ids if wanted.now else ()):
        removal.enqueue_removal(db, video_id, actor=who.user_id)
    return _changed_response(wanted, done.deleted, done.cancelled)


@router.post("/restore", summary="Restore several videos", responses={**_ANSWERS, **_REMOVED}, openapi_extra=described_body(SeveralVideos))
def post_restore(request: Request, who: Owner, wanted: _Several, db: Writing) -> ChangedVideos:
    """Up to 500 videos, all of them or none, restored as they were before they were deleted. Does nothing to those that are not deleted."""
    return _changed_response(wanted, changes.restore(db, wanted.ids, by=actor_of(request, who)))


def _changed_response(wanted: SeveralVideos, changed: Collection[str], cancelled: int = 0) -> ChangedVideos:
    return ChangedVideos(changed=[one for one in dict.fromkeys(wanted.ids) if one in changed], cancelled=cancelled)
