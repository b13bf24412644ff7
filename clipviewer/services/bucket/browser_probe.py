"""A small object by which a browser tries whether it reaches the storage, and reads from it as a player does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from clipviewer.services.bucket.signing import SignedUrl
from clipviewer.services.container import Services

PROBE = b"clipviewer looks whether this browser reaches the storage; this object may be deleted"
FIRST, LAST = 11, 30
LEFT_AFTER = timedelta(hours=1)
"""How long no check takes."""


@dataclass(frozen=True, slots=True)
class Probe:
    """Bytes ``first`` to ``last``, both included, of the object at ``signed`` read ``expected``."""

    signed: SignedUrl
    first: int
    last: int
    expected: str


def lay_out(services: Services, user_id: str, origin: str | None) -> Probe:
    """Put the person's probe into the bucket, at most one of each person. Blocks; raises ``StorageError`` and ``SigningFailed``."""
    key = _key(services, user_id)
    services.store.put(key, PROBE, "text/plain")
    return Probe(services.signer.sign(key, origin=origin), FIRST, LAST, PROBE[FIRST : LAST + 1].decode())


def take_back(services: Services, user_id: str) -> None:
    """Delete it; no error if there is none. Blocks; raises ``StorageError``."""
    services.store.delete(_key(services, user_id))


def sweep(services: Services, now: datetime) -> None:
    """Delete what pages that were closed in the middle, and examinations that were killed, have left. Blocks; raises ``StorageError``."""
    left = [found.key for found in services.store.list(_key(services, "")) if found.modified_at < now - LEFT_AFTER]
    for key in left:
        services.store.delete(key)


def _key(services: Services, user_id: str) -> str:
    """Where the objects of examinations lie, those of ``storage.doctor`` too."""
    return f"{services.settings.s3_prefix}exports/.doctor-{user_id}"
