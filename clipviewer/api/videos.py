"""Videos and their clips: the routes for reading, used by the pages and everybody else."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic_core import to_json

from clipviewer.api.access import allow, services_of
from clipviewer.api.blocking import run_blocking
from clipviewer.api.database_route import DatabaseRoute, Reading
from clipviewer.api.library_schemas import Video, VideoPage, VideoRow
from clipviewer.api.schemas import (
    ExportedClip,
    IdentifiedClip,
    Ranges,
    exported_json,
    identified_json,
)
from clipviewer.domain.permissions import Action
from clipviewer.domain.tag import MAX_TAG
from clipviewer.errors import NotFound
from clipviewer.services.library.listing import MAX_PAGE, Filter, ListQuery, SortOrder, list_videos
from clipviewer.services.library.tags import tags_by_video
from clipviewer.services.library.video_previews import previews_of
from clipviewer.services.library.videos import require_video, video_details
from clipviewer.services.room.clips import (
    count_exported,
    count_identified,
    delivered_clips,
    identified_clips,
    identified_ranges,
)

router = APIRouter(prefix="/api/clips/videos", tags=["videos"], route_class=DatabaseRoute)
_MAX_OFFSET = 2**31 - 1
_SIGNED_IN = [Depends(allow(Action.VIEW))]
_NOBODY: dict[int | str, dict[str, Any]] = {401: {"description": "Not signed in"}}
_UNKNOWN: dict[int | str, dict[str, Any]] = {**_NOBODY, 404: {"description": "Video not found"}}
_WINDOW_HEADERS = {"X-Total-Count": {"description": "Total number of clips of the video", "schema": {"type": "integer"}}}
Offset = Annotated[int, Query(ge=0, le=_MAX_OFFSET, description="Number of items to skip")]
Limit = Annotated[int | None, Query(ge=1, le=_MAX_OFFSET, description="Maximum number of items; all if left out")]


@router.get(
    "/{video_id}/exported",
    dependencies=_SIGNED_IN,
    summary="List the exported clips of a video",
    responses={**_UNKNOWN, 200: {"model": list[ExportedClip], "headers": _WINDOW_HEADERS}},
)
def get_exported(db: Reading, video_id: str, offset: Offset = 0, limit: Limit = None) -> Response:
    """Exported clips in the order of the footage."""
    require_video(db, video_id)
    total = count_exported(db, video_id)
    clips = delivered_clips(db, video_id, offset=offset, limit=limit)
    return _window([exported_json(clip) for clip in clips], total)


@router.get("", dependencies=_SIGNED_IN, responses=_NOBODY, summary="List the videos")
def get_videos(
    db: Reading,
    q: Annotated[str, Query(max_length=300, description="Words of titles, clips and captions; the last may be a prefix")] = "",
    search: Annotated[str, Query(max_length=300, description="Former name of `q`", deprecated=True)] = "",
    sort: Annotated[SortOrder, Query(description="Sort order")] = SortOrder.NEWEST,
    only: Annotated[Filter, Query(alias="filter", description="Which videos")] = Filter.ALL,
    tag: Annotated[str, Query(max_length=MAX_TAG, description="Only videos with this tag")] = "",
    offset: Offset = 0,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 60,
) -> VideoPage:
    """Use `filter` to see archived or deleted videos."""
    page = list_videos(db, ListQuery(q or search, only, sort, tag), offset=offset, limit=limit)
    return VideoPage(videos=[VideoRow.of(video) for video in page.items], total=page.total, offset=page.offset)


@router.get("/{video_id}", dependencies=_SIGNED_IN, responses=_UNKNOWN, summary="Show a video")
def get_video(db: Reading, video_id: str) -> Video:
    return Video.of_details(video_details(db, video_id), tags_by_video(db, [video_id]).get(video_id, ()))


@router.get(
    "/{video_id}/identified",
    dependencies=_SIGNED_IN,
    summary="List the identified clips of a video",
    responses={**_UNKNOWN, 200: {"model": list[IdentifiedClip], "headers": _WINDOW_HEADERS}},
)
def get_identified(db: Reading, video_id: str, offset: Offset = 0, limit: Limit = None) -> Response:
    """Identified clips in the order of the footage."""
    require_video(db, video_id)
    total = count_identified(db, video_id)
    clips = identified_clips(db, video_id, offset=offset, limit=limit)
    return _window([identified_json(clip) for clip in clips], total)


@router.get(
    "/{video_id}/identified/ranges",
    dependencies=_SIGNED_IN,
    summary="List the ranges of the identified clips of a video",
    responses={**_UNKNOWN, 200: {"model": Ranges}},
)
def get_ranges(db: Reading, video_id: str) -> Response:
    """Start and end of each clip (ms), in the order of the footage: compact enough to draw all of them."""
    require_video(db, video_id)
    return Response(to_json({"rangesMs": identified_ranges(db, video_id)}), media_type="application/json")


@router.get(
    "/{video_id}/timeline",
    dependencies=_SIGNED_IN,
    responses={**_NOBODY, 404: {"description": "Video not found, or it has no previews yet"}},
    summary="Get the timeline of a video",
    response_class=Response,
)
async def get_timeline(request: Request, video_id: str) -> Response:
    """Loudness over the whole video (0 to 100), and when each picture of its filmstrip begins (ms)."""
    services = services_of(request)
    previews = await services.database.run_read(lambda db: previews_of(db, video_id).previews)
    if (key := previews.get("peaksKey")) is None:
        raise NotFound("This video has no previews yet. Try again when they have been made.")
    peaks = await run_blocking(services.store.get, key)
    return Response(peaks, media_type="application/json", headers={"Cache-Control": "private, max-age=3600"})


def _window(clips: list[dict[str, Any]], total: int) -> Response:
    return Response(to_json(clips), media_type="application/json", headers={"X-Total-Count": str(total)})
