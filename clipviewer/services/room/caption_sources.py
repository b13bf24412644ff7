"""Captions from other sources than uploads: those inside the master, and translations.

Both take long, so each opens its own short transactions around the work: no transaction may wait for the network.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from threading import BoundedSemaphore

from clipviewer.db.models import utc_now
from clipviewer.domain.language import ORIGINAL, language_name
from clipviewer.errors import Conflict, Invalid
from clipviewer.media.captions.embedded import EmbeddedTrack, extract_captions
from clipviewer.media.captions.reading import CaptionsUnreadable
from clipviewer.media.captions.translator import Translator, open_translator, translate_track
from clipviewer.media.ffmpeg import Ffmpeg, MediaError
from clipviewer.media.source.stored_source import StoredSource
from clipviewer.services import audit
from clipviewer.services.bucket.signing import internal_signer
from clipviewer.services.container import Services
from clipviewer.services.library.opening_media import opening_media
from clipviewer.services.library.videos import master_key
from clipviewer.services.room.captions import (
    EMBEDDED,
    TRANSLATED,
    CaptionsNotFound,
    CaptionsView,
    attach_track,
    captions_of,
    find_track,
    validate_language,
)

_LOOKING, _TRANSLATING = BoundedSemaphore(1), BoundedSemaphore(2)


@dataclass(frozen=True, slots=True)
class FoundCaptions:
    """The result of inspecting a master: the attached tracks, and why the others were not attached."""

    attached: Sequence[CaptionsView]
    left_out: Sequence[str]


def find_captions(
    services: Services,
    video_id: str,
    *,
    actor: str = "",
    address: str = "",
    by_person: bool = True,
    clock: Callable[[], datetime] = utc_now,
) -> FoundCaptions:
    """Attach the caption tracks inside the master in languages that have none yet; untagged ones as ``original``.

    Blocks while the master is read. Raises ``VideoNotFound``, ``CaptionsUnreadable``, a ``StorageError``, and ``Conflict`` while another
    master is being read.
    """
    with services.database.read() as db:
        key = master_key(db, video_id)
    folder = services.settings.data_dir / "captions"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    signer = internal_signer(services.settings, services.store)
    with _take_slot(_LOOKING, "Another video is being searched for captions. Try again in a minute."):
        try:
            with opening_media(services.database, video_id, by_person=by_person):
                tracks = extract_captions(Ffmpeg(services.settings.ffmpeg), StoredSource(lambda: signer.sign(key).url), folder)
        except MediaError as error:
            raise CaptionsUnreadable(error.detail) from error
    chosen = _one_per_language(tracks)
    left_out = [f"{found.name}: {found.problem}" for found in tracks if found.problem]
    attached = []
    with services.database.write() as db:
        there = {captions.language for captions in captions_of(db, video_id)}
        for found in tracks:
            language = found.language or ORIGINAL
            if found.track is None:
                continue
            if chosen[language] is not found:
                left_out.append(f"{found.name}: there is a longer track in {_shown(language)}.")
            elif language in there:
                left_out.append(f"{found.name}: the video already has captions in {_shown(language)}.")
            else:
                attached.append(attach_track(db, video_id, language, found.track, found.name, origin=EMBEDDED, actor=actor, clock=clock))
        names = ",".join(captions.language for captions in attached)
        audit.record(db, "captions_found", actor=actor, subject=video_id, address=address, attached=names)
    return FoundCaptions(attached, left_out)


def can_translate(services: Services) -> bool:
    """Return whether a translation service is configured."""
    return services.settings.translate_url is not None


def translate_captions(
    services: Services,
    video_id: str,
    source: str,
    target: str,
    *,
    actor: str = "",
    address: str = "",
    translator: Translator | None = None,
    clock: Callable[[], datetime] = utc_now,
) -> CaptionsView:
    """Attach a translation of the ``source`` captions as ``target``; replaces only an earlier translation.

    The texts go to ``translator``, by default the configured service. Blocks, for minutes if it is slow. Raises ``VideoNotFound``,
    ``CaptionsNotFound``, ``Invalid``, ``TranslationFailed``, and ``Conflict`` if there is no service, if captions in that language were
    attached by hand, or if too many translations are running.
    """
    translator = translator or open_translator(services.settings)
    if translator is None:
        raise Conflict("No translation service is configured. Set CLIPVIEWER_TRANSLATE_URL to a LibreTranslate server and restart.")
    if validate_language(target) in (source, ORIGINAL):
        raise Invalid("Choose another language to translate into.")
    with services.database.read() as db:
        _check_free(captions_of(db, video_id), target)
        whole = find_track(db, video_id, source)
    if whole is None:
        raise CaptionsNotFound(f"This video has no captions in {_shown(source)} to translate. Attach some first.")
    with _take_slot(_TRANSLATING, "Too many translations are running. Try again when one is done."):
        translated = translate_track(translator, whole, source=source, target=target)
    with services.database.write() as db:
        _check_free(captions_of(db, video_id), target)
        name = f"Translated from {_shown(source)}"
        made = attach_track(db, video_id, target, translated, name, origin=TRANSLATED, actor=actor, clock=clock)
        audit.record(db, "captions_translated", actor=actor, subject=video_id, address=address, source=source, language=target)
    return made


def _check_free(there: Sequence[CaptionsView], language: str) -> None:
    if any(captions.language == language and captions.origin != TRANSLATED for captions in there):
        raise Conflict(f"The video already has captions in {_shown(language)}. To replace them with a translation, remove them first.")


def _one_per_language(tracks: Sequence[EmbeddedTrack]) -> dict[str, EmbeddedTrack]:
    """Return the track with the most captions per language: the others are signs only, or describe sounds."""
    chosen: dict[str, EmbeddedTrack] = {}
    for found in tracks:
        language = found.language or ORIGINAL
        best = chosen.get(language)
        if found.track and (best is None or best.track is None or len(found.track.cues) > len(best.track.cues)):
            chosen[language] = found
    return chosen


def _shown(language: str) -> str:
    return "the spoken language" if language == ORIGINAL else language_name(language)


@contextmanager
def _take_slot(places: BoundedSemaphore, otherwise: str) -> Iterator[None]:
    """Take a slot, or raise ``Conflict`` at once: waiting would hold a thread that others need."""
    if not places.acquire(blocking=False):
        raise Conflict(otherwise)
    try:
        yield
    finally:
        places.release()
