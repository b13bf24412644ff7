"""Make the demo footage for an empty embedded store: render, cut, upload and register it piece by piece.

Every piece is complete by itself: first the object, then its row. The app can be used meanwhile, and a restart continues with what is
missing.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from sqlmodel import Session, select

from clipviewer.db.models import ExportedClip, IdentifiedClip, Video
from clipviewer.demo.footage import PRESET, render_master
from clipviewer.demo.plan import DEMO_VIDEOS, LANGUAGE, DemoClip, DemoVideo
from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.errors import ClipviewerError, ObjectMissing, StorageUnreachable
from clipviewer.media.ffmpeg import Ffmpeg, MediaCancelled
from clipviewer.media.render.cut import cut_clip, write_poster
from clipviewer.media.source.media_info import MediaInfo
from clipviewer.media.source.probe import probe
from clipviewer.services import work
from clipviewer.services.container import Services
from clipviewer.services.library import video_previews
from clipviewer.storage.s3 import StoredObject

MARKER_KEY = "demo/plan.json"

_PATIENCE_SECONDS = 30
_FETCH_BYTES = 4 * 1024 * 1024
_VIDEO_TYPE = "video/mp4"


def _never() -> bool:
    return False


class Demo:
    """Makes ``videos`` once. Both methods block and talk to the store over HTTP: call them in a thread of a serving process."""

    def __init__(self, services: Services, videos: Sequence[DemoVideo] = DEMO_VIDEOS) -> None:
        self._settings = services.settings
        self._database = services.database
        self._store = services.store
        self._videos = videos
        self._folder = services.settings.data_dir / "demo-work"

    def wanted(self, cancelled: Callable[[], bool] = _never) -> bool:
        """Return whether the embedded store is empty or its demo is unfinished. Waits for a store that does not answer yet.

        Raises a ``StorageError`` if it does not answer within half a minute, or refuses.
        """
        if not (self._settings.demo and self._settings.embedded):
            return False
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not cancelled():
            try:
                return self._unfinished()
            except StorageUnreachable:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
        return False

    def render(self, progress: Callable[[str], None], cancelled: Callable[[], bool]) -> None:
        """Make and register what is missing, reporting sentences to ``progress``; about a minute on two cores.

        Returns within a second once ``cancelled`` returns true. Raises ``MediaError`` or a ``StorageError``; finished pieces stay.
        """
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(mode=0o700, parents=True)
        try:
            ffmpeg = Ffmpeg(self._settings.ffmpeg)
            self._mark(finished=False)
            for number, video in enumerate(self._videos, 1):
                progress(f"Demo footage: rendering “{video.title}” ({number} of {len(self._videos)}).")
                self._make_video(ffmpeg, video, progress, cancelled)
            self._mark(finished=True)
            progress("Demo footage: complete.")
        except ClipviewerError:
            if not cancelled():
                raise
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _make_video(self, ffmpeg: Ffmpeg, video: DemoVideo, progress: Callable[[str], None], cancelled: Callable[[], bool]) -> None:
        path = self._folder / f"{video.slug}.mp4"
        master = self._ensure(
            video.master_key, _VIDEO_TYPE, path, lambda: render_master(ffmpeg, video, path, cancelled=cancelled), cancelled
        )
        if not path.exists():
            self._fetch(master, path)
        still = self._folder / f"{video.slug}.jpg"
        self._ensure(
            video.poster_key, "image/jpeg", still, lambda: write_poster(ffmpeg, path, still, at_ms=video.clips[0].start_ms), cancelled
        )
        with self._database.write() as db:
            video_id = self._register_video(db, video, master, probe(path))
        for count, (clip, ratio) in enumerate(video.exports(), 1):
            self._make_export(ffmpeg, video, video_id, clip, ratio, path, cancelled)
            progress(f"Demo footage: “{video.title}”, exported clip {count} of {len(video.exports())}.")

    def _make_export(
        self,
        ffmpeg: Ffmpeg,
        video: DemoVideo,
        video_id: str,
        clip: DemoClip,
        ratio: AspectRatio,
        master: Path,
        cancelled: Callable[[], bool],
    ) -> None:
        out = self._folder / "export.mp4"

        def make() -> None:
            cut_clip(ffmpeg, master, out, start_ms=clip.start_ms, end_ms=clip.end_ms, ratio=ratio, preset=PRESET, cancelled=cancelled)

        stored = self._ensure(video.export_key(clip, ratio), _VIDEO_TYPE, out, make, cancelled)
        out.unlink(missing_ok=True)
        with self._database.write() as db:
            self._register_export(db, video_id, clip, ratio, stored)

    def _ensure(self, key: str, content_type: str, path: Path, make: Callable[[], None], cancelled: Callable[[], bool]) -> StoredObject:
        """Ensure that ``key`` exists; otherwise ``make`` writes ``path`` and it is uploaded."""
        if cancelled():
            raise MediaCancelled
        key = self._settings.s3_prefix + key
        try:
            return self._store.head(key)
        except ObjectMissing:
            make()
        self._store.put_file(key, path, content_type)
        return self._store.head(key)

    def _fetch(self, stored: StoredObject, path: Path) -> None:
        with path.open("wb") as file:
            for start in range(0, stored.size, _FETCH_BYTES):
                file.write(self._store.get_range(stored.key, start, min(start + _FETCH_BYTES, stored.size)))

    def _register_video(self, db: Session, video: DemoVideo, master: StoredObject, info: MediaInfo) -> str:
        row = db.exec(select(Video).where(Video.s3_key == master.key)).first() or Video(title=video.title, s3_key=master.key)
        row.etag, row.size = master.etag, master.size
        row.duration_ms, row.width, row.height = info.duration_ms, info.width, info.height
        row.frame_rate = f"{info.frame_rate.numerator}/{info.frame_rate.denominator}"
        row.poster_key = self._settings.s3_prefix + video.poster_key
        db.add(row)
        db.flush()
        if not row.previews:
            work.enqueue(db, video_previews.KIND, row.id, video_id=row.id)
        known = set(db.exec(select(IdentifiedClip.reference).where(IdentifiedClip.video_id == row.id)))
        for clip in video.clips:
            if clip.reference not in known:
                db.add(
                    IdentifiedClip(
                        video_id=row.id,
                        reference=clip.reference,
                        start_ms=clip.start_ms,
                        end_ms=clip.end_ms,
                        title=clip.title,
                        score=clip.score,
                        score_parts=clip.score_parts,
                    )
                )
        return row.id

    def _register_export(self, db: Session, video_id: str, clip: DemoClip, ratio: AspectRatio, stored: StoredObject) -> None:
        candidate = select(IdentifiedClip.id).where(IdentifiedClip.video_id == video_id, IdentifiedClip.reference == clip.reference)
        row = db.exec(select(ExportedClip).where(ExportedClip.s3_key == stored.key)).first() or ExportedClip(
            video_id=video_id,
            identified_clip_id=db.exec(candidate).first(),
            start_ms=clip.start_ms,
            end_ms=clip.end_ms,
            title=clip.title,
            s3_key=stored.key,
            aspect_ratio=ratio.value,
            target_language=LANGUAGE,
        )
        row.etag, row.size = stored.etag, stored.size
        db.add(row)

    def _unfinished(self) -> bool:
        try:
            return not json.loads(self._store.get(self._settings.s3_prefix + MARKER_KEY))["finished"]
        except ObjectMissing:
            return next(self._store.list(""), None) is None

    def _mark(self, *, finished: bool) -> None:
        data = json.dumps({"finished": finished}).encode()
        self._store.put(self._settings.s3_prefix + MARKER_KEY, data, "application/json")
