"""Export jobs: request, follow, cancel and retry them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from sqlmodel import Session

from clipviewer.api.access import Policy, admit, allow, peer_address, services_of
from clipviewer.api.database_route import DatabaseRoute, Reading, Writing
from clipviewer.api.export_schemas import ExportJobDetails, ExportJobs, ExportRequest
from clipviewer.api.json_bodies import json_body
from clipviewer.api.schemas import described_body
from clipviewer.domain.job_state import UNFINISHED
from clipviewer.domain.permissions import Action
from clipviewer.errors import Forbidden, Unauthorized
from clipviewer.services import audit
from clipviewer.services.cells.board import Changes, cell, cells, changes_since, count_cells
from clipviewer.services.exporting.exports import cancel, request_exports, retry
from clipviewer.services.library.videos import require_video
from clipviewer.services.people.principal import Principal

router = APIRouter(prefix="/api/clips", tags=["exports"], route_class=DatabaseRoute)
_SIGNED_IN = [Depends(allow(Action.VIEW))]
Exporter = Annotated[Principal, Depends(allow(Action.EXPORT))]
_MAX_OFFSET = 2**31 - 1
_POLL_SECONDS = 0.5
_READS_PER_SESSION_CHECK = 10
_EVENT = {"type": "object", "properties": {name: {"type": "string"} for name in ("event", "id", "data")}}
_NOBODY: dict[int | str, dict[str, Any]] = {401: {"description": "Not signed in"}}
_MAY_NOT: dict[int | str, dict[str, Any]] = {**_NOBODY, 403: {"description": "The role may not export"}}
_NO_VIDEO: dict[int | str, dict[str, Any]] = {404: {"description": "Video not found"}}
_NO_JOB: dict[int | str, dict[str, Any]] = {404: {"description": "Job not found"}}


@router.post(
    "/videos/{video_id}/export",
    status_code=202,
    summary="Export identified clips",
    responses={
        **_MAY_NOT,
        202: {"model": ExportJobs},
        404: {"description": "Video not found, or it does not have one of the clips"},
        409: {"description": "The video is deleted"},
        422: {"description": "The body is invalid, or the video has no captions in the language"},
    },
    openapi_extra=described_body(ExportRequest),
)
def post_export(
    request: Request, video_id: str, who: Exporter, wanted: Annotated[ExportRequest, Depends(json_body(ExportRequest))], db: Writing
) -> ExportJobs:
    """Returns one job for each clip, aspect ratio and language. A file that exists or is being made is not made twice.

    A failed or cancelled job is queued again. Exports delivered by a pipeline have no job.
    """
    jobs = request_exports(db, video_id, wanted.clip_ids, wanted.choices(), actor=who.user_id)
    audit.record(db, "export", actor=who.user_id, subject=video_id, address=peer_address(request), jobs=len(jobs))
    return ExportJobs.of_cells(jobs)


@router.get(
    "/videos/{video_id}/jobs", dependencies=_SIGNED_IN, responses={**_NOBODY, **_NO_VIDEO}, summary="List the export jobs of a video"
)
def get_jobs(
    db: Reading,
    video_id: str,
    offset: Annotated[int, Query(ge=0, le=_MAX_OFFSET, description="Number of items to skip")] = 0,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1_000,
) -> ExportJobs:
    """In the order in which they were requested."""
    require_video(db, video_id)
    return ExportJobs.of_cells(cells(db, video_id, offset=offset, limit=limit))


@router.get(
    "/videos/{video_id}/jobs/events",
    dependencies=_SIGNED_IN,
    summary="Follow the export jobs of a video",
    responses={
        **_NOBODY,
        **_NO_VIDEO,
        200: {
            "description": "Server-sent events. `jobs`: the jobs that changed; the event's id is the revision to continue from. "
            "`idle`: nothing is queued or running; the stream ends.",
            "content": {"text/event-stream": {"schema": _EVENT}},
        },
    },
    response_class=StreamingResponse,
)
async def get_job_events(
    request: Request,
    video_id: str,
    since: Annotated[int, Query(ge=0, le=_MAX_OFFSET, description="Only changes after this revision")] = 0,
) -> StreamingResponse:
    """Reconnect with `Last-Event-ID` to continue without gaps or repetitions."""
    known = request.headers.get("last-event-id", "")
    revision = int(known) if known.isascii() and known.isdigit() and len(known) < 10 else since
    await services_of(request).database.run_read(lambda db: require_video(db, video_id))
    return StreamingResponse(_events(request, video_id, revision), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


@router.get("/jobs/{job_id}", dependencies=_SIGNED_IN, responses={**_NOBODY, **_NO_JOB}, summary="Show an export job")
def get_job(db: Reading, job_id: str) -> ExportJobDetails:
    return ExportJobDetails.of(cell(db, job_id))


@router.delete(
    "/jobs/{job_id}", responses={**_MAY_NOT, **_NO_JOB, 409: {"description": "The job is already finished"}}, summary="Cancel an export job"
)
def delete_job(request: Request, job_id: str, who: Exporter, db: Writing) -> ExportJobDetails:
    """The rendering stops within a second and leaves nothing in the bucket. Cancelling twice does no harm."""
    job = cancel(db, job_id)
    audit.record(db, "export_cancel", actor=who.user_id, subject=job_id, address=peer_address(request), video=job.video_id)
    return ExportJobDetails.of(job)


@router.post(
    "/jobs/{job_id}/retry",
    status_code=202,
    responses={
        **_MAY_NOT,
        **_NO_JOB,
        409: {"description": "The job is already finished, its video is deleted, or another job makes the same file"},
    },
    summary="Retry an export job",
)
def post_retry(request: Request, job_id: str, who: Exporter, db: Writing) -> ExportJobDetails:
    """Renders from the video as it is now. A queued or running job is left alone."""
    job = retry(db, job_id, actor=who.user_id)
    audit.record(db, "export_retry", actor=who.user_id, subject=job_id, address=peer_address(request), video=job.video_id)
    return ExportJobDetails.of(job)


async def _events(request: Request, video_id: str, revision: int) -> AsyncIterator[str]:
    """Yield the changes as they come, until nothing is queued or running or the person may not see them any more."""
    reads = 0
    while True:
        reads += 1
        try:
            changes, busy = await _read_changes(request, video_id, revision, reads % _READS_PER_SESSION_CHECK == 0)
        except (Unauthorized, Forbidden):
            return
        if changes.cells:
            yield _event("jobs", ExportJobs.of_cells(list(changes.cells)), changes.revision)
        revision = changes.revision
        if not busy:
            yield _event("idle", None, revision)
            return
        if not changes.cells and reads % _READS_PER_SESSION_CHECK == 0:
            yield ": still here\n\n"
        await asyncio.sleep(_POLL_SECONDS)


async def _read_changes(request: Request, video_id: str, revision: int, check_session: bool) -> tuple[Changes, bool]:
    """Return what changed, and whether anything is under way; with ``check_session`` raise if the session has ended meanwhile."""

    def read(db: Session, _visitor: object = None) -> tuple[Changes, bool]:
        busy = count_cells(db, video_id, *UNFINISHED) > 0
        return changes_since(db, video_id, revision), busy

    if check_session:
        return await admit(request, Policy(Action.VIEW), read)
    return await services_of(request).database.run_read(read)


def _event(name: str, data: BaseModel | None, revision: int) -> str:
    body = data.model_dump_json(by_alias=True) if data is not None else "{}"
    return f"event: {name}\nid: {revision}\ndata: {body}\n\n"
