"""Videos for the browser tests, put in the store and registered as a pipeline does."""

from __future__ import annotations

import itertools
import string
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.browser.clip_footage import LONG_SECONDS, SHORT_SECONDS, Footage
from tests.browser.running_app import RunningApp

MANY = 300
_CONSONANTS = [letter for letter in string.ascii_lowercase if letter not in "aeiouy"]
_endings = map("".join, itertools.product(_CONSONANTS, repeat=4))


def unique(word: str) -> str:
    """Return ``word`` with a suffix unique in this process, so that a search for it finds only what the test created."""
    return word + next(_endings)


@dataclass(frozen=True)
class Clip:
    """A registered clip; ``path`` is its local file, ``key`` is "" for an identified one."""

    id: str
    title: str
    key: str
    ratio: str
    path: Path


@dataclass(frozen=True)
class Video:
    id: str
    title: str
    exported: Sequence[Clip] = ()
    identified: Sequence[Clip] = ()

    @property
    def path(self) -> str:
        return f"/videos/{self.id}"

    @property
    def word(self) -> str:
        """The last word of the title."""
        return self.title.rpartition(" ")[2]


class Registrar:
    """Puts objects into the store of ``app`` and registers them through the HTTP API."""

    def __init__(self, app: RunningApp, footage: Footage, api: httpx.Client) -> None:
        self._app, self._footage, self._api = app, footage, api

    def video(self, name: str, title: str, master: Path | None = None, seconds: int = LONG_SECONDS) -> str:
        """Register a video with ``master`` or 48 seconds of 16:9; return its id. Its key is unique and begins with ``name``."""
        return self._video(_folder(name), title, master or self._footage.master, seconds)

    def four_shapes(self, name: str, title: str) -> Video:
        """Four exported clips in the order of the list (9:16, 1:1, 16:9, 9:16) and three identified ones."""
        folder, files = _folder(name), self._footage
        video_id = self._video(folder, title, files.master)
        wanted = [
            ("Boats leave", files.portrait, "9:16", "en"),
            ("Gulls", files.square, "1:1", "de"),
            ("The whole bay", files.landscape, "16:9", "original"),
            ("Lights go out", files.portrait, "9:16", "fr"),
        ]
        items = [
            _item(f"{folder}/exported/{at}.mp4", title, 10 * at, SHORT_SECONDS, ratio, language)
            for at, (title, _, ratio, language) in enumerate(wanted)
        ]
        exported = self._exported(video_id, items, [path for _, path, _, _ in wanted])
        return Video(video_id, title, exported, self.identified(video_id, [("Opening", 2, 5), ("Middle", 20, 24), ("Late", 40, 44)]))

    def one_long(self, name: str, title: str) -> Video:
        """Two exported clips: the long one and a short one."""
        folder, files = _folder(name), self._footage
        video_id = self._video(folder, title, files.master)
        items = [
            _item(f"{folder}/exported/long.mp4", "The long one", 0, LONG_SECONDS, "16:9", "en"),
            _item(f"{folder}/exported/short.mp4", "The short one", 50, SHORT_SECONDS, "1:1", "en"),
        ]
        return Video(video_id, title, self._exported(video_id, items, [files.long, files.square]))

    def many(self, name: str, title: str) -> Video:
        """``MANY`` exported clips in one request."""
        folder, files = _folder(name), self._footage
        video_id = self._video(folder, title, files.master)
        items = [_item(f"{folder}/exported/{at:03}.mp4", f"Clip {at + 1} of {MANY}", at * 3, 2, "9:16", "en") for at in range(MANY)]
        return Video(video_id, title, self._exported(video_id, items, [files.tiny] * MANY))

    def identified(self, video_id: str, ranges: Sequence[tuple[str, int, int]]) -> list[Clip]:
        """Register candidates given as ``(title, in, out)``, in seconds."""
        items = [{"title": title, "start": str(start), "end": str(end), "score": 80 - start} for title, start, end in ranges]
        results = self._post(f"/{video_id}/identified", items=items)["results"]
        return [Clip(r["id"], i["title"], "", "16:9", self._footage.master) for r, i in zip(results, items, strict=True)]

    def _video(self, folder: str, title: str, master: Path, seconds: int = LONG_SECONDS) -> str:
        key = f"{folder}/master.mp4"
        self._app.store.put_file(key, master, "video/mp4")
        made = self._post("", s3Key=key, title=title, duration=str(seconds), width=480, height=270, frameRate="25")
        return str(made["id"])

    def _exported(self, video_id: str, items: Sequence[dict[str, Any]], files: Sequence[Path]) -> list[Clip]:
        """Put the files into the store, identical ones as copies, and register the clips."""
        put: dict[Path, str] = {}
        for item, path in zip(items, files, strict=True):
            if (first := put.setdefault(path, item["s3Key"])) == item["s3Key"]:
                self._app.store.put_file(first, path, "video/mp4")
            else:
                self._app.store.copy(first, item["s3Key"])
        results = self._post(f"/{video_id}/exported", items=items)["results"]
        return [
            Clip(result["id"], item["title"], item["s3Key"], item["aspectRatio"], path)
            for result, item, path in zip(results, items, files, strict=True)
        ]

    def _post(self, path: str, **body: Any) -> dict[str, Any]:
        answer = self._api.post(f"/api/clips/videos{path}", json=body)
        assert answer.is_success, answer.text
        done: dict[str, Any] = answer.json()
        assert {result["status"] for result in done.get("results", ())} <= {"created"}, done
        return done


@contextmanager
def registering(app: RunningApp, footage: Footage) -> Iterator[Registrar]:
    with app.pipeline() as api:
        yield Registrar(app, footage, api)


def _folder(name: str) -> str:
    return unique(f"{name}-")


def _item(key: str, title: str, start: int, seconds: int, ratio: str, language: str) -> dict[str, Any]:
    times = {"start": str(start), "end": str(start + seconds)}
    return {"s3Key": key, "title": title, "aspectRatio": ratio, "targetLanguage": language, **times}
