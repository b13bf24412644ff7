"""The steps of an upload. Calls to the store happen between transactions, never inside one.

Guarantees for an uploaded video: every part has the announced size, and where the store compares checksums
(AWS, the embedded one) also the CRC-32 that the sender computed, which is signed into the part's URL; the object is as long as the file;
and it was opened and its first picture decoded. Until then nobody can see or sign any of it.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from clipviewer.db.models import utc_now
from clipviewer.domain.master_file import MIB
from clipviewer.errors import ClipviewerError, Conflict, ObjectMissing, StorageError, TooLittleSpace
from clipviewer.media.ffmpeg import MediaError
from clipviewer.media.source.media_info import MediaInfo
from clipviewer.media.source.probe import probe
from clipviewer.services import audit, work
from clipviewer.services.bucket.signing import SignedUrl, internal_signer
from clipviewer.services.container import Services
from clipviewer.services.library import uploads, video_previews
from clipviewer.services.library.uploads import State, UploadBusy, UploadRefused, UploadView
from clipviewer.services.prefs import load_preferences
from clipviewer.storage.s3 import StoredObject, StoredPart

MAX_SIGNED = 100
"""The number of parts signed at once."""
_KEPT_FREE = 1024 * MIB
"""Bytes of the embedded store's disk that no upload may take."""
_IDLE = timedelta(minutes=1)
_LOG = logging.getLogger(__name__)

WriteDown = Callable[[Session, UploadView], None]


@dataclass(frozen=True, slots=True)
class WantedPart:
    """A part to send: its ``number`` from 1, and the CRC-32 of its bytes (base64) if the sender knows it."""

    number: int
    crc32: str = ""


@dataclass(frozen=True, slots=True)
class SignedPart:
    """Where to PUT a part; ``headers`` must be sent unchanged."""

    number: int
    size: int
    signed: SignedUrl
    headers: Mapping[str, str]


