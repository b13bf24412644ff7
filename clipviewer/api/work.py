"""Jobs of every kind, exports included: everybody sees them; whoever may request one may cancel and retry it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request

from clipviewer.api.access import allow, peer_address, pipeline_or
from clipviewer.api.database_route import DatabaseRoute, Reading, Writing
from clipviewer.api.work_schemas import Work, WorkList
from clipviewer.domain.permissions import Action
from clipviewer.jobs import control
from clipviewer.services import audit
from clipviewer.services.library import activity
from clipviewer.services.people.principal import Principal

router = APIRouter(prefix="/api/work", tags=["work"], route_class=DatabaseRoute)
_SEEN = [Depends(pipeline_or(Action.VIEW))]
Person = Annotated[Principal, Depends(allow(Action.EXPORT))]
_NOBODY: dict[int | str, dict[str, Any]] = {401: {"description": "No valid API token or session"}}
_UNKNOWN: dict[int | str, dict[str, Any]] = {**_NOBODY, 404: {"description": "Job not found"}}
_CHANGED: dict[int | str, dict[str, Any]] = {
    **_UNKNOWN,
    403: {"description": "The role may not do this"},
    409: {"description": "The job is already finished, or under way"},
}


@router.get("", dependencies=_SEEN, responses=_NOBODY, summary="List the background jobs")
def get_works(db: Reading, limit: Annotated[int, Query(ge=1, le=200)] = 50) -> WorkList:
    """Newest first, exports included. Finished jobs are kept for a while."""
    return WorkList(work=[Work.of(item) for item in activity.recent(db, limit=limit)])


@router.get("/{work_id}", dependencies=_SEEN, responses=_UNKNOWN, summary="Show a background job")
def get_work(db: Reading, work_id: str) -> Work:
    """`result` is filled once the job is done; for `adopt` it has the fields of the preview."""
    return Work.of(activity.job(db, work_id))


@router.delete("/{work_id}", responses=_CHANGED, summary="Cancel a background job")
def delete_work(request: Request, person: Person, work_id: str, db: Writing) -> Work:
    """The job stops within a second or two. What it has done until then stays."""
    ended = control.cancel(db, work_id, person)
    audit.record(db, "work_cancel", actor=person.user_id, subject=work_id, address=peer_address(request), kind=ended.kind)
    return Work.of(ended)


@router.post("/{work_id}/retry", status_code=202, responses=_CHANGED, summary="Retry a background job")
def post_retry(request: Request, person: Person, work_id: str, db: Writing) -> Work:
    """Returns a new job with the same subject, or the one that is already under way. An export keeps its `id`."""
    asked = control.retry(db, work_id, person)
    audit.record(db, "work_retry", actor=person.user_id, subject=work_id, address=peer_address(request), kind=asked.kind)
    return Work.of(asked)
