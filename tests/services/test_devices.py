"""Browsers in which somebody has signed in before are recognized; nothing else is."""

from __future__ import annotations

from datetime import timedelta

import pytest

from clipviewer.db.models import User
from clipviewer.db.session import Database
from clipviewer.domain.permissions import Role
from clipviewer.services.people.devices import DEVICE_COOKIE
from clipviewer.services.people.sessions import ABSOLUTE_TIMEOUT, COOKIE, Sessions
from tests.conftest import SECRET, Clock


def cookie(sessions: Sessions, user_id: str = "user_ada", *, secure: bool = False) -> str:
    return sessions.device_cookie(user_id, secure=secure).partition(";")[0]


def test_a_device_is_recognized_by_its_own_cookie_whatever_else_is_sent() -> None:
    sessions = Sessions([SECRET])
    device = sessions.recognize(f"theme=dark; {cookie(sessions)}; {COOKIE}=x")
    assert device is not None
    assert device.user_id == "user_ada"
    assert sessions.recognize(cookie(sessions)) != device


def test_a_key_that_only_verifies_still_recognizes_devices() -> None:
    earlier = Sessions(["an earlier secret key of this team"])
    assert Sessions([SECRET, "an earlier secret key of this team"]).recognize(cookie(earlier)) is not None
    assert Sessions([SECRET]).recognize(cookie(earlier)) is None


def test_a_made_up_device_is_not_recognized() -> None:
    sessions = Sessions([SECRET])
    name, _, value = cookie(sessions).partition("=")
    for forged in (value[:-1], value.replace("ada", "eve"), f"{value}.x", "é", "é.é.é", "..", "", "x" * 10_000):
        assert sessions.recognize(f"{name}={forged}") is None
    assert sessions.recognize(f"{COOKIE}={value}") is None
    assert sessions.recognize(None) is None


def test_over_https_only_the_cookie_of_this_very_host_counts() -> None:
    sessions = Sessions([SECRET])
    assert sessions.recognize(cookie(sessions), secure=True) is None
    secure = cookie(sessions, secure=True)
    assert secure.startswith(f"__Host-{DEVICE_COOKIE}=")
    assert sessions.recognize(secure, secure=True) is not None


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_session_names_its_device_too_even_after_it_was_ended(database: Database, clock: Clock) -> None:
    sessions = Sessions([SECRET], clock=clock)
    with database.write() as db:
        db.add(User(id="user_ada", email="ada@example.org", name="Ada", role=Role.VIEWER, password_hash="x"))
        db.flush()
        started = sessions.start(db, "user_ada")
        sessions.revoke(db, started.id)
    device = sessions.recognize(f"{COOKIE}={started.token}")
    assert device is not None
    assert (device.user_id, device.id) == ("user_ada", started.id)
    clock.pass_time(seconds=(ABSOLUTE_TIMEOUT + timedelta(seconds=1)).total_seconds())
    assert sessions.recognize(f"{COOKIE}={started.token}") is None
