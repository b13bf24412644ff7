"""The whole app in a separate process, with its own data directory and footage, for benchmarks of the clip room."""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from clipviewer import frontend
from clipviewer.media.ffmpeg import Ffmpeg
from clipviewer.settings import load_settings
from clipviewer.storage.embedded.credentials import embedded_credentials
from clipviewer.storage.s3 import ObjectStore, open_store

SECRET = "a secret key that only this benchmark has"
EMAIL, PASSWORD = "anna@example.org", "reviewing-clips-daily"
_PATIENCE = 60
_CLIP_SECONDS = 2


@dataclass(slots=True)
class App:
    """A running server. ``ready_after``: seconds from the command to "Ready"."""

    port: int
    folder: Path
    process: subprocess.Popen[str]
    ready_after: float
    objects: ObjectStore = field(init=False)

    def __post_init__(self) -> None:
        settings = load_settings({"CLIPVIEWER_PORT": str(self.port)}, self.folder)
        self.objects = open_store(settings, embedded_credentials(SECRET))

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @contextmanager
    def client(self) -> Iterator[httpx.Client]:
        """Return an HTTP client with a new session."""
        with httpx.Client(base_url=self.origin, timeout=_PATIENCE) as client:
            client.post("/api/auth/sign-in", json={"email": EMAIL, "password": PASSWORD}).raise_for_status()
            yield client

    def resident_mib(self) -> float:
        """Return the server's resident memory (VmRSS of proc(5)), in MiB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024

    def add_video(self, name: str, clips: int, footage: bytes) -> str:
        """Put ``clips`` copies of ``footage`` into the bucket, register them through the API, and return the video's id."""
        master = f"{name}/master.mp4"
        keys = [exported_key(name, number) for number in range(clips)]
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda key: self.objects.put(key, footage, "video/mp4"), [master, *keys]))
        items = [
            {
                "s3Key": key,
                "start": str(number * _CLIP_SECONDS),
                "end": str((number + 1) * _CLIP_SECONDS),
                "title": f"Moment {number + 1}",
                "aspectRatio": "9:16",
                "targetLanguage": "en",
            }
            for number, key in enumerate(keys)
        ]
        with self.client() as client:
            video_id: str = client.post("/api/clips/videos", json={"s3Key": master, "title": name}).raise_for_status().json()["id"]
            answer = client.post(f"/api/clips/videos/{video_id}/exported", json={"items": items}).raise_for_status().json()
        refused = [result for result in answer["results"] if result["status"] != "created"]
        if refused:
            raise RuntimeError(f"{len(refused)} clips were not registered, the first: {refused[0]}")
        return video_id


def exported_key(name: str, number: int) -> str:
    return f"{name}/exported/clip_{number:05}.mp4"


@contextmanager
def running_app(folder: Path | None = None, settings: Mapping[str, str] | None = None) -> Iterator[App]:
    """Run the app on a free port over ``folder`` (default: an empty one) with extra environment variables; stop it at the end."""
    with tempfile.TemporaryDirectory() as own:
        data = folder or Path(own)
        port = free_port()
        started = time.perf_counter()
        with (data / "log").open("a") as log, _process(data, port, log.fileno(), settings or {}) as process:
            try:
                _wait_until_ready(process)
                yield App(port, data, process, time.perf_counter() - started)
            finally:
                process.terminate()
                process.wait(timeout=_PATIENCE)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def footage(seconds: float, width: int, height: int, kbit: int) -> bytes:
    """Render an mp4 with a moving picture and a tone at about ``kbit`` kbit/s, index first."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"
        picture = f"testsrc2=size={width}x{height}:rate=30:duration={seconds},noise=alls=12:allf=t"
        inputs = f"-f lavfi -i {picture} -f lavfi -i sine=frequency=330:duration={seconds}"
        rate = f"-c:v libx264 -preset veryfast -b:v {kbit}k -maxrate {kbit}k -bufsize {kbit}k"
        Ffmpeg().run(f"{inputs} {rate} -pix_fmt yuv420p -g 60 -c:a aac -movflags +faststart {path}".split(), timeout=120)
        return path.read_bytes()


def _process(folder: Path, port: int, log: int, settings: Mapping[str, str]) -> subprocess.Popen[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("CLIPVIEWER_", "AWS_"))} | {
        "CLIPVIEWER_DATA_DIR": str(folder),
        "CLIPVIEWER_PORT": str(port),
        "CLIPVIEWER_SECRET_KEY": SECRET,
        "CLIPVIEWER_DEMO": "off",
        "CLIPVIEWER_ADMIN_EMAIL": EMAIL,
        "CLIPVIEWER_ADMIN_PASSWORD": PASSWORD,
        **settings,
    }
    command = [sys.executable, "-m", "clipviewer"]
    return subprocess.Popen(command, cwd=frontend.ROOT, env=environment, stdout=subprocess.PIPE, stderr=log, text=True)


def _wait_until_ready(process: subprocess.Popen[str]) -> None:
    """Read the server's output until it prints its address; building the front end first takes a minute or two."""
    deadline = time.monotonic() + 300
    assert process.stdout is not None
    said = ""
    while time.monotonic() < deadline:
        if select.select([process.stdout], [], [], 1)[0]:
            line = process.stdout.readline()
            said += line
            if line.startswith("Ready in"):
                return
            if not line:
                break
    raise RuntimeError(f"the server did not start:\n{said}")
