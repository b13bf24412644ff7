"""Call an outside JSON service: a translator or a language model. Callers validate its answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import urllib3
from urllib3.exceptions import ConnectTimeoutError, HTTPError, MaxRetryError, NameResolutionError, NewConnectionError

ANSWER_BYTES = 1_000_000
"""Maximum size of a response. One byte more is read, to recognize longer ones."""

_CONNECT_SECONDS = 5
_TRY_AGAIN = frozenset((429, 502, 503, 504))
_LONGEST_PAUSE = 30
_UNREACHABLE = (NewConnectionError, NameResolutionError, ConnectTimeoutError)


class ServiceError(Exception):
    """There was no complete response: the service did not answer in time."""


class ServiceUnreachable(ServiceError):
    """Nothing answers at the address."""


class ResponseIncomplete(ServiceError):
    """The response broke off."""


class OutsideService:
    """A JSON service. Threads may share an instance.

    ``timeout`` is the limit for one response (seconds); a busy or unreachable service is tried ``attempts`` times with growing pauses.
    """

    def __init__(self, url: str, headers: Mapping[str, str], *, timeout: float, attempts: int, pause: float) -> None:
        self._url, self._headers = url, {"Content-Type": "application/json"} | dict(headers)
        self._timeout = urllib3.Timeout(connect=_CONNECT_SECONDS, read=timeout)
        self._retries = urllib3.Retry(
            total=attempts - 1, redirect=0, allowed_methods={"POST"}, status_forcelist=_TRY_AGAIN, raise_on_status=False,
            backoff_factor=pause, backoff_max=_LONGEST_PAUSE, retry_after_max=_LONGEST_PAUSE,
        )  # fmt: skip
        self._pool = urllib3.PoolManager()

    def ask(self, body: Mapping[str, Any]) -> tuple[int, bytes]:
        """Return the response's status and body. Raises ``ServiceError`` and its subclasses."""
        try:
            # A redirect would carry the texts and the key to another address: it is an answer like any other, and a wrong one.
            response = self._pool.request(
                "POST", self._url, json=body, headers=self._headers, timeout=self._timeout, retries=self._retries, redirect=False,
                preload_content=False,
            )  # fmt: skip
            try:
                return response.status, response.read(ANSWER_BYTES + 1)
            finally:
                response.close()
        except MaxRetryError as error:
            raise (ServiceUnreachable if isinstance(error.reason, _UNREACHABLE) else ServiceError) from error
        except HTTPError as error:
            raise ResponseIncomplete from error
