"""Only the exact signed request is accepted: a table of requests that differ from it, each of which gets 403."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from clipviewer.domain.sigv4 import Bucket, Credentials, canonical_query, canonical_request, presign, signature
from tests.storage.raw import Reply, send, signed_headers
from tests.storage.serving import BUCKET, KEYS, Served

KEY = "videos/one two.mp4"
OTHER = "videos/other.mp4"
PATH = f"/s3/{BUCKET}/videos/one%20two.mp4"
DATA = b"footage"


@pytest.fixture(scope="module", autouse=True)
def objects(served: Served) -> None:
    made = served.client()
    for key in (KEY, OTHER):
        made.put_object(Bucket=BUCKET, Key=key, Body=DATA, ContentType="video/mp4")
    made.close()


def target(served: Served, key: str = KEY, *, keys: Credentials = KEYS, age: float = 0, ttl: int = 3600, method: str = "GET") -> str:
    """Return path and query of a valid URL, signed ``age`` seconds ago."""
    bucket = Bucket("http", served.host, f"/s3/{BUCKET}", "us-east-1")
    signed_at = datetime.now(UTC) - timedelta(seconds=age)
    return presign(keys, bucket, key, signed_at=signed_at, ttl=ttl, method=method).removeprefix(f"http://{served.host}")


def forged(
    served: Served,
    *,
    ttl: str = "3600",
    region: str = "us-east-1",
    service: str = "s3",
    day: str | None = None,
    headers: str = "host",
    algorithm: str = "AWS4-HMAC-SHA256",
    extra: tuple[tuple[str, str], ...] = (),
    age: int = 0,
) -> str:
    """Return a URL with a valid signature over values that no URL may have."""
    timestamp = (datetime.now(UTC) - timedelta(seconds=age)).strftime("%Y%m%dT%H%M%SZ")
    scope = f"{KEYS.access_key}/{day or timestamp[:8]}/{region}/{service}/aws4_request"
    query = canonical_query(
        [
            ("X-Amz-Algorithm", algorithm),
            ("X-Amz-Credential", scope),
            ("X-Amz-Date", timestamp),
            ("X-Amz-Expires", ttl),
            ("X-Amz-SignedHeaders", headers),
            *extra,
        ]
    )
    named = [(name, served.host) for name in headers.split(";") if name]
    text = canonical_request("GET", PATH, query, named)
    return f"{PATH}?{query}&X-Amz-Signature={signature(KEYS.secret_key, timestamp, region, text)}"


def fetch(served: Served, address: str, method: str = "GET", **headers: str) -> Reply:
    return send(served.port, method, address, {"Host": served.host} | {name.replace("_", "-"): value for name, value in headers.items()})


def changed(pattern: str, replacement: str) -> Callable[[Served], str]:
    """Return a valid URL with one part replaced; fail if there is nothing to replace."""

    def address(served: Served) -> str:
        text, count = re.subn(pattern, replacement, target(served), count=1)
        assert count == 1
        return text

    return address


def one_digit_of_the_signature(served: Served) -> str:
    good = target(served)
    return good[:-1] + ("0" if good[-1] != "0" else "1")


ADDRESSES: dict[str, Callable[[Served], str]] = {
    "one digit of the signature": one_digit_of_the_signature,
    "a signature in capitals": lambda served: re.sub(r"[0-9a-f]{64}$", lambda match: match[0].upper(), target(served)),
    "a shorter signature": changed(r".$", ""),
    "an empty signature": changed(r"Signature=.*", "Signature="),
    "a signature beyond ASCII": changed(r"Signature=.*", "Signature=%C3%A9"),
    "no signature": changed(r"&X-Amz-Signature=.*", ""),
    "no query": changed(r"\?.*", ""),
    "another key": changed(r"one%20two", "other"),
    "another key's signature": lambda served: (
        target(served).split("&X-Amz-Signature=")[0] + "&X-Amz-Signature=" + target(served, OTHER).split("&X-Amz-Signature=")[1]
    ),
    "a key in capitals": changed(r"videos/", "Videos/"),
    "a longer key": changed(r"mp4\?", "mp4x?"),
    "a slash at the end": changed(r"mp4\?", "mp4/?"),
    "a slash more": changed(r"videos/", "videos//"),
    "a path encoded twice": changed(r"%20", "%2520"),
    "dotted segments": changed(r"videos/", "x/../videos/"),
    "encoded dotted segments": changed(r"videos/", "x/%2e%2e/videos/"),
    "a dot": changed(r"videos/", "./videos/"),
    "an encoded dot": changed(r"videos/", "%2e/videos/"),
    "a backslash": changed(r"videos/", "videos%5C"),
    "a NUL": changed(r"mp4\?", "mp4%00?"),
    "another bucket": changed(rf"/{BUCKET}/", "/another/"),
    "a longer life": changed(r"Expires=3600", "Expires=3601"),
    "another date": changed(r"Date=\d{8}T\d{6}Z", "Date=20990101T000000Z"),
    "no date": changed(r"X-Amz-Date=[^&]*&", ""),
    "a date that is none": changed(r"Date=\d{8}T", "Date=20251340T"),
    "another day in the scope": changed(r"%2F\d{8}%2F", "%2F20990101%2F"),
    "another region": changed(r"us-east-1", "eu-central-1"),
    "another service": changed(r"%2Fs3%2F", "%2Fec2%2F"),
    "another access key": changed(rf"Credential={KEYS.access_key}", "Credential=someone"),
    "no access key": changed(rf"Credential={KEYS.access_key}", "Credential="),
    "no credential": changed(r"X-Amz-Credential=[^&]*&", ""),
    "another algorithm": changed(r"AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1"),
    "another signed header": changed(r"SignedHeaders=host", "SignedHeaders=date"),
    "one more signed header": changed(r"SignedHeaders=host", "SignedHeaders=host%3Brange"),
    "no signed headers": changed(r"SignedHeaders=host", "SignedHeaders="),
    "one more parameter": changed(r"$", "&x=1"),
    "an unsigned override": changed(r"$", "&response-content-type=text%2Fhtml"),
    "a sub-resource": changed(r"$", "&acl"),
    "a parameter less": changed(r"X-Amz-Expires=3600&", ""),
    "the signature twice": changed(r"&X-Amz-Signature=(.*)$", r"&X-Amz-Signature=\1&X-Amz-Signature=\1"),
    "the life twice": changed(r"X-Amz-Expires=3600", "X-Amz-Expires=3600&X-Amz-Expires=99999"),
    "names in small letters": changed(r"X-Amz-Expires", "x-amz-expires"),
    "a token that nobody gave": changed(r"$", "&X-Amz-Security-Token=x"),
    "signed by another secret": lambda served: target(served, keys=replace(KEYS, secret_key="another secret")),
    "signed with a token": lambda served: target(served, keys=replace(KEYS, session_token="token")),
    "signed by someone unknown": lambda served: target(served, keys=replace(KEYS, access_key="someone")),
    "expired": lambda served: target(served, age=3601),
    "signed for longer than a week, properly": lambda served: forged(served, ttl="604801"),
    "signed for no time at all, properly": lambda served: forged(served, ttl="0"),
    "signed for no time at all in the future, properly": lambda served: forged(served, ttl="0", age=-300),
    "signed for less than no time, properly": lambda served: forged(served, ttl="-1"),
    "signed for a life that is no number, properly": lambda served: forged(served, ttl="1e3"),
    "signed for a life in other digits, properly": lambda served: forged(served, ttl="\u0663\u0663"),
    "signed for the future, properly": lambda served: target(served, age=-16 * 60),
    "signed for another region, properly": lambda served: forged(served, region="eu-central-1"),
    "signed for another service, properly": lambda served: forged(served, service="ec2"),
    "signed for another day, properly": lambda served: forged(served, day="20250101"),
    "signed without the host, properly": lambda served: forged(served, headers=""),
    "signed by another algorithm, properly": lambda served: forged(served, algorithm="AWS4-ECDSA-P256-SHA256"),
    "signed with a parameter twice, properly": lambda served: forged(served, extra=(("x", "1"), ("x", "2"))),
}


def test_the_address_itself_is_good(served: Served) -> None:
    assert (fetch(served, target(served)).body, fetch(served, forged(served)).body) == (DATA, DATA)
    assert fetch(served, target(served, age=3590)).status == 200
    assert fetch(served, target(served, age=-14 * 60)).status == 200


@pytest.mark.parametrize("name", ADDRESSES)
def test_a_tampered_address_is_refused(served: Served, name: str) -> None:
    reply = fetch(served, ADDRESSES[name](served))
    assert reply.status == 403
    assert reply.code in ("AccessDenied", "InvalidAccessKeyId", "InvalidToken", "SignatureDoesNotMatch")
    assert DATA not in reply.body


@pytest.mark.parametrize("method", ["HEAD", "PUT", "POST", "DELETE", "PATCH"])
def test_an_address_signed_for_reading_does_nothing_else(served: Served, method: str) -> None:
    assert fetch(served, target(served), method).status == 403
    assert fetch(served, target(served)).body == DATA


def test_an_address_signed_for_deleting_does_not_read(served: Served) -> None:
    assert fetch(served, target(served, method="DELETE")).status == 403


@pytest.mark.parametrize("host", ["localhost:{port}", "127.0.0.1", "example.org", "127.0.0.1:{port}, 127.0.0.1:{port}"])
def test_an_address_is_good_for_its_host_only(served: Served, host: str) -> None:
    assert fetch(served, target(served), Host=host.format(port=served.port)).status == 403


@pytest.mark.parametrize(("names", "status"), [("host;x-test", 200), ("x-test", 403), ("x-test;host", 403), ("host;host;x-test", 403)])
def test_the_signed_headers_are_sorted_and_include_the_host(served: Served, names: str, status: int) -> None:
    assert fetch(served, forged(served, headers=names), x_test=served.host).status == status


def test_an_unsigned_amz_header_is_refused(served: Served) -> None:
    assert fetch(served, target(served), x_amz_checksum_mode="ENABLED").status == 403


def test_a_proxys_own_authorisation_does_not_disturb_an_address(served: Served) -> None:
    assert fetch(served, target(served), Authorization="Basic dTpw", Cookie="a=b", Range="bytes=0-1").body == DATA[:2]


def test_an_address_expires_to_the_second(served: Served) -> None:
    assert fetch(served, target(served, ttl=2)).status == 200
    assert fetch(served, target(served, ttl=2, age=2)).code == "AccessDenied"


def url(served: Served, key: str = "put/new") -> str:
    return f"http://{served.host}/s3/{BUCKET}/{key}"


HEADERS: dict[str, Callable[[dict[str, str]], dict[str, str]]] = {
    "no authorisation": lambda headers: {name: value for name, value in headers.items() if name != "Authorization"},
    "one digit of the signature": lambda headers: (
        headers | {"Authorization": headers["Authorization"][:-1] + ("0" if headers["Authorization"][-1] != "0" else "1")}
    ),
    "another region": lambda headers: headers | {"Authorization": headers["Authorization"].replace("us-east-1", "eu-west-1")},
    "another access key": lambda headers: headers | {"Authorization": headers["Authorization"].replace(f"={KEYS.access_key}/", "=x/")},
    "a signed header less in the list": lambda headers: headers | {"Authorization": headers["Authorization"].replace(";x-amz-date", "")},
    "the host not signed": lambda headers: headers | {"Authorization": headers["Authorization"].replace("host;", "")},
    "a part of the authorisation missing": lambda headers: headers | {"Authorization": headers["Authorization"].split(", Signature=")[0]},
    "a part of the authorisation twice": lambda headers: headers | {"Authorization": headers["Authorization"] + ", Signature=0"},
    "a signed header removed": lambda headers: {name: value for name, value in headers.items() if name != "x-amz-meta-a"},
    "a signed header changed": lambda headers: headers | {"x-amz-meta-a": "2"},
    "an unsigned amz header added": lambda headers: headers | {"x-amz-meta-b": "1"},
    "the copy source added": lambda headers: headers | {"x-amz-copy-source": f"{BUCKET}/{KEY}"},
    "another date": lambda headers: headers | {"X-Amz-Date": "20250101T000000Z"},
    "no date": lambda headers: {name: value for name, value in headers.items() if name != "X-Amz-Date"},
    "another body's hash": lambda headers: headers | {"X-Amz-Content-SHA256": hashlib.sha256(b"other").hexdigest()},
    "no hash asked for": lambda headers: headers | {"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"},
    "no hash": lambda headers: {name: value for name, value in headers.items() if name != "X-Amz-Content-SHA256"},
    "a token that nobody gave": lambda headers: headers | {"x-amz-security-token": "x"},
    "another host": lambda headers: headers | {"Host": "example.org"},
    "another way of signing": lambda headers: headers | {"Authorization": "AWS clipviewer:c2lnbmF0dXJl"},
    "a session's token": lambda headers: headers | {"Authorization": "Bearer abc"},
}


def test_the_signed_request_itself_is_good(served: Served) -> None:
    headers = signed_headers("PUT", url(served, "put/good"), DATA, {"x-amz-meta-a": "1"})
    assert send(served.port, "PUT", f"/s3/{BUCKET}/put/good", headers, DATA).status == 200


@pytest.mark.parametrize("name", HEADERS)
def test_a_tampered_request_is_refused_and_stores_nothing(served: Served, name: str) -> None:
    headers = HEADERS[name](signed_headers("PUT", url(served), DATA, {"x-amz-meta-a": "1"}))
    reply = send(served.port, "PUT", f"/s3/{BUCKET}/put/new", headers, DATA)
    assert reply.status == 403
    assert fetch(served, target(served, "put/new")).status == 404


def test_another_body_than_the_signed_one_is_refused_and_stores_nothing(served: Served) -> None:
    headers = signed_headers("PUT", url(served), DATA)
    reply = send(served.port, "PUT", f"/s3/{BUCKET}/put/new", headers, DATA.upper())
    assert (reply.status, reply.code) == (400, "XAmzContentSHA256Mismatch")
    assert fetch(served, target(served, "put/new")).status == 404


def test_another_list_of_deletions_than_the_signed_one_deletes_nothing(served: Served) -> None:
    body = f"<Delete><Object><Key>{KEY}</Key></Object></Delete>".encode()
    address = f"/s3/{BUCKET}?delete"
    headers = signed_headers("POST", f"http://{served.host}{address}", body.replace(KEY.encode(), b"x" * len(KEY)))
    assert send(served.port, "POST", address, headers, body).code == "XAmzContentSHA256Mismatch"
    assert fetch(served, target(served)).body == DATA


def test_both_ways_of_signing_at_once_are_refused(served: Served) -> None:
    for both in (target(served), f"{PATH}?X-Amz-Expires=60"):
        headers = signed_headers("GET", f"http://{served.host}{both}")
        assert send(served.port, "GET", both, headers).code == "AccessDenied"


@pytest.mark.parametrize(("age", "status"), [(-16, 403), (-14, 200), (0, 200), (14, 200), (16, 403)])
def test_a_clock_may_be_wrong_by_fifteen_minutes(served: Served, monkeypatch: pytest.MonkeyPatch, age: int, status: int) -> None:
    moment = datetime.now(UTC) - timedelta(minutes=age)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: moment)
    reply = send(served.port, "GET", PATH, signed_headers("GET", f"http://{served.host}{PATH}"))
    assert reply.status == status
    assert status == 200 or reply.code == "RequestTimeTooSkewed"


@pytest.mark.parametrize("address", ["/s3", "/s3/", f"/s3/{BUCKET}", f"/s3/{BUCKET}?list-type=2", "/s3/another/x", f"/s3/{BUCKET}/nothing"])
def test_nobody_learns_anything_without_a_signature(served: Served, address: str) -> None:
    assert (fetch(served, address).status, fetch(served, address).code) == (403, "AccessDenied")
