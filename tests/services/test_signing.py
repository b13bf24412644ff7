from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from botocore.credentials import Credentials as BotoCredentials
from botocore.credentials import DeferredRefreshableCredentials, RefreshableCredentials
from hypothesis import given
from hypothesis import strategies as st

from clipviewer.domain.sigv4 import Credentials, presign
from clipviewer.errors import NotFound, SigningFailed, StorageCredentials
from clipviewer.services.bucket.signing import (
    MIN_URL_TTL,
    SignedUrl,
    UrlSigner,
    embedded_addresses,
    public_address,
    signature_at,
    signer_for,
)
from clipviewer.settings import MAX_URL_TTL, Settings
from clipviewer.storage.credential_chain import CredentialSource, credential_source
from clipviewer.storage.embedded.credentials import embedded_credentials
from clipviewer.storage.s3 import open_store

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
STATIC = Credentials("AKIASTATIC", "static secret")
EMBEDDED = Settings(data_dir=Path("unused"), database_url="sqlite://")
AWS = replace(EMBEDDED, s3_bucket="team-clips", s3_region="eu-central-1")
MOMENTS = st.datetimes(datetime(2015, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))
LIVES = st.integers(MIN_URL_TTL, MAX_URL_TTL)


class Clock:
    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def signer(
    settings: Settings = AWS,
    credentials: CredentialSource = lambda: STATIC,
    *,
    clock: Callable[[], datetime] = lambda: NOON,
    **options: Any,
) -> UrlSigner:
    addresses = embedded_addresses(settings) if settings.embedded else public_address(settings)
    return UrlSigner(credentials, addresses, clock=clock, **options)


