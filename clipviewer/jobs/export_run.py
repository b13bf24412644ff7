"""One attempt at one export, step by step. Every step may be repeated: what is there already is kept, what is lost is made again."""

from __future__ import annotations

import errno
import logging
import shutil
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from clipviewer.db.models import utc_now
from clipviewer.domain.export_identity import captions_key, export_key, sidecar_key
from clipviewer.errors import ClipviewerError, NotFound, ObjectMissing, PreconditionFailed, StorageError, StorageUnreachable
from clipviewer.jobs import landmarks
from clipviewer.jobs.rendering import captions_beside, render_cell
from clipviewer.media.ffmpeg import Ffmpeg, MediaCancelled, MediaError
from clipviewer.services.container import Services
from clipviewer.services.exporting import export_runs
from clipviewer.services.exporting.export_runs import Order, Ticket
from clipviewer.services.exporting.provenance import provenance

STEPS = ("claim", "check_source", "render", "upload", "publish")
PATIENCE = (1.0, 2.0, 4.0, 8.0, 15.0)
_LOOK_SECONDS = 0.3
_REPORT_SECONDS = 0.5
_VIDEO_TYPE, _CAPTIONS_TYPE = "video/mp4", "text/vtt; charset=utf-8"
_LOG = logging.getLogger(__name__)
_T = TypeVar("_T")


class Superseded(Exception):
    """The attempt does not own its cell any more: it was cancelled, or given to another worker."""


