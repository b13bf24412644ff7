"""Cancel and retry jobs of any kind, with the permissions that they need."""

from __future__ import annotations

from sqlmodel import Session

from clipviewer.domain.ids import is_id
from clipviewer.jobs.kinds import needed_for
from clipviewer.services import work
from clipviewer.services.exporting import exports
from clipviewer.services.library.activity import Job, job
from clipviewer.services.people.principal import Principal


def cancel(db: Session, job_id: str, who: Principal) -> Job:
    """Cancel a job; its worker notices within a second. Raises ``WorkNotFound``, ``Forbidden``, and ``Conflict`` once it is finished."""
    who.require(needed_for(job(db, job_id).kind))
    if is_id(job_id, "job"):
        exports.cancel(db, job_id)
    else:
        work.cancel(db, job_id)
    return job(db, job_id)


def retry(db: Session, job_id: str, who: Principal) -> Job:
    """Enqueue a failed or cancelled job again, or return the unfinished one. Raises what ``cancel`` does."""
    who.require(needed_for(job(db, job_id).kind))
    again = (exports if is_id(job_id, "job") else work).retry
    return job(db, again(db, job_id, actor=who.user_id).id)
