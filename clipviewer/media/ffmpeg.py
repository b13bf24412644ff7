"""Run ffmpeg: never through a shell, and stopped together with everything it started."""

from __future__ import annotations

import os
import re
import resource
import selectors
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from subprocess import DEVNULL, PIPE, Popen, TimeoutExpired

from imageio_ffmpeg import get_ffmpeg_exe  # type: ignore[import-untyped]

from clipviewer.errors import ClipviewerError

_FAILED = "The footage is damaged or not supported: upload a complete file, then retry."

# Why the system ended a run, by the number of its signal.
_STOPPED: dict[int, str] = {
    signal.SIGXFSZ: "The output exceeded its limit and was stopped: the footage is damaged or malicious.",
    signal.SIGKILL: "The system stopped ffmpeg: it exceeded its limit of time or memory.",
}

_NICENESS = 10
_POLL_SECONDS = 0.2
_LOG_BYTES = 4_000
_PASSED = ("PATH", "HOME", "TMPDIR", "LANG", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
_PASSED_GROUPS = ("LC_", "FONTCONFIG_", "XDG_")
_QUERY = re.compile(rb"\?[^\s'\"]+")


class MediaError(ClipviewerError):
    """Footage could not be read or made. ``log`` holds ffmpeg's last lines, for operators only, without URL queries."""

    code, title = "media_error", "The footage could not be processed"

    def __init__(self, detail: str | None = None, log: str = "") -> None:
        super().__init__(detail)
        self.log = log

    def __str__(self) -> str:
        return f"{self.detail}\n{self.log}".rstrip()


class MediaStopped(MediaError):
    """The footage ended the process that read it: a limit or a crash did."""

    code, title = "media_stopped", "Reading the footage was stopped"


class MediaCancelled(ClipviewerError):
    """The work was cancelled; nothing was published."""

    code, title = "media_cancelled", "The work was cancelled"


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of a run, enforced by the system (Linux): bytes of memory, seconds of CPU, bytes per file."""

    memory: int
    cpu_seconds: int
    file_size: int


class Ffmpeg:
    """An ffmpeg executable: the given one, else the one installed with the requirements. Raises ``MediaError`` if there is none."""

    def __init__(self, executable: str | None = None) -> None:
        try:
            self.executable: str = executable or get_ffmpeg_exe()
        except RuntimeError as error:
            raise MediaError("There is no ffmpeg for this machine: install one and set CLIPVIEWER_FFMPEG.") from error

    def run(
        self,
        args: Sequence[str],
        *,
        timeout: float,
        on_progress: Callable[[int], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
        limits: Limits | None = None,
    ) -> str:
        """Run to the end with ``args`` (inputs, filters, output), at low priority, for at most ``timeout`` seconds; return the last lines.

        ``on_progress`` receives the milliseconds of output so far, about twice a second; ``cancelled`` is called as often. Raises
        ``MediaCancelled``, or ``MediaError`` for a failure, incomplete output or timeout. The process has ended by then.
        """
        command = [self.executable, "-nostdin", "-hide_banner", "-loglevel", "error", "-nostats", "-progress", "pipe:1", *args]
        try:
            process = Popen(command, stdin=DEVNULL, stdout=PIPE, stderr=PIPE, env=environment(), process_group=0)  # noqa: S603 - no shell
        except OSError as error:
            raise MediaError(f"ffmpeg cannot be started from {self.executable}: check CLIPVIEWER_FFMPEG.") from error
        with process:
            try:
                with suppress(OSError):
                    os.setpriority(os.PRIO_PGRP, process.pid, _NICENESS)
                if limits is not None:
                    _confine(process.pid, limits)
                complete, log = _follow(process, time.monotonic() + timeout, on_progress, cancelled)
                code = process.wait(timeout=_POLL_SECONDS * 25)
            except TimeoutExpired as error:
                raise MediaStopped(f"ffmpeg did not finish within {timeout:.0f} seconds.") from error
            finally:
                _kill(process)
        if code != 0 or not complete:
            raise (MediaStopped if code < 0 else MediaError)(_STOPPED.get(-code, _FAILED), log)
        return log


def environment() -> dict[str, str]:
    """Return what an ffmpeg needs of this process's environment, which has secrets too: paths, languages and the fonts' settings."""
    return {name: value for name, value in os.environ.items() if name in _PASSED or name.startswith(_PASSED_GROUPS)}


def _confine(pid: int, limits: Limits) -> None:
    """Set the limits of a running process. Between fork and exec nothing may run in a program with threads."""
    if sys.platform == "linux":
        kinds = {resource.RLIMIT_DATA: limits.memory, resource.RLIMIT_CPU: limits.cpu_seconds, resource.RLIMIT_FSIZE: limits.file_size}
        for kind, amount in kinds.items():
            with suppress(ProcessLookupError):
                _, most = resource.prlimit(pid, kind)
                allowed = amount if most == resource.RLIM_INFINITY else min(amount, most)
                resource.prlimit(pid, kind, (allowed, allowed))


def _follow(
    process: Popen[bytes],
    deadline: float,
    on_progress: Callable[[int], None] | None,
    cancelled: Callable[[], bool] | None,
) -> tuple[bool, str]:
    """Read both pipes until they close; return whether ffmpeg reported the end, and its last lines."""
    complete, reported, log = False, b"", b""
    with selectors.DefaultSelector() as selector:
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                selector.register(pipe, selectors.EVENT_READ)
        while selector.get_map():
            if cancelled is not None and cancelled():
                raise MediaCancelled
            if time.monotonic() > deadline:
                raise TimeoutExpired(process.args, deadline)
            for key, _ in selector.select(_POLL_SECONDS):
                data = os.read(key.fd, 65_536)
                if not data:
                    selector.unregister(key.fileobj)
                elif key.fileobj is process.stderr:
                    log = (log + data)[-_LOG_BYTES:]
                else:
                    *lines, reported = (reported + data).split(b"\n")
                    complete = complete or b"progress=end" in lines
                    _report(lines, on_progress)
    return complete, _QUERY.sub(b"?...", log).decode(errors="replace").strip()


def _report(lines: Sequence[bytes], on_progress: Callable[[int], None] | None) -> None:
    """Report the latest time among ``key=value`` lines; it is ``N/A`` before the first frame."""
    times = [value for line in lines if (value := line.removeprefix(b"out_time_us=")) != line and value.isdigit()]
    if times and on_progress is not None:
        on_progress(int(times[-1]) // 1000)


def _kill(process: Popen[bytes]) -> None:
    """Kill the whole process group, if it still exists."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
