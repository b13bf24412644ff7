"""Passwords: how they are stored, and which ones are accepted."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st

from clipviewer.services.people.passwords import PasswordGuessable, Passwords, PasswordTooLong, PasswordTooShort, check_new

PASSWORD = "seven brown otters"


def test_passwords_are_argon2id_with_at_least_19_mib_two_rounds_and_one_lane() -> None:
    encoded = Passwords().hash(PASSWORD)
    kind, version, parameters = encoded.split("$")[1:4]
    cost = dict(part.split("=") for part in parameters.split(","))
    assert (kind, version) == ("argon2id", "v=19")
    assert (int(cost["m"]) >= 19 * 1024, int(cost["t"]) >= 2, cost["p"]) == (True, True, "1")


def test_a_password_matches_itself_only_and_in_every_unicode_form() -> None:
    passwords = Passwords(memory_kib=64, rounds=1)
    encoded = passwords.hash("caf\u00e9 au lait")
    assert passwords.matches(encoded, "cafe\u0301 au lait")
    assert not passwords.matches(encoded, "cafe au lait")
    assert not passwords.matches(None, PASSWORD)
    assert not passwords.matches("damaged", PASSWORD)
    long = "x1 " * 341
    assert passwords.matches(passwords.hash(long), long)
    assert not passwords.matches(passwords.hash(long), long[:-1])


@pytest.mark.parametrize(
    "password",
    [
        *("password", "Password1", "P@ssw0rd", "password2025!", "iloveyou", "Football2024", "trustno1"),
        *("12345678", "87654321", "aaaaaaaa", "abababab", "abc1abc1abc1", "qwertyuiop", "poiuytrewq", "abcdefgh"),
        *("clipviewer", "ClipViewer123", "ada.lovelace", "ada.lovelace1843", "example1", "ada.lovelace@example.org"),
    ],
)
def test_a_password_that_is_guessed_first_is_refused(password: str) -> None:
    with pytest.raises(PasswordGuessable):
        check_new(password, "ada.lovelace@example.org")


@pytest.mark.parametrize(
    "password",
    [
        "seven brown otters",
        "Tr0ub4dor&3",
        "längere Wörter",
        "日本語のパスワード",
        "x9$kQ2!v",
        "correct mule gate",
        "a long sentence " + "that goes on " * 70,
    ],
)
def test_a_long_or_unusual_password_is_accepted_whatever_its_characters(password: str) -> None:
    check_new(password, "ada.lovelace@example.org")


def test_the_length_is_from_8_to_1024_characters() -> None:
    with pytest.raises(PasswordTooShort):
        check_new("x9$kQ2!")
    with pytest.raises(PasswordTooShort):
        check_new("e\u0301" * 7)
    with pytest.raises(PasswordTooLong):
        check_new("x9$kQ2!v" * 128 + "z")


@given(st.text())
def test_any_text_is_accepted_or_refused_with_a_reason(password: str) -> None:
    with suppress(PasswordTooShort, PasswordTooLong, PasswordGuessable):
        check_new(password, "a@b.c")


def test_hashes_are_computed_in_a_limited_number_of_threads() -> None:
    passwords = Passwords(memory_kib=64, rounds=1, concurrency=2)
    hasher, asked_by, made_by = passwords._hasher, set(), set()

    class Noting(PasswordHasher):
        def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
            made_by.add(threading.get_ident())
            return hasher.hash(password, salt=salt)

    def ask(_number: int) -> str:
        asked_by.add(threading.get_ident())
        return passwords.hash(PASSWORD)

    passwords._hasher = Noting()
    with ThreadPoolExecutor(8) as pool:
        encoded = set(pool.map(ask, range(32)))
    assert len(encoded) == 32
    assert 1 <= len(made_by) <= 2
    assert not made_by & asked_by


def test_unknown_wrong_and_disabled_take_the_same_work() -> None:
    """Each takes one verification with the same parameters, with tolerance for noise: without it the ratio is above 100."""
    passwords = Passwords()
    encoded = passwords.hash(PASSWORD)

    def seconds(stored: str | None) -> float:
        started = time.perf_counter()
        passwords.matches(stored, "wrong")
        return time.perf_counter() - started

    known, unknown = map(min, zip(*((seconds(encoded), seconds(None)) for _ in range(7)), strict=True))
    assert 1 / 3 < unknown / known < 3