class Uploading:
    """The steps of an upload, over ``services``. All of them block: call them from a thread.

    ``answered_within``: how long a request may take to complete an upload before a job does it as well.
    """

    def __init__(self, services: Services, answered_within: timedelta = timedelta(seconds=20)) -> None:
        self.services, self.answered_within = services, answered_within
        self._database, self._store = services.database, services.store

    def begin(self, file_name: str, size: int, fingerprint: str, sender: str, write_down: WriteDown) -> tuple[UploadView, bool]:
        """Open an upload, or find the unfinished one of the same file; return it, and whether it is new."""
        plan = uploads.plan_upload(file_name, size, fingerprint, sender, prefix=self.services.settings.s3_prefix)
        with self._database.read() as db:
            known = uploads.find_resumable(db, plan)
        if known is not None:
            return known, False
        self._check_free_space(size)
        store_id, checked = self._store.start_upload(plan.s3_key, plan.content_type)
        try:
            with self._database.write() as db:
                made = uploads.begin(db, plan, store_id, checked)
                write_down(db, made)
        except BaseException:
            self._store.abort_upload(plan.s3_key, store_id)
            raise
        return made, True

    def sign(self, upload_id: str, sender: str, wanted: Sequence[WantedPart], origin: str | None) -> list[SignedPart]:
        """Return a URL for each of the parts: one exact part, of exactly its size, with its checksum where the store compares it."""
        with self._database.write() as db:
            found = uploads.require_open_upload(db, upload_id, sender)
            uploads.touch(db, found, utc_now())
        signed = []
        for part in wanted:
            size = found.part_size_of(part.number)
            sent = {"x-amz-checksum-crc32": part.crc32} if found.checked and part.crc32 else {}
            url = self.services.signer.sign_part(
                found.s3_key, found.store_id, part.number, origin=origin, headers={"content-length": str(size), **sent}
            )
            signed.append(SignedPart(part.number, size, url, sent))
        return signed

    def parts(self, upload_id: str, sender: str) -> tuple[UploadView, Sequence[StoredPart]]:
        """Return the parts that have arrived whole."""
        with self._database.read() as db:
            found = uploads.require_upload(db, upload_id, sender)
        if found.state != State.OPEN:
            return found, []
        try:
            arrived = self._store.parts(found.s3_key, found.store_id)
        except ObjectMissing:
            arrived = []
        missing = set(uploads.missing_parts(found, arrived))
        return found, [part for part in arrived if part.number <= found.part_count and part.number not in missing]

    def complete(self, upload_id: str, sender: str, write_down: WriteDown) -> UploadView:
        """Join the parts, inspect the object, and make it a video. Idempotent.

        The caller gets the answer without waiting for a worker; if this process dies meanwhile, a job completes the upload. Raises
        ``Conflict`` if parts are missing or another request is completing it, and ``UploadRefused`` if it is no video; then nothing of
        it is kept.
        """
        now = utc_now()
        with self._database.write() as db:
            found = uploads.require_upload(db, upload_id, sender)
            if found.state == State.DONE:
                return found
            if not uploads.claim(db, found, now):
                raise _refusal(found)
            _enqueue(db, found, now + self.answered_within)
        return self._complete(found, write_down)

    def finish(self, upload_id: str, sender: str) -> str | None:
        """Complete an upload instead of a request that is gone; return the video's id, None if the upload has ended otherwise.

        Safe beside that request, should it be there after all. Raises what ``complete`` does.
        """
        with self._database.write() as db:
            found = uploads.require_upload(db, upload_id, sender)
            if found.state == State.DONE:
                return found.video_id
            if not uploads.take_over(db, found, utc_now()):
                return None
        return self._complete(found, _record_completion).video_id

    def resume_idle(self, now: datetime, *, since: timedelta = uploads.ABANDONED) -> None:
        """Have uploads completed whose parts are all stored, but for which nobody has asked in the last minute: their sender is gone."""
        with self._database.read() as db:
            idle = uploads.list_idle(db, now - since, now - _IDLE)
        for found in idle:
            if found.state == State.CHECKING or self._is_stored(found):
                with self._database.write() as db:
                    _enqueue(db, found, None)

    def _complete(self, found: UploadView, write_down: WriteDown) -> UploadView:
        try:
            stored = self._join(found)
            info = self._look_into(found)
        except UploadRefused as refusal:
            with self._database.write() as db:
                refused = uploads.refuse(db, found, refusal.detail, utc_now())
                _withdraw(db, found)
            if not refused:
                return self._ended(found)
            self._clear(found)
            raise
        except BaseException:
            with self._database.write() as db:
                reopened = uploads.reopen(db, found, utc_now())
                _withdraw(db, found)
            if not reopened:
                return self._ended(found)
            raise
        return self._make_video(found, stored, info, write_down)

    def _ended(self, found: UploadView) -> UploadView:
        """Return the upload if somebody else has finished it. Otherwise it was cancelled: remove what is left, and raise ``Conflict``."""
        with self._database.read() as db:
            now = uploads.require_upload(db, found.id, found.sender)
        if now.state in (State.OPEN, State.CHECKING):
            raise UploadBusy
        if now.state == State.DONE:
            return now
        self._clear(found)
        raise _refusal(now)

    def _is_stored(self, found: UploadView) -> bool:
        try:
            return not uploads.missing_parts(found, self._store.parts(found.s3_key, found.store_id))
        except ObjectMissing:
            return False

    def cancel(self, upload_id: str, sender: str, write_down: WriteDown) -> None:
        """Cancel the upload. Nothing of it stays in the bucket, at the latest once the store answers again."""
        with self._database.write() as db:
            found = uploads.require_upload(db, upload_id, sender)
            uploads.cancel(db, found, utc_now())
            write_down(db, found)
        try:
            self._clear(found, for_good=found.state != State.CHECKING)
        except StorageError:
            _LOG.warning("the store did not answer; leftovers of an upload are removed later")

    def sweep(self, now: datetime) -> None:
        """Remove what abandoned, refused and cancelled uploads have left in the bucket."""
        with self._database.write() as db:
            uploads.delete_old_uploads(db, now)
        with self._database.read() as db:
            left = uploads.list_to_clear(db, now)
        for found in left:
            with self._database.write() as db:
                if found.state in uploads.UNFINISHED:
                    uploads.cancel(db, found, now)
            self._clear(found)

    def _check_free_space(self, size: int) -> None:
        """Raise ``TooLittleSpace`` if the embedded store's disk has not enough free space."""
        settings = self.services.settings
        if not settings.embedded:
            return
        missing = size + _KEPT_FREE - (free := shutil.disk_usage(settings.data_dir).free)
        if missing > 0:
            raise TooLittleSpace(
                f"{_KEPT_FREE // MIB:,} MB must stay free on the server's disk beside this file, and it has {free // MIB:,} MB left. "
                f"Free {-(-missing // MIB):,} MB more, then try again."
            )

    def _join(self, found: UploadView) -> StoredObject:
        """Join the parts; return the whole object, which is as long as the file."""
        try:
            parts = self._store.parts(found.s3_key, found.store_id)
        except ObjectMissing:
            return self._joined(found)  # an earlier request joined it but was interrupted
        if missing := uploads.missing_parts(found, parts):
            raise Conflict(f"{len(missing)} of {found.part_count} parts have not arrived. Send them, then complete the upload.")
        with suppress(ObjectMissing):  # another one joined it in this very moment
            self._store.finish_upload(found.s3_key, found.store_id, [part for part in parts if part.number <= found.part_count])
        return self._joined(found)

    def _joined(self, found: UploadView) -> StoredObject:
        try:
            stored = self._store.head(found.s3_key)
        except ObjectMissing:
            raise UploadRefused("The storage no longer has the parts of this upload. Start the upload again.") from None
        if stored.size != found.size:
            raise UploadRefused("The uploaded data is not as long as the file. Start the upload again.")
        return stored

    def _look_into(self, found: UploadView) -> MediaInfo:
        url = internal_signer(self.services.settings, self._store).sign(found.s3_key).url
        try:
            return probe(url)
        except MediaError:
            self._store.get_range(found.s3_key, 0, 1)  # neither a store that is down nor one hiccup is the file's fault
        try:
            return probe(url)
        except MediaError as error:
            raise UploadRefused(f"{found.file_name} was not added. {error.detail}") from error

    def _make_video(self, found: UploadView, stored: StoredObject, info: MediaInfo, write_down: WriteDown) -> UploadView:
        try:
            with self._database.write() as db:
                video_id = uploads.finish(db, found, stored, info, utc_now())
                work.enqueue(db, video_previews.KIND, video_id, video_id=video_id, actor=found.sender)
                if load_preferences(db).find_on_upload:
                    work.enqueue(db, uploads.FIND_CLIPS, video_id, video_id=video_id, actor=found.sender)
                write_down(db, found)
                _withdraw(db, found)
        except Conflict:
            return self._ended(found)
        with self._database.read() as db:
            return uploads.require_upload(db, found.id, found.sender)

    def _clear(self, found: UploadView, *, for_good: bool = True) -> None:
        """Remove the upload's objects; not ``for_good`` while another request may still be writing some."""
        self._store.abort_upload(found.s3_key, found.store_id)
        self._store.delete(found.s3_key)
        if not for_good:
            return
        with self._database.write() as db:
            uploads.mark_cleared(db, found, utc_now())


def _enqueue(db: Session, found: UploadView, due_at: datetime | None) -> None:
    work.enqueue(db, uploads.KIND, found.s3_key, given={"upload": found.id}, actor=found.sender, due_at=due_at)


def _withdraw(db: Session, found: UploadView) -> None:
    work.withdraw(db, uploads.KIND, found.s3_key)


def _record_completion(db: Session, found: UploadView) -> None:
    audit.record(db, "upload_complete", actor=found.sender, subject=found.s3_key, file=found.file_name, size=found.size)


def _refusal(found: UploadView) -> ClipviewerError:
    """Return why the upload cannot be completed now."""
    if found.state == State.REFUSED:
        return UploadRefused(found.note)
    return UploadBusy() if found.state == State.CHECKING else Conflict(uploads.refusal_reason(found))
