"""Passwords: argon2id, and which ones are accepted (NIST SP 800-63B: by length and guessability, no character rules)."""

from __future__ import annotations

import base64
import os
import re
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from clipviewer.errors import Invalid

MIN_LENGTH = 8
MAX_LENGTH = 1024
_SEQUENCES = ("abcdefghijklmnopqrstuvwxyz", "01234567890123456789", "qwertyuiopasdfghjklzxcvbnm", "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p")
_LIST = Path(__file__).with_name("guessed_passwords.txt")


class PasswordTooShort(Invalid):
    code, title = "password_short", f"Use a password of at least {MIN_LENGTH} characters"


class PasswordTooLong(Invalid):
    code, title = "password_long", f"Use a password of at most {MAX_LENGTH} characters"


class PasswordGuessable(Invalid):
    code, title = "password_guessable", "This password is easy to guess. Choose another one"


class Passwords:
    """Hash and verify passwords. Slow on purpose: call it from a thread, without an open transaction.

    Hashing runs in ``concurrency`` threads of its own: a burst of sign-ins takes neither all processors nor all memory, of which glibc
    keeps for each thread what it has used once.
    """

    def __init__(self, *, memory_kib: int = 19 * 1024, rounds: int = 2, concurrency: int = 2) -> None:
        self._hasher = PasswordHasher(time_cost=rounds, memory_cost=memory_kib, parallelism=1, type=Type.ID)
        self._workers = ThreadPoolExecutor(concurrency, thread_name_prefix="passwords")
        salt, digest = (base64.b64encode(os.urandom(size)).decode().rstrip("=") for size in (16, 32))
        self._nobody = f"$argon2id$v=19$m={memory_kib},t={rounds},p=1${salt}${digest}"

    def hash(self, password: str) -> str:
        """Return the encoded argon2id hash, with its parameters and salt."""
        return self._workers.submit(self._hasher.hash, _normal(password)).result()

    def matches(self, encoded: str | None, password: str) -> bool:
        """Return whether the password matches the hash. Without a hash (no such account) the same work is done."""
        try:
            return self._workers.submit(self._hasher.verify, encoded or self._nobody, _normal(password[: MAX_LENGTH + 1])).result()
        except (VerificationError, InvalidHashError):
            return False

    def outdated(self, encoded: str) -> bool:
        """Return whether the hash was made with other parameters than the current ones."""
        return self._hasher.check_needs_rehash(encoded)


def check_new(password: str, email: str = "") -> None:
    """Raise ``PasswordTooShort``, ``PasswordTooLong`` or ``PasswordGuessable`` for an unacceptable password."""
    normal = _normal(password)
    if len(normal) < MIN_LENGTH:
        raise PasswordTooShort
    if len(normal) > MAX_LENGTH:
        raise PasswordTooLong
    if _is_guessable(normal.casefold(), email.casefold()):
        raise PasswordGuessable


def _is_guessable(password: str, email: str) -> bool:
    if password in _guessed_first() or _repeats(password):
        return True
    if any(password in row or password in row[::-1] for row in _SEQUENCES):
        return True
    word = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", password)
    local, _, host = email.partition("@")
    context = {"clipviewer", "clip viewer", email, local, host, host.split(".")[0]} - {""}
    return word in context or password in context or word in _guessed_first()


def _repeats(password: str) -> bool:
    """Return whether one to four characters repeat over and over."""
    return any((password[:size] * len(password))[: len(password)] == password for size in range(1, 5))


@lru_cache(maxsize=1)
def _guessed_first() -> frozenset[str]:
    return frozenset(_LIST.read_text(encoding="utf-8").split())


def _normal(password: str) -> str:
    return unicodedata.normalize("NFC", password)
