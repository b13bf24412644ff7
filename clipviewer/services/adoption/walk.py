"""Walk a prefix of the bucket: stream its listing, plan each page, and write it.

Only counts and hashes of known keys are kept of a page. Writes happen in small transactions with pauses between them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import islice
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy.orm import Session

from clipviewer.db.models import utc_now
from clipviewer.domain.bucket_contents import Ignored, ObjectKind
from clipviewer.domain.export_identity import captions_key, sidecar_key
from clipviewer.domain.object_key import check_object_key
from clipviewer.domain.quick_copy import is_quick_key
from clipviewer.errors import ClipviewerError, StorageCredentials, StorageError, StorageUnreachable
from clipviewer.media.captions.reading import MAX_BYTES
from clipviewer.media.captions.tracks import parse_captions
from clipviewer.services.adoption import rows, vanished
from clipviewer.services.adoption.copies import read_copies
from clipviewer.services.adoption.plan import CaptionFile, Plan, plan_page
from clipviewer.services.adoption.sidecars import UNUSABLE, Sidecar, describes_file, read_sidecar, restore
from clipviewer.services.adoption.tally import Tally
from clipviewer.services.bucket.lookup import find_objects
from clipviewer.services.container import Services
from clipviewer.services.library.quick_start import QuickCopy
from clipviewer.services.room.captions import write_track
from clipviewer.storage.s3 import StoredObject

_PAGE = 1_000
_ROWS = 100
_SIDECARS = 10
_READS_AT_ONCE = 8
_PAUSE = 0.005

Item = TypeVar("Item")
P = ParamSpec("P")


class Walk:
    """One walk through a prefix: plans each page and writes it."""

    def __init__(self, services: Services, prefix: str, actor: str = "") -> None:
        self.tally = Tally()
        self._services, self._actor = services, actor
        self._library = services.settings.s3_prefix
        self._prefix = prefix
        self._met: set[int] = set()

    def plans(self) -> Iterator[Plan]:
        """Yield the plan of each page. Exports come first, since their sidecars hold the former ids of their videos."""
        for objects in self._listings():
            plan = Plan()
            for page in _parts(objects, _PAGE):
                with self._services.database.read() as db:
                    plan = plan_page(db, page, self._library, plan)
                self.tally.objects += len(page)
                self.tally.size += sum(item.size for item in page)
                self._met.update(map(hash, plan.met))
                yield plan
            with self._services.database.read() as db:
                yield plan_page(db, [], self._library, plan)

    def _listings(self) -> Iterator[Iterable[StoredObject]]:
        store, exports = self._services.store, f"{self._library}exports/"
        if exports.startswith(self._prefix):
            yield store.list(exports)
            yield (item for item in store.list(self._prefix) if not item.key.startswith(exports))
        else:
            yield store.list(self._prefix)

    def exports_among(self, plan: Plan, *, at_most: int = _PAGE) -> list[Sidecar]:
        """Read the sidecars of the page's ``clips``. Clips that are not exports become videos or are ignored.

        Beyond ``at_most`` nothing is read: files under ``exports/`` count as exports, the rest as videos.
        """
        ours = f"{self._library}exports/"
        read, unread = plan.clips[: max(at_most, 0)], plan.clips[max(at_most, 0) :]
        sidecars = []
        for item, data in zip(read, self._fetched([sidecar_key(item.key) for item in read]), strict=True):
            document = read_sidecar(data) if isinstance(data, bytes) else None
            if document is not None and describes_file(document, item.key):
                sidecars.append(Sidecar(document, item))
            elif isinstance(data, Ignored):
                plan.ignored.append((item, data))
            elif document is not None or item.key.startswith(ours):
                plan.ignored.append((item, Ignored.SIDECAR))
            else:
                plan.videos.append(item)
        sidecars += [Sidecar({}, item) for item in unread if item.key.startswith(ours)]
        plan.videos += [item for item in unread if not item.key.startswith(ours)]
        plan.assign_companions({sidecar.file.key for sidecar in sidecars})
        return sidecars

    def copies_among(self, plan: Plan, *, at_most: int = _PAGE) -> list[QuickCopy]:
        """Read the metadata of the page's ``copies``. Others become videos; beyond ``at_most`` nothing is read."""
        asked = plan.copies[:at_most]
        copies = read_copies(self._services.store, [item.key for item in asked], self._library)
        known = {copy.file.key for copy in copies}
        plan.videos += [item for item in asked if item.key not in known]
        return copies

    def count(self, plan: Plan, sidecars: Sequence[Sidecar], copies: Sequence[QuickCopy]) -> None:
        """Count what a page would add."""
        plan.videos += [copy.file for copy in copies if copy.there is None]
        plan.ignored += [(copy.file, Ignored.OWN) for copy in copies if copy.there is not None]
        self.tally.videos += len(plan.videos)
        self.tally.exports += len(sidecars)
        self.tally.captions += len(plan.captions)
        self.tally.show(ObjectKind.VIDEO, *(item.key for item in plan.videos))
        self.tally.show(ObjectKind.EXPORT, *(sidecar.file.key for sidecar in sidecars))
        self.tally.show(ObjectKind.CAPTIONS, *(found.file.key for found in plan.captions))
        self._count_rest(plan)

    def write(self, plan: Plan, check: Callable[[], None]) -> None:
        """Write a page."""
        for listed, changed in ((plan.changed, True), (plan.back, False)):
            for part in _parts(listed, _ROWS):
                self._writing(rows.update_objects, part, changed, utc_now())
        self._write_exports(plan, check)
        copies = self.copies_among(plan)
        for new in _parts(plan.videos, _ROWS):
            check()
            self.tally.videos += self._writing(rows.add_videos, new, utc_now())
            self._met.update(hash(item.key) for item in new)
            self.tally.show(ObjectKind.VIDEO, *(item.key for item in new))
        self._write_copies(plan, copies, check)
        self._write_captions(plan, check)
        self._count_rest(plan)

    def _count_rest(self, plan: Plan) -> None:
        self.tally.changed += len(plan.changed)
        self.tally.back += len(plan.back)
        self.tally.known += plan.known
        self.tally.show("changed", *(item.key for _, item in plan.changed))
        self.tally.show("back", *(item.key for _, item in plan.back))
        for item, reason in plan.ignored:
            self.tally.ignore(item, reason)

    def gone(self) -> Iterator[list[str]]:
        """Return the ids of known videos and exports under the prefix that the walk did not meet and that do not exist."""
        for known in vanished.list_known_objects(self._services.database, self._prefix):
            unmet = [one for one in known if hash(one[1]) not in self._met]
            yield [row_id for row_id, _ in vanished.find_missing(self._services.store, unmet)]

    def mark_missing(self, row_ids: Sequence[str]) -> None:
        """Mark these as missing."""
        for part in _parts(row_ids, _ROWS):
            self.tally.missing += self._writing(rows.mark_missing, part, utc_now())

    def _write_exports(self, plan: Plan, check: Callable[[], None]) -> None:
        for part in _parts(self.exports_among(plan), _SIDECARS):
            check()
            sources = {one.source_key for one in part}
            wanted = sources | {captions_key(one.file.key) for one in part}
            there = find_objects(self._services.store, filter(self._is_key, wanted))
            copies = read_copies(self._services.store, [key for key in sources if is_quick_key(key) and key in there], self._library)
            whole = [replace(one, captions_key=_there(captions_key(one.file.key), there)) for one in part]
            for one, usable in zip(whole, self._writing(self._restore, whole, there, copies), strict=True):
                if usable:
                    self.tally.exports += 1
                    self.tally.show(ObjectKind.EXPORT, one.file.key)
                    self._met.add(hash(one.file.key))
                else:
                    plan.ignored.append((one.file, Ignored.SIDECAR))

    def _restore(self, db: Session, sidecars: Sequence[Sidecar], there: dict[str, StoredObject], copies: Sequence[QuickCopy]) -> list[bool]:
        """Return for each sidecar whether it was usable. ``copies`` are those of their videos."""
        usable = []
        for one in sidecars:
            try:
                with db.begin_nested():
                    made = restore(db, one, utc_now(), prefix=self._library, masters=there)
            except UNUSABLE:
                usable.append(False)
                continue
            usable.append(True)
            if made.new_video:
                self.tally.videos += 1
                self.tally.show(ObjectKind.VIDEO, one.source_key)
                rows.enqueue_previews(db, [made.video_id])
        rows.record_copies(db, copies, utc_now())
        return usable

    def _write_copies(self, plan: Plan, copies: Sequence[QuickCopy], check: Callable[[], None]) -> None:
        for copy in copies:
            check()
            self._met.add(hash(copy.file.key))
            if self._writing(rows.add_copy, copy, utc_now()):
                self.tally.videos += 1
                self.tally.show(ObjectKind.VIDEO, copy.file.key)
            else:
                plan.ignored.append((copy.file, Ignored.OWN))

    def _write_captions(self, plan: Plan, check: Callable[[], None]) -> None:
        small = [found for found in plan.captions if found.file.size <= MAX_BYTES]
        plan.ignored += [(found.file, Ignored.CAPTIONS) for found in plan.captions if found.file.size > MAX_BYTES]
        for part in _parts(small, _READS_AT_ONCE):
            check()
            for found, data in zip(part, self._fetched([found.file.key for found in part]), strict=True):
                refused = self._attach(found, data)
                if refused is not None:
                    plan.ignored.append((found.file, refused))
                else:
                    self.tally.captions += 1
                    self.tally.show(ObjectKind.CAPTIONS, found.file.key)

    def _attach(self, found: CaptionFile, data: bytes | Ignored) -> Ignored | None:
        if isinstance(data, Ignored):
            return data
        try:
            track = write_track(parse_captions(data, found.file.key), found.file.key)
        except ClipviewerError:
            return Ignored.CAPTIONS
        return self._writing(rows.add_captions, found, track, utc_now(), self._actor)

    def _fetched(self, keys: Sequence[str]) -> list[bytes | Ignored]:
        """Return the content of small objects, or why it cannot be read."""

        def fetch(key: str) -> bytes | Ignored:
            try:
                return self._services.store.get(key)
            except (StorageUnreachable, StorageCredentials):
                raise
            except StorageError:
                return Ignored.UNREADABLE

        if not keys:
            return []
        with ThreadPoolExecutor(_READS_AT_ONCE) as threads:
            return list(threads.map(fetch, keys))

    def _writing(self, work: Callable[Concatenate[Session, P], Item], *arguments: P.args, **named: P.kwargs) -> Item:
        """Open one short transaction, then pause at least as long: SQLite has one writer, and people want to write, too."""
        began = time.monotonic()
        with self._services.database.write() as db:
            done = work(db, *arguments, **named)
        time.sleep(max(_PAUSE, time.monotonic() - began))
        return done

    def _is_key(self, key: str) -> bool:
        try:
            check_object_key(key, self._library)
        except ValueError:
            return False
        return True


def _there(key: str, objects: Mapping[str, StoredObject]) -> str | None:
    return key if key in objects else None


def _parts(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    left = iter(items)
    while part := list(islice(left, size)):
        yield part
