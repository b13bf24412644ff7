"""After a day of valid, invalid and broken use, no password, cookie, token or signature is in the output or any file."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

import pytest
from sqlalchemy import text

from clipviewer.domain.permissions import Role
from clipviewer.state.library import LibraryState
from clipviewer.state.room import RoomState
from clipviewer.state.video_detail import VideoDetailState
from tests.state.handlers import name_of
from tests.state.serving import Running, running_app
from tests.state.tab import ROOT, open_tab
from tests.state.video_rows import Footage, add_footage

EMAIL = "anna@example.org"
GOOD, BAD, BROKEN = "c4narY good password", "c4narY bad password", "c4narY broken password"
REPORT = f"{ROOT}.reflex___state____frontend_event_exception_state.handle_frontend_exception"
SEARCH = name_of(LibraryState, "set_search")
SELECT = name_of(VideoDetailState, "select_clip")


@dataclass
class Day:
    """The secrets to look for, and the places to search."""

    output: str
    files: dict[str, bytes]
    secrets: dict[str, str] = field(default_factory=dict)


def post(app: Running, path: str, body: object, **headers: str) -> tuple[int, dict[str, str], str]:
    return _answer(
        urllib.request.Request(f"{app.address}{path}", json.dumps(body).encode(), {"Content-Type": "application/json", **headers})
    )


def post_form(app: Running, path: str, **fields: str) -> int:
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    return _answer(urllib.request.Request(f"{app.address}{path}", urlencode(fields).encode(), kind))[0]


def get(url: str, **headers: str) -> tuple[int, dict[str, str], str]:
    return _answer(urllib.request.Request(url, headers=headers))


def _answer(request: urllib.request.Request) -> tuple[int, dict[str, str], str]:
    opener = urllib.request.build_opener(_NoRedirect)
    try:
        with opener.open(request, timeout=10) as answer:
            return answer.status, dict(answer.headers), answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, dict(error.headers), error.read().decode()


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


def use_over_http(app: Running, footage: Footage, secrets: dict[str, str]) -> str:
    """Send valid and invalid requests; return the ``Cookie`` header of the signed-in admin."""
    status, headers, _ = post(app, "/api/auth/sign-in", {"email": EMAIL, "password": GOOD})
    assert status == 200
    cookie = headers["set-cookie"].partition(";")[0]
    secrets["session cookie"] = cookie.partition("=")[2]
    assert post(app, "/api/auth/sign-in", {"email": EMAIL, "password": BAD})[0] == 401
    assert post_form(app, "/api/auth/sign-in", email=EMAIL, password=BAD, next="/") == 303
    assert post(app, "/api/auth/sign-in", {"email": [EMAIL], "password": {"is": BROKEN}})[0] == 422
    assert post(app, "/api/auth/sign-in", [EMAIL, BROKEN])[0] == 422
    assert post(app, "/api/auth/set-up", {"token": "c4narY-set-up", "name": "A", "email": EMAIL, "password": BROKEN})[0] == 404
    assert get(f"{app.address}/api/auth/session", Cookie="clipviewer_session=c4narY.wrong.cookie")[0] == 401
    with app.services.database.write() as db:
        secrets["api token"] = app.services.api_tokens.create(db, "pipeline")
    bearer = {"Authorization": f"Bearer {secrets['api token']}"}
    assert post(app, "/api/clips/videos", {"videos": [{"s3Key": "missing.mp4"}]}, **bearer)[0] < 500
    assert post(app, "/api/clips/videos", {}, Authorization="Bearer cv_c4narY-wrong-token-of-a-pipeline")[0] == 401
    download = f"/api/clips/videos/{footage.video_id}/download"
    status, _, body = post(app, download, {"s3Key": footage.exported_keys[0]}, Cookie=cookie)
    assert status == 200
    url = json.loads(body)["url"]
    secrets["signature"] = re.search(r"X-Amz-Signature=([0-9a-f]{64})", url)[1]  # type: ignore[index]
    assert get(url)[0] == 404
    assert get(url[:-1] + ("0" if url[-1] != "0" else "1"))[0] == 403
    assert post(app, download, {"s3Key": url}, Cookie=cookie)[0] == 404
    assert get(f"{app.address}/no/such/page?from={url}")[0] in (200, 404)
    assert get(f"{app.address}/api/no/such/route?from={url}", Cookie=cookie)[0] == 404
    secrets["signed url"] = url
    return cookie


def use_over_the_socket(app: Running, footage: Footage, cookie: str, url: str) -> None:
    with open_tab(app.address, cookie=cookie, path=footage.path) as tab:
        tab.send(name_of(RoomState, "open"))
        tab.wait_for("X-Amz-Signature")
        tab.send(SELECT, clip_id=url[:1900])
        tab.wait_for("Clip not found")
        for payload in ({"text": {"password": BROKEN}}, {"password": BROKEN}, {"text": "x", "password": BROKEN}, {"text": [url, cookie]}):
            tab.send(SEARCH, **payload)
            tab.wait_for("The input is not valid")
        tab.emit("event", {"name": BROKEN, "payload": {"password": BROKEN}})
        tab.emit("event", json.dumps({"password": BROKEN}))
        tab.send(REPORT, info=f"Error: {url} {cookie} password={BROKEN!r}", component_stack=url)
        tab.emit("client_error", {"error_type": "other", "message": f"{url} {cookie}"})
        tab.snapshot()
        tab.send_frame("42/_event," + json.dumps(["event", BROKEN])[:-1])
    with open_tab(app.address, cookie="clipviewer_session=c4narY.wrong.cookie") as tab:
        tab.send(SEARCH, text=BROKEN)
        tab.wait_for('"_redirect"')


def fail_within(app: Running, footage: Footage, cookie: str, url: str) -> None:
    """Raise an exception in a handler and in a route, each with secrets in scope."""
    with app.services.database.write() as db:
        db.connection().execute(text("ALTER TABLE video RENAME TO video_elsewhere"))
    with open_tab(app.address, cookie=cookie, path=footage.path) as tab:
        tab.send(SEARCH, text=BROKEN)
        tab.wait_for("The server log has details")
        tab.send(SELECT, clip_id=url[:1900])
        tab.snapshot()
    assert get(f"{app.address}/api/clips/videos/{footage.video_id}?{urlencode({'password': BROKEN})}", Cookie=cookie)[0] >= 500


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Day:
    folder = tmp_path_factory.mktemp("canaries")
    secrets = {"password": GOOD, "wrong password": BAD, "password at the wrong place": BROKEN}
    with running_app(folder, CLIPVIEWER_ADMIN_EMAIL=EMAIL, CLIPVIEWER_ADMIN_PASSWORD=GOOD) as app:
        with app.services.database.write() as db:
            footage = add_footage(db)
        cookie = use_over_http(app, footage, secrets)
        use_over_the_socket(app, footage, cookie, secrets["signed url"])
        disabled = app.person(Role.REVIEWER)
        secrets["session cookie of another"] = disabled.cookie.partition("=")[2]
        assert get(f"{app.address}/api/auth/session", Cookie=disabled.cookie)[0] == 200
        fail_within(app, footage, cookie, secrets["signed url"])
        running = app
    files = {str(path.relative_to(running.data_dir)): path.read_bytes() for path in running.data_dir.rglob("*") if path.is_file()}
    return Day(running.log(), files, secrets)


def test_the_day_covered_every_kind_of_use(day: Day) -> None:
    assert "Traceback" in day.output
    assert "no such table" in day.output
    assert "a browser reported an error: " in day.output
    assert {"clipviewer.db", "secret_key"} <= day.files.keys()


def test_the_output_holds_no_secret(day: Day) -> None:
    assert [name for name, secret in day.secrets.items() if secret in day.output] == []
    assert re.findall(r"(?i)x-amz-signature(?!=\[hidden\])[^\s]{0,20}|c4nary.{0,20}|\beyJ\S{0,10}|\$argon2\S{0,10}", day.output) == []


def test_no_file_holds_a_secret(day: Day) -> None:
    found = [(name, file) for name, secret in day.secrets.items() for file, content in day.files.items() if secret.encode() in content]
    assert found == []
    assert [file for file, content in day.files.items() if b"X-Amz-Signature" in content or b"c4narY" in content] == []


def test_the_secret_key_is_only_in_its_own_file(day: Day) -> None:
    key = day.files["secret_key"]
    assert [file for file, content in day.files.items() if key in content] == ["secret_key"]
    assert key.decode() not in day.output


def test_a_running_app_keeps_no_state_of_pages_on_disk(day: Day) -> None:
    assert all(file.startswith(("clipviewer.db", "exports", "jobs.db", "owner", "reserve", "secret_key", "store")) for file in day.files)
    assert not (Path(__file__).parents[2] / ".states").exists()
