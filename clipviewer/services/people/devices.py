"""Known devices: a browser in which somebody signed in keeps a signed cookie, by which their later attempts are throttled apart.

So nobody who shares an address with them, or who guesses at their account from elsewhere, can keep them out. The cookie opens nothing.
Source: OWASP, "Slow Down Online Guessing Attacks with Device Cookies".
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from clipviewer.domain.ids import new_id

DEVICE_COOKIE = "clipviewer_device"
DEVICE_AGE = timedelta(days=365)
_MAX_TOKEN = 500


@dataclass(frozen=True, slots=True)
class Device:
    """A browser in which the user has signed in."""

    user_id: str
    id: str


class Devices:
    """``keys``: the first signs, all verify."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys = keys

    def issue(self, user_id: str) -> str:
        """Return the cookie's value for a device from now on."""
        named = f"{user_id}.{new_id('device')}"
        return f"{named}.{_sign(self._keys[0], named)}"

    def verify(self, token: str | None) -> Device | None:
        """Return the device that a token of ours names; None for anything else."""
        if not token or len(token) > _MAX_TOKEN or token.count(".") != 2:
            return None
        named, _, signature = token.rpartition(".")
        if not any(hmac.compare_digest(_sign(key, named).encode(), signature.encode("utf-8", "replace")) for key in self._keys):
            return None
        user_id, _, device_id = named.partition(".")
        return Device(user_id, device_id)


def _sign(key: bytes, text: str) -> str:
    return hmac.new(key, text.encode("utf-8", "replace"), hashlib.sha256).hexdigest()
