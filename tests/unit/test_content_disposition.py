from __future__ import annotations

import re
from email.message import Message
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipviewer.domain.content_disposition import MAX_NAME_BYTES, attachment, file_name

HEADER = re.compile(r'attachment; filename="([^"\\%/]+)"; filename\*=UTF-8\'\'([A-Za-z0-9._~%-]+)')
NASTY = st.text(st.characters() | st.sampled_from("\"\\/\r\n\t\x00%;='..\u202e\u2028é日🎬"), max_size=300)


def extended(header: str) -> str:
    match = HEADER.fullmatch(header)
    assert match
    return unquote(match[2], errors="strict")


@given(NASTY)
def test_a_name_cannot_end_the_header_or_the_quoted_string(name: str) -> None:
    header = attachment(name)
    assert HEADER.fullmatch(header)
    assert all(" " <= char <= "~" for char in header)


@given(NASTY)
def test_a_saved_name_is_one_safe_file_name(name: str) -> None:
    saved = extended(attachment(name))
    assert saved == file_name(name)
    assert not set(saved) & set('/\\"<>:|?*\u202e\u2028')
    assert saved not in ("", ".", "..")
    assert saved == saved.strip()
    assert len(saved.encode()) <= MAX_NAME_BYTES
    assert file_name(saved) == saved


@given(NASTY)
def test_a_mail_parser_reads_the_same_name(name: str) -> None:
    message = Message()
    message["Content-Disposition"] = f"attachment; {attachment(name).rsplit('; ', 1)[1]}"
    assert message.get_filename() == file_name(name)


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("Launch – 0:12.mp4", "attachment; filename=\"Launch _ 0_12.mp4\"; filename*=UTF-8''Launch%20%E2%80%93%200_12.mp4"),
        ("Äußerung.mp4", "attachment; filename=\"Au_erung.mp4\"; filename*=UTF-8''%C3%84u%C3%9Ferung.mp4"),
        ("100% fun.mp4", "attachment; filename=\"100_ fun.mp4\"; filename*=UTF-8''100%25%20fun.mp4"),
        ('a"; evil="1.mp4', "attachment; filename=\"a_; evil=_1.mp4\"; filename*=UTF-8''a_%3B%20evil%3D_1.mp4"),
        ("a\r\nSet-Cookie: b=1", "attachment; filename=\"a__Set-Cookie_ b=1\"; filename*=UTF-8''a__Set-Cookie_%20b%3D1"),
        ("../../etc/passwd", "attachment; filename=\"_.._etc_passwd\"; filename*=UTF-8''_.._etc_passwd"),
        ("", "attachment; filename=\"download\"; filename*=UTF-8''download"),
        ("...", "attachment; filename=\"download\"; filename*=UTF-8''download"),
    ],
)
def test_names_become_these_headers(name: str, header: str) -> None:
    assert attachment(name) == header


def test_a_long_name_keeps_its_extension_and_whole_characters() -> None:
    assert file_name("日" * 300 + ".mp4") == "日" * ((MAX_NAME_BYTES - 4) // 3) + ".mp4"
