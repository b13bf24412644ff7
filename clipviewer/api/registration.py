"""Registration by pipelines: videos and clips whose objects are already in the bucket. Every request may be repeated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ValidationError
from sqlmodel import Session

from clipviewer.api.access import peer_address, pipeline_or, services_of
from clipviewer.api.blocking import run_blocking
from clipviewer.api.json_bodies import answer, parse_json, refuse_unknown_fields
from clipviewer.api.schemas import (
    ExportedIn,
    ExportedItems,
    ExportedResult,
    ExportedResults,
    IdentifiedIn,
    IdentifiedItems,
    IdentifiedResult,
    IdentifiedResults,
    RegisteredVideo,
    VideoIn,
    described_body,
)
from clipviewer.domain.object_key import MAX_KEY_BYTES, check_object_key
from clipviewer.domain.permissions import Action
from clipviewer.errors import Invalid
from clipviewer.services import audit
from clipviewer.services.bucket.lookup import find_objects
from clipviewer.services.library.registration import register_exported, register_identified, register_video
from clipviewer.services.library.row_writer import Result, Status
from clipviewer.services.library.videos import require_changeable
from clipviewer.services.people.principal import Pipeline, Principal

router = APIRouter(prefix="/api/clips/videos", tags=["registration"])
Registrar = Annotated[Pipeline | Principal, Depends(pipeline_or(Action.REGISTER))]
_Item = TypeVar("_Item", bound=BaseModel)
_ANSWERS: dict[int | str, dict[str, Any]] = {
    401: {"description": "No valid API token or session"},
    403: {"description": "Only admins may do this"},
    404: {"description": "Video not found, or its object is not in the bucket"},
    422: {"description": "The body is invalid"},
    409: {"description": "The key is taken, the video was deleted (`video_deleted`), or another request is registering the same item"},
    502: {"description": "The storage refused the request"},
    503: {"description": "The storage cannot be reached"},
}


@router.post(
    "",
    status_code=201,
    summary="Register a video",
    responses={**_ANSWERS, 201: {"model": RegisteredVideo}, 200: {"model": RegisteredVideo}},
    openapi_extra=described_body(VideoIn),
)
async def post_video(request: Request, registrar: Registrar) -> Response:
    """The video's object, and its poster's, must be in the bucket. The key identifies the video: 201 if it is new, 200 if it was known.

    What is left out stays as it is. A title that a person gave stays: the status is then `kept`. A video that a person deleted stays
    deleted: 409, with the code `video_deleted`.
    """
    return await run_blocking(_register_video, request, await request.body(), registrar)


@router.post(
    "/{video_id}/identified",
    summary="Register identified clips",
    responses={**_ANSWERS, 200: {"model": IdentifiedResults}},
    openapi_extra=described_body(IdentifiedItems),
)
async def post_identified(request: Request, registrar: Registrar, video_id: str) -> Response:
    """Up to 10,000 candidates, each identified by its `reference`. Every item has its own result, in the order of the request.

    What is left out stays as it is. A range or a title that a person changed stays: the status is then `kept`, `detail` says what stays,
    and the rest is updated. A clip that a person removed stays `removed`. One that ends after the video is `invalid`.
    """
    return await run_blocking(_register_identified, request, await request.body(), registrar, video_id)


@router.post(
    "/{video_id}/exported",
    summary="Register exported clips",
    responses={**_ANSWERS, 200: {"model": ExportedResults}},
    openapi_extra=described_body(ExportedItems),
)
async def post_exported(request: Request, registrar: Registrar, video_id: str) -> Response:
    """Up to 10,000 rendered files, each identified by its key; those whose object is in the bucket are added.

    Every item has its own result, in the order of the request. What is left out stays as it is.
    """
    return await run_blocking(_register_exported, request, await request.body(), registrar, video_id)


def _register_video(request: Request, body: bytes, registrar: Pipeline | Principal) -> Response:
    services = services_of(request)
    video = parse_json(VideoIn, body)
    keys = [key for key in (video.s3_key, video.poster_key) if key is not None]
    for key in keys:
        if reason := _refusal(key, services.settings.s3_prefix):
            raise Invalid(f"{reason[0].upper()}{reason[1:]}.")
    objects = find_objects(services.store, keys)
    with services.database.write() as db:
        result = register_video(db, video.to_new(), objects)
        _record(db, request, registrar, result.id, "video", 1)
    status = 201 if result.status is Status.CREATED else 200
    return answer(RegisteredVideo(s3_key=result.name, **_outcome(result)), status)


def _register_identified(request: Request, body: bytes, registrar: Pipeline | Principal, video_id: str) -> Response:
    good, results = _split_valid(parse_json(IdentifiedItems, body).items, IdentifiedIn, "reference")
    with services_of(request).database.write() as db:
        done = register_identified(db, video_id, [item.to_new() for item in good.values()])
        _record(db, request, registrar, video_id, "identified", len(done))
    results.update(zip(good, done, strict=True))
    in_order = [IdentifiedResult(reference=result.name, **_outcome(result)) for _, result in sorted(results.items())]
    return answer(IdentifiedResults(results=in_order))


def _register_exported(request: Request, body: bytes, registrar: Pipeline | Principal, video_id: str) -> Response:
    services = services_of(request)
    good, results = _split_valid(parse_json(ExportedItems, body).items, ExportedIn, "s3Key")
    for index, item in list(good.items()):
        for name, key in (("s3Key", item.s3_key), ("captionsKey", item.captions_key)):
            if key is not None and (reason := _refusal(key, services.settings.s3_prefix)):
                results[index] = Result(item.s3_key, "", Status.INVALID, f"{name}: {reason}.")
                good.pop(index, None)
    with services.database.read() as db:
        require_changeable(db, video_id)
    objects = find_objects(services.store, [key for item in good.values() for key in item.to_new().keys])
    with services.database.write() as db:
        done = register_exported(db, video_id, [item.to_new() for item in good.values()], objects)
        _record(db, request, registrar, video_id, "exported", len(done))
    results.update(zip(good, done, strict=True))
    in_order = [ExportedResult(s3_key=result.name, **_outcome(result)) for _, result in sorted(results.items())]
    return answer(ExportedResults(results=in_order))


def _split_valid(items: Sequence[Any], model: type[_Item], name: str) -> tuple[dict[int, _Item], dict[int, Result]]:
    """Return the valid items, and a result for each of the others, both by index in the request.

    Raises ``RequestValidationError`` for unknown fields: they are the program's mistake, not the item's.
    """
    good: dict[int, _Item] = {}
    bad: dict[int, Result] = {}
    for index, item in enumerate(items):
        try:
            good[index] = model.model_validate(item)
        except ValidationError as error:
            refuse_unknown_fields(error, "items", index)
            called = item.get(name) if isinstance(item, dict) else None
            shown = called.encode(errors="replace").decode()[:MAX_KEY_BYTES] if isinstance(called, str) else ""
            bad[index] = Result(shown, "", Status.INVALID, _reason(error))
    return good, bad


def _reason(error: ValidationError) -> str:
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    place = ".".join(map(str, first["loc"]))
    text = first["msg"].removeprefix("Value error, ")
    return f"{place}: {text}." if place else f"{text}."


def _refusal(key: str, prefix: str) -> str:
    """Return why the key may not be used here; empty if it may."""
    try:
        check_object_key(key, prefix)
    except ValueError as error:
        return str(error)
    return ""


def _outcome(result: Result) -> dict[str, Any]:
    return {"id": result.id, "status": result.status, "detail": result.detail}


def _record(db: Session, request: Request, registrar: Pipeline | Principal, video_id: str, kind: str, count: int) -> None:
    actor = registrar.token_id if isinstance(registrar, Pipeline) else registrar.user_id
    audit.record(db, "register", actor=actor, subject=video_id, address=peer_address(request), kind=kind, count=count)
