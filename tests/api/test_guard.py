"""What the middleware around the whole application refuses, adds and removes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import WebSocketDenialResponse
from starlette.types import ASGIApp
from starlette.websockets import WebSocket, WebSocketDisconnect

from clipviewer.api.guard import OriginGuard, guarded
from clipviewer.api.limits import RequestLimits
from clipviewer.api.security_headers import SecurityHeaders, content_security_policy
from clipviewer.api.socket_limits import SocketLimits
from clipviewer.api.token_bucket import TokenBucket
from clipviewer.services.container import Services
from clipviewer.services.people.sessions import Sessions
from tests.api.people import session_of

FOREIGN = "https://evil.example"
COOKIE = {"Cookie": "clipviewer_session=x"}
SESSIONS = Sessions(["a secret key"])
CORS = {"Access-Control-Allow-Origin": FOREIGN, "Access-Control-Allow-Credentials": "true"}


async def echo(request: Request) -> Response:
    return PlainTextResponse(await request.body(), headers=CORS)


async def stream(_request: Request) -> Response:
    return StreamingResponse(iter([b"a", b"b"]), headers={"Content-Security-Policy": "default-src 'none'"})


async def socket(websocket: WebSocket) -> None:
    await websocket.accept()
    try:
        while True:
            await websocket.send_text(await websocket.receive_text())
    except WebSocketDisconnect:
        return


def application() -> Starlette:
    methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
    videos = ("/api/clips/videos", "/api/clips/videos/v/exported", "/api/clips/videos/v/captions/pt-BR")
    paths = (
        "/",
        "/page",
        "/_event/",
        "/s3/clipviewer/key",
        "/s3x",
        "/api/things",
        "/api/health",
        "/api/auth/sign-in",
        "/api/clips/videos/v/download",
        *videos,
    )
    routes = [Route(path, echo, methods=methods) for path in paths]
    return Starlette(
        routes=[
            *routes,
            Route("/stream", stream),
            WebSocketRoute("/_event/", socket),
            WebSocketRoute("/_event", socket),
            WebSocketRoute("/socket", socket),
        ]
    )


def browser(app: ASGIApp, base_url: str = "http://clips.lan:3000") -> TestClient:
    return TestClient(app, base_url=base_url)


class ManualClock:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def manual_clock() -> ManualClock:
    return ManualClock()


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("headers", [COOKIE, {}], ids=["with cookie", "without"])
def test_a_write_from_a_foreign_origin_is_refused(method: str, headers: dict[str, str]) -> None:
    response = browser(OriginGuard(application())).request(method, "/api/things", headers={**headers, "Origin": FOREIGN})
    assert (response.status_code, response.json()["code"]) == (403, "foreign_origin")
    assert "access-control-allow-origin" not in response.headers


@pytest.mark.parametrize(
    "origin",
    [
        *("null", "file://", "clips.lan:3000", "http://clips.lan", "http://clips.lan:3001", "http://clips.lan:99999"),
        *("http://clips.lan:3000.evil.example", "http://evil.example/clips.lan:3000", "http://x.clips.lan:3000"),
        *("http://clips.lan:3000@evil.example", "https://clips.lan:3000", "ws://clips.lan:3000"),
    ],
)
def test_only_the_exact_host_of_the_request_is_the_same_origin(origin: str) -> None:
    client = browser(OriginGuard(application()))
    assert client.post("/api/things", headers={**COOKIE, "Origin": origin}).status_code == 403


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://clips.lan:3000", "clips.lan:3000"),
        ("http://CLIPS.lan:3000", "clips.LAN:3000"),
        ("http://clips.example.org", "clips.example.org"),
        ("http://clips.example.org", "clips.example.org:80"),
        ("http://192.168.1.5:3000", "192.168.1.5:3000"),
        ("http://[::1]:3000", "[::1]:3000"),
    ],
)
def test_the_same_origin_may_write_under_any_host_name(origin: str, host: str) -> None:
    client = browser(OriginGuard(application()))
    assert client.post("/api/things", headers={**COOKIE, "Origin": origin, "Host": host}).status_code == 200


def test_a_page_that_came_without_tls_may_not_write_to_one_with_tls() -> None:
    client = browser(OriginGuard(application()), "https://clips.lan:3000")
    assert client.post("/api/things", headers={**COOKIE, "Origin": "http://clips.lan:3000"}).status_code == 403
    assert client.post("/api/things", headers={**COOKIE, "Origin": "https://clips.lan:3000"}).status_code == 200


PUBLIC = "https://clips.example.org"


@pytest.mark.parametrize("public_url", [PUBLIC, f"{PUBLIC}:443", f"{PUBLIC}/clips"])
def test_with_a_public_address_only_that_origin_counts(public_url: str) -> None:
    client = browser(OriginGuard(application(), public_url), PUBLIC)
    assert client.post("/api/things", headers={**COOKIE, "Origin": PUBLIC}).status_code == 200
    for origin in ("https://clips.example.com", "http://clips.example.org", "https://clips.example.org:8443", "null"):
        assert client.post("/api/things", headers={**COOKIE, "Origin": origin}).status_code == 403


@pytest.mark.parametrize("host", ["evil.example", "clips.example.org.evil.example", "clips.example.org:8443", "127.0.0.1:3000", ""])
def test_with_a_public_address_only_that_host_counts(host: str) -> None:
    client = browser(OriginGuard(application(), PUBLIC), PUBLIC)
    for headers in ({"Host": host}, {"Host": host, "Origin": f"https://{host}"}, {"Host": host, "Origin": PUBLIC}):
        for method, path in (("GET", "/page"), ("POST", "/api/things")):
            refused = client.request(method, path, headers={**COOKIE, **headers})
            assert (refused.status_code, refused.json()["code"]) == (421, "foreign_host")
        with pytest.raises((WebSocketDisconnect, WebSocketDenialResponse)), client.websocket_connect("/_event", headers=headers):
            pass


def test_the_store_the_health_and_programs_may_be_asked_by_another_host() -> None:
    client = browser(OriginGuard(application(), PUBLIC), "http://10.0.0.7:3000")
    assert client.get("/s3/clipviewer/key").status_code == 200
    assert client.get("/api/health").status_code == 200
    assert client.post("/api/things", headers={"Authorization": "Bearer cv_x"}).status_code == 200
    assert client.post("/api/things", headers={"Authorization": "Bearer cv_x", **COOKIE}).status_code == 421
    assert client.get("/page", headers={"Authorization": "Bearer cv_x"}).status_code == 421


def test_a_cross_site_write_without_an_origin_is_refused() -> None:
    client = browser(OriginGuard(application()))
    assert client.post("/api/things", headers={**COOKIE, "Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert client.post("/api/things", headers={**COOKIE, "Sec-Fetch-Site": "same-origin"}).status_code == 200


def test_the_origin_of_a_program_with_a_token_is_not_checked() -> None:
    client = browser(OriginGuard(application()))
    bearer = {"Authorization": "Bearer cv_x", "Origin": FOREIGN, "Sec-Fetch-Site": "cross-site"}
    assert client.post("/api/things", headers=bearer).status_code == 200
    assert client.post("/api/things", headers={**bearer, **COOKIE}).status_code == 403
    assert client.post("/api/things").status_code == 200


def test_a_foreign_origin_reads_nothing_because_it_gets_no_cors() -> None:
    client = browser(OriginGuard(application()))
    foreign = client.get("/api/things", headers={**COOKIE, "Origin": FOREIGN})
    assert foreign.status_code == 200
    assert not [name for name in foreign.headers if name.startswith("access-control-")]
    same = client.get("/api/things", headers={**COOKIE, "Origin": "http://clips.lan:3000"})
    assert same.headers["access-control-allow-origin"] == FOREIGN


def test_the_store_answers_foreign_origins_itself() -> None:
    client = browser(OriginGuard(application()))
    assert client.put("/s3/clipviewer/key", headers={"Origin": FOREIGN}).headers["access-control-allow-origin"] == FOREIGN
    assert client.put("/s3x", headers={"Origin": FOREIGN}).status_code == 403


def test_event_polling_from_a_foreign_origin_is_refused_even_for_reading() -> None:
    client = browser(OriginGuard(application()))
    assert client.get("/_event/", headers={**COOKIE, "Origin": FOREIGN}).status_code == 403
    assert client.get("/_event/", headers={**COOKIE, "Origin": "http://clips.lan:3000"}).status_code == 200


@pytest.mark.parametrize("path", ["/_event", "/_event/"])
@pytest.mark.parametrize("origin", [FOREIGN, "null", "http://clips.lan:3001"])
def test_a_socket_from_a_foreign_origin_gets_no_handshake(path: str, origin: str) -> None:
    client = browser(OriginGuard(application()))
    with (
        pytest.raises((WebSocketDisconnect, WebSocketDenialResponse)),
        client.websocket_connect(path, headers={**COOKIE, "Origin": origin}),
    ):
        pass


def test_a_socket_from_the_same_origin_or_a_program_opens() -> None:
    client = browser(OriginGuard(application()))
    for headers in ({"Origin": "http://clips.lan:3000"}, {}):
        with client.websocket_connect("/_event", headers={"Host": "clips.lan:3000", **headers}) as websocket:
            websocket.send_text("hello")
            assert websocket.receive_text() == "hello"


def test_every_answer_carries_the_headers_errors_and_refusals_too(services: Services) -> None:
    client = browser(
        guarded(
            application(), services.settings, services.sessions, media_origins=["https://bucket.example"], script_hashes=["sha256-abc="]
        )
    )
    answers = [
        client.get("/page"),
        client.get("/missing"),
        client.post("/api/things", headers={**COOKIE, "Origin": FOREIGN}),
        client.post("/api/things", content=b"x" * 1024 * 1025),
        client.get("/s3/clipviewer/key"),
    ]
    assert [answer.status_code for answer in answers] == [200, 404, 403, 413, 200]
    for answer in answers:
        policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
        assert (policy["object-src"], policy["base-uri"], policy["frame-ancestors"]) == ("'none'", "'none'", "'none'")
        assert policy["media-src"].split() == ["'self'", "blob:", "data:", "https://bucket.example"]
        assert policy["script-src"] == "'self' 'sha256-abc=' 'unsafe-eval'"
        assert policy["form-action"] == "'self'"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert "camera=()" in answer.headers["permissions-policy"]
        assert "strict-transport-security" not in answer.headers


def test_over_https_the_browser_is_told_to_stay_there() -> None:
    app = SecurityHeaders(application())
    assert browser(app, "https://clips.example.org").get("/page").headers["strict-transport-security"] == "max-age=31536000"
    assert "strict-transport-security" not in browser(app).get("/page").headers


def test_a_policy_of_the_inner_application_stays() -> None:
    response = browser(SecurityHeaders(application())).get("/stream")
    assert response.headers.get_list("content-security-policy") == ["default-src 'none'"]
    assert response.headers["x-content-type-options"] == "nosniff"


def test_eval_can_be_left_out_of_the_policy() -> None:
    assert "unsafe-eval" not in content_security_policy(allow_eval=False)
    assert "'unsafe-inline'" not in content_security_policy().split("script-src")[1].split(";")[0]


def chunks(size: int, count: int) -> Iterator[bytes]:
    yield from (b"x" * size for _ in range(count))


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_above_the_cap_is_refused_also_when_chunked(chunked: bool) -> None:
    client = browser(RequestLimits(application(), SESSIONS, body=1000, registration_body=5000, captions_body=3000))

    def post(path: str, size: int) -> int:
        content: bytes | Iterator[bytes] = chunks(100, size // 100) if chunked else b"x" * size
        return client.post(path, content=content).status_code

    assert (post("/api/things", 1000), post("/api/things", 1100)) == (200, 413)
    assert (post("/api/clips/videos/v/exported", 5000), post("/api/clips/videos/v/exported", 5100)) == (200, 413)
    assert (post("/api/clips/videos/v/captions/pt-BR", 3000), post("/api/clips/videos/v/captions/pt-BR", 3100)) == (200, 413)
    assert (post("/api/clips/videos", 5000), post("/page", 9000)) == (200, 200)


@pytest.mark.parametrize("path", ["/api/auth/sign-in", "/api/clips/videos/v/download"])
def test_a_body_that_is_read_before_the_caller_is_known_is_small(path: str) -> None:
    client = browser(RequestLimits(application(), SESSIONS))
    assert client.post(path, content=chunks(1024, 65)).status_code == 413
    assert client.post(path, content=chunks(1024, 64)).status_code == 200


def test_the_answer_to_a_large_body_is_a_problem() -> None:
    response = browser(RequestLimits(application(), SESSIONS, body=1000)).post("/api/things", content=chunks(100, 20))
    assert (response.headers["content-type"], response.json()["code"]) == ("application/problem+json", "body_too_large")


def statuses(client: TestClient, count: int, headers: dict[str, str] | None = None) -> list[int]:
    return [client.get("/api/things", headers=headers).status_code for _ in range(count)]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_requests_are_limited_per_session_until_the_window_ends(manual_clock: ManualClock, services: Services) -> None:
    client = browser(RequestLimits(application(), services.sessions, rate=2, burst=5, clock=manual_clock))
    one, other = session_of(services), session_of(services)
    assert statuses(client, 7, one) == [200] * 5 + [429] * 2
    assert statuses(client, 1, other) == [200]
    assert client.get("/page", headers=one).status_code == 200
    manual_clock.now += 1
    assert statuses(client, 3, one) == [200, 200, 429]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_number_of_people_per_address_is_not_limited(manual_clock: ManualClock, services: Services) -> None:
    client = browser(RequestLimits(application(), services.sessions, rate=1, burst=3, clock=manual_clock))
    assert [status for _ in range(20) for status in statuses(client, 3, session_of(services))] == [200] * 60


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_anonymous_clients_share_the_rate_of_their_address(manual_clock: ManualClock, services: Services) -> None:
    client = browser(RequestLimits(application(), services.sessions, rate=1, burst=3, clock=manual_clock))
    assert statuses(client, 4) == [200] * 3 + [429]
    assert statuses(client, 1, session_of(services)) == [200]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_forged_sessions_do_not_evade_the_rate_limit(manual_clock: ManualClock, services: Services) -> None:
    client = browser(RequestLimits(application(), services.sessions, rate=1, burst=3, clock=manual_clock))
    genuine = session_of(services)["cookie"]
    cookies = [{"Cookie": f"clipviewer_session={number}"} for number in range(5)] + [{"Cookie": f"{genuine}{end}"} for end in "xyz"]
    assert [client.get("/api/things", headers=cookie).status_code for cookie in cookies] == [200] * 3 + [429] * 5


def test_a_socket_with_too_large_a_frame_is_closed_with_1009() -> None:
    client = browser(SocketLimits(application(), SESSIONS, frame=1000))
    with client.websocket_connect("/socket") as websocket:
        websocket.send_text("x" * 1000)
        assert len(websocket.receive_text()) == 1000
        websocket.send_text("é" * 501)
        with pytest.raises(WebSocketDisconnect) as caught:
            websocket.receive_text()
    assert caught.value.code == 1009


def test_a_socket_that_sends_too_often_is_closed_with_1008(manual_clock: ManualClock) -> None:
    client = browser(SocketLimits(application(), SESSIONS, rate=2, burst=3, clock=manual_clock))
    with client.websocket_connect("/socket") as websocket:
        for count in (3, 2):
            for _ in range(count):
                websocket.send_text("x")
                assert websocket.receive_text() == "x"
            manual_clock.now += 1
        for _ in range(3):
            websocket.send_text("x")
        assert [websocket.receive_text(), websocket.receive_text()] == ["x", "x"]
        with pytest.raises(WebSocketDisconnect) as caught:
            websocket.receive_text()
    assert caught.value.code == 1008


@pytest.mark.parametrize("caps", [{"per_session": 2}, {"per_address": 2}], ids=str)
def test_the_number_of_open_sockets_is_limited(caps: dict[str, int]) -> None:
    client = browser(SocketLimits(application(), SESSIONS, **caps))
    with client.websocket_connect("/socket", headers=COOKIE), client.websocket_connect("/socket", headers=COOKIE) as second:
        with pytest.raises((WebSocketDisconnect, WebSocketDenialResponse)), client.websocket_connect("/socket", headers=COOKIE):
            pass
        second.close()
        with client.websocket_connect("/socket", headers=COOKIE) as third:
            third.send_text("still")
            assert third.receive_text() == "still"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_forged_sessions_do_not_evade_the_number_of_sockets(services: Services) -> None:
    client = browser(SocketLimits(application(), services.sessions, per_session=1))
    with client.websocket_connect("/socket", headers={"Cookie": "clipviewer_session=1"}):
        refused = pytest.raises((WebSocketDisconnect, WebSocketDenialResponse))
        with refused, client.websocket_connect("/socket", headers={"Cookie": "clipviewer_session=2"}):
            pass
        with client.websocket_connect("/socket", headers=session_of(services)):
            pass


@pytest.mark.parametrize(("path", "code"), [("/_event", 1007), ("/_event/", 1007), ("/socket", None)])
def test_a_malformed_event_closes_the_event_socket_with_one_line(path: str, code: int | None, caplog: pytest.LogCaptureFixture) -> None:
    client = browser(SocketLimits(application(), SESSIONS))
    with client.websocket_connect(path) as websocket:
        websocket.send_text('42/_event,["event",{"a":1}]')
        assert websocket.receive_text() == '42/_event,["event",{"a":1}]'
        websocket.send_text("secret")
        if code is None:
            assert websocket.receive_text() == "secret"
            return
        with pytest.raises(WebSocketDisconnect) as caught:
            websocket.receive_text()
    assert caught.value.code == code
    assert [record.getMessage() for record in caplog.records] == ["Closed a websocket of testclient: its message is malformed"]


def test_a_bucket_forgets_the_keys_unused_for_longest(manual_clock: ManualClock) -> None:
    bucket = TokenBucket(1, 1, manual_clock)
    assert bucket.take("first")
    assert not bucket.take("first")
    assert all(bucket.take(number) for number in range(20_000))
    assert bucket.take("first")
