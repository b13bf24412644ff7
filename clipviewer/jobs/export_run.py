"""One attempt at one export, step by step. Every step may be repeated: existing results are kept, lost ones are made again."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from dbos import DBOS

from clipviewer.domain.export_identity import captions_key, export_key, sidecar_key
from clipviewer.errors import NotFound, ObjectMissing, PreconditionFailed, StorageError, StorageUnreachable
from clipviewer.jobs import landmarks
from clipviewer.jobs.rendering import captions_beside, render_cell
from clipviewer.jobs.running import Attempt, remove_from_disk
from clipviewer.media.ffmpeg import Ffmpeg, MediaCancelled
from clipviewer.services.container import Services
from clipviewer.services.exporting import export_runs
from clipviewer.services.exporting.export_runs import Order
from clipviewer.services.exporting.provenance import provenance
from clipviewer.services.workers import Ticket

STEPS = ("claim", "check_source", "render", "upload", "publish")
PATIENCE = (1.0, 2.0, 4.0, 8.0, 15.0)
_VIDEO_TYPE, _CAPTIONS_TYPE = "video/mp4", "text/vtt; charset=utf-8"
_LOG = logging.getLogger(__name__)
_T = TypeVar("_T")


class Superseded(Exception):
    """The attempt no longer owns its cell: it was cancelled, or given to another worker."""


class ExportRun(Attempt):
    """One attempt at one export. ``patience`` are the pauses, in seconds, between tries while the storage cannot be reached."""

    def __init__(
        self, services: Services, ticket: Ticket, folder: Path, ffmpeg: Ffmpeg, *, patience: Sequence[float] = PATIENCE, **options: Any
    ) -> None:
        super().__init__(services, export_runs, ticket, folder, ffmpeg, **options)
        self.patience = patience

    def run(self) -> None:
        """Run the steps that are not done yet."""
        try:
            for step in STEPS:
                if not DBOS.run_step({"name": step}, self.perform, step):
                    return
        finally:
            self.clean_up()

    def perform(self, step: str) -> bool:
        """Run one of ``STEPS``; return False if the attempt has ended, in whatever way. Never raises errors meant for people."""
        do = {"check_source": self._check_source, "render": self._render, "upload": self._upload, "publish": self._publish}
        try:
            if step == "claim":
                return self.claim()
            do[step]()
            return True
        except (Superseded, MediaCancelled):
            self.release()
        except Exception as error:
            self.fail(error)
        self._remove_uploads()
        return False

    @property
    def file(self) -> Path:
        return self.folder / f"{self.ticket.name}.mp4"

    def clean_up(self) -> None:
        """Remove the attempt's files from this machine's disk."""
        for path in self.folder.glob(f"{self.ticket.name}.*"):
            remove_from_disk(path)

    def _check_source(self) -> None:
        """Raise unless the video's object is the one that the cell's identity names by its ETag."""
        order = self._order()
        try:
            stored = self._patiently(lambda: self.services.store.head(order.source_key))
        except ObjectMissing as error:
            raise ObjectMissing("The video is missing from the bucket. Upload it again under the same key, then press Retry.") from error
        if stored.etag != order.source_etag:
            with self.services.database.write() as db:
                export_runs.source_changed(db, order.cell.video_id, stored)
            raise NotFound("The video was replaced after this export was requested. Press Retry to export from the current one.")
        landmarks.reached("source checked")

    def _render(self) -> None:
        order = self._order()
        self._patiently(lambda: self._render_once(order))
        landmarks.reached("rendered")

    def _render_once(self, order: Order) -> None:
        started = time.monotonic()
        self._share = 0.0
        try:
            render_cell(self.ffmpeg, self.services, order, self.file, on_progress=self._progress, cancelled=self.cancelled)
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

    def _progress(self, share: float) -> None:
        landmarks.reached("rendering")
        self.report(share)

    def _patiently(self, ask: Callable[[], _T]) -> _T:
        """Return the result of ``ask``; while the storage cannot be reached, wait and ask again. Raises its last error."""
        for pause in self.patience:
            try:
                return ask()
            except StorageUnreachable:
                self.tell("The storage cannot be reached. Trying again.")
                until = time.monotonic() + pause
                while time.monotonic() < until:
                    if self.cancelled():
                        raise Superseded from None
                    time.sleep(0.1)
        return ask()

    def _remove_uploads(self) -> None:
        """Remove what this attempt put into the bucket; the sweep finds what cannot be removed now."""
        with self.services.database.read() as db:
            keys = export_runs.leftovers(db, self.ticket)
        remove_objects(self.services, keys)


def remove_objects(services: Services, keys: Sequence[str]) -> None:
    """Delete announced objects and their records; those that cannot be deleted now stay announced."""
    for key in keys:
        try:
            services.store.delete(key)
        except StorageError:
            _LOG.info("a leftover of an export stays in the bucket until the next sweep")
            return
        with services.database.write() as db:
            export_runs.strike_out(db, [key])