class ExportRun:
    """``stopping`` says that the process goes away: the cell is then queued again. ``patience`` are the pauses, in seconds, between
    tries when the storage cannot be reached.
    """

    def __init__(
        self,
        services: Services,
        ticket: Ticket,
        folder: Path,
        ffmpeg: Ffmpeg,
        *,
        stopping: Callable[[], bool] = lambda: False,
        clock: Callable[[], datetime] = utc_now,
        patience: Sequence[float] = PATIENCE,
    ) -> None:
        self.services = services
        self.ticket = ticket
        self.folder = folder
        self.ffmpeg = ffmpeg
        self.stopping = stopping
        self.clock = clock
        self.patience = patience
        self._looked = 0.0
        self._owned = True

    def perform(self, step: str) -> bool:
        """Do one of ``STEPS``; False when the attempt has ended, in whatever way. Never raises what can be told to people."""
        try:
            self._do(step)
        except (Superseded, MediaCancelled):
            self._end_unfinished()
            return False
        except Exception as error:
            self._end_failed(error)
            return False
        return True

    def _do(self, step: str) -> None:
        if step == "claim":
            self._claim()
        elif step == "check_source":
            self._check_source()
        elif step == "render":
            self._render()
        elif step == "upload":
            self._upload()
        else:
            self._publish()

    @property
    def file(self) -> Path:
        return self.folder / f"{self.ticket.job_id}-{self.ticket.attempt}.mp4"

    def clean_up(self) -> None:
        """Leave nothing on this machine's disk."""
        for path in self.folder.glob(f"{self.ticket.job_id}-{self.ticket.attempt}.*"):
            remove_from_disk(path)

    def _claim(self) -> None:
        with self.services.database.write() as db:
            claimed = export_runs.claim(db, self.ticket, self.clock())
        if not claimed:
            raise Superseded
        landmarks.reached("claimed")

    def _check_source(self) -> None:
        """A cell is known by its source's ETag, so what it is made from has to be exactly that."""
        order = self._order()
        try:
            stored = self._patiently(lambda: self.services.store.head(order.source_key))
        except ObjectMissing as error:
            raise ObjectMissing("The video is not in the bucket any more. Put it back, then press Retry.") from error
        if stored.etag != order.source_etag:
            with self.services.database.write() as db:
                export_runs.source_changed(db, order.cell.video_id, stored)
            raise NotFound("The video was replaced after this export was asked for. Press Retry to make it from the new one.")
        landmarks.reached("source checked")

    def _render(self) -> None:
        order = self._order()
        self._patiently(lambda: self._render_once(order))
        landmarks.reached("rendered")

    def _render_once(self, order: Order) -> None:
        reporter, started = _Reporter(self), time.monotonic()
        try:
            render_cell(self.ffmpeg, self.services, order, self.file, on_progress=reporter.progress, cancelled=self._given_up)
        except PreconditionFailed:
            self._check_source()
            raise
        took_ms = round((time.monotonic() - started) * 1000)
        with self.services.database.write() as db:
            export_runs.rendered(db, self.ticket, took_ms)

    def _upload(self) -> None:
        order = self._order()
        key, captions = self._key(order), captions_beside(self.file)
        if not self.file.exists() or (order.cell.captions and not captions.exists()):
            self._render()
        with self.services.database.write() as db:
            export_runs.announce_upload(db, self.ticket, [key, sidecar_key(key), *([captions_key(key)] if order.cell.captions else ())])
        landmarks.reached("announced")
        if order.cell.captions:
            self._patiently(lambda: self.services.store.put_file(captions_key(key), captions, _CAPTIONS_TYPE))
            landmarks.reached("captions uploaded")
        self._patiently(lambda: self.services.store.put_file(key, self.file, _VIDEO_TYPE))
        landmarks.reached("object uploaded")

    def _publish(self) -> None:
        order = self._order()
        key = self._key(order)
        stored = self._patiently(lambda: self.services.store.head(key))
        with self.services.database.read() as db:
            sidecar = provenance(db, order, stored, self.clock())
        self._patiently(lambda: self.services.store.put(sidecar_key(key), sidecar, "application/json"))
        landmarks.reached("sidecar uploaded")
        with self.services.database.write() as db:
            published = export_runs.publish(db, order, stored, self.clock())
        if published is None:
            raise Superseded
        landmarks.reached("published")

    def _key(self, order: Order) -> str:
        prefix = self.services.settings.s3_prefix
        with self.services.database.read() as db:
            announced = export_runs.announced_film(db, self.ticket)
        return announced or export_key(prefix, order.cell.video_id, order.cell.identity, order.ratio, self.ticket.attempt)

    def _order(self) -> Order:
        with self.services.database.read() as db:
            order = export_runs.order_of(db, self.ticket)
        if order is None or self.stopping():
            raise Superseded
        return order

    def _given_up(self) -> bool:
        """Whether to stop at once; asks the database a few times a second at most."""
        if self.stopping():
            return True
        if time.monotonic() - self._looked > _LOOK_SECONDS:
            self._looked = time.monotonic()
            with self.services.database.read() as db:
                self._owned = export_runs.is_owned(db, self.ticket)
        return not self._owned

    def _patiently(self, ask: Callable[[], _T]) -> _T:
        """What ``ask`` gives; while the storage cannot be reached, waits and asks again. Raises its last error."""
        for pause in self.patience:
            try:
                return ask()
            except StorageUnreachable:
                self._say("The storage cannot be reached. Trying again.")
                until = time.monotonic() + pause
                while time.monotonic() < until:
                    if self._given_up():
                        raise Superseded from None
                    time.sleep(0.1)
        return ask()

    def _say(self, note: str, progress: float = 0.0) -> None:
        with self.services.database.write() as db:
            export_runs.report(db, self.ticket, self.clock(), progress=progress, note=note)

    def _end_unfinished(self) -> None:
        if self.stopping():
            with self.services.database.write() as db:
                export_runs.give_back(db, self.ticket, self.clock())
        self._take_back()

    def _end_failed(self, error: Exception) -> None:
        reason, log = _explained(error)
        if self.stopping():
            self._end_unfinished()
            return
        with self.services.database.write() as db:
            export_runs.fail(db, self.ticket, self.clock(), reason, log)
        self._take_back()

    def _take_back(self) -> None:
        """Remove what this attempt put into the bucket; what cannot be removed now is found by the sweep."""
        with self.services.database.read() as db:
            keys = export_runs.leftovers(db, self.ticket)
        remove_objects(self.services, keys)


class _Reporter:
    """Passes progress on, twice a second at most and never backwards: sound and picture are not always equally far."""

    def __init__(self, run: ExportRun) -> None:
        self._run, self._last, self._share = run, 0.0, 0.0

    def progress(self, share: float) -> None:
        landmarks.reached("rendering")
        self._share = max(self._share, min(share, 0.99))
        if time.monotonic() - self._last > _REPORT_SECONDS:
            self._last = time.monotonic()
            self._run._say("", round(self._share, 3))


def remove_from_disk(path: Path) -> None:
    """A file, or a folder with all that is in it; no error if there is nothing."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def remove_objects(services: Services, keys: Sequence[str]) -> None:
    """Delete announced objects and forget them; those that the storage does not let go now stay announced."""
    for key in keys:
        try:
            services.store.delete(key)
        except StorageError:
            _LOG.info("a leftover of an export stays in the bucket until the next sweep")
            return
        with services.database.write() as db:
            export_runs.strike_out(db, [key])


def _explained(error: Exception) -> tuple[str, str]:
    """The reason for people, and the last lines of what failed."""
    if isinstance(error, MediaError):
        return error.detail, error.log
    if isinstance(error, ClipviewerError):
        return error.detail, ""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "The server's disk is full. Make room, then press Retry.", ""
    _LOG.error("an export failed unexpectedly", exc_info=error)
    return "Something went wrong on the server. Its log tells more.", ""
