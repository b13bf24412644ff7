from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipviewer.domain.clip_title import MAX_TITLE, choose_title, shorten, split_words, word_weights


@given(st.lists(st.text(max_size=120), max_size=6))
def test_a_title_is_one_line_of_at_most_sixty_characters(sentences: list[str]) -> None:
    title = choose_title(sentences, word_weights(sentences))
    assert len(title) <= MAX_TITLE
    assert title == " ".join(title.split())


@given(st.text(alphabet="abc é,-", min_size=1, max_size=200))
def test_a_text_is_truncated_at_a_word(text: str) -> None:
    line, short = " ".join(text.split()), shorten(text)
    if len(line) <= MAX_TITLE:
        assert short == line
    else:
        kept = short.removesuffix("…")
        assert short != kept
        assert line.startswith(kept)
        assert " " not in line[:MAX_TITLE] or line[len(kept) :].lstrip(" ,;:-") != line[len(kept) :] or line[len(kept) - 1] == " "


def test_the_most_informative_sentence_is_the_title() -> None:
    everything = ["And so it goes on.", "And so it is.", "Who stole the crown jewels?", "And it is so.", "Yes."]
    assert choose_title(everything, word_weights(everything)) == "Who stole the crown jewels?"


def test_a_tie_is_won_by_the_first_and_by_a_whole_sentence() -> None:
    assert choose_title(["One two three.", "Four five six."], {}) == "One two three."
    long = "A sentence that goes on and on and on until nobody can remember any more how it began."
    telling = dict.fromkeys(split_words(f"{long} All in one breath."), 1.0)
    assert choose_title([long, "All in one breath."], telling) == "All in one breath."
    assert choose_title([long], telling) == "A sentence that goes on and on and on until nobody can…"


@pytest.mark.parametrize("sentences", [[], [""], ["…", "♪ ♪", "—"]])
def test_a_clip_without_speech_has_no_title(sentences: list[str]) -> None:
    assert choose_title(sentences, {}) == ""
