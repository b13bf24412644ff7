"""State of the storage page for admins: findings as they arrive, and the policies to paste."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections import Counter
from typing import Any

import reflex as rx

from clipviewer.db.models import utc_now
from clipviewer.domain.ids import new_id
from clipviewer.domain.permissions import Action, allows
from clipviewer.jobs.mending import retry_after_checks
from clipviewer.services.bucket.diagnosis import CHECKS, newest_masters, policies, run_checks
from clipviewer.services.container import installed
from clipviewer.state.access import allow, principal
from clipviewer.state.account import show_account
from clipviewer.state.page_address import origin_of
from clipviewer.state.rows import counted
from clipviewer.state.vars import reset
from clipviewer.storage.findings import Finding, Verdict

_NAMES = {
    "get": "Read",
    "put": "Write",
    "cors get": "CORS: reading",
    "cors put": "CORS: uploading",
    "cors etag": "CORS: ETag",
    "conditional put": "Conditional write",
    "multipart": "Multipart uploads",
    "missing": "Missing objects",
    "masters": "Newest videos",
}
_RUNNING: set[str] = set()


@dataclasses.dataclass(frozen=True)
class FindingRow:
    """``verdict`` is ok, warning, failed, not checked, or waiting, without a text so far."""

    check: str
    verdict: str
    text: str = ""
    remedy: str = ""


class StorageDoctorState(rx.State):
    """``phase`` is loading, closed (to all but admins), checking, ready or failed. The policies are "" for the embedded store."""

    phase: str = "loading"
    findings: list[FindingRow] = []
    summary: str = ""
    iam: str = ""
    cors: str = ""
    _run: str = ""

    @rx.event
    @allow(Action.VIEW)
    async def open_page(self) -> Any:
        """Start the check for people who may see it."""
        await show_account(self)
        if not allows(principal().role, Action.CONFIGURE):
            reset(self)
            self.phase = "closed"
            return None
        return StorageDoctorState.look

    @rx.event(background=True)
    @allow(Action.CONFIGURE)
    async def look(self) -> None:
        """Check the storage, unless this page is checking it already."""
        run, loop = new_id("run"), asyncio.get_running_loop()
        found: asyncio.Queue[Finding | None] = asyncio.Queue()
        async with self:
            if self._run in _RUNNING:
                return
            _RUNNING.add(run)
            self._run = run
            origin = origin_of(self)
            self._begin(origin)

        def examine() -> None:
            findings = []
            try:
                for finding in _run_checks(origin):
                    loop.call_soon_threadsafe(found.put_nowait, finding)
                    findings.append(finding)
                retry_after_checks(installed(), findings, utc_now())
            finally:
                loop.call_soon_threadsafe(found.put_nowait, None)

        phase = "failed"
        try:
            work = asyncio.ensure_future(asyncio.to_thread(examine))
            while (finding := await found.get()) is not None:
                async with self:
                    self._note(finding)
            await work
            phase = "ready"
        finally:
            _RUNNING.discard(run)
            async with self:
                self._finish(phase)

    def _begin(self, origin: str) -> None:
        given = policies(installed().settings, origin)
        self.iam = "" if given.iam is None else json.dumps(given.iam, indent=2)
        self.cors = "" if given.cors is None else json.dumps(given.cors, indent=2)
        self.findings = [FindingRow(_name(check), "waiting") for check in CHECKS]
        self.phase, self.summary = "checking", "Checking the storage…"

    def _note(self, finding: Finding) -> None:
        row = FindingRow(_name(finding.check), finding.verdict.value, finding.text, finding.remedy)
        self.findings = [row if known.check == row.check else known for known in self.findings]

    def _finish(self, phase: str) -> None:
        self.phase = phase
        self.summary = _summary(self.findings) if phase == "ready" else "The check was interrupted. Check again."


def _run_checks(origin: str) -> Any:
    services = installed()
    with services.database.read() as db:
        masters = newest_masters(db)
    return run_checks(services.settings, services.store, masters, origin=origin)


def _name(check: str) -> str:
    return _NAMES.get(check, check.capitalize())


def _summary(rows: list[FindingRow]) -> str:
    counts = Counter(row.verdict for row in rows)
    failed, warned = counts[Verdict.FAILED], counts[Verdict.WARNING]
    wrong = [f"{failed} failed"] * bool(failed) + [counted(warned, "warning")] * bool(warned)
    return f"{', '.join(wrong)}. Each comes with what to do." if wrong else "The storage passed all checks."
