"""Candidates chosen in any video, from its picture, sound and captions, keep the rules."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clipviewer.domain.highlight import Candidate, FindOptions, score_of
from clipviewer.media.captions.tracks import CaptionTrack, Cue
from clipviewer.media.finding.footage_scan import HEIGHT, WIDTH, Scan
from clipviewer.media.finding.highlights import NothingFound, choose_candidates
from clipviewer.media.finding.sound_features import SILENCE_DB, SoundFeatures
from clipviewer.media.finding.windows import overlap

RATE = 5
NO_EDGE_MATTERS = FindOptions(shortest_ms=2_000, longest_ms=8_000, most=6)


def seen(duration_ms: int, seed: int, moving: bool = True) -> Scan:
    """Return five pictures per second: shots of a few seconds with little motion."""
    random = np.random.default_rng(seed)
    count = duration_ms * RATE // 1000
    shot = np.cumsum(random.random(count) < 0.06)
    looks = random.integers(0, 256, (shot.max(initial=0) + 1, HEIGHT, WIDTH))
    noise = random.integers(0, 12, (count, HEIGHT, WIDTH)) if moving else 0
    pictures = np.clip(looks[shot if moving else shot * 0] + noise, 0, 255).astype(np.uint8)
    return Scan(duration_ms, pictures, np.arange(count) * 1000 / RATE, True, None)


def heard(duration_ms: int, seed: int) -> SoundFeatures:
    random = np.random.default_rng(seed)
    steps = -(-duration_ms // 100)
    level = np.repeat(random.uniform(SILENCE_DB, -3, steps // 5 + 1), 5)[:steps]
    return SoundFeatures(level, random.uniform(0, 4, steps), (random.random(steps) < 0.5).astype(float))


def said(duration_ms: int, seed: int) -> CaptionTrack:
    random = np.random.default_rng(seed)
    cues, at = [], 0
    while True:
        at += int(random.choice([0, 0, 40, 300, 900, 2_500]))
        end = at + int(random.integers(300, 4_000))
        if end > duration_ms:
            return CaptionTrack(tuple(cues))
        cues.append(Cue(at, end, str(random.choice(["and so", "it is.", "Who knows?", "No!", "[music]"]))))
        at = end


def chosen(seed: int, duration_ms: int, options: FindOptions, sound: bool = True, captions: bool = True) -> list[Candidate]:
    scan = seen(duration_ms, seed)
    track = said(duration_ms, seed) if captions else None
    return choose_candidates(scan, heard(duration_ms, seed) if sound else None, track, options, look=scan.between)


@settings(max_examples=2 * settings().max_examples)
@given(
    seed=st.integers(0, 2**32),
    duration_ms=st.integers(9_000, 240_000),
    shortest=st.integers(1_000, 9_000),
    longer=st.integers(1_000, 30_000),
    most=st.integers(1, 9),
    limit=st.sampled_from([0.0, 0.1, 0.4]),
    sound=st.booleans(),
    captions=st.booleans(),
)
def test_candidates_of_any_video_keep_the_rules(
    seed: int, duration_ms: int, shortest: int, longer: int, most: int, limit: float, sound: bool, captions: bool
) -> None:
    options = FindOptions(shortest, shortest + longer, most, limit)
    try:
        found = chosen(seed, duration_ms, options, sound, captions)
    except NothingFound:
        assert captions
        return
    assert 1 <= len(found) <= most
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    for one in found:
        assert 0 <= one.start_ms < one.end_ms <= duration_ms
        assert options.shortest_ms <= one.duration_ms <= options.longest_ms
        assert one.score == score_of(one.parts)
        assert one.reasons
        assert 0 < len(one.title) <= 60
        if captions:
            words = [cue for cue in said(duration_ms, seed).cues if not cue.text.startswith("[")]
            assert not [cue for cue in words for edge in (one.start_ms, one.end_ms) if cue.start_ms < edge < cue.end_ms]
    for one, other in combinations(found, 2):
        assert overlap((one.start_ms, one.end_ms), (other.start_ms, other.end_ms)) <= limit


@pytest.mark.parametrize("seed", range(3))
def test_the_same_video_gives_the_same_candidates(seed: int) -> None:
    assert chosen(seed, 90_000, NO_EDGE_MATTERS) == chosen(seed, 90_000, NO_EDGE_MATTERS)


def test_the_loud_passage_ranks_first_and_its_speech_is_its_title() -> None:
    scan = seen(200_000, 1, moving=False)
    steps = np.arange(2_000)
    loud = (steps >= 1_200) & (steps < 1_400)
    level = np.where(loud, -8.0, -30.0)
    level[np.isin(steps, [1_199, 1_198, 1_400, 1_401])] = SILENCE_DB
    sound = SoundFeatures(level, np.ones(2_000), np.zeros(2_000))
    first = choose_candidates(scan, sound, None, FindOptions(), look=scan.between)[0]
    assert (first.start_ms, first.end_ms) == (pytest.approx(120_000, abs=300), pytest.approx(140_000, abs=300))
    assert any("louder than the rest" in reason for reason in first.reasons)
    track = CaptionTrack(
        (Cue(10_000, 12_000, "Nothing yet."), Cue(125_000, 128_000, "Look at that goal!"), Cue(180_000, 182_000, "And over."))
    )
    titled = choose_candidates(scan, sound, track, FindOptions(), look=scan.between)[0]
    assert 119_700 <= titled.start_ms < titled.end_ms <= 140_300
    assert titled.title == "Look at that goal!"


def test_without_captions_the_title_is_the_time() -> None:
    first = chosen(1, 240_000, NO_EDGE_MATTERS, captions=False)[0]
    assert first.title == f"At {first.start_ms // 60_000}:{first.start_ms // 1000 % 60:02d}"


def test_a_video_shorter_than_a_clip_is_one_candidate() -> None:
    (only,) = chosen(1, 8_000, FindOptions())
    assert (only.start_ms, only.end_ms) == (0, 8_000)
    assert only.reasons[0] == "the whole video: it is shorter than 15 seconds"


def test_captions_alone_are_enough() -> None:
    still = seen(120_000, 2, moving=False)
    found = choose_candidates(still, None, said(120_000, 2), NO_EDGE_MATTERS, look=still.between)
    assert {"speech %", "words per minute"} <= found[0].parts.keys()
    assert not {"loudness σ", "motion σ", "cuts"} & found[0].parts.keys()


def test_silence_over_a_still_picture_is_reported_as_nothing_to_find() -> None:
    still = seen(60_000, 2, moving=False)
    silence = SoundFeatures(np.full(600, SILENCE_DB), np.zeros(600), np.zeros(600))
    with pytest.raises(NothingFound, match="silent and its picture does not change"):
        choose_candidates(still, silence, CaptionTrack((Cue(0, 1_000, "[silence]"),)), FindOptions(), look=still.between)


def test_one_endless_caption_leaves_no_valid_edge() -> None:
    scan = seen(60_000, 2)
    track = CaptionTrack((Cue(1_000, 59_000, " ".join(["word"] * 100)),))
    with pytest.raises(NothingFound, match="would split a word"):
        choose_candidates(scan, None, track, FindOptions(longest_ms=20_000), look=scan.between)
