"""A small object with which a browser checks whether it reaches the storage and can read ranges."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from clipviewer.services.bucket.signing import SignedUrl
from clipviewer.services.container import Services

PROBE = b"clipviewer looks whether this browser reaches the storage; this object may be deleted"
FIRST, LAST = 11, 30
LEFT_AFTER = timedelta(hours=1)
"""Longer than any check takes."""


@dataclass(frozen=True, slots=True)
class Probe:
    """Bytes ``first`` to ``last`` (inclusive) of the object at ``signed`` are ``expected``."""

    signed: SignedUrl
    first: int
    last: int
    expected: str


def upload_probe(services: Services, user_id: str, origin: str | None) -> Probe:
    """Upload the person's probe, at most one per person. Blocks; raises ``StorageError`` and ``SigningFailed``."""
    key = _key(services, user_id)
    services.store.put(key, PROBE, "text/plain")
    return Probe(services.signer.sign(key, origin=origin), FIRST, LAST, PROBE[FIRST : LAST + 1].decode())


def delete_probe(services: Services, user_id: str) -> None:
    """Delete the probe; it is no error if there is none. Blocks; raises ``StorageError``."""
    services.store.delete(_key(services, user_id))


def delete_old_probes(services: Services, now: datetime) -> None:
    """Delete what closed pages and killed checks have left. Blocks; raises ``StorageError``."""
    left = [found.key for found in services.store.list(_key(services, "")) if found.modified_at < now - LEFT_AFTER]
    for key in left:
        services.store.delete(key)


def _key(services: Services, user_id: str) -> str:
    """Return the key for test objects, those of ``storage.doctor`` included."""
    return f"{services.settings.s3_prefix}exports/.doctor-{user_id}"
