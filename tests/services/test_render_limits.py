"""An ffmpeg run that exceeds its limits is stopped with an error."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from clipviewer.media.ffmpeg import Ffmpeg, Limits, MediaError

PLENTY = 4 * 1024**3
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits of another process are set on Linux only")


def test_an_output_beyond_its_size_is_stopped(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="exceeded its limit"):
        Ffmpeg().run(
            ["-f", "lavfi", "-i", "testsrc2=s=640x360:d=20", "-c:v", "rawvideo", "-f", "nut", "-y", str(tmp_path / "out.nut")],
            timeout=60,
            limits=Limits(PLENTY, 60, 1_000_000),
        )
    assert (tmp_path / "out.nut").stat().st_size <= 1_000_000


def test_a_run_beyond_its_cpu_time_is_stopped(tmp_path: Path) -> None:
    busy = tmp_path / "ffmpeg"
    busy.write_text("#!/bin/sh\nwhile :; do :; done\n")
    busy.chmod(0o700)
    with pytest.raises(MediaError, match="limit of time or memory"):
        Ffmpeg(str(busy)).run([], timeout=60, limits=Limits(PLENTY, 1, PLENTY))


def test_a_run_beyond_its_memory_fails(tmp_path: Path) -> None:
    with pytest.raises(MediaError):
        Ffmpeg().run(
            ["-f", "lavfi", "-i", "testsrc2=s=4096x4096:d=1,format=yuv444p", "-f", "null", "-"],
            timeout=60,
            limits=Limits(64 * 1024**2, 60, PLENTY),
        )
