"""The child process: limit itself, then open one media file after the other and report what it finds.

It reads requests from standard input and writes one answer to each to standard output, both as lines of JSON. Nothing that a media
file holds is ever loaded as code or as objects.
"""

from __future__ import annotations

import json
import math
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from fractions import Fraction
from typing import Any

from av.container import InputContainer

from clipviewer.media.cage.opened_media import Refused, inspect, list_captions, open_media, probe

MEMORY = 1024**3
_OPEN_FILES = 64
_LIFETIME_CPU_SECONDS = 3600

_LOOKS: Mapping[str, Callable[[InputContainer], Any]] = {"probe": probe, "inspect": inspect, "captions": list_captions}


def main() -> None:
    """Answer requests until standard input ends."""
    _confine()
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # What a library prints is no answer.
    for line in sys.stdin.buffer:
        request = json.loads(line)
        _limit_time(request["seconds"], request["cpu_seconds"])
        answer = _answer(request["look"], request["address"])
        signal.alarm(0)
        answers.write(json.dumps(answer, default=_plain).encode() + b"\n")
        answers.flush()
        if "exceeded" in answer:
            break


def _answer(look: str, address: str) -> dict[str, Any]:
    try:
        with open_media(address) as container:
            return {"found": _LOOKS[look](container)}
    except Refused as refusal:
        return {"refused": str(refusal)}
    except MemoryError:
        return {"exceeded": "memory"}


def _confine() -> None:
    """Set the limits that hold for the whole life of the process: no file may be written, no core dumped."""
    limits = {
        resource.RLIMIT_DATA: MEMORY,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: _OPEN_FILES,
        resource.RLIMIT_CPU: _LIFETIME_CPU_SECONDS,
    }
    for kind, amount in limits.items():
        most = resource.getrlimit(kind)[1]
        allowed = amount if most == resource.RLIM_INFINITY else min(amount, most)
        with suppress(ValueError, OSError):  # macOS knows the limit of memory, and does not set it.
            resource.setrlimit(kind, (allowed, allowed))


def _limit_time(seconds: int, cpu_seconds: int) -> None:
    """Have the system end this process if the next answer takes longer, even if nobody is there any more to end it."""
    most = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (min(most, math.ceil(time.process_time()) + cpu_seconds), most))
    signal.alarm(seconds)


def _plain(value: object) -> object:
    if isinstance(value, Fraction):
        return f"{value.numerator}/{value.denominator}"
    return asdict(value)  # type: ignore[call-overload]


if __name__ == "__main__":
    main()
