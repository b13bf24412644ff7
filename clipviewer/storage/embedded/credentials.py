"""The embedded store's only key pair. It never leaves the server."""

from __future__ import annotations

import hashlib
import hmac

from clipviewer.domain.sigv4 import Credentials

ACCESS_KEY = "clipviewer"


def embedded_credentials(secret_key: str) -> Credentials:
    """Derive the key pair from the installation's secret key, so that every process has the same one."""
    return Credentials(ACCESS_KEY, hmac.new(secret_key.encode(), b"embedded store", hashlib.sha256).hexdigest())
