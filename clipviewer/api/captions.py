"""Captions of videos and of exports, as WebVTT."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from clipviewer.api.access import allow, peer_address, pipeline_or, services_of
from clipviewer.api.blocking import run_blocking
from clipviewer.api.caption_schemas import AttachedCaptions, Captions, FoundInMaster, TranslateRequest, VideoCaptions
from clipviewer.api.database_route import DatabaseRoute, Reading, Writing
from clipviewer.api.json_bodies import json_body
from clipviewer.api.schemas import Seconds, described_body
from clipviewer.domain.permissions import Action
from clipviewer.domain.timecode import MAX_MS
from clipviewer.errors import Invalid
from clipviewer.media.captions.reading import MAX_BYTES, parse_captions
from clipviewer.media.captions.tracks import slice_track, to_webvtt
from clipviewer.services import audit
from clipviewer.services.library.row_writer import Status
from clipviewer.services.people.principal import Pipeline, Principal
from clipviewer.services.room.caption_sources import find_captions, translate_captions
from clipviewer.services.room.captions import (
    CaptionsNotFound,
    attach_chosen,
    attach_sent,
    captions_of,
    find_track,
    remove,
    sidecar_of,
    validate_language,
    webvtt,
    write_track,
)
from clipviewer.storage.s3 import ObjectStore

router = APIRouter(prefix="/api/clips/videos/{video_id}", tags=["captions"], route_class=DatabaseRoute)
_SIGNED_IN = [Depends(allow(Action.VIEW))]
Exporter = Annotated[Principal, Depends(allow(Action.EXPORT))]
Captioner = Annotated[Pipeline | Principal, Depends(pipeline_or(Action.EXPORT))]
_MEDIA_TYPE = "text/vtt"
_NOBODY: dict[int | str, dict[str, Any]] = {401: {"description": "Not signed in"}}
_MAY_NOT: dict[int | str, dict[str, Any]] = {**_NOBODY, 403: {"description": "The role may not change captions"}}
_NO_VIDEO: dict[int | str, dict[str, Any]] = {404: {"description": "Video not found"}}
_NO_CAPTIONS: dict[int | str, dict[str, Any]] = {404: {"description": "Video not found, or it has no captions in this language"}}
_STORE: dict[int | str, dict[str, Any]] = {
    502: {"description": "The storage refused the request"},
    503: {"description": "The storage cannot be reached"},
}
_WEBVTT: dict[int | str, dict[str, Any]] = {200: {"description": "A WebVTT file", "content": {_MEDIA_TYPE: {"schema": {"type": "string"}}}}}


@router.get("/captions", dependencies=_SIGNED_IN, responses={**_NOBODY, **_NO_VIDEO}, summary="List the captions of a video")
def get_captions(db: Reading, video_id: str) -> VideoCaptions:
    """One track per language, the spoken one first."""
    return VideoCaptions(captions=[Captions.of(captions) for captions in captions_of(db, video_id)])


@router.put(
    "/captions/{language}",
    summary="Attach captions to a video",
    responses={
        **_MAY_NOT,
        **_NO_VIDEO,
        409: {"description": "The video was deleted, or a person has removed the captions in this language"},
        422: {"description": "Invalid language tag, or the file is not WebVTT or SubRip in UTF-8, or it is larger than 5 MB"},
    },
    openapi_extra={
        "requestBody": {"required": True, "content": {_MEDIA_TYPE: {"schema": {"type": "string"}}}},
    },
)
async def put_captions(
    request: Request,
    video_id: str,
    language: str,
    who: Captioner,
    name: Annotated[str, Query(max_length=300, description="The file's name, for display")] = "",
) -> AttachedCaptions:
    """The body is a WebVTT or SubRip file; `original` is the spoken language. Replaces captions in the same language.

    The same captions again change nothing. An API token does not replace captions that a person chose, nor bring back removed ones.
    """
    data = await _read_body(request.stream(), MAX_BYTES)
    return await run_blocking(_attach, request, video_id, language, data, name, who)


@router.get(
    "/captions/{language}",
    dependencies=_SIGNED_IN,
    summary="Get captions as WebVTT",
    responses={**_NOBODY, **_NO_CAPTIONS, **_WEBVTT, 422: {"description": "The range is empty"}},
    response_class=Response,
)
def get_webvtt(
    db: Reading,
    video_id: str,
    language: str,
    start: Annotated[Seconds | None, Query(description="Start of the part; its times count from here")] = None,
    end: Annotated[Seconds | None, Query(description="End of the part")] = None,
) -> Response:
    """The whole track, or the part from `start` to `end`, with times counted from `start`."""
    first, last = start or 0, MAX_MS if end is None else end
    if first >= last:
        raise Invalid("end must be later than start.")
    text = webvtt(db, video_id, language)
    if start is not None or end is not None:
        whole = find_track(db, video_id, language)
        if whole is None:
            raise CaptionsNotFound
        text = to_webvtt(slice_track(whole, first, last))
    return Response(text, media_type=_MEDIA_TYPE)


@router.delete(
    "/captions/{language}", status_code=204, responses={**_MAY_NOT, **_NO_CAPTIONS}, summary="Remove captions", response_class=Response
)
def delete_captions(request: Request, video_id: str, language: str, who: Exporter, db: Writing) -> Response:
    """Exports that were made with these captions keep them."""
    remove(db, video_id, language)
    audit.record(db, "captions_removed", actor=who.user_id, subject=video_id, address=peer_address(request), language=language)
    return Response(status_code=204)


@router.post(
    "/captions/find",
    summary="Attach captions embedded in a video",
    responses={
        **_MAY_NOT,
        **_STORE,
        404: {"description": "Video not found, or its object is not in the bucket"},
        409: {"description": "Another video is being read"},
        422: {"description": "The video cannot be read"},
    },
)
async def post_find(request: Request, video_id: str, who: Exporter) -> FoundInMaster:
    """Reads the master and attaches its text tracks in languages without captions; a track of unknown language becomes `original`."""
    find = partial(find_captions, services_of(request), video_id, actor=who.user_id, address=peer_address(request))
    return FoundInMaster.of(await run_blocking(find))


@router.post(
    "/captions/{language}/translate",
    summary="Translate captions",
    responses={
        **_MAY_NOT,
        **_NO_CAPTIONS,
        409: {"description": "No translation service, captions in this language exist, or too many translations are running"},
        422: {"description": "The body is invalid, or the target language equals the source"},
        502: {"description": "The translation service failed"},
    },
    openapi_extra=described_body(TranslateRequest),
)
async def post_translate(
    request: Request, video_id: str, language: str, who: Exporter, wanted: Annotated[TranslateRequest, Depends(json_body(TranslateRequest))]
) -> Captions:
    """Translates the captions in `from` with the service of CLIPVIEWER_TRANSLATE_URL. Replaces an earlier translation."""
    services, address = services_of(request), peer_address(request)
    translate = partial(translate_captions, services, video_id, wanted.source, language, actor=who.user_id, address=address)
    return Captions.of(await run_blocking(translate))


@router.get(
    "/exported/{clip_id}/captions",
    dependencies=_SIGNED_IN,
    summary="Get the captions of an exported clip as WebVTT",
    responses={
        **_NOBODY,
        **_STORE,
        **_WEBVTT,
        404: {"description": "Video or clip not found, it has no captions, or they are not in the bucket"},
        422: {"description": "The file registered as its captions cannot be read"},
    },
    response_class=Response,
)
async def get_exported_captions(request: Request, video_id: str, clip_id: str) -> Response:
    """The captions file beside the export; its times count from the start of the clip."""
    services = services_of(request)
    key = await services.database.run_read(lambda db: sidecar_of(db, video_id, clip_id))
    return Response(await run_blocking(_read_webvtt, services.store, key), media_type=_MEDIA_TYPE)


def _read_webvtt(store: ObjectStore, key: str) -> bytes:
    data = store.get_range(key, 0, MAX_BYTES + 1)
    return data if data.startswith(b"WEBVTT") else to_webvtt(parse_captions(data, key)).encode()


async def _read_body(body: AsyncIterator[bytes], size: int) -> bytes:
    """Return the body, or enough of it to report that it is too large."""
    data = bytearray()
    async for part in body:
        data += part
        if len(data) > size:
            break
    return bytes(data[: size + 1])


def _attach(request: Request, video_id: str, language: str, data: bytes, name: str, who: Pipeline | Principal) -> AttachedCaptions:
    validate_language(language)
    track = write_track(parse_captions(data, name), name)
    with services_of(request).database.write() as db:
        if isinstance(who, Pipeline):
            actor = who.token_id
            captions, status = attach_sent(db, video_id, language, track, name, actor=actor)
        else:
            actor = who.user_id
            captions, status = attach_chosen(db, video_id, language, track, name, actor=actor)
        if status in (Status.CREATED, Status.UPDATED):
            audit.record(
                db, "captions_attached", actor=actor, subject=video_id, address=peer_address(request), language=language, cues=captions.cues
            )
    return AttachedCaptions.after(captions, status)
