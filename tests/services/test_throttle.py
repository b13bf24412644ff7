"""Guessing is slowed per account and per address, whatever the guesser does; the owner is not locked out."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlmodel import select

from clipviewer.db.models import SignInThrottle, User
from clipviewer.db.session import Database
from clipviewer.domain.permissions import Role
from clipviewer.errors import TooManyAttempts
from clipviewer.services.people.devices import Device
from clipviewer.services.people.sessions import Sessions
from clipviewer.services.people.throttle import Attempt, Limits, Throttle
from tests.conftest import SECRET, Clock

ADA = "ada@example.org"
LIMITS = Limits(account_from_address=3, account_from_suspect_address=1, address=6, account=9, device=2)


@pytest.fixture
def throttle() -> Throttle:
    return Throttle(LIMITS)


def take(
    database: Database, throttle: Throttle, clock: Clock, email: str = ADA, address: str = "192.0.2.1", device: Device | None = None
) -> Attempt | None:
    try:
        with database.write() as db:
            return throttle.take(db, email, address, clock(), device)
    except TooManyAttempts:
        return None


def guesses(
    database: Database,
    throttle: Throttle,
    clock: Clock,
    times: int,
    email: str = ADA,
    address: str = "192.0.2.1",
    device: Device | None = None,
) -> int:
    """Return how many of the attempts are let through."""
    return sum(take(database, throttle, clock, email, address, device) is not None for _ in range(times))


def add_ada(database: Database) -> None:
    with database.write() as db:
        db.add(User(id="user_ada", email=ADA, name="Ada", role=Role.VIEWER, password_hash="x"))


def test_attempts_per_account_and_address_are_limited(database: Database, throttle: Throttle, clock: Clock) -> None:
    assert guesses(database, throttle, clock, 10) == 3
    assert guesses(database, throttle, clock, 1, address="192.0.2.2") == 1


def test_an_address_with_many_wrong_attempts_has_fewer_per_account_but_is_not_locked_out(
    database: Database, throttle: Throttle, clock: Clock
) -> None:
    assert guesses(database, throttle, clock, 1) == 1
    assert sum(guesses(database, throttle, clock, 1, email=f"{number}@example.org") for number in range(50)) == 50
    assert guesses(database, throttle, clock, 5, email="bob@example.org") == LIMITS.account_from_suspect_address
    assert guesses(database, throttle, clock, 5) == 0
    assert guesses(database, throttle, clock, 5, email="bob@example.org", address="192.0.2.2") == 3


def test_a_known_device_is_counted_apart_from_its_address_and_from_strangers(database: Database, throttle: Throttle, clock: Clock) -> None:
    add_ada(database)
    laptop, telephone = Device("user_ada", "laptop"), Device("user_ada", "telephone")
    for number in range(LIMITS.account + 1):
        guesses(database, throttle, clock, LIMITS.account_from_address, address=f"198.51.100.{number}")
    assert guesses(database, throttle, clock, 1) == 0
    assert guesses(database, throttle, clock, 5, device=laptop) == LIMITS.device
    attempt = take(database, throttle, clock, device=telephone)
    assert attempt is not None
    with database.write() as db:
        throttle.forgive(db, attempt)
    assert guesses(database, throttle, clock, 5, device=telephone) == LIMITS.device


def test_a_device_of_one_account_says_nothing_for_another(database: Database, throttle: Throttle, clock: Clock) -> None:
    add_ada(database)
    guesses(database, throttle, clock, 3, email="bob@example.org")
    assert guesses(database, throttle, clock, 1, email="bob@example.org", device=Device("user_ada", "laptop")) == 0
    assert guesses(database, throttle, clock, 1, email="nobody@example.org", device=Device("user_nobody", "laptop")) == 1


def test_attempts_per_account_from_many_addresses_are_limited(database: Database, throttle: Throttle, clock: Clock) -> None:
    assert sum(guesses(database, throttle, clock, 1, address=f"198.51.100.{number}") for number in range(30)) == 9


def test_the_wait_ends_with_the_window_and_is_reported(database: Database, throttle: Throttle, clock: Clock) -> None:
    guesses(database, throttle, clock, 3)
    clock.pass_time(minutes=5)
    with pytest.raises(TooManyAttempts) as caught, database.write() as db:
        throttle.take(db, ADA, "192.0.2.1", clock())
    assert caught.value.retry_after == 600
    clock.pass_time(minutes=10)
    assert guesses(database, throttle, clock, 10) == 3


def test_refused_attempts_do_not_lengthen_the_wait(database: Database, throttle: Throttle, clock: Clock) -> None:
    guesses(database, throttle, clock, 3)
    for _ in range(14):
        clock.pass_time(minutes=1)
        assert guesses(database, throttle, clock, 5) == 0
    clock.pass_time(minutes=1)
    assert guesses(database, throttle, clock, 1) == 1


def test_the_owner_at_a_usual_place_is_not_locked_out_by_strangers(database: Database, throttle: Throttle, clock: Clock) -> None:
    add_ada(database)
    with database.write() as db:
        Sessions([SECRET], clock=clock).start(db, "user_ada", address="203.0.113.5")
    for number in range(30):
        guesses(database, throttle, clock, 1, address=f"198.51.100.{number}")
    assert guesses(database, throttle, clock, 1, address="198.51.100.99") == 0
    assert guesses(database, throttle, clock, 1, address="203.0.113.5") == 1


def test_a_right_password_clears_the_account_here_but_not_the_address(database: Database, throttle: Throttle, clock: Clock) -> None:
    guesses(database, throttle, clock, 2)
    attempt = take(database, throttle, clock)
    assert attempt is not None
    with database.write() as db:
        throttle.forgive(db, attempt)
    assert guesses(database, throttle, clock, 3) == 3
    bob = [guesses(database, throttle, clock, 1, email=f"bob{number}@example.org") for number in range(3)]
    assert bob == [1, 1, 1]
    assert guesses(database, throttle, clock, 5, email="carol@example.org") == LIMITS.account_from_suspect_address


def test_an_account_owner_cannot_reset_the_limit_of_their_address(database: Database, throttle: Throttle, clock: Clock) -> None:
    for number in range(20):
        guesses(database, throttle, clock, 1, email=f"{number}@example.org")
        own = take(database, throttle, clock, email="mallory@example.org")
        if own is not None:
            with database.write() as db:
                throttle.forgive(db, own)
    assert guesses(database, throttle, clock, 5, email="bob@example.org") == LIMITS.account_from_suspect_address


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        ("192.0.2.1", "192.0.2.2", False),
    ],
)
def test_an_ipv6_network_counts_as_one_address(
    database: Database, throttle: Throttle, clock: Clock, first: str, second: str, same: bool
) -> None:
    guesses(database, throttle, clock, 3, address=first)
    assert guesses(database, throttle, clock, 1, address=second) == (0 if same else 1)


def test_parallel_attempts_do_not_evade_the_limit(database: Database, throttle: Throttle, clock: Clock) -> None:
    with ThreadPoolExecutor(8) as pool:
        let_through = list(pool.map(lambda _: take(database, throttle, clock) is not None, range(24)))
    assert sum(let_through) == 3


def test_counters_are_hashed_and_swept(database: Database, throttle: Throttle, clock: Clock) -> None:
    guesses(database, throttle, clock, 1)
    with database.read() as db:
        assert not any(ADA in row.bucket or "192.0.2.1" in row.bucket for row in db.exec(select(SignInThrottle)))
    clock.pass_time(minutes=15)
    with database.write() as db:
        assert throttle.sweep(db, clock()) == 3
