"""The videos that the browser tests open, put in the store and registered as a pipeline does it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.browser.clip_footage import LONG_SECONDS, SHORT_SECONDS, Footage
from tests.browser.running_app import RunningApp

MANY = 300


@dataclass(frozen=True)
class Clip:
    """A registered clip; ``path`` is the file behind it, ``key`` is "" for an identified one."""

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


class Registrar:
    """Puts objects into the store of ``app`` and registers them through the HTTP API."""

    def __init__(self, app: RunningApp, footage: Footage, api: httpx.Client) -> None:
        self._app, self._footage, self._api = app, footage, api

    def video(self, name: str, title: str, master: Path | None = None, seconds: int = LONG_SECONDS) -> str:
        """A video with ``master``, else with the long footage, as its master; gives its id."""
        return self._video(name, title, master or self._footage.long, seconds)

    def four_shapes(self, name: str, title: str) -> Video:
        """Four exported clips in the order of the list (9:16, 1:1, 16:9, 9:16) and three identified ones."""
        video_id = self.video(name, title)
        files = self._footage
        wanted = [
            ("Boats leave", files.portrait, "9:16", "en"),
            ("Gulls", files.square, "1:1", "de"),
            ("The whole bay", files.landscape, "16:9", "original"),
            ("Lights go out", files.portrait, "9:16", "fr"),
        ]
        exported = [
            self._exported(video_id, f"{name}/exported/{at}.mp4", path, title, 10 * at, ratio, language)
            for at, (title, path, ratio, language) in enumerate(wanted)
        ]
        return Video(video_id, title, exported, self.identified(video_id, [("Opening", 2, 5), ("Middle", 20, 24), ("Late", 40, 44)]))

    def one_long(self, name: str, title: str) -> Video:
        """Two exported clips: the long one and a short one."""
        video_id = self.video(name, title)
        long = self._exported(video_id, f"{name}/exported/long.mp4", self._footage.long, "The long one", 0, "16:9", "en", LONG_SECONDS)
        short = self._exported(video_id, f"{name}/exported/short.mp4", self._footage.square, "The short one", 50, "1:1", "en")
        return Video(video_id, title, [long, short])

    def many(self, name: str, title: str) -> Video:
        """``MANY`` exported clips in two requests."""
        video_id = self.video(name, title)
        store, tiny = self._app.store, self._footage.tiny
        keys = [f"{name}/exported/{at:03}.mp4" for at in range(MANY)]
        store.put_file(keys[0], tiny, "video/mp4")
        for key in keys[1:]:
            store.copy(keys[0], key)
        items = [_item(key, f"Clip {at + 1} of {MANY}", at * 3, 2, "9:16", "en") for at, key in enumerate(keys)]
        results = self._post(f"/{video_id}/exported", items=items)["results"]
        return Video(video_id, title, [Clip(r["id"], i["title"], i["s3Key"], "9:16", tiny) for r, i in zip(results, items, strict=True)])

    def identified(self, video_id: str, ranges: Sequence[tuple[str, int, int]]) -> list[Clip]:
        """Candidates as ``(title, in, out)`` in seconds."""
        items = [{"title": title, "start": str(start), "end": str(end), "score": 80 - start} for title, start, end in ranges]
        results = self._post(f"/{video_id}/identified", items=items)["results"]
        return [Clip(r["id"], i["title"], "", "16:9", self._footage.long) for r, i in zip(results, items, strict=True)]

    def _video(self, name: str, title: str, master: Path, seconds: int) -> str:
        key = f"{name}/master.mp4"
        self._app.store.put_file(key, master, "video/mp4")
        made = self._post("", s3Key=key, title=title, duration=str(seconds), width=480, height=270, frameRate="25")
        return str(made["id"])

    def _exported(
        self, video_id: str, key: str, path: Path, title: str, start: int, ratio: str, language: str, seconds: int = SHORT_SECONDS
    ) -> Clip:
        self._app.store.put_file(key, path, "video/mp4")
        (result,) = self._post(f"/{video_id}/exported", items=[_item(key, title, start, seconds, ratio, language)])["results"]
        return Clip(result["id"], title, key, ratio, path)

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


def _item(key: str, title: str, start: int, seconds: int, ratio: str, language: str) -> dict[str, Any]:
    times = {"start": str(start), "end": str(start + seconds)}
    return {"s3Key": key, "title": title, "aspectRatio": ratio, "targetLanguage": language, **times}
