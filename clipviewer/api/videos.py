"""Videos, their clips, and the signed URL of a clip: the routes that the page and every other reader use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import ValidationError

from clipviewer.api.access import allow, inside, origin_of, peer_address, principal_of, services_of
from clipviewer.api.library_schemas import Video, VideoPage, VideoRow
from clipviewer.api.problems import validation_problem
from clipviewer.api.schemas import (
    DownloadRequest,
    DownloadUrl,
    ExportedClip,
    IdentifiedClip,
    Ranges,
    described_body,
    exported_json,
    identified_json,
    moment,
)
from clipviewer.domain.permissions import Action
from clipviewer.domain.tag import MAX_TAG
from clipviewer.errors import ClipNotFound, NotFound
from clipviewer.services import audit
from clipviewer.services.library.listing import MAX_PAGE, Filter, Sort, Wanted, list_videos
from clipviewer.services.library.tags import tags_by_video
from clipviewer.services.library.video_previews import previews_of
from clipviewer.services.library.videos import require_video, video_details
from clipviewer.services.room.clips import (
    clip_for_key,
    count_exported,
    count_identified,
    download_name,
    exported_clips,
    identified_clips,
    identified_ranges,
)

router = APIRouter(prefix="/api/clips/videos", tags=["videos"])
_MAX_OFFSET = 2**31 - 1
# Threads of their own, so that a player never waits behind a long registration. SQLite answers from memory, so more threads than two only
# take turns at the interpreter; PostgreSQL is waited for.
_HAND_OUTS = {"sqlite": CapacityLimiter(2), "postgresql": CapacityLimiter(8)}
_SIGNED_IN = [Depends(allow(Action.VIEW))]
_NOBODY: dict[int | str, dict[str, Any]] = {401: {"description": "Nobody is signed in"}}
_UNKNOWN: dict[int | str, dict[str, Any]] = {**_NOBODY, 404: {"description": "There is no such video"}}
_WINDOW_HEADERS = {"X-Total-Count": {"description": "How many clips the video has altogether", "schema": {"type": "integer"}}}
Offset = Annotated[int, Query(ge=0, le=_MAX_OFFSET, description="How many to leave out from the start")]
Limit = Annotated[int | None, Query(ge=1, le=_MAX_OFFSET, description="At most this many; all when left out")]


@router.get("", dependencies=_SIGNED_IN, responses=_NOBODY, summary="List the videos")
def get_videos(
    request: Request,
    q: Annotated[str, Query(max_length=300, description="Words of titles, clips and captions; the last may be the beginning of one")] = "",
    search: Annotated[str, Query(max_length=300, description="An older name of `q`", deprecated=True)] = "",
    sort: Annotated[Sort, Query(description="The first one of the list")] = Sort.NEWEST,
    only: Annotated[Filter, Query(alias="filter", description="Which videos")] = Filter.ALL,
    tag: Annotated[str, Query(max_length=MAX_TAG, description="Only those with this tag")] = "",
    offset: Offset = 0,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 60,
) -> VideoPage:
    """What is archived or deleted has a filter of its own."""
    with services_of(request).database.read() as db:
        page = list_videos(db, Wanted(q or search, only, sort, tag), offset=offset, limit=limit)
    return VideoPage(videos=[VideoRow.of(video) for video in page.items], total=page.total, offset=page.offset)


@router.get("/{video_id}", dependencies=_SIGNED_IN, responses=_UNKNOWN, summary="Show a video")
def get_video(request: Request, video_id: str) -> Video:
    with services_of(request).database.read() as db:
        return Video.of_details(video_details(db, video_id), tags_by_video(db, [video_id]).get(video_id, ()))


@router.get(
    "/{video_id}/identified",
    dependencies=_SIGNED_IN,
    summary="List the identified clips of a video",
    responses={**_UNKNOWN, 200: {"model": list[IdentifiedClip], "headers": _WINDOW_HEADERS}},
)
def get_identified(request: Request, video_id: str, offset: Offset = 0, limit: Limit = None) -> Response:
    """Candidates in the order of the footage."""
    with services_of(request).database.read() as db:
        require_video(db, video_id)
        total = count_identified(db, video_id)
        clips = identified_clips(db, video_id, offset=offset, limit=limit)
    return JSONResponse([identified_json(clip) for clip in clips], headers={"X-Total-Count": str(total)})


@router.get(
    "/{video_id}/identified/ranges",
    dependencies=_SIGNED_IN,
    summary="Get where the identified clips of a video lie",
    responses={**_UNKNOWN, 200: {"model": Ranges}},
)
def get_ranges(request: Request, video_id: str) -> Response:
    """Begin and end of each (ms), in the order of the footage: little enough to draw all of them."""
    with services_of(request).database.read() as db:
        require_video(db, video_id)
        return JSONResponse({"rangesMs": identified_ranges(db, video_id)})


@router.get(
    "/{video_id}/exported",
    dependencies=_SIGNED_IN,
    summary="List the exported clips of a video",
    responses={**_UNKNOWN, 200: {"model": list[ExportedClip], "headers": _WINDOW_HEADERS}},
)
def get_exported(request: Request, video_id: str, offset: Offset = 0, limit: Limit = None) -> Response:
    """Rendered files in the order of the footage."""
    with services_of(request).database.read() as db:
        require_video(db, video_id)
        total = count_exported(db, video_id)
        clips = exported_clips(db, video_id, offset=offset, limit=limit)
    return JSONResponse([exported_json(clip) for clip in clips], headers={"X-Total-Count": str(total)})


@router.get(
    "/{video_id}/timeline",
    dependencies=_SIGNED_IN,
    responses={**_NOBODY, 404: {"description": "There is no such video, or it has no previews yet"}},
    summary="Get what a timeline draws",
    response_class=Response,
)
def get_timeline(request: Request, video_id: str) -> Response:
    """The loudness over the whole video (0 to 100), and when each picture of its filmstrip begins to show (ms)."""
    services = services_of(request)
    with services.database.read() as db:
        key = previews_of(db, video_id).previews.get("peaksKey")
    if key is None:
        raise NotFound("This video has no previews yet.")
    return Response(services.store.get(key), media_type="application/json", headers={"Cache-Control": "private, max-age=3600"})


@router.post(
    "/{video_id}/download",
    summary="Get the signed URL of an exported clip",
    responses={
        200: {"model": DownloadUrl},
        **_NOBODY,
        404: {"description": "The key is not the one of an exported clip of this video, or there is no such video"},
        422: {"description": "The body is not as described"},
        500: {"description": "Failed to generate URL"},
    },
    openapi_extra=described_body(DownloadRequest),
)
@inside(Action.VIEW)
async def post_download(request: Request, video_id: str) -> Response:
    """A URL that plays this one object, or with `download` saves it, until `expiresAt`: at most an hour from now."""
    body = await request.body()
    limiter = _HAND_OUTS[services_of(request).database.engine.dialect.name]
    answer, saved = await to_thread.run_sync(_hand_out, request, video_id, body, limiter=limiter)
    if saved is not None:
        await to_thread.run_sync(_write_down, request, saved)
    return answer


@router.post(
    "/{video_id}/master",
    summary="Get the signed URL of the video itself",
    responses={200: {"model": DownloadUrl}, **_UNKNOWN, 500: {"description": "Failed to generate URL"}},
)
@inside(Action.VIEW)
async def post_master(request: Request, video_id: str) -> Response:
    """A URL that plays the master, which every identified clip is a range of, until `expiresAt`."""
    return await to_thread.run_sync(_hand_out_master, request, video_id)


def _hand_out_master(request: Request, video_id: str) -> Response:
    services = services_of(request)
    with services.database.read() as db:
        principal_of(db, request, Action.VIEW)
        video = video_details(db, video_id)
    signed = services.signer.sign(video.s3_key, origin=origin_of(request))
    return JSONResponse({"url": signed.url, "expiresAt": moment(signed.expires_at)})


@dataclass(frozen=True, slots=True)
class _Saved:
    """Who took which object home."""

    user_id: str
    s3_key: str


def _hand_out(request: Request, video_id: str, body: bytes) -> tuple[Response, _Saved | None]:
    """All of a download in one thread hop and one short transaction: players wait for it."""
    services = services_of(request)
    with services.database.read() as db:
        who = principal_of(db, request, Action.VIEW)
        try:
            wanted = DownloadRequest.model_validate_json(body)
        except ValidationError as error:
            return validation_problem(error.errors(include_input=False, include_url=False, include_context=False)), None
        clip = clip_for_key(db, video_id, wanted.s3_key)
        name = download_name(clip, video_details(db, video_id).title) if wanted.download else None
    try:
        signed = services.signer.sign(clip.s3_key, origin=origin_of(request), download_name=name)
    except NotFound:
        raise ClipNotFound from None
    answer = JSONResponse({"url": signed.url, "expiresAt": moment(signed.expires_at)})
    return answer, _Saved(who.user_id, clip.s3_key) if name is not None else None


def _write_down(request: Request, saved: _Saved) -> None:
    with services_of(request).database.write() as db:
        audit.record(db, "download", actor=saved.user_id, subject=saved.s3_key, address=peer_address(request))
