from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clipviewer.media.captions.tracks import CaptionTrack, Cue
from clipviewer.media.captions.translator import (
    MAX_CHARACTERS,
    MAX_TEXTS,
    LibreTranslate,
    TranslationFailed,
    open_translator,
    translate_track,
)
from clipviewer.settings import load_settings
from tests.fake_service import Answer, Service, fixed_answer, running_service


def _upper(asked: dict[str, Any]) -> tuple[int, bytes, dict[str, str]]:
    return 200, json.dumps({"translatedText": [text.upper() for text in asked["q"]]}).encode(), {}


@pytest.fixture
def service() -> Iterator[Service]:
    with running_service(_upper) as running:
        yield running


def _translator(service: Service, key: str | None = None, **options: float) -> LibreTranslate:
    return LibreTranslate(service.url, key, attempts=3, pause=0.001, **{"timeout": 10, **options})


def test_texts_are_sent_as_the_api_requires_and_returned_in_order(service: Service) -> None:
    assert _translator(service, "a key").translate(["one", "two"], source="en", target="pt-BR") == ["ONE", "TWO"]
    assert service.asked == [
        ("/translate", None, {"q": ["one", "two"], "source": "en", "target": "pb", "format": "text", "api_key": "a key"})
    ]


@pytest.mark.parametrize(
    ("tag", "code"), [("original", "auto"), ("de", "de"), ("de-AT", "de"), ("zh", "zh"), ("zh-Hant", "zt"), ("zh-TW", "zt")]
)
def test_a_language_tag_becomes_the_name_that_the_service_has_for_it(service: Service, tag: str, code: str) -> None:
    _translator(service).translate(["a"], source=tag, target="en")
    assert service.asked[0][2]["source"] == code
    assert "api_key" not in service.asked[0][2]


def test_many_texts_are_sent_in_batches_within_the_limits(service: Service) -> None:
    texts = [f"text {number} " + "x" * (number * 7) for number in range(80)] + ["y" * (MAX_CHARACTERS + 1), "z"]
    assert _translator(service).translate(texts, source="en", target="fr") == [text.upper() for text in texts]
    batches = [body["q"] for *_, body in service.asked]
    assert [text for batch in batches for text in batch] == texts
    assert all(len(batch) <= MAX_TEXTS and (len(batch) == 1 or sum(map(len, batch)) <= MAX_CHARACTERS) for batch in batches)
    assert len(batches) < 30


def test_nothing_to_translate_sends_no_request(service: Service) -> None:
    assert _translator(service).translate([], source="en", target="fr") == []
    assert service.asked == []


def test_a_track_keeps_its_times_and_its_sentences_whole(service: Service) -> None:
    service.answers = [lambda asked: (200, json.dumps({"translatedText": ["Guten\r\n\r\nTag\0", " "]}).encode(), {})]
    track = CaptionTrack((Cue(0, 900, "Good\nday"), Cue(1_000, 1_900, "Oh")))
    assert translate_track(_translator(service), track, source="en", target="de").cues == (Cue(0, 900, "Guten\nTag"),)
    assert service.asked[0][2]["q"] == ["Good day", "Oh"]


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_busy_service_is_retried(service: Service, status: int) -> None:
    service.answers = [fixed_answer(status), fixed_answer(status, Retry_After="0"), _upper]
    assert _translator(service).translate(["a"], source="en", target="fr") == ["A"]
    assert len(service.asked) == 3


@pytest.mark.parametrize(
    ("answer", "reason", "requests"),
    [
        (fixed_answer(400), "into French: check which languages", 1),
        (fixed_answer(403), "CLIPVIEWER_TRANSLATE_KEY", 1),
        (fixed_answer(404), "CLIPVIEWER_TRANSLATE_URL", 1),
        (fixed_answer(429), "too many requests", 3),
        (fixed_answer(500), "status 500", 1),
        (fixed_answer(503), "status 503", 3),
        (fixed_answer(200, b"<html>hidden-word"), "not a translation", 1),
        (fixed_answer(200, b'{"translatedText": "hidden-word"}'), "not a translation", 1),
        (fixed_answer(200, b'{"translatedText": ["a", "b"]}'), "not a translation", 1),
        (fixed_answer(200, b'{"translatedText": [7]}'), "not a translation", 1),
        (fixed_answer(200, b'{"error": "hidden-word"}'), "not a translation", 1),
        (fixed_answer(200, b'{"translatedText": ["' + b"a" * 2_000_000 + b'"]}'), "not a translation", 1),
        (fixed_answer(200, b"[" * 500_000), "not a translation", 1),
        (fixed_answer(200, b'{"translated', Content_Length="900"), "incomplete", 1),
    ],
)
def test_a_failure_is_one_sentence_without_the_key_or_the_answer(service: Service, answer: Answer, reason: str, requests: int) -> None:
    service.answers = [answer]
    with pytest.raises(TranslationFailed, match=reason) as caught:
        _translator(service, "hidden-word").translate(["a"], source="en", target="fr")
    assert len(service.asked) == requests
    assert caught.value.detail.endswith(".")
    assert "hidden-word" not in caught.value.detail


def test_texts_and_key_do_not_follow_a_redirect(service: Service) -> None:
    service.answers = [fixed_answer(307, Location="/elsewhere"), _upper]
    with pytest.raises(TranslationFailed, match="check the address"):
        _translator(service, "a key").translate(["a"], source="en", target="fr")
    assert [path for path, *_ in service.asked] == ["/translate"]


def test_a_silent_service_times_out(service: Service) -> None:
    released = threading.Event()

    def silent(asked: dict[str, Any]) -> tuple[int, bytes, dict[str, str]]:
        released.wait(20)
        return 200, b"", {"Connection": "close"}

    service.answers = [silent]
    try:
        with pytest.raises(TranslationFailed, match="did not answer in time"):
            _translator(service, timeout=0.05).translate(["a"], source="en", target="fr")
    finally:
        released.set()
    assert len(service.asked) == 3


def test_an_unreachable_service_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(TranslationFailed, match="cannot be reached: check CLIPVIEWER_TRANSLATE_URL"):
        LibreTranslate(f"http://127.0.0.1:{port}", pause=0.001).translate(["a"], source="en", target="fr")


def test_nothing_is_translated_unless_a_service_is_configured(service: Service, tmp_path: Path) -> None:
    assert open_translator(load_settings({}, tmp_path)) is None
    translator = open_translator(load_settings({"CLIPVIEWER_TRANSLATE_URL": f"{service.url}/"}, tmp_path))
    assert translator is not None
    assert translator.translate(["a"], source="en", target="fr") == ["A"]
