"""A quick copy's name and metadata lead back to its original."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from clipviewer.domain.object_key import MAX_KEY_BYTES, check_object_key
from clipviewer.domain.quick_copy import Original, copies_prefix, copy_metadata, is_quick_key, parse_original, quick_key

WORK = "work_0123456789abcdefghjkmnpqrs"


def is_key(text: str) -> bool:
    try:
        check_object_key(text)
    except ValueError:
        return False
    return True


names = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "Zs")), min_size=1, max_size=400)
keys = st.builds("{}{}{}".format, st.sampled_from(["", "a/", "a.b/ü/"]), names, st.sampled_from(["", ".mov", ".MP4"])).filter(is_key)


@given(keys, st.integers(1, 5))
@example("ü" * 510 + ".mp4", 1)
@example("talks/" + "x" * 1_014 + ".mov", 5)
@example("talk.quick-12345678-1.mp4", 2)
def test_a_copy_of_any_file_names_its_original(key: str, attempt: int) -> None:
    original = Original(key, "an-etag-3")
    copy, metadata = quick_key(key, WORK, attempt), copy_metadata(original)
    assert is_quick_key(copy)
    assert len(copy.encode()) <= MAX_KEY_BYTES
    assert sum(len(name) + len(value) for name, value in metadata.items()) <= 2_048
    assert all(value.isascii() for value in metadata.values())
    assert parse_original(copy, metadata) == original
    assert copy.startswith(copies_prefix(copy))
    if not is_quick_key(key):
        assert copy.startswith(copies_prefix(key))


def test_a_copy_that_was_moved_with_its_original_is_still_its_copy() -> None:
    metadata = copy_metadata(Original("talks/talk.mov", "x"))
    assert parse_original("2025/talk.quick-12345678-1.mp4", metadata) == Original("2025/talk.mov", "x")


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("a/talk.mp4", "talk.mov"),
        ("a/talk.quick-12345678-1.mp4", "other.mov"),
        ("a/talk.quick-12345678-1.mp4", "talk.quick-12345678-1.mp4"),
        ("a/talk.quick-12345678-0.mp4", "talk.mov"),
        ("a/talk.quick-12345678-1.mp4.mp4", "talk.mov"),
        ("a/talk.quick-12345678-1.mp4\n", "talk.mov"),
    ],
)
def test_impossible_metadata_is_ignored(key: str, name: str) -> None:
    assert parse_original(key, copy_metadata(Original(name, "x"))) is None


@pytest.mark.parametrize("told", ["", "%", "dGFsay5tb3Y", "/w==", "Li4vYS90YWxrLm1vdg==", "dGFsawoubW92"])
def test_an_invalid_name_is_ignored(told: str) -> None:
    assert parse_original("a/talk.quick-12345678-1.mp4", {"clipviewer-copy-of": told}) is None


def test_a_file_without_metadata_is_not_a_copy() -> None:
    assert parse_original("a/talk.quick-12345678-1.mp4", {}) is None
