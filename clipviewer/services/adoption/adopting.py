"""Import what is already in the bucket: a preview, a first import page by page, later imports of changes only.

What was imported is recognized the next time, so an interrupted run continues when it is started again. Faults of single objects are
counted and reported; only a store that does not answer ends a run.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from sqlalchemy.orm import Session

from clipviewer.domain.object_key import MAX_KEY_BYTES, check_object_key
from clipviewer.errors import Invalid
from clipviewer.services import audit, work
from clipviewer.services.adoption.tally import Tally
from clipviewer.services.adoption.walk import Walk
from clipviewer.services.container import Services
from clipviewer.services.work import WorkView

KIND = "adopt"
_LOOKED_INTO = 50
"""Sidecars that a preview reads."""


def checked_prefix(library: str, given: str) -> str:
    """Return the prefix to import; "" means the whole library. Raises ``Invalid`` for one outside ``library`` or without any keys."""
    prefix = given or library
    try:
        if prefix:
            check_object_key(prefix.removesuffix("/"))
        prefix.encode()
    except ValueError as error:
        raise Invalid(f"This is not a valid prefix. Use one such as talks/2025/, of at most {MAX_KEY_BYTES} bytes.") from error
    if not prefix.startswith(library):
        raise Invalid(f"Use a prefix that begins with {library}. The library is limited to it.")
    return prefix


def enqueue_import(db: Session, library: str, prefix: str, *, actor: str = "", address: str = "") -> WorkView:
    """Enqueue an import, or return the unfinished one for the same prefix. Raises ``Invalid``."""
    subject = checked_prefix(library, prefix)
    asked = work.enqueue(db, KIND, subject, actor=actor)
    audit.record(db, "adopt", actor=actor, subject=subject, address=address, work=asked.id)
    return asked


def preview_import(services: Services, prefix: str, *, seconds: float = 5.0, clock: Callable[[], float] = time.monotonic) -> Tally:
    """Return what an import would do, as far as it can be seen in ``seconds``; writes nothing. Raises ``Invalid`` and ``StorageError``."""
    look = Walk(services, checked_prefix(services.settings.s3_prefix, prefix))
    until = clock() + seconds
    for plan in look.plans():
        sidecars = look.exports_among(plan, at_most=_LOOKED_INTO - look.tally.exports)
        look.count(plan, sidecars, look.copies_among(plan, at_most=_LOOKED_INTO))
        if clock() >= until:
            return look.tally
    look.tally.missing = sum(len(gone) for gone in look.gone())
    look.tally.complete = True
    return look.tally


def run_import(services: Services, prefix: str, *, actor: str = "", on_progress: Callable[[int], None], check: Callable[[], None]) -> Tally:
    """Import what is new, changed or gone. ``on_progress`` receives the number of objects seen; ``check`` raises to cancel.

    Blocks, possibly for long. Raises ``Invalid``, and ``StorageError`` if the store does not answer.
    """
    run = Walk(services, checked_prefix(services.settings.s3_prefix, prefix), actor)
    for plan in run.plans():
        check()
        run.write(plan, check)
        on_progress(run.tally.objects)
    for gone in run.gone():
        check()
        run.mark_missing(gone)
    run.tally.complete = True
    return run.tally
