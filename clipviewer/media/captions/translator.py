"""Translate captions with a service that the team configures; otherwise nothing leaves the machine."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Protocol

from clipviewer.domain.language import ORIGINAL, language_name
from clipviewer.errors import ClipviewerError
from clipviewer.media.captions.reading import CaptionTrack
from clipviewer.media.outside_service import ANSWER_BYTES, OutsideService, ResponseIncomplete, ServiceError, ServiceUnreachable
from clipviewer.settings import Settings

# What servers accept in one request as they are installed.
MAX_TEXTS = 25
MAX_CHARACTERS = 2_000

# LibreTranslate's own names for these, which its older versions need; the newer ones know both.
_CODES = {"zh": "zh", "zh-Hans": "zh", "zh-CN": "zh", "zh-Hant": "zt", "zh-TW": "zt", "zh-HK": "zt", "pt-BR": "pb"}


class TranslationFailed(ClipviewerError):
    """The texts were not translated; the detail says why and what to do."""

    status, code, title = 502, "translation_failed", "The captions could not be translated"


class Translator(Protocol):
    """Translates short texts."""

    def translate(self, texts: Sequence[str], *, source: str, target: str) -> list[str]:
        """Return one translation per text, in order. ``source`` and ``target`` are language tags; ``original`` as source means detect.

        Raises ``TranslationFailed``.
        """
        ...


class LibreTranslate:
    """A LibreTranslate server, or one with the same API. Threads may share an instance.

    ``timeout`` is the limit for one response (seconds); a busy or unreachable server is tried ``attempts`` times with growing pauses.
    Source: https://docs.libretranslate.com/guides/api_usage/.
    """

    def __init__(self, url: str, api_key: str | None = None, *, timeout: float = 60, attempts: int = 3, pause: float = 1) -> None:
        self._service = OutsideService(f"{url.rstrip('/')}/translate", {}, timeout=timeout, attempts=attempts, pause=pause)
        self._api_key = api_key

    def translate(self, texts: Sequence[str], *, source: str, target: str) -> list[str]:
        """See ``Translator``."""
        translated: list[str] = []
        for batch in _make_batches(texts):
            translated += self._ask(
                batch, "auto" if source == ORIGINAL else _service_code(source), _service_code(target), language_name(target)
            )
        return translated

    def _ask(self, texts: Sequence[str], source: str, target: str, shown: str) -> list[str]:
        body = {"q": list(texts), "source": source, "target": target, "format": "text"}
        if self._api_key:
            body["api_key"] = self._api_key
        try:
            status, answer = self._service.ask(body)
        except ServiceError as error:
            raise TranslationFailed(_reason(error)) from error
        if status != 200:
            raise TranslationFailed(_refusal(status, shown))
        return _texts(answer, len(texts))


def open_translator(settings: Settings) -> Translator | None:
    """Return the configured translator, or None."""
    return LibreTranslate(settings.translate_url, settings.translate_key) if settings.translate_url else None


def translate_track(translator: Translator, track: CaptionTrack, *, source: str, target: str) -> CaptionTrack:
    """Return the track in another language with the same times. A caption's lines are one text, which keeps sentences whole."""
    texts = [" ".join(cue.text.split("\n")) for cue in track.cues]
    return track.with_texts(translator.translate(texts, source=source, target=target))


def _make_batches(texts: Sequence[str]) -> Iterator[list[str]]:
    """Group texts within both limits; a text that is too long goes alone."""
    batch: list[str] = []
    for text in texts:
        if batch and (len(batch) == MAX_TEXTS or sum(map(len, batch)) + len(text) > MAX_CHARACTERS):
            yield batch
            batch = []
        batch.append(text)
    if batch:
        yield batch


def _service_code(tag: str) -> str:
    """Return the service's code for a language: the primary subtag, except where the service distinguishes regions."""
    return _CODES.get(tag) or tag.partition("-")[0]


def _reason(error: ServiceError) -> str:
    match error:
        case ServiceUnreachable():
            return "The translation service cannot be reached: check CLIPVIEWER_TRANSLATE_URL, and that the service runs."
        case ResponseIncomplete():
            return "The translation service's response was incomplete: try again."
        case _:
            return "The translation service did not answer in time: try again, or translate fewer captions at once."


def _refusal(status: int, language: str) -> str:
    match status:
        case 400:
            return f"The translation service cannot translate these captions into {language}: check which languages it has."
        case 401 | 403:
            return "The translation service refused the key: check CLIPVIEWER_TRANSLATE_KEY."
        case 429:
            return "The translation service received too many requests: try again in a few minutes."
        case 404 | 405 | 301 | 302 | 303 | 307 | 308:
            return "There is no translation service at CLIPVIEWER_TRANSLATE_URL: check the address."
        case _:
            return f"The translation service failed (status {status}): try again, and check its log if it fails again."


def _texts(answer: bytes, count: int) -> list[str]:
    try:
        texts = json.loads(answer)["translatedText"] if len(answer) <= ANSWER_BYTES else None
    except (ValueError, KeyError, TypeError, RecursionError):
        texts = None
    if not isinstance(texts, list) or len(texts) != count or not all(isinstance(text, str) for text in texts):
        raise TranslationFailed("The translation service returned something that is not a translation: check CLIPVIEWER_TRANSLATE_URL.")
    return texts
