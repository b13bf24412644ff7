"""Uploads of videos: begun, signed part by part, completed or cancelled here, while the bytes go straight to the store."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from sqlmodel import Session

from clipviewer.api.access import origin_of, peer_address, pipeline_or, services_of
from clipviewer.api.blocking import run_blocking
from clipviewer.api.database_route import DatabaseRoute, Reading
from clipviewer.api.json_bodies import answer, json_body
from clipviewer.api.schemas import described_body
from clipviewer.api.upload_schemas import ArrivedParts, PartsIn, PartUrl, PartUrls, Upload, UploadIn, Uploads
from clipviewer.domain.permissions import Action
from clipviewer.services import audit
from clipviewer.services.library import uploads
from clipviewer.services.library.uploading import Uploading
from clipviewer.services.library.uploads import UploadView
from clipviewer.services.people.principal import Pipeline, Principal

router = APIRouter(prefix="/api/uploads", tags=["uploads"], route_class=DatabaseRoute)
Sender = Annotated[Pipeline | Principal, Depends(pipeline_or(Action.UPLOAD))]
_WHO: dict[int | str, dict[str, Any]] = {
    401: {"description": "No valid API token or session"},
    403: {"description": "The role may not upload"},
}
_STORE: dict[int | str, dict[str, Any]] = {
    500: {"description": "Failed to generate URL"},
    502: {"description": "The storage refused the request"},
    503: {"description": "The storage cannot be reached"},
}
_ONE: dict[int | str, dict[str, Any]] = {
    **_WHO,
    **_STORE,
    404: {"description": "Upload not found among yours"},
    409: {"description": "The upload is finished, cancelled or being checked, or parts are missing"},
    422: {"description": "The body is invalid, or the file is not a video"},
}


@router.post(
    "",
    status_code=201,
    summary="Begin an upload",
    responses={
        **_WHO,
        **_STORE,
        201: {"model": Upload},
        200: {"model": Upload},
        409: {"description": "There are too many unfinished uploads"},
        422: {"description": "The body is invalid, or the file type is not supported"},
    },
    openapi_extra=described_body(UploadIn),
)
async def post_upload(request: Request, sender: Sender, wanted: Annotated[UploadIn, Depends(json_body(UploadIn))]) -> Response:
    """Cut the file into parts of `partSize` bytes, PUT each to its URL, then complete the upload.

    201 if it is new; 200 if you have an unfinished upload of the same name, size and fingerprint, which you can then continue.
    """
    uploading, write_down = Uploading(services_of(request)), _recorder(request, sender, "upload_begin")
    found, new = await run_blocking(uploading.begin, wanted.file_name, wanted.size, wanted.fingerprint, _id_of(sender), write_down)
    return answer(Upload.of(found), 201 if new else 200)


@router.get("", summary="List your unfinished uploads", responses=_WHO)
def get_uploads(sender: Sender, db: Reading) -> Uploads:
    """Oldest first. An upload that is idle for seven days is removed."""
    return Uploads(uploads=[Upload.of(found) for found in uploads.list_unfinished(db, _id_of(sender))])


@router.get("/{upload_id}/parts", summary="List the parts that have arrived", responses=_ONE)
async def get_parts(request: Request, sender: Sender, upload_id: str) -> ArrivedParts:
    found, parts = await run_blocking(Uploading(services_of(request)).parts, upload_id, _id_of(sender))
    return ArrivedParts.of_parts(found, parts)


@router.post(
    "/{upload_id}/parts", summary="Sign URLs for parts", responses={**_ONE, 200: {"model": PartUrls}}, openapi_extra=described_body(PartsIn)
)
async def post_parts(request: Request, sender: Sender, upload_id: str, wanted: Annotated[PartsIn, Depends(json_body(PartsIn))]) -> Response:
    """Each URL accepts one part of exactly its size, for at most an hour. A part may be sent again."""
    parts = [part.to_wanted() for part in wanted.parts]
    signed = await run_blocking(Uploading(services_of(request)).sign, upload_id, _id_of(sender), parts, origin_of(request))
    return answer(PartUrls(parts=[PartUrl.of(part) for part in signed]))


@router.post("/{upload_id}/complete", summary="Complete an upload", responses=_ONE)
async def post_complete(request: Request, sender: Sender, upload_id: str) -> Upload:
    """Joins the parts and inspects the file. A video is added to the library; anything else is deleted."""
    uploading, write_down = Uploading(services_of(request)), _recorder(request, sender, "upload_complete")
    return Upload.of(await run_blocking(uploading.complete, upload_id, _id_of(sender), write_down))


@router.delete("/{upload_id}", status_code=204, summary="Cancel an upload", responses=_ONE)
async def delete_upload(request: Request, sender: Sender, upload_id: str) -> None:
    """Nothing of it stays in the bucket."""
    uploading, write_down = Uploading(services_of(request)), _recorder(request, sender, "upload_cancel")
    await run_blocking(uploading.cancel, upload_id, _id_of(sender), write_down)


def _id_of(sender: Pipeline | Principal) -> str:
    return sender.token_id if isinstance(sender, Pipeline) else sender.user_id


def _recorder(request: Request, sender: Pipeline | Principal, action: str) -> Callable[[Session, UploadView], None]:
    def write_down(db: Session, found: UploadView) -> None:
        audit.record(
            db, action, actor=_id_of(sender), subject=found.s3_key, address=peer_address(request), file=found.file_name, size=found.size
        )

    return write_down
