"""Adopting what lies in the bucket already: looked at beforehand, then taken in page by page, and later only what has changed.

Whatever was taken in is known the next time, so a run that was interrupted goes on by starting again. What one object is wrong with is
counted and told; only a store that does not answer ends a run.
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
"""Sidecars that are read beforehand."""


def checked_prefix(library: str, given: str) -> str:
    """The prefix to adopt; "" stands for the whole library. Raises ``Invalid`` for one outside ``library``, or that no key begins with."""
    prefix = given or library
    try:
        if prefix:
            check_object_key(prefix.removesuffix("/"))
        prefix.encode()
    except ValueError as error:
        raise Invalid(f"This is no prefix of keys: use one such as talks/2025/, of at most {MAX_KEY_BYTES} bytes.") from error
    if not prefix.startswith(library):
        raise Invalid(f"Give a prefix that begins with {library}: the library is limited to it.")
    return prefix


def ask(db: Session, library: str, prefix: str, *, actor: str = "", address: str = "") -> WorkView:
    """Have a prefix adopted in the background; one that is under way already is given. Raises ``Invalid``."""
    subject = checked_prefix(library, prefix)
    asked = work.ask(db, KIND, subject, actor=actor)
    audit.record(db, "adopt", actor=actor, subject=subject, address=address, work=asked.id)
    return asked


def preview(services: Services, prefix: str, *, seconds: float = 5.0, clock: Callable[[], float] = time.monotonic) -> Tally:
    """What adopting would do, as far as ``seconds`` suffice to see; nothing is written. Raises ``Invalid`` and ``StorageError``."""
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


def adopt(services: Services, prefix: str, *, actor: str = "", on_progress: Callable[[int], None], check: Callable[[], None]) -> Tally:
    """Take in what is new, changed or gone. ``on_progress`` is told the objects seen; ``check`` raises to end it.

    Blocks for as long as it takes, which is much. Raises ``Invalid``, and ``StorageError`` when the store does not answer.
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
