"""Diagnose the storage: the doctor's findings, a look at some masters, and the policies to paste."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from clipviewer.db.models import Video
from clipviewer.domain.bucket_address import bucket_address
from clipviewer.domain.bucket_policy import cors_policy, iam_policy
from clipviewer.errors import StorageError
from clipviewer.media.source.mp4_boxes import MoovPlace, moov_place
from clipviewer.services.bucket.signing import embedded_addresses, public_address
from clipviewer.settings import EMBEDDED_PATH, Settings
from clipviewer.storage.doctor import CHECKS as STORE_CHECKS
from clipviewer.storage.doctor import Doctor, StoreAddresses
from clipviewer.storage.findings import Finding, Verdict, skipped_finding
from clipviewer.storage.plain_http import Http, send
from clipviewer.storage.s3 import ObjectStore, embedded_origin

_MASTERS = 5
_MASTERS_CHECK = ("masters",)
CHECKS = (*STORE_CHECKS, *_MASTERS_CHECK)
"""All checks, in order."""


@dataclass(frozen=True, slots=True)
class Policies:
    """The policies for the credentials and the bucket; None for the embedded store, which needs neither."""

    iam: dict[str, Any] | None
    cors: list[dict[str, list[str]]] | None


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The findings and the ``Policies``."""

    findings: tuple[Finding, ...]
    iam: dict[str, Any] | None
    cors: list[dict[str, list[str]]] | None

    @property
    def healthy(self) -> bool:
        return all(finding.verdict is not Verdict.FAILED for finding in self.findings)


@dataclass(frozen=True, slots=True)
class Master:
    """A master to check. ``moov`` says where its index lies, as inspected; "" if it was not."""

    key: str
    title: str
    moov: str


def newest_masters(db: Session) -> list[Master]:
    """Return the newest few videos that exist."""
    there = col(Video.deleted_at).is_(None) & col(Video.missing_at).is_(None)
    query = (
        select(col(Video.s3_key), col(Video.title), col(Video.media)).where(there).order_by(col(Video.created_at).desc()).limit(_MASTERS)
    )
    return [Master(key, title, str((media or {}).get("moov", ""))) for key, title, media in db.execute(query)]


def app_origin(settings: Settings) -> str:
    """Return the origin of the app's pages, as far as the server knows: ``scheme://host[:port]``."""
    parts = urlsplit(settings.public_url or embedded_origin(settings))
    default = {"http": 80, "https": 443}.get(parts.scheme)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port not in (None, default) else "")


def run_checks(
    settings: Settings, store: ObjectStore, masters: list[Master], *, origin: str | None = None, http: Http | None = None
) -> Iterator[Finding]:
    """Yield one finding per entry of ``CHECKS``; every step blocks for a few seconds at most. Needs no open transaction.

    ``origin`` is the origin of the asking browser's page. The embedded store answers at that origin too, so for it the configured address
    is used.
    """
    endpoint = embedded_origin(settings) + EMBEDDED_PATH if settings.embedded else settings.s3_endpoint_url
    outside = embedded_addresses(settings) if settings.embedded else public_address(settings)
    where = StoreAddresses(
        inside=bucket_address(settings.bucket, settings.s3_region, endpoint),
        outside=outside(None),
        origin=app_origin(settings) if origin is None or settings.embedded else origin,
        prefix=settings.s3_prefix,
        embedded=settings.embedded,
    )
    answers = False
    for finding in Doctor(store, where, http=http or partial(send, direct=settings.embedded)).examine():
        answers = answers or (finding.check == "server" and finding.verdict is Verdict.OK)
        yield finding
    if answers:
        yield _masters(store, masters)
    else:
        yield from skipped_finding("the storage cannot be used", *_MASTERS_CHECK)


def policies(settings: Settings, origin: str | None = None) -> Policies:
    """Return the policies for pages from ``origin``, by default the configured address."""
    if settings.embedded:
        return Policies(None, None)
    return Policies(iam_policy(settings.bucket, settings.s3_prefix, settings.s3_region), cors_policy(origin or app_origin(settings)))


def diagnose(settings: Settings, store: ObjectStore, masters: list[Master], http: Http | None = None) -> Diagnosis:
    """Run all checks and return them with the policies, for the configured address."""
    given = policies(settings)
    return Diagnosis(tuple(run_checks(settings, store, masters, http=http)), given.iam, given.cors)


def _masters(store: ObjectStore, masters: list[Master]) -> Finding:
    if not masters:
        return Finding("masters", Verdict.NOT_CHECKED, "Not checked: there are no videos yet.")
    slow, unreadable = [], []
    for master in masters:
        try:
            if _moov_place_of(store, master) == MoovPlace.LAST:
                slow.append(f"“{master.title}”")
        except StorageError:
            unreadable.append(f"“{master.title}”")
    if unreadable:
        text = f"Of the newest videos {len(unreadable)} of {len(masters)} cannot be read: {', '.join(unreadable)}."
        return Finding("masters", Verdict.FAILED, text, "Check that their files are still in the bucket, under the prefix.")
    if slow:
        text = f"Of the newest videos {len(slow)} of {len(masters)} start slowly, because their index is at the end: {', '.join(slow)}."
        return Finding("masters", Verdict.WARNING, text, "Rewrite them with the index first (ffmpeg: -c copy -movflags +faststart).")
    return Finding("masters", Verdict.OK, f"{len(masters)} of {len(masters)} can be read and start at once.")


def _moov_place_of(store: ObjectStore, master: Master) -> str:
    """Return the recorded index position, else read it from the file's boxes. Raises a ``StorageError`` if it cannot be read."""
    size = store.head(master.key).size
    return master.moov or moov_place(lambda offset, count: store.get_range(master.key, offset, min(offset + count, size)), size)


def as_text(diagnosis: Diagnosis) -> str:
    """Format for a terminal: one finding per line, its remedy below, then the policies."""
    lines = []
    for finding in diagnosis.findings:
        lines.append(f"{finding.verdict.value:<11}  {finding.check:<16} {finding.text}")
        if finding.remedy:
            lines.append(f"{'':<30}{finding.remedy}")
    if diagnosis.iam is not None:
        lines += ["", "IAM policy for the credentials:", json.dumps(diagnosis.iam, indent=2)]
    if diagnosis.cors is not None:
        lines += ["", "CORS rules for the bucket:", json.dumps(diagnosis.cors, indent=2)]
    return "\n".join(lines)


def as_json(diagnosis: Diagnosis) -> str:
    """Format as JSON: ``healthy``, ``findings`` (check, verdict, text, remedy), ``iamPolicy`` and ``corsRules``."""
    findings = [
        {"check": finding.check, "verdict": finding.verdict.value, "text": finding.text, "remedy": finding.remedy}
        for finding in diagnosis.findings
    ]
    found = {"healthy": diagnosis.healthy, "findings": findings, "iamPolicy": diagnosis.iam, "corsRules": diagnosis.cors}
    return json.dumps(found, indent=2, ensure_ascii=False)
