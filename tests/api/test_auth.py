"""Signing in and out over HTTP, the set-up link, and the redirect afterwards."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlmodel import select

from clipviewer.db.models import AuditEntry, UserSession
from clipviewer.domain.permissions import Role
from clipviewer.services.container import Services
from clipviewer.services.people.devices import DEVICE_COOKIE
from clipviewer.services.people.sessions import COOKIE, SECURE_COOKIE
from tests.api.conftest import PASSWORD, Person

SIGN_IN = "/api/auth/sign-in"


def set_up_token(services: Services) -> str:
    with services.database.write() as db:
        return str(services.accounts.issue_setup_link(db))


def audited(services: Services) -> list[str]:
    with services.database.read() as db:
        return [entry.action for entry in db.exec(select(AuditEntry))]


def test_a_program_signs_in_looks_and_signs_out(client: TestClient, services: Services, person: Callable[..., Person]) -> None:
    ada = person(Role.REVIEWER, PASSWORD)
    response = client.post(SIGN_IN, json={"email": ada.email, "password": PASSWORD})
    assert response.status_code == 200
    info = response.json()
    assert info["user"] == {"id": ada.id, "email": ada.email, "name": "Somebody", "role": "reviewer"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", info["expiresAt"])
    assert client.get("/api/auth/session").json() == info
    copied = {"Cookie": f"{COOKIE}={client.cookies[COOKIE]}"}
    assert client.post("/api/auth/sign-out").status_code == 204
    assert COOKIE not in client.cookies
    assert client.get("/api/auth/session", headers=copied).status_code == 401
    assert audited(services) == ["sign_in", "sign_out"]


def test_a_form_redirects_to_the_requested_page(client: TestClient, person: Callable[..., Person]) -> None:
    ada = person(Role.VIEWER, PASSWORD)
    response = client.post(SIGN_IN, data={"email": ada.email, "password": PASSWORD, "next": "/videos/video_1?clip=clip_2"})
    assert (response.status_code, response.headers["location"]) == (303, "/videos/video_1?clip=clip_2")
    assert client.get("/api/auth/session").status_code == 200


def test_a_failed_form_redirects_back_with_the_reason(client: TestClient, person: Callable[..., Person]) -> None:
    ada = person(Role.VIEWER, PASSWORD)
    response = client.post(SIGN_IN, data={"email": ada.email, "password": "wrong", "next": "/videos/a?clip=b"})
    assert (response.status_code, response.headers["location"]) == (303, "/sign-in?error=invalid&next=%2Fvideos%2Fa%3Fclip%3Db")
    assert "set-cookie" not in response.headers
    for _ in range(10):
        response = client.post(SIGN_IN, data={"email": ada.email, "password": "wrong", "next": "//evil.example"})
    assert response.headers["location"] == "/sign-in?error=throttled&next=%2F"


def test_signing_out_by_a_form_leads_to_the_sign_in_page(client: TestClient, person: Callable[..., Person]) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    response = client.post("/api/auth/sign-out", headers={**person().cookie, **form})
    assert (response.status_code, response.headers["location"]) == (303, "/sign-in")
    assert f"{COOKIE}=; Path=/; Max-Age=0" in response.headers["set-cookie"]


def test_unknown_wrong_and_disabled_get_the_same_response(client: TestClient, services: Services, person: Callable[..., Person]) -> None:
    ada, disabled = person(Role.VIEWER, PASSWORD), person(Role.VIEWER, PASSWORD)
    with services.database.write() as db:
        services.accounts.disable(db, disabled.id)
    attempts = [
        ("nobody@example.org", PASSWORD),
        (ada.email, "wrong"),
        (disabled.email, PASSWORD),
        ("", ""),
        ("\x00", "\x00"),
        (ada.email, "x" * 5000),
    ]
    answers = [client.post(SIGN_IN, json={"email": email, "password": password}) for email, password in attempts]
    assert {(answer.status_code, answer.text, tuple(answer.headers.items())) for answer in answers} == {
        (401, answers[0].text, tuple(answers[0].headers.items()))
    }
    assert answers[0].json()["code"] == "invalid_credentials"


def test_a_made_up_forwarded_address_does_not_evade_the_throttle(client: TestClient, person: Callable[..., Person]) -> None:
    ada = person(Role.VIEWER, PASSWORD)
    codes = []
    for number in range(12):
        forged = f"198.51.100.{number}"
        headers = {"X-Forwarded-For": forged, "X-Real-IP": forged, "Forwarded": f"for={forged}"}
        codes.append(client.post(SIGN_IN, json={"email": ada.email, "password": "wrong"}, headers=headers).status_code)
    assert codes == [401] * 10 + [429] * 2


def test_guessing_from_an_office_locks_nobody_else_out(client: TestClient, api: FastAPI, person: Callable[..., Person]) -> None:
    ada, bob = person(Role.VIEWER, PASSWORD), person(Role.VIEWER, PASSWORD)
    right = {"email": ada.email, "password": PASSWORD}
    laptop = TestClient(api)
    assert laptop.post(SIGN_IN, json=right).status_code == 200
    laptop.post("/api/auth/sign-out")
    for number in range(60):
        client.post(SIGN_IN, json={"email": f"nobody{number}@example.org", "password": "wrong"})
    assert client.post(SIGN_IN, json={"email": bob.email, "password": PASSWORD}).status_code == 200
    client.cookies.clear()
    ada_elsewhere = TestClient(api, client=("192.0.2.7", 1))
    wrong = [client.post(SIGN_IN, json={"email": bob.email, "password": "wrong"}).status_code for _ in range(2)]
    assert wrong == [401, 401]
    assert ada_elsewhere.post(SIGN_IN, json=right).status_code == 200
    while client.post(SIGN_IN, json={**right, "password": "wrong"}).status_code != 429:
        pass
    assert client.post(SIGN_IN, json=right).status_code == 429
    assert client.post(SIGN_IN, json=right, headers=ada.cookie).status_code == 200
    assert laptop.post(SIGN_IN, json=right).status_code == 200


def test_a_throttled_attempt_says_when_to_come_back(client: TestClient) -> None:
    for _ in range(11):
        response = client.post(SIGN_IN, json={"email": "nobody@example.org", "password": "wrong"})
    assert response.json()["code"] == "too_many_attempts"
    assert 0 < int(response.headers["retry-after"]) <= 900


def test_the_cookie_is_http_only_lax_and_for_the_whole_site(client: TestClient, person: Callable[..., Person]) -> None:
    ada = person(Role.VIEWER, PASSWORD)
    cookies = client.post(SIGN_IN, json={"email": ada.email, "password": PASSWORD}).headers.get_list("set-cookie")
    assert [cookie.partition("=")[0] for cookie in cookies] == [COOKIE, DEVICE_COOKIE]
    for cookie in cookies:
        attributes = sorted(part for part in cookie.split("; ")[1:] if not part.startswith("Max-Age"))
        assert attributes == ["HttpOnly", "Path=/", "SameSite=Lax"]


def test_over_https_the_cookie_is_secure_and_bound_to_the_host(api: FastAPI, person: Callable[..., Person]) -> None:
    ada = person(Role.VIEWER, PASSWORD)
    client = TestClient(api, base_url="https://clips.example.org")
    cookie = client.post(SIGN_IN, json={"email": ada.email, "password": PASSWORD}).headers["set-cookie"]
    assert cookie.startswith(f"{SECURE_COOKIE}=ey")
    assert cookie.endswith("; Secure")
    assert "Domain" not in cookie
    assert client.get("/api/auth/session").status_code == 200
    plain = cookie.split(";")[0].replace(SECURE_COOKIE, COOKIE)
    assert TestClient(api, base_url="https://clips.example.org").get("/api/auth/session", headers={"Cookie": plain}).status_code == 401


def test_signing_in_again_ends_the_previous_session(client: TestClient, services: Services, person: Callable[..., Person]) -> None:
    ada = person(Role.VIEWER, PASSWORD)
    client.post(SIGN_IN, json={"email": ada.email, "password": PASSWORD}, headers=ada.cookie)
    with services.database.read() as db:
        assert db.get_one(UserSession, ada.session_id).revoked_at is not None


@pytest.mark.parametrize("extra", ["role", "id", "user_id", "disabled", "address"])
def test_unknown_fields_are_refused(client: TestClient, services: Services, person: Callable[..., Person], extra: str) -> None:
    ada = person(Role.VIEWER, PASSWORD)
    fields = {"email": ada.email, "password": PASSWORD, extra: "admin"}
    refused = client.post(SIGN_IN, json=fields)
    assert (refused.status_code, [place["location"] for place in refused.json()["errors"]]) == (422, [extra])
    assert client.post(SIGN_IN, data=fields).status_code == 422
    assert audited(services) == []


def test_the_set_up_link_makes_the_first_admin_and_signs_them_in(client: TestClient, services: Services) -> None:
    fields = {"token": set_up_token(services), "name": "Ada", "email": "ada@example.org", "password": PASSWORD}
    assert client.post("/api/auth/set-up", json={**fields, "role": "viewer"}).status_code == 422
    response = client.post("/api/auth/set-up", json=fields)
    assert (response.status_code, response.json()["user"]["role"]) == (201, "admin")
    assert client.get("/api/auth/session").json()["user"]["email"] == "ada@example.org"
    again = client.post("/api/auth/set-up", json={**fields, "email": "eve@example.org"})
    assert (again.status_code, again.json()["code"]) == (404, "setup_link_invalid")
    assert audited(services) == ["user_created", "sign_in"]


def test_the_set_up_form_leads_to_the_library_or_back_with_the_reason(client: TestClient, services: Services) -> None:
    token = set_up_token(services)
    fields = {"token": token, "name": "Ada", "email": "ada@example.org", "password": "password1"}
    refused = client.post("/api/auth/set-up", data=fields)
    assert (refused.status_code, refused.headers["location"]) == (303, f"/set-up/{token}?error=password_guessable")
    for changed, code in (({"password": "short"}, "password_short"), ({"email": "ada"}, "email_invalid"), ({"name": " "}, "name_invalid")):
        location = client.post("/api/auth/set-up", data={**fields, "password": PASSWORD, **changed}).headers["location"]
        assert location == f"/set-up/{token}?error={code}"
    strange = client.post("/api/auth/set-up", data={**fields, "token": "../x\r\ny", "password": PASSWORD})
    assert strange.headers["location"] == "/set-up/..%2Fx%0D%0Ay?error=setup_link_invalid"
    accepted = client.post("/api/auth/set-up", data={**fields, "password": PASSWORD})
    assert (accepted.status_code, accepted.headers["location"]) == (303, "/")
    assert client.get("/api/auth/session").status_code == 200


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"", "application/json", 422),
        (b"{", "application/json", 422),
        (b"[]", "application/json", 422),
        (b"null", "application/json", 422),
        (b'{"email": 7, "password": {}}', "application/json", 422),
        (b'{"email": "a", "password": "b", "next": ["/"]}', "application/json", 422),
        (b'{"email": "a\\ud800", "password": "b"}', "application/json", 422),
        (b"\xff\xfe", "application/json", 422),
        (b'{"email": "a", "password": "b"}', "text/plain", 415),
        (b'{"email": "a", "password": "b"}', "", 415),
    ],
)
def test_an_invalid_body_is_refused_without_echoing_it(client: TestClient, body: bytes, kind: str, status: int) -> None:
    response = client.post(SIGN_IN, content=body, headers={"Content-Type": kind})
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")
    assert set(response.json()) == {"type", "title", "status", "detail", "code"}


def test_a_refused_value_is_not_echoed(client: TestClient, person: Callable[..., Person]) -> None:
    response = client.post("/api/auth/set-up", json={"token": "canary-one", "password": ["canary-two"], "name": {"canary-three": 1}})
    assert response.status_code == 422
    assert "canary" not in response.text
    listed = client.get("/api/clips/videos?limit=canary-four", headers=person().cookie)
    assert listed.status_code == 422
    assert "canary" not in listed.text


def test_the_api_documentation_needs_a_session_and_no_external_files(client: TestClient, person: Callable[..., Person]) -> None:
    for path in ("/api/docs", "/api/openapi.json"):
        assert client.get(path).status_code == 401
    for path in ("/docs", "/redoc", "/openapi.json"):
        assert client.get(path).status_code == 404
    viewer = person(Role.VIEWER)
    description = client.get("/api/openapi.json", headers=viewer.cookie).json()
    page = client.get("/api/docs", headers=viewer.cookie)
    assert page.headers["content-type"].startswith("text/html")
    assert all(path in page.text for path in description["paths"])
    assert "<script" not in page.text
    assert re.findall(r'(?:src|href)="([^#"][^"]*)"', page.text) == ["/icon.svg", "/api/openapi.json"]