def life(url: str) -> tuple[datetime, int]:
    """Return the signing date and the seconds stated in the URL."""
    query = parse_qs(urlsplit(url).query)
    return datetime.strptime(query["X-Amz-Date"][0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC), int(query["X-Amz-Expires"][0])


@given(MOMENTS, LIVES)
def test_a_url_is_issued_with_three_quarters_of_the_ttl_or_more_left(now: datetime, ttl: int) -> None:
    left = (signature_at(now, ttl).expires_at - now).total_seconds()
    assert ttl * 3 / 4 < left <= ttl


@given(MOMENTS, LIVES, st.integers(0, 10**10), st.none() | st.integers(1, 10**10))
def test_a_later_url_never_expires_earlier(now: datetime, ttl: int, later_us: int, credentials_us: int | None) -> None:
    later = now + timedelta(microseconds=later_us)
    end = None if credentials_us is None else later + timedelta(seconds=1, microseconds=credentials_us)
    first, second = signature_at(now, ttl, end), signature_at(later, ttl, end)
    assert first.signed_at <= second.signed_at
    assert first.expires_at <= second.expires_at


@given(MOMENTS, LIVES, st.data())
def test_all_requests_within_a_window_share_one_url(now: datetime, ttl: int, data: st.DataObject) -> None:
    window = timedelta(seconds=ttl // 4)
    start = signature_at(now, ttl).signed_at
    clock = Clock(start)
    sign = signer(clock=clock, ttl=ttl).sign
    first = sign("a.mp4")
    clock.now = start + timedelta(microseconds=data.draw(st.integers(0, window // timedelta(microseconds=1) - 1)))
    assert sign("a.mp4") == first
    clock.now = start + window
    assert sign("a.mp4").url != first.url


@given(MOMENTS, LIVES, st.integers(1, 2 * MAX_URL_TTL * 10**6))
def test_the_reported_expiry_is_the_earlier_one_of_the_url_and_the_credentials(now: datetime, ttl: int, remaining_us: int) -> None:
    end = now + timedelta(microseconds=remaining_us)
    try:
        signed = signer(credentials=lambda: replace(STATIC, session_token="token", expires_at=end), clock=Clock(now), ttl=ttl).sign("a.mp4")
    except SigningFailed:
        assert end < now + timedelta(seconds=1)
        return
    signed_at, stated = life(signed.url)
    assert signed.expires_at == signed_at + timedelta(seconds=stated)
    assert now < signed.expires_at <= end
    assert signed.expires_at == min(signed_at + timedelta(seconds=ttl), end.replace(microsecond=0))
    assert 1 <= stated <= ttl


@pytest.mark.parametrize("ttl", [0, MIN_URL_TTL - 1, MAX_URL_TTL + 1])
def test_a_lifetime_outside_the_limits_is_refused(ttl: int) -> None:
    with pytest.raises(ValueError, match="seconds"):
        signer(ttl=ttl)


def test_expired_credentials_sign_nothing() -> None:
    with pytest.raises(SigningFailed, match="expired"):
        signer(credentials=lambda: replace(STATIC, expires_at=NOON)).sign("a.mp4")


def test_missing_credentials_are_reported_in_a_sentence() -> None:
    with pytest.raises(SigningFailed, match="AWS_ACCESS_KEY_ID"):
        signer(credentials=credential_source(None)).sign("a.mp4")


def test_credentials_that_cannot_be_renewed_are_reported_in_a_sentence() -> None:
    def refuse() -> dict[str, str]:
        raise RuntimeError("the metadata service is gone")

    chain = RefreshableCredentials("A", "B", "C", datetime.now(UTC) + timedelta(minutes=1), refuse, "role")
    with pytest.raises(SigningFailed, match="could not renew"):
        signer(credentials=credential_source(chain)).sign("a.mp4")


def test_renewed_credentials_sign_at_once_and_with_their_own_expiry() -> None:
    start = datetime.now(UTC)
    renewed = {"access_key": "NEW", "secret_key": "s", "token": "t", "expiry_time": (start + timedelta(hours=6)).isoformat()}
    chain = RefreshableCredentials("OLD", "s", "t", start + timedelta(minutes=20), lambda: renewed, "role")
    sign = signer(credentials=credential_source(chain), clock=Clock(start)).sign
    old = sign("a.mp4")
    assert "X-Amz-Credential=OLD%2F" in old.url
    assert old.expires_at <= start + timedelta(minutes=20)
    chain._time_fetcher = lambda: start + timedelta(minutes=12)
    new = sign("a.mp4")
    assert "X-Amz-Credential=NEW%2F" in new.url
    assert new.expires_at == signature_at(start, MAX_URL_TTL).expires_at


def test_old_keys_are_never_paired_with_the_expiry_of_new_ones() -> None:
    old_end, new_end = NOON + timedelta(minutes=5), NOON + timedelta(hours=6)

    class RenewedMeanwhile:
        """botocore credentials that another thread renews just after this one has read the old keys."""

        def __init__(self) -> None:
            self.keys, self._expiry_time = BotoCredentials("OLD", "s", "t").get_frozen_credentials(), old_end

        def get_frozen_credentials(self) -> Any:
            read = self.keys
            self.keys, self._expiry_time = BotoCredentials("NEW", "s", "t").get_frozen_credentials(), new_end
            return read

    found = credential_source(RenewedMeanwhile())()
    assert (found.access_key, found.expires_at) == ("NEW", new_end)


def test_credentials_that_are_fetched_at_first_use_have_their_expiry_from_the_start() -> None:
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    fetched = {"access_key": "A", "secret_key": "B", "token": "C", "expiry_time": end.isoformat()}
    assert credential_source(DeferredRefreshableCredentials(lambda: fetched, "role"))() == Credentials("A", "B", "C", end)


def test_keys_renewed_at_every_use_are_used_with_their_own_expiry() -> None:
    class AlwaysNew:
        def __init__(self) -> None:
            self._expiry_time = NOON

        def get_frozen_credentials(self) -> Any:
            self._expiry_time += timedelta(seconds=1)
            return BotoCredentials("A", "B", "C").get_frozen_credentials()

    chain = AlwaysNew()
    found = credential_source(chain)()
    assert found.access_key == "A"
    assert found.expires_at is not None
    assert NOON < found.expires_at <= chain._expiry_time


def test_static_credentials_have_no_expiry() -> None:
    assert credential_source(BotoCredentials("A", "B"))() == Credentials("A", "B")


def test_empty_credentials_count_as_missing() -> None:
    with pytest.raises(StorageCredentials):
        credential_source(BotoCredentials("", ""))()


@pytest.mark.parametrize(
    ("settings", "start"),
    [
        (AWS, "https://team-clips.s3.eu-central-1.amazonaws.com/a.mp4?"),
        (replace(AWS, s3_bucket="team.clips"), "https://s3.eu-central-1.amazonaws.com/team.clips/a.mp4?"),
        (replace(AWS, s3_endpoint_url="http://minio:9000"), "http://minio:9000/team-clips/a.mp4?"),
        (
            replace(AWS, s3_endpoint_url="http://minio:9000", s3_public_endpoint_url="https://files.example.org"),
            "https://files.example.org/team-clips/a.mp4?",
        ),
    ],
)
def test_urls_use_the_endpoint_that_browsers_can_reach(settings: Settings, start: str) -> None:
    assert signer(settings).sign("a.mp4", origin="http://app.example.org").url.startswith(start)


@pytest.mark.parametrize(
    ("settings", "origin", "start"),
    [
        (EMBEDDED, "http://127.0.0.1:3000", "http://127.0.0.1:3000/s3/clipviewer/"),
        (EMBEDDED, "http://192.168.1.20:3000", "http://192.168.1.20:3000/s3/clipviewer/"),
        (EMBEDDED, "https://Clips.Example.org:443", "https://clips.example.org/s3/clipviewer/"),
        (EMBEDDED, "http://[fd00::1]:3000", "http://[fd00::1]:3000/s3/clipviewer/"),
        (EMBEDDED, None, "http://127.0.0.1:3000/s3/clipviewer/"),
        (replace(EMBEDDED, host="0.0.0.0", port=80), None, "http://127.0.0.1/s3/clipviewer/"),
        (replace(EMBEDDED, host="::"), None, "http://[::1]:3000/s3/clipviewer/"),
        (replace(EMBEDDED, public_url="https://clips.example.org"), "http://10.0.0.7:3000", "https://clips.example.org/s3/clipviewer/"),
    ],
)
def test_the_embedded_store_is_addressed_as_the_browser_came(settings: Settings, origin: str | None, start: str) -> None:
    assert signer(settings).sign("a.mp4", origin=origin).url.startswith(start)


@pytest.mark.parametrize(
    "origin",
    ["", "null", "//x", "ftp://x", "http://x/path", "http://u@x", "http://x?y", "http://x\r\ny", "http://x y", "http://x:99999", "http://"],
)
def test_an_invalid_origin_is_refused(origin: str) -> None:
    with pytest.raises(SigningFailed):
        signer(EMBEDDED).sign("a.mp4", origin=origin)


@pytest.mark.parametrize("key", ["", "..", "clips/../secret", "clips/a\0b", "clips/" + "x" * 1024, "other/a.mp4", "clips", "/clips/a.mp4"])
def test_invalid_keys_are_not_found(key: str) -> None:
    with pytest.raises(NotFound):
        signer(prefix="clips/").sign(key)


def test_a_download_carries_its_human_name_under_the_signature() -> None:
    sign = signer().sign
    named = sign("clips/7.mp4", download_name="Die Wende – Teil 1.mp4")
    assert parse_qs(urlsplit(named.url).query)["response-content-disposition"] == [
        "attachment; filename=\"Die Wende _ Teil 1.mp4\"; filename*=UTF-8''Die%20Wende%20%E2%80%93%20Teil%201.mp4"
    ]
    assert parse_qs(urlsplit(named.url).query)["X-Amz-Signature"] != parse_qs(urlsplit(sign("clips/7.mp4").url).query)["X-Amz-Signature"]


def test_only_get_is_signed() -> None:
    signed = signer().sign("a.mp4")
    address = public_address(AWS)(None)
    assert signed.url == presign(STATIC, address, "a.mp4", signed_at=NOON, ttl=MAX_URL_TTL, method="GET")


def test_the_signature_stays_out_of_the_text_of_a_signed_url() -> None:
    assert "X-Amz-Signature" not in repr(signer().sign("a.mp4"))


def test_many_threads_get_the_same_url() -> None:
    sign = signer().sign
    urls: set[SignedUrl] = set()
    threads = [threading.Thread(target=lambda: urls.update(sign("a.mp4") for _ in range(50))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(urls) == 1


def test_the_configured_signer_takes_prefix_life_and_credentials_from_where_they_belong() -> None:
    keys = embedded_credentials("a secret key of more than thirty-two bytes")
    settings = replace(EMBEDDED, s3_prefix="demo/", url_ttl=20)
    sign = signer_for(settings, open_store(settings, keys), Clock(NOON)).sign
    assert life(sign("demo/a.mp4").url) == (NOON, 20)
    assert f"X-Amz-Credential={keys.access_key}%2F" in sign("demo/a.mp4").url
    assert keys.secret_key not in sign("demo/a.mp4").url
    with pytest.raises(NotFound):
        sign("a.mp4")


def test_embedded_keys_follow_from_the_secret_key_alone() -> None:
    first, again, other = (embedded_credentials(text * 40) for text in "aab")
    assert first == again
    assert first.secret_key != other.secret_key
