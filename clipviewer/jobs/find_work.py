"""The job ``find``: find clips in a video, and store them beside its other candidates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sqlmodel import Session

from clipviewer.domain.language import ORIGINAL
from clipviewer.jobs.running import LibraryAttempt
from clipviewer.media.captions.reading import CaptionTrack
from clipviewer.media.ffmpeg import MediaCancelled
from clipviewer.media.finding.highlights import find_clips
from clipviewer.media.finding.title_service import add_titles, open_title_service
from clipviewer.media.source.stored_source import StoredSource
from clipviewer.services import work
from clipviewer.services.bucket.signing import internal_signer
from clipviewer.services.library.opening_media import opening_media
from clipviewer.services.library.videos import video_details
from clipviewer.services.room import finding
from clipviewer.services.room.captions import TRANSLATED, captions_of, find_track

_FOUND = 0.95
_ANY_LENGTH = 2**31 - 1


def find_video_clips(run: LibraryAttempt) -> Mapping[str, Any]:
    """Search, title the clips with the configured language model, if any, and store them; when cancelled, change nothing."""
    services, video_id = run.services, run.item.subject
    with services.database.read() as db:
        video, captions, options = video_details(db, video_id), _spoken_captions(db, video_id), finding.find_options(db)
    signer = internal_signer(services.settings, services.store)
    with opening_media(services.database, video_id, by_person=run.is_asked_for):
        candidates = find_clips(
            run.ffmpeg,
            StoredSource(lambda: signer.sign(video.s3_key).url),
            duration_ms=video.duration_ms or _ANY_LENGTH,
            captions=captions,
            folder=run.folder,
            options=options,
            on_progress=lambda share: run.report(share * _FOUND),
            cancelled=run.cancelled,
        )
    problem = ""
    if (service := open_title_service(services.settings)) is not None:
        run.check()
        run.report(_FOUND, "Waiting for the language model's titles")
        candidates, problem = add_titles(service, candidates, captions)
    with services.database.write() as db:
        if not work.is_owned(db, run.item):
            raise MediaCancelled
        kept = finding.store_found_clips(db, video_id, candidates)
    return asdict(kept) | {"problem": problem}


def _spoken_captions(db: Session, video_id: str) -> CaptionTrack | None:
    """Return the captions in the spoken language, else others that were not translated here."""
    languages = [captions.language for captions in captions_of(db, video_id) if captions.origin != TRANSLATED]
    chosen = ORIGINAL if ORIGINAL in languages else next(iter(languages), None)
    return find_track(db, video_id, chosen) if chosen else None
