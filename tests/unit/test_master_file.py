"""Which files become videos, under which keys, and in how many parts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipviewer.domain.master_file import MAX_PARTS, MAX_SIZE, MIB, content_type, master_key, part_count, part_size
from clipviewer.domain.object_key import check_object_key


@pytest.mark.parametrize(
    ("name", "kind"), [("a.mp4", "video/mp4"), ("A.MOV", "video/quicktime"), ("a.b.mkv", "video/x-matroska"), ("x.WebM", "video/webm")]
)
def test_the_type_follows_from_the_file_extension(name: str, kind: str) -> None:
    assert content_type(name) == kind


@pytest.mark.parametrize("name", ["a.exe", "mp4", ".mp4", "a.mp4.html", "a.m3u8", "a.svg", ""])
def test_other_files_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"unsupported file type; use \.avi"):
        content_type(name)


@given(st.integers(1, MAX_SIZE))
def test_parts_fit_the_limits_of_s3_and_cover_the_file(size: int) -> None:
    part = part_size(size)
    count = part_count(size, part)
    assert 5 * MIB <= part <= 5 * 1024 * MIB
    assert part % MIB == 0
    assert 1 <= count <= MAX_PARTS
    assert (count - 1) * part < size <= count * part


@pytest.mark.parametrize(("size", "reason"), [(0, "empty"), (-1, "empty"), (MAX_SIZE + 1, "larger than 5 TiB")])
def test_an_impossible_size_is_refused(size: int, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        part_size(size)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("My Talk (final).MP4", "team/videos/video_1/My-Talk-final.mp4"),
        ("Größe ändern.mov", "team/videos/video_1/Groe-andern.mov"),
        ("講演.webm", "team/videos/video_1/video.webm"),
        ("...mp4", "team/videos/video_1/video.mp4"),
        ("%2e%2e.mp4", "team/videos/video_1/2e-2e.mp4"),
    ],
)
def test_the_key_uses_only_portable_characters(name: str, key: str) -> None:
    assert master_key("team/", "video_1", name) == key


@given(st.text(min_size=1, max_size=255))
def test_any_name_gives_a_valid_key(name: str) -> None:
    check_object_key(master_key("", "video_1", f"{name}.mp4"), "videos/video_1/")
