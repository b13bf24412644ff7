from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipviewer.domain.highlight import CUTS, EDGES, LOUDNESS, PARTS, SPEECH, FindOptions, reasons_of, round_parts, score_of, stands_out

values = st.floats(-1e6, 1e6)
measured = st.dictionaries(st.sampled_from([part.name for part in PARTS]), values, min_size=1)


@given(measured)
def test_a_score_lies_between_0_and_100(parts: dict[str, float]) -> None:
    assert 0 <= score_of(parts) <= 100


@given(measured, st.data(), st.floats(0, 1e6))
def test_a_larger_part_never_lowers_the_score(parts: dict[str, float], data: st.DataObject, more: float) -> None:
    name = data.draw(st.sampled_from(sorted(parts)))
    assert score_of(parts | {name: parts[name] + more}) >= score_of(parts)


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_every_part_counts(part: object) -> None:
    others = {other.name: other.low for other in PARTS}
    assert score_of(others) == 0
    assert score_of(others | {part.name: part.high}) > 0  # type: ignore[attr-defined]


def test_a_missing_kind_of_signal_does_not_lower_the_score() -> None:
    assert score_of({EDGES.name: 100}) == score_of({EDGES.name: 100, LOUDNESS.name: 10, SPEECH.name: 100}) == 100
    assert score_of({}) == 0


def test_reasons_list_the_scores_heaviest_first() -> None:
    parts = round_parts({LOUDNESS.name: 1.84, SPEECH.name: 91.7, CUTS.name: 1.0, EDGES.name: 20.0})
    assert parts == {LOUDNESS.name: 1.8, SPEECH.name: 92, CUTS.name: 1, EDGES.name: 20}
    assert reasons_of(parts) == ("louder than the rest by 1.8 σ", "speech in 92 % of it", "1 cut")


def test_clean_edges_alone_are_not_a_reason() -> None:
    assert not stands_out({EDGES.name: 100, LOUDNESS.name: 0.4})
    assert reasons_of({EDGES.name: 100, LOUDNESS.name: 0.4}) == ("nothing in it stands out from the rest",)


@pytest.mark.parametrize(
    "fields",
    [{"shortest_ms": 0}, {"shortest_ms": 59_001}, {"most": 0}, {"overlap": 1.0}, {"overlap": -0.1}, {"share": 0.0}, {"share": 1.1}],
)
def test_meaningless_options_are_refused(fields: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"at least one candidate|at least one second"):
        FindOptions(**fields)  # type: ignore[arg-type]
