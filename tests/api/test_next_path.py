"""The redirect after signing in stays on this site, however its address is written."""

from __future__ import annotations

import re
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from clipviewer.api.next_path import safe_next


@pytest.mark.parametrize(
    "value",
    [
        *(None, "", "videos", "/x" * 2000, "/sign-in", "/sign-in?next=/"),
        *("//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", " //evil.example"),
        *("/\t/evil.example", "/\n/evil.example", "/%09/evil.example", "/\u2028", "/%ff"),
        *("/%2f%2fevil.example", "/%2f/evil.example", "/%5cevil.example", "/%252f%252fevil.example", "%2f%2fevil.example"),
        *("javascript:alert(1)", "data:text/html,x", "https://evil.example/", "https:evil.example"),
        *("/\rSet-Cookie: a=b", "/a%0d%0aSet-Cookie: a=b"),
    ],
)
def test_next_refuses_what_is_not_a_local_page(value: str | None) -> None:
    assert safe_next(value) == "/"


@pytest.mark.parametrize(
    "value", ["/", "/videos/video_1", "/videos/video_1?clip=clip_2&tab=exported", "/a?q=50%25", "/a?u=x:y", "/videos/%C3%A9#top"]
)
def test_next_keeps_a_local_page(value: str) -> None:
    assert safe_next(value) == value


PIECES = st.sampled_from([*"/\\.:@?#\t\r\n\0 aé", "..", "%2f", "%5c", "%252f", "%0d%0a", "javascript:", "https:", "evil.example"])


@given(st.lists(PIECES, max_size=8).map("".join) | st.text())
@example("/..//evil.example")
def test_next_never_leaves_the_site(value: str) -> None:
    accepted = safe_next(value)
    for reading in (accepted, unquote(accepted), unquote(unquote(accepted))):
        as_browsers_read = re.sub(r"[\t\r\n]", "", reading).replace("\\", "/")
        assert not re.search(r"[\x00-\x1f]", reading)
        assert urlsplit(urljoin("http://clips.test/sign-in", as_browsers_read)).netloc == "clips.test"
