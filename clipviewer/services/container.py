"""All services that routes and event handlers may call, built once by the composition root."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from clipviewer.db.models import utc_now
from clipviewer.db.session import Database
from clipviewer.services.bucket.signing import UrlSigner
from clipviewer.services.people.accounts import Accounts
from clipviewer.services.people.api_tokens import ApiTokens
from clipviewer.services.people.sessions import Sessions
from clipviewer.settings import Settings
from clipviewer.storage.s3 import ObjectStore


@dataclass(slots=True)
class Progress:
    """What this process prepares in the background, as a sentence for people; "" if nothing."""

    text: str = ""


@dataclass(frozen=True, slots=True)
class Services:
    """``secret_key`` is the signing one; the embedded store's credentials are derived from it."""

    settings: Settings
    database: Database
    store: ObjectStore
    signer: UrlSigner
    sessions: Sessions
    accounts: Accounts
    api_tokens: ApiTokens
    secret_key: str = field(default="", repr=False)
    progress: Progress = field(default_factory=Progress)
    started_at: datetime = field(default_factory=utc_now)


_installed: Services | None = None


def install(services: Services) -> None:
    """Set the services of this process. Reflex creates its states itself and offers no other way to pass them."""
    global _installed
    _installed = services


def installed() -> Services:
    """Return the services of this process; raises ``RuntimeError`` before ``install``."""
    if _installed is None:
        raise RuntimeError("the services are not installed yet")
    return _installed
