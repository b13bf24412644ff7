"""Several videos changed by one request, as the library page does it: all of them, or none.

They are changed in one transaction. Where one of them is not there, or may not be changed, the answer names it and nothing has happened.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from clipviewer.api.access import allow, services_of
from clipviewer.api.json_bodies import answer, in_a_thread
from clipviewer.api.library import actor_of
from clipviewer.api.library_schemas import ChangedVideos, SeveralVideos, VideosChange, VideosDeletion
from clipviewer.api.schemas import described_body
from clipviewer.domain.permissions import Action
from clipviewer.services.library import changes, removal
from clipviewer.services.people.principal import Principal

router = APIRouter(prefix="/api/clips/videos", tags=["library"])
Exporter = Annotated[Principal, Depends(allow(Action.EXPORT))]
Owner = Annotated[Principal, Depends(allow(Action.REGISTER))]
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
async def patch_videos(request: Request, who: Exporter) -> Response:
    """Up to 500 videos, all of them or none. An archived video is left out of lists, and works as before."""
    return await in_a_thread(_change, request, who)


@router.post("/delete", summary="Delete several videos", responses={**_ANSWERS, **_REMOVED}, openapi_extra=described_body(VideosDeletion))
async def post_delete(request: Request, who: Owner) -> Response:
    """Up to 500 videos, all of them or none.

    They are left out of lists, and can be brought back until they are removed. What is being made for them is called off.
    """
    return await in_a_thread(_delete, request, who)


@router.post(
    "/restore", summary="Bring several videos back", responses={**_ANSWERS, **_REMOVED}, openapi_extra=described_body(SeveralVideos)
)
async def post_restore(request: Request, who: Owner) -> Response:
    """Up to 500 videos, all of them or none, as they were before they were deleted; nothing happens to those that are not."""
    return await in_a_thread(_restore, request, who)


def _change(request: Request, body: bytes, who: Principal) -> Response:
    wanted, by = VideosChange.model_validate_json(body), actor_of(request, who)
    with services_of(request).database.write() as db:
        changed = set(changes.change_tags(db, wanted.ids, add=wanted.add_tags, remove=wanted.remove_tags, by=by).tags)
        if wanted.archived is not None:
            changed |= changes.archive(db, wanted.ids, wanted.archived, by=by).archived.keys()
    return _answer(wanted, changed)


def _delete(request: Request, body: bytes, who: Principal) -> Response:
    wanted = VideosDeletion.model_validate_json(body)
    with services_of(request).database.write() as db:
        done = changes.delete(db, wanted.ids, wanted.objects, by=actor_of(request, who))
        for video_id in dict.fromkeys(wanted.ids if wanted.now else ()):
            removal.ask(db, video_id, actor=who.user_id)
    return _answer(wanted, done.deleted, done.cancelled)


def _restore(request: Request, body: bytes, who: Principal) -> Response:
    wanted = SeveralVideos.model_validate_json(body)
    with services_of(request).database.write() as db:
        back = changes.restore(db, wanted.ids, by=actor_of(request, who))
    return _answer(wanted, back)


def _answer(wanted: SeveralVideos, changed: Collection[str], cancelled: int = 0) -> Response:
    return answer(ChangedVideos(changed=[one for one in dict.fromkeys(wanted.ids) if one in changed], cancelled=cancelled))
