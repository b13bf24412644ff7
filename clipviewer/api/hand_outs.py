"""Signed URLs of exported clips and of the video itself. Latency matters: players wait for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response
from pydantic import ValidationError
from sqlalchemy import Connection
from sqlmodel import Session

from clipviewer.api.access import Policy, Visitor, admit, allow, inside, is_secure, origin_of, peer_address, services_of
from clipviewer.api.database_route import DatabaseRoute, Reading
from clipviewer.api.json_bodies import parse_json
from clipviewer.api.schemas import DownloadRequest, DownloadUrl, described_body, moment
from clipviewer.domain.permissions import Action
from clipviewer.errors import ClipNotFound, NotFound
from clipviewer.services import audit
from clipviewer.services.library.videos import master_key, video_details
from clipviewer.services.people.principal import Principal
from clipviewer.services.room.clips import clip_for_key, download_name
from clipviewer.services.room.playable import may_play

router = APIRouter(prefix="/api/clips/videos", tags=["videos"], route_class=DatabaseRoute)
_NOBODY: dict[int | str, dict[str, Any]] = {401: {"description": "Not signed in"}}


@router.post(
    "/{video_id}/download",
    dependencies=[Depends(inside(Action.VIEW))],
    summary="Get the signed URL of an exported clip",
    responses={
        200: {"model": DownloadUrl},
        **_NOBODY,
        404: {"description": "Video not found, or the key is not that of one of its exported clips"},
        422: {"description": "The body is invalid"},
        500: {"description": "Failed to generate URL"},
    },
    openapi_extra=described_body(DownloadRequest),
)
async def post_download(request: Request, video_id: str) -> Response:
    """A URL that plays this object, or with `download` saves it, until `expiresAt`: at most an hour from now."""
    body = await request.body()
    database = services_of(request).database
    at_once = await database.lookups.run(lambda db: _sign_to_play(db, request, video_id, body))
    if at_once is not None:
        return at_once
    answer, saved = await admit(request, Policy(Action.VIEW), lambda db, visitor: _hand_out(db, request, visitor, video_id, body))
    if saved is not None:
        await database.run_write(
            lambda db: audit.record(db, "download", actor=saved.user_id, subject=saved.s3_key, address=peer_address(request))
        )
    return answer


@router.post(
    "/{video_id}/master",
    dependencies=[Depends(allow(Action.VIEW))],
    summary="Get the signed URL of a master",
    responses={
        200: {"model": DownloadUrl},
        **_NOBODY,
        404: {"description": "Video not found"},
        500: {"description": "Failed to generate URL"},
    },
)
def post_master(request: Request, video_id: str, db: Reading) -> Response:
    """A URL that plays the master, of which every identified clip is a range, until `expiresAt`."""
    signed = services_of(request).signer.sign(master_key(db, video_id), origin=origin_of(request))
    return JSONResponse({"url": signed.url, "expiresAt": moment(signed.expires_at)})


@dataclass(frozen=True, slots=True)
class _Download:
    """A download to record: the user and the object key."""

    user_id: str
    s3_key: str


def _sign_to_play(db: Connection, request: Request, video_id: str, body: bytes) -> Response | None:
    """Return the URL that plays a clip if one statement can authorize it; None leaves it to ``_hand_out`` to say what is wrong."""
    try:
        wanted = DownloadRequest.model_validate_json(body)
    except ValidationError:
        return None
    cookie, sessions = request.headers.get("cookie"), services_of(request).sessions
    if wanted.download or not may_play(db, sessions, cookie, video_id, wanted.s3_key, secure=is_secure(request)):
        return None
    return _signed_response(request, wanted.s3_key)


def _hand_out(db: Session, request: Request, visitor: Visitor, video_id: str, body: bytes) -> tuple[Response, _Download | None]:
    """Return the URL that plays or saves a clip, and the download to record, if any."""
    assert isinstance(visitor, Principal)  # noqa: S101  (its policy lets nobody else in)
    wanted = parse_json(DownloadRequest, body)
    clip = clip_for_key(db, video_id, wanted.s3_key)
    if not wanted.download:
        return _signed_response(request, clip.s3_key), None
    name = download_name(clip, video_details(db, video_id).title)
    return _signed_response(request, clip.s3_key, name), _Download(visitor.user_id, clip.s3_key)


def _signed_response(request: Request, s3_key: str, name: str | None = None) -> Response:
    """Return the URL for the key of a clip that this person may see. Raises ``ClipNotFound`` for one outside the prefix."""
    try:
        signed = services_of(request).signer.sign(s3_key, origin=origin_of(request), download_name=name)
    except NotFound:
        raise ClipNotFound from None
    return JSONResponse({"url": signed.url, "expiresAt": moment(signed.expires_at)})
