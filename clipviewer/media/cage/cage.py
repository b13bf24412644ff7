"""Ask a child process what a media file holds. It works within limits, and what it answers is validated.

Not ``multiprocessing``, which pickles: a child that a file has taken over could then run code here.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from subprocess import Popen, TimeoutExpired
from threading import BoundedSemaphore, Lock
from typing import Any, Generic, TypeVar

from clipviewer.media.ffmpeg import MediaCancelled, MediaError, MediaStopped
from clipviewer.media.source.media_info import CaptionStream, ContainerInfo, MediaInfo

_ROOT = Path(__file__).parents[3]
_COMMAND = (sys.executable, "-P", "-m", "clipviewer.media.cage.child")
_ENVIRONMENT = (
    "PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "SSL_CERT_FILE", "SSL_CERT_DIR",
    "http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY",
)  # fmt: skip

_MOST_CHILDREN = 4
_MOST_ANSWERS = 500
_ANSWER_BYTES = 1024**2
_POLL_SECONDS = 0.1
_READ_BYTES = 65_536
_ENDING_SECONDS = 5
_SENTENCE_LENGTH = 300

_DAMAGED = "it is damaged or malicious. Convert it anew, then upload it again."
_STOPPED = {
    "memory": f"Opening this file needs more memory than a video may use: {_DAMAGED}",
    "time": f"Opening this file took too long and was stopped: {_DAMAGED}",
    "crash": f"Opening this file crashed the process that reads it: {_DAMAGED}",
}
_OUT_OF_TIME = (signal.SIGALRM, signal.SIGXCPU)

_Found = TypeVar("_Found")


@dataclass(frozen=True, slots=True)
class Look(Generic[_Found]):
    """What to find in a file: the name in ``cage.child``, and the type of the answer."""

    name: str
    kind: type[_Found]


PROBE = Look("probe", MediaInfo)
INSPECT = Look("inspect", ContainerInfo)
CAPTIONS = Look("captions", tuple[CaptionStream, ...])


@dataclass(frozen=True, slots=True)
class Patience:
    """How many seconds one answer may take, and of the processor."""

    seconds: int = 60
    cpu_seconds: int = 30


class Cage:
    """Child processes, started when needed; one that is idle is kept. Threads may share an instance.

    ``command`` starts a child that speaks as ``cage.child`` does.
    """

    def __init__(self, command: Sequence[str] = _COMMAND, patience: Patience | None = None) -> None:
        self._command, self._patience = command, patience or Patience()
        self._places, self._lock = BoundedSemaphore(_MOST_CHILDREN), Lock()
        self._idle: _Child | None = None

    def look(self, look: Look[_Found], address: str, *, cancelled: Callable[[], bool] = lambda: False) -> _Found:
        """Return what ``look`` finds in the media at ``address``, a ``file:`` or HTTP URL. Blocks.

        Raises ``MediaError`` with a sentence for people, ``MediaStopped`` for what ended the child, and ``MediaCancelled`` soon after
        ``cancelled`` returns true. The child has ended by then, unless it answered.
        """
        patience = self._patience
        request = {"look": look.name, "address": address, "seconds": patience.seconds, "cpu_seconds": patience.cpu_seconds}
        while not self._places.acquire(timeout=_POLL_SECONDS):
            if cancelled():
                raise MediaCancelled
        try:
            child = self._take()
            try:
                answer = child.ask(json.dumps(request), time.monotonic() + patience.seconds, cancelled)
                found = _parse(look, answer)
            except BaseException as error:
                if not isinstance(error, MediaError) or isinstance(error, MediaStopped):
                    child.end()
                raise
            finally:
                self._give_back(child)
        finally:
            self._places.release()
        return found

    def warm_up(self) -> None:
        """Prepare for the first answer, so that it is not slower than the others: start the child that is kept."""
        self._give_back(self._take())
        for look in (PROBE, INSPECT, CAPTIONS):
            _validator(look)

    def close(self) -> None:
        """End the child that is kept. Another is started if needed."""
        with self._lock:
            child, self._idle = self._idle, None
        if child is not None:
            child.end()

    def _take(self) -> _Child:
        with self._lock:
            child, self._idle = self._idle, None
        if child is not None and not child.alive:
            child.end()
            child = None
        return child or _Child(self._command)

    def _give_back(self, child: _Child) -> None:
        if child.alive and child.answers < _MOST_ANSWERS:
            with self._lock:
                if self._idle is None:
                    self._idle = child
                    return
        child.end()


class _Child:
    """One child process, asked over a pair of sockets. ``answers`` counts its answers."""

    def __init__(self, command: Sequence[str]) -> None:
        environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
        environment["PYTHONPATH"] = os.pathsep.join([str(_ROOT), *(path for path in sys.path if path)])
        self.answers = 0
        self._line, theirs = socket.socketpair()
        self._line.settimeout(_POLL_SECONDS)
        with theirs:
            self._process = Popen(command, stdin=theirs.fileno(), stdout=theirs.fileno(), env=environment, cwd="/", process_group=0)  # noqa: S603 - no shell

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, request: str, deadline: float, cancelled: Callable[[], bool]) -> bytes:
        """Send a line and return the answer's. Raises ``MediaCancelled``, and ``MediaStopped`` if there is none before ``deadline``."""
        answer = b""
        try:
            self._line.sendall(request.encode() + b"\n")
            while not answer.endswith(b"\n"):
                if cancelled():
                    raise MediaCancelled
                if time.monotonic() > deadline:
                    raise MediaStopped(_STOPPED["time"])
                with suppress(TimeoutError):
                    data = self._line.recv(_READ_BYTES)
                    answer += data
                    if not data or len(answer) > _ANSWER_BYTES:
                        raise ConnectionResetError
        except ConnectionError as error:
            raise MediaStopped(_STOPPED[self._why()]) from error
        self.answers += 1
        return answer

    def end(self) -> None:
        """Kill the process group, if it still exists. Safe to call twice."""
        if self.alive:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._line.close()

    def _why(self) -> str:
        """Return why the process has hung up, as a key of ``_STOPPED``."""
        with suppress(TimeoutExpired):
            self._process.wait(_ENDING_SECONDS)
        return "time" if -(self._process.returncode or 0) in _OUT_OF_TIME else "crash"


def _parse(look: Look[_Found], line: bytes) -> _Found:
    """Return what an answer says was found; raises what it says instead, and ``MediaStopped`` for what is no answer."""
    try:
        answer: dict[str, Any] = json.loads(line)
        if (refused := answer.get("refused")) is not None:
            raise MediaError(str(refused)[:_SENTENCE_LENGTH])
        if answer.get("exceeded") is not None:
            raise MediaStopped(_STOPPED["memory"])
        found: _Found = _validator(look).validate_python(answer["found"])
        return found
    except (ValueError, KeyError, AttributeError) as error:
        raise MediaStopped(_STOPPED["crash"]) from error


@cache
def _validator(look: Look[Any]) -> Any:
    from pydantic import TypeAdapter  # Not needed before the first answer.

    return TypeAdapter(look.kind)


CAGE = Cage()
"""The process's own."""

atexit.register(CAGE.close)
