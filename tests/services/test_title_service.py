from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clipviewer.domain.highlight import EDGES, INTEREST, Candidate, reasons_of, score_of
from clipviewer.media.captions.tracks import CaptionTrack, Cue
from clipviewer.media.finding.title_service import (
    MAX_CHARACTERS,
    MAX_CLIPS,
    ClipRating,
    TitleService,
    TitlesFailed,
    add_titles,
    open_title_service,
)
from clipviewer.settings import load_settings
from tests.fake_service import Answer, Service, fixed_answer, running_service

TRACK = CaptionTrack(
    (Cue(0, 2_000, "Before."), Cue(10_000, 12_000, "Who stole\nthe jewels?"), Cue(13_500, 15_000, "Nobody."), Cue(40_000, 41_000, "After."))
)


def _message(content: str) -> tuple[int, bytes, dict[str, str]]:
    return 200, json.dumps({"choices": [{"message": {"role": "assistant", "content": content}}]}).encode(), {}


def _clips(asked: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(asked["messages"][1]["content"])["clips"]
    return found


def _obedient(asked: dict[str, Any]) -> tuple[int, bytes, dict[str, str]]:
    clips = [{"id": clip["id"], "title": f"Title {clip['id']}", "interest": 100 - clip["id"]} for clip in _clips(asked)]
    return _message(json.dumps({"clips": clips}))


@pytest.fixture
def server() -> Iterator[Service]:
    with running_service(_obedient) as running:
        yield running


def _service(server: Service, key: str | None = None, timeout: float = 10) -> TitleService:
    return TitleService(f"{server.url}/v1", "small", key, attempts=3, pause=0.001, timeout=timeout)


def _candidate(start_ms: int, end_ms: int, clean: float = 50) -> Candidate:
    parts = {EDGES.name: clean}
    return Candidate(start_ms, end_ms, f"At {start_ms}", score_of(parts), parts, reasons_of(parts))


def _saying(content: str) -> Answer:
    return lambda asked: _message(content)


def test_text_and_times_of_the_captions_in_the_clips_are_sent_and_nothing_else(server: Service) -> None:
    add_titles(_service(server, "a key"), [_candidate(9_800, 20_000), _candidate(20_000, 39_000)], TRACK)
    ((path, authorization, body),) = server.asked
    assert (path, authorization) == ("/v1/chat/completions", "Bearer a key")
    assert body.keys() == {"model", "messages", "temperature"}
    assert _clips(body) == [{"id": 0, "captions": "0s Who stole the jewels?\n3s Nobody."}]
    assert "Before" not in json.dumps(body)


def test_titles_are_used_and_interest_becomes_part_of_the_score(server: Service) -> None:
    mute, spoken = _candidate(20_000, 39_000, clean=60), _candidate(9_800, 20_000)
    found, failure = add_titles(_service(server), [mute, spoken], TRACK)
    assert failure == ""
    assert found[1] == mute
    assert (found[0].title, found[0].parts[INTEREST.name], found[0].score) == ("Title 1", 99, score_of(found[0].parts))
    assert "interesting by what is said: 99 of 100" in found[0].reasons


def test_many_clips_are_sent_in_batches_and_long_ones_are_cut_at_a_caption(server: Service) -> None:
    track = CaptionTrack(tuple(Cue(at, at + 900, "word " * 30) for at in range(0, 60_000, 1_000)))
    found, failure = add_titles(_service(server), [_candidate(0, 60_000)] * (MAX_CLIPS + 2), track)
    assert failure == ""
    assert [len(_clips(body)) for _, _, body in server.asked] == [MAX_CLIPS, 2]
    texts = [clip["captions"] for _, _, body in server.asked for clip in _clips(body)]
    assert all(MAX_CHARACTERS - 200 < len(text) <= MAX_CHARACTERS and text.endswith("word") for text in texts)
    assert len({one.title for one in found}) == MAX_CLIPS + 2


def test_without_speech_no_request_is_sent(server: Service) -> None:
    assert add_titles(_service(server), [_candidate(0, 5_000)], None) == ([_candidate(0, 5_000)], "")
    assert add_titles(_service(server), [_candidate(20_000, 39_000)], TRACK) == ([_candidate(20_000, 39_000)], "")
    assert server.asked == []


def test_a_fenced_response_is_read_and_a_title_is_one_short_line(server: Service) -> None:
    server.answers = [_saying('```json\n{"clips": [{"id": 3, "title": " Who\\nstole \\u0000it? ' + "x" * 90 + '", "interest": 7}]}\n```')]
    judged = _service(server).judge({3: "0s Who?"})
    assert judged == {3: ClipRating("Who stole it?…", 7)}


@pytest.mark.parametrize(
    "content",
    [
        "Sure! Here you are.",
        "[]",
        '{"clips": []}',
        '{"clips": [{"id": 0, "title": "a", "interest": 1}, {"id": 1, "title": "a", "interest": 1}]}',
        '{"clips": [{"id": 0, "title": "a", "interest": 1}, {"id": 0, "title": "b", "interest": 1}]}',
        '{"clips": [{"id": "0", "title": "a", "interest": 1}]}',
        '{"clips": [{"id": false, "title": "a", "interest": 1}]}',
        '{"clips": [{"id": [], "title": "a", "interest": 1}]}',
        '{"clips": [{"id": 0, "title": " ", "interest": 1}]}',
        '{"clips": [{"id": 0, "title": 5, "interest": 1}]}',
        '{"clips": [{"id": 0, "title": "a", "interest": 101}]}',
        '{"clips": [{"id": 0, "title": "a", "interest": true}]}',
        '{"clips": [{"id": 0, "title": "a"}]}',
        '{"clips": {"id": 0}}',
        "[" * 100_000,
    ],
)
def test_an_invalid_response_changes_nothing(server: Service, content: str) -> None:
    server.answers = [_saying(content)]
    candidates = [_candidate(9_800, 20_000)]
    found, failure = add_titles(_service(server), candidates, TRACK)
    assert found == candidates
    assert "answer was not as requested" in failure


@pytest.mark.parametrize(
    ("answer", "reason", "requests"),
    [
        (fixed_answer(400), "CLIPVIEWER_LLM_MODEL", 1),
        (fixed_answer(401), "CLIPVIEWER_LLM_KEY", 1),
        (fixed_answer(404), "CLIPVIEWER_LLM_URL", 1),
        (fixed_answer(307, Location="/elsewhere"), "CLIPVIEWER_LLM_URL", 1),
        (fixed_answer(429), "too many requests", 3),
        (fixed_answer(500), "status 500", 1),
        (fixed_answer(503), "status 503", 3),
        (fixed_answer(200, b"<html>hidden-word"), "not as requested", 1),
        (fixed_answer(200, b'{"choices": []}'), "not as requested", 1),
        (fixed_answer(200, b'{"choices": [{"message": {"content": null}}]}'), "not as requested", 1),
        (fixed_answer(200, b'"' + b"a" * 2_000_000 + b'"'), "not as requested", 1),
        (fixed_answer(200, b'{"choices', **{"Content-Length": "900"}), "incomplete", 1),
    ],
)
def test_a_failure_is_one_sentence_and_the_clips_stay(server: Service, answer: Answer, reason: str, requests: int) -> None:
    server.answers = [answer]
    candidates = [_candidate(9_800, 20_000)]
    found, failure = add_titles(_service(server, "hidden-word"), candidates, TRACK)
    assert found == candidates
    assert reason in failure
    assert failure.endswith(".")
    assert "hidden-word" not in failure
    assert len(server.asked) == requests


def test_a_silent_server_times_out(server: Service) -> None:
    released = threading.Event()

    def silent(asked: dict[str, Any]) -> tuple[int, bytes, dict[str, str]]:
        released.wait(20)
        return 200, b"", {"Connection": "close"}

    server.answers = [silent]
    try:
        with pytest.raises(TitlesFailed, match="did not answer in time"):
            _service(server, timeout=0.05).judge({0: "0s Who?"})
    finally:
        released.set()
    assert len(server.asked) == 3


def test_an_unreachable_server_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(TitlesFailed, match="cannot be reached: check CLIPVIEWER_LLM_URL"):
        TitleService(f"http://127.0.0.1:{port}/v1", "small", pause=0.001).judge({0: "0s Who?"})


def test_no_model_is_used_unless_one_is_configured(server: Service, tmp_path: Path) -> None:
    assert open_title_service(load_settings({}, tmp_path)) is None
    service = open_title_service(load_settings({"CLIPVIEWER_LLM_URL": f"{server.url}/", "CLIPVIEWER_LLM_MODEL": "small"}, tmp_path))
    assert service is not None
    assert service.judge({0: "0s Who?"}) == {0: ClipRating("Title 0", 100)}
    assert server.asked[0][2]["model"] == "small"
    assert server.asked[0][1] is None
