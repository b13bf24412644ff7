"""Signed URLs: of an exported clip, and of the video itself. Players wait for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import ValidationError
from sqlalchemy import Connection

from clipviewer.api.access import inside, is_secure, origin_of, peer_address, principal_of, services_of
from clipviewer.api.problems import validation_problem
from clipviewer.api.schemas import DownloadRequest, DownloadUrl, described_body, moment
from clipviewer.domain.permissions import Action
from clipviewer.errors import ClipNotFound, NotFound
from clipviewer.services import audit
from clipviewer.services.library.videos import video_details
from clipviewer.services.room.clips import clip_for_key, download_name
from clipviewer.services.room.playable import may_play

router = APIRouter(prefix="/api/clips/videos", tags=["videos"])
_CLOSER_LOOKS = CapacityLimiter(8)  # threads of their own, so that a player never waits behind a long registration
_NOBODY: dict[int | str, dict[str, Any]] = {401: {"description": "Nobody is signed in"}}


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
    at_once = await services_of(request).database.lookups.run(lambda db: _play(db, request, video_id, body))
    if at_once is not None:
        return at_once
    answer, saved = await to_thread.run_sync(_hand_out, request, video_id, body, limiter=_CLOSER_LOOKS)
    if saved is not None:
        await to_thread.run_sync(_write_down, request, saved)
    return answer


@router.post(
    "/{video_id}/master",
    summary="Get the signed URL of the video itself",
    responses={
        200: {"model": DownloadUrl},
        **_NOBODY,
        404: {"description": "There is no such video"},
        500: {"description": "Failed to generate URL"},
    },
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


def _play(db: Connection, request: Request, video_id: str, body: bytes) -> Response | None:
    """The URL that plays a clip, where nothing is out of the ordinary; None leaves it to ``_hand_out`` to say what is."""
    services = services_of(request)
    try:
        wanted = DownloadRequest.model_validate_json(body)
    except ValidationError:
        return None
    cookie, secure = request.headers.get("cookie"), is_secure(request)
    if wanted.download or not may_play(db, services.sessions, cookie, video_id, wanted.s3_key, secure=secure):
        return None
    return _signed(request, wanted.s3_key)


def _hand_out(request: Request, video_id: str, body: bytes) -> tuple[Response, _Saved | None]:
    """All of a download in one thread hop and one short transaction."""
    services = services_of(request)
    with services.database.read() as db:
        who = principal_of(db, request, Action.VIEW)
        try:
            wanted = DownloadRequest.model_validate_json(body)
        except ValidationError as error:
            return validation_problem(error.errors(include_input=False, include_url=False, include_context=False)), None
        clip = clip_for_key(db, video_id, wanted.s3_key)
        name = download_name(clip, video_details(db, video_id).title) if wanted.download else None
    answer = _signed(request, clip.s3_key, name)
    return answer, _Saved(who.user_id, clip.s3_key) if name is not None else None


def _signed(request: Request, s3_key: str, name: str | None = None) -> Response:
    """The URL for the key of a clip that this person may see. Raises ``ClipNotFound`` for one outside the prefix."""
    try:
        signed = services_of(request).signer.sign(s3_key, origin=origin_of(request), download_name=name)
    except NotFound:
        raise ClipNotFound from None
    return JSONResponse({"url": signed.url, "expiresAt": moment(signed.expires_at)})


def _write_down(request: Request, saved: _Saved) -> None:
    with services_of(request).database.write() as db:
        audit.record(db, "download", actor=saved.user_id, subject=saved.s3_key, address=peer_address(request))
