import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipviewer.domain.object_key import MAX_KEY_BYTES, check_object_key


@pytest.mark.parametrize(
    "key",
    ["a", "youtube-videos/uuid/exported/clip_1.mp4", "ärger/日本語 clip+1%20~.mp4", "a..b/c...d", "%2e%2e/x", "x" * MAX_KEY_BYTES],
)
def test_ordinary_keys_are_returned_unchanged(key: str) -> None:
    assert check_object_key(key) == key


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("", "1 to 1024 bytes"),
        ("x" * (MAX_KEY_BYTES + 1), "1 to 1024 bytes"),
        ("ä" * 513, "1 to 1024 bytes"),
        ("a\0b", "control characters"),
        ("a\nb", "control characters"),
        ("a\x7fb", "control characters"),
        ("a\u0085b", "control characters"),
        ("a\\b", "backslashes"),
        ("\ud800", "not valid Unicode"),
        ("..", "segments"),
        ("a/../b", "segments"),
        ("a/./b", "segments"),
        ("/a", "empty"),
        ("a/", "empty"),
        ("a//b", "empty"),
    ],
)
def test_ambiguous_characters_in_a_key_are_refused(key: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        check_object_key(key)


def test_a_key_must_lie_under_the_prefix() -> None:
    assert check_object_key("team/a.mp4", "team/") == "team/a.mp4"
    for outside in ("other/a.mp4", "teamwork/a.mp4", "Team/a.mp4"):
        with pytest.raises(ValueError, match="prefix"):
            check_object_key(outside, "team/")


@given(st.text())
def test_an_accepted_key_never_climbs_out_of_a_folder(key: str) -> None:
    try:
        check_object_key(key)
    except ValueError:
        return
    assert not {"", ".", ".."} & set(key.split("/"))
    assert len(key.encode()) <= MAX_KEY_BYTES
    assert "\0" not in key
