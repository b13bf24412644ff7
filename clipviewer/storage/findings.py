"""Results of the storage doctor: a verdict each, with a plain sentence and a remedy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from clipviewer.errors import StorageDenied, StorageError

POLICY = "Give the credentials the IAM policy below"


class Verdict(StrEnum):
    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    NOT_CHECKED = "not checked"


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one ``check``: a sentence, and in ``remedy`` what to do ("" if nothing)."""

    check: str
    verdict: Verdict
    text: str
    remedy: str = ""


def skipped_finding(reason: str, *checks: str) -> list[Finding]:
    return [Finding(check, Verdict.NOT_CHECKED, f"Not checked: {reason}.") for check in checks]


def try_check(check: str, fine: str, attempt: Callable[[], object]) -> Finding:
    try:
        attempt()
    except StorageDenied:
        return Finding(check, Verdict.FAILED, "The policy does not allow it.", f"{POLICY}.")
    except StorageError as error:
        return Finding(check, Verdict.FAILED, f"{error.detail}.", "Fix that, then check again.")
    return Finding(check, Verdict.OK, f"{fine}.")
