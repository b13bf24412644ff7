"""Who may open a websocket."""

from __future__ import annotations

import urllib.error
import urllib.request

import pytest
from websockets.exceptions import InvalidStatus

from clipviewer.domain.permissions import Role
from clipviewer.state.preferences import PreferencesState
from tests.state.handlers import name_of
from tests.state.serving import Running
from tests.state.tab import NAMESPACE, open_tab


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example.org",
        "http://127.0.0.1:9",
        "http://127.0.0.1.evil.example.org",
        "http://localhost",
        "null",
        "file://",
    ],
)
def test_a_handshake_from_a_foreign_origin_is_refused_even_with_a_good_cookie(app: Running, origin: str) -> None:
    cookie = app.person(Role.ADMIN).cookie
    with pytest.raises(InvalidStatus) as refused, open_tab(app.address, cookie=cookie, origin=origin):
        pass
    assert refused.value.response.status_code == 403


def test_a_foreign_host_header_does_not_make_a_foreign_origin_ours(app: Running) -> None:
    headers = {"X-Forwarded-Host": "evil.example.org", "Forwarded": "host=evil.example.org"}
    with pytest.raises(InvalidStatus), open_tab(app.address, origin="http://evil.example.org", headers=headers):
        pass


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("origin", [None, "https://evil.example.org"])
def test_the_polling_transport_is_refused(app: Running, method: str, origin: str | None) -> None:
    url = f"{app.address}{NAMESPACE}/?EIO=4&transport=polling&token=12345678"
    headers = {"Cookie": app.person().cookie} | ({"Origin": origin} if origin else {})
    request = urllib.request.Request(url, method=method, headers=headers, data=b"40/_event," if method == "POST" else None)
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=10)
    with refused.value as answer:
        assert answer.code in (400, 403)
        assert "sid" not in answer.read().decode()
        assert answer.headers["Access-Control-Allow-Origin"] is None


@pytest.mark.parametrize("token", ["", "short", "x" * 65, "../../../etc/passwd", "a\nb" * 5, "äöüäöüäöü"])
def test_a_page_without_a_token_of_the_right_form_is_refused(app: Running, token: str) -> None:
    with open_tab(app.address, cookie=app.person().cookie, token=token) as tab:
        assert tab.namespace_refused


def test_one_connection_is_one_page(app: Running) -> None:
    with open_tab(app.address, cookie=app.person().cookie) as tab:
        tab.send_frame(f"40{NAMESPACE},")
        assert tab.receive().startswith(f"44{NAMESPACE}")
        tab.send(name_of(PreferencesState, "open_page"))
        tab.wait_for("Kim viewer")


def test_a_page_cannot_dictate_the_headers_of_its_own_handshake(app: Running) -> None:
    with open_tab(app.address) as tab:
        forged = {"QUERY_STRING": "token=12345678", "asgi.scope": {"headers": [["cookie", app.person(Role.ADMIN).cookie]]}}
        tab.emit("connect", forged)
        tab.emit("connect", forged, {"event": tab.event(name_of(PreferencesState, "open_page"), {})})
        tab.send(name_of(PreferencesState, "open_page"))
        assert tab.wait_for('"_redirect"').ours == {}
        tab.snapshot()
        assert "Kim" not in str(tab.frames)
