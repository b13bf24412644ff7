"""One attempt at one job: its inputs, its reports, how it notices a cancellation, and how it ends."""

from __future__ import annotations

import errno
import logging
import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from sqlmodel import Session

from clipviewer.db.models import utc_now
from clipviewer.domain.job_state import Cause
from clipviewer.errors import ClipviewerError, DiskFull, FolderUnusable
from clipviewer.jobs import landmarks
from clipviewer.media.ffmpeg import Ffmpeg, MediaCancelled, MediaError
from clipviewer.services import work
from clipviewer.services.container import Services
from clipviewer.services.disk import is_full_error
from clipviewer.services.job_files import prepare_folder
from clipviewer.services.retrying import cause_of
from clipviewer.services.work import WorkView
from clipviewer.services.workers import Ticket

_LOOK_SECONDS = 0.3
_REPORT_SECONDS = 0.5
_UNUSABLE = (errno.ENOTDIR, errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT)
_LOG = logging.getLogger(__name__)


class Rows(Protocol):
    """The rows of one sort of jobs: ``services.work`` or ``services.exporting.export_runs``."""

    def claim(self, db: Session, ticket: Ticket, now: datetime, worker: str = "") -> bool: ...
    def is_owned(self, db: Session, ticket: Ticket, /) -> bool: ...
    def report(self, db: Session, ticket: Ticket, now: datetime, /, *, progress: float, note: str = "") -> None: ...
    def fail(self, db: Session, ticket: Ticket, now: datetime, reason: str, log: str, cause: Cause, worked: timedelta, /) -> None: ...
    def release(self, db: Session, ticket: Ticket, now: datetime, /) -> None: ...


class Attempt:
    """One attempt. ``stopping`` says that the process is ending: the job is then released. ``worker`` is the process."""

    def __init__(
        self,
        services: Services,
        rows: Rows,
        ticket: Ticket,
        folder: Path,
        ffmpeg: Ffmpeg,
        *,
        worker: str = "",
        stopping: Callable[[], bool] = lambda: False,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.services, self.rows, self.ticket = services, rows, ticket
        self.folder, self.ffmpeg, self.worker = folder, ffmpeg, worker
        self.stopping, self.clock = stopping, clock
        self._share, self._began = 0.0, time.monotonic()
        self._looked = self._reported = float("-inf")
        self._owned = True

    def claim(self) -> bool:
        """Own the job from here on; return False if it is no longer this attempt's turn."""
        landmarks.reached("taken")
        with self.services.database.write() as db:
            claimed = self.rows.claim(db, self.ticket, self.clock(), self.worker)
        if claimed:
            landmarks.reached("claimed")
        return claimed

    def report(self, share: float, note: str = "") -> None:
        """Record the progress, 0 to 1, which never goes back; writes twice a second at most."""
        self._share = max(self._share, min(share, 0.99))
        if time.monotonic() - self._reported > _REPORT_SECONDS:
            self._reported = time.monotonic()
            self.tell(note, round(self._share, 3))

    def tell(self, note: str, progress: float = 0.0) -> None:
        """Record at once what the job does or waits for."""
        with self.services.database.write() as db:
            self.rows.report(db, self.ticket, self.clock(), progress=progress, note=note)

    def cancelled(self) -> bool:
        """Return whether to stop at once; queries the database a few times a second at most."""
        if self.stopping():
            return True
        if time.monotonic() - self._looked > _LOOK_SECONDS:
            self._looked = time.monotonic()
            with self.services.database.read() as db:
                self._owned = self.rows.is_owned(db, self.ticket)
        return not self._owned

    def check(self) -> None:
        """Raise ``MediaCancelled`` if the attempt is to stop."""
        if self.cancelled():
            raise MediaCancelled

    def release(self) -> None:
        """Enqueue the job again, unless it was taken from this attempt."""
        with self.services.database.write() as db:
            self.rows.release(db, self.ticket, self.clock())

    def fail(self, error: Exception) -> None:
        """End the job with what people can do about ``error``, or have it tried again; release it if the process is ending."""
        if self.stopping():
            self.release()
            return
        if (obstacle := self._folder_error(error)) is not None:
            error = FolderUnusable(self.shared_folder.name, obstacle.strerror)
            _LOG.warning("a job waits: %s", error.detail)
        reason, log = _explain(error)
        worked = timedelta(seconds=time.monotonic() - self._began)
        with self.services.database.write() as db:
            self.rows.fail(db, self.ticket, self.clock(), reason, log, cause_of(error), worked)

    @property
    def shared_folder(self) -> Path:
        """The folder of the data directory in which jobs of this sort keep their files."""
        return self.folder

    def _folder_error(self, error: Exception) -> OSError | None:
        """Return what keeps the job from using its folder, if it failed for that. A tool's failure does not say, so the folder is tried."""
        if isinstance(error, OSError):
            inside = error.filename is not None and Path(str(error.filename)).is_relative_to(self.shared_folder)
            return error if inside and error.errno in _UNUSABLE else None
        if isinstance(error, MediaError):
            try:
                prepare_folder(self.shared_folder)
            except OSError as found:
                return None if is_full_error(found) else found
        return None


class LibraryAttempt(Attempt):
    """An attempt at ``item``, a job on the library, with an empty ``folder`` that is removed afterwards."""

    def __init__(self, services: Services, item: WorkView, folder: Path, ffmpeg: Ffmpeg, **options: Any) -> None:
        super().__init__(services, work, item.ticket, folder, ffmpeg, **options)
        self.item = item

    @property
    def shared_folder(self) -> Path:
        return self.folder.parent

    @property
    def is_asked_for(self) -> bool:
        """Return whether a person requested this attempt; False after an import, and for an attempt that was interrupted."""
        return bool(self.item.requested_by) and self.item.attempt == 1

    def run(self, do: Callable[[LibraryAttempt], Mapping[str, Any]]) -> None:
        """Do the whole job, from its beginning."""
        if not self.claim():
            return
        try:
            prepare_folder(self.shared_folder)
            self.folder.mkdir(mode=0o700, exist_ok=True)
            result = do(self)
            landmarks.reached("performed")
        except MediaCancelled:
            self.release()
        except Exception as error:
            self.fail(error)
        else:
            with self.services.database.write() as db:
                work.finish(db, self.ticket, self.clock(), result)
        finally:
            remove_from_disk(self.folder)


def remove_from_disk(path: Path) -> None:
    """Remove a file, or a folder with its contents; no error if there is nothing, or what is there cannot be removed."""
    with suppress(OSError):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _explain(error: Exception) -> tuple[str, str]:
    """Return the reason for people, and the end of the failed tool's output."""
    if isinstance(error, ClipviewerError):
        return error.detail, error.log if isinstance(error, MediaError) else ""
    if is_full_error(error):
        return DiskFull.title, ""
    if isinstance(error, OSError) and error.filename is not None:
        _LOG.error("a job could not use the disk", exc_info=error)
        return f"The server cannot use its disk ({error.strerror}). See the server log.", ""
    _LOG.error("a job failed unexpectedly", exc_info=error)
    return "Something went wrong on the server. See the server log.", ""
