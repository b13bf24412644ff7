from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from clipviewer.media.captions.sentences import Sentence, find_speech, split_sentences, texts_within
from clipviewer.media.captions.tracks import CaptionTrack, Cue

cues = st.builds(
    lambda start, length, text: Cue(start, start + length, text),
    st.integers(0, 60_000),
    st.integers(1, 9_000),
    st.sampled_from(["so", "Yes."]),
)
tracks = st.lists(cues, max_size=12).map(lambda found: CaptionTrack(tuple(sorted(found, key=lambda cue: (cue.start_ms, cue.end_ms)))))


def _track(*cues: tuple[int, int, str]) -> CaptionTrack:
    return CaptionTrack(tuple(Cue(*cue) for cue in cues))


def test_cues_are_joined_until_a_sentence_ends_or_a_pause_follows() -> None:
    track = _track(
        (0, 900, "Tell me,"), (1_000, 2_000, "is he\nin?"), (2_000, 3_000, "Yes"), (4_000, 5_000, "“In a bad humor.”"), (5_000, 6_000, "So")
    )
    assert find_speech(track).sentences == (
        Sentence(0, 2_000, "Tell me, is he in?"),
        Sentence(2_000, 3_000, "Yes"),
        Sentence(4_000, 5_000, "“In a bad humor.”"),
        Sentence(5_000, 6_000, "So"),
    )
    assert texts_within(find_speech(track).sentences, 100, 5_000) == ["Yes", "“In a bad humor.”"]


def test_sounds_and_on_screen_texts_are_not_spoken() -> None:
    track = _track((0, 60_000, "Evening news"), (1_000, 2_000, "[applause]"), (2_000, 3_000, "♪"), (3_000, 4_000, "(laughs) Well."))
    assert [cue.text for cue in find_speech(track).cues] == ["(laughs) Well."]
    assert find_speech(track).sentences == (Sentence(3_000, 4_000, "Well."),)


def test_a_text_is_split_into_sentences_but_not_at_a_number() -> None:
    assert split_sentences("Yes. He is in! Now") == ["Yes.", "He is in!", "Now"]
    assert split_sentences("It costs 1.50 here.") == ["It costs 1.50 here."]
    assert split_sentences("はい。いいえ。") == ["はい。", "いいえ。"]


@given(tracks, st.integers(0, 70_000), st.integers(0, 5_000))
def test_only_a_time_within_a_cue_cuts_a_word(track: CaptionTrack, at: int, length: int) -> None:
    speech = find_speech(track)
    merged = [range(start + 1, end) for start, end in speech.busy]
    assert speech.cuts_word(at) is any(at in part for part in merged)
    assert speech.cuts_word(at) or not any(cue.start_ms < at < cue.end_ms for cue in speech.cues)
    assert speech.words_between(at, at + length + 1) is any(cue.start_ms < at + length + 1 and cue.end_ms > at for cue in speech.cues)
