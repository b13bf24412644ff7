from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Any
from unittest import mock
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials as BotoCredentials
from hypothesis import given
from hypothesis import strategies as st

from clipviewer.domain.bucket_address import bucket_address, virtual_hosted
from clipviewer.domain.object_key import check_object_key
from clipviewer.domain.sigv4 import MAX_TTL, Bucket, Credentials, presign, uri_encode

AWS_EXAMPLE = Credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def allowed(key: str) -> bool:
    try:
        check_object_key(key)
    except ValueError:
        return False
    return True


SEGMENT = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc",)) | st.sampled_from(" +~%&=?#;,:@!$'()*é日🎬"), min_size=1, max_size=20
)
KEYS = st.lists(SEGMENT, min_size=1, max_size=4).map("/".join).filter(allowed)
VALUES = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=40)
TOKENS = st.none() | st.text("ABCdef0123456789+/=", min_size=1, max_size=60)
CREDENTIALS = st.builds(
    Credentials, st.from_regex(r"[A-Z0-9]{16,20}", fullmatch=True), st.text("abcXYZ019+/", min_size=1, max_size=40), TOKENS
)
REGIONS = st.sampled_from(["us-east-1", "eu-central-1", "ap-southeast-2", "cn-north-1", "us-gov-west-1", "auto"])
MOMENTS = st.datetimes(datetime(2015, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))
TTLS = st.integers(1, MAX_TTL)
RESPONSE = st.dictionaries(
    st.sampled_from(["ResponseContentDisposition", "ResponseContentType", "ResponseCacheControl", "ResponseContentLanguage"]), VALUES
)
QUERY_NAMES = {
    "ResponseContentDisposition": "response-content-disposition",
    "ResponseContentType": "response-content-type",
    "ResponseCacheControl": "response-cache-control",
    "ResponseContentLanguage": "response-content-language",
}
PLACES = st.sampled_from(
    [
        ("clips", "eu-central-1", None),
        ("clips", "us-east-1", None),
        ("clips", "cn-north-1", None),
        ("clips.example.org", "eu-central-1", None),
        ("Clips_Archive", "us-east-1", None),
        ("clips", "us-east-1", "http://127.0.0.1:9000"),
        ("clips.example.org", "eu-west-3", "https://s3.example.org"),
        ("clips", "auto", "https://files.example.org:8443/storage/s3"),
        ("clips", "us-east-1", "http://[::1]:9000"),
    ]
)


@lru_cache
def boto_client(name: str, region: str, endpoint: str | None, credentials: Credentials) -> Any:
    return boto3.client(
        "s3",
        region_name=region,
        endpoint_url=endpoint,
        aws_access_key_id=credentials.access_key,
        aws_secret_access_key=credentials.secret_key,
        aws_session_token=credentials.session_token,
        config=Config(
            signature_version="s3v4",
            s3={"addressing_style": "virtual" if virtual_hosted(name, endpoint) else "path", "us_east_1_regional_endpoint": "regional"},
            request_checksum_calculation="when_required",
        ),
    )


def boto_url(moment: datetime, operation: str, params: dict[str, Any], ttl: int, *client: Any) -> str:
    with mock.patch("botocore.auth.get_current_datetime", return_value=moment):
        url: str = boto_client(*client).generate_presigned_url(operation, Params=params, ExpiresIn=ttl)
    return url


TEMPORARY = Credentials("ASIATEMPORARY", "another/secret+", "token/with+signs==")
KNOWN = st.sampled_from([AWS_EXAMPLE, TEMPORARY])


def test_url_is_the_one_that_aws_publishes_as_its_example() -> None:
    bucket = Bucket("https", "examplebucket.s3.amazonaws.com", "", "us-east-1")
    url = presign(AWS_EXAMPLE, bucket, "test.txt", signed_at=datetime(2013, 5, 24, tzinfo=UTC), ttl=86400)
    assert url == (
        "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256"
        "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z"
        "&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
        "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    )


@given(
    CREDENTIALS,
    REGIONS,
    KEYS,
    MOMENTS,
    TTLS,
    st.sampled_from(["GET", "PUT", "HEAD", "DELETE"]),
    st.dictionaries(SEGMENT, VALUES, max_size=4),
)
def test_url_equals_that_of_botocores_signer(
    credentials: Credentials, region: str, key: str, moment: datetime, ttl: int, method: str, overrides: dict[str, str]
) -> None:
    bucket = Bucket("https", "store.example.org:8443", "/under/clips", region)
    base = f"{bucket.scheme}://{bucket.host}{bucket.path}/{uri_encode(key, keep_slash=True)}"
    query = "&".join(f"{uri_encode(name)}={uri_encode(value)}" for name, value in overrides.items())
    request = AWSRequest(method, f"{base}?{query}" if query else base)
    signer = S3SigV4QueryAuth(
        BotoCredentials(credentials.access_key, credentials.secret_key, credentials.session_token), "s3", region, expires=ttl
    )
    with mock.patch("botocore.auth.get_current_datetime", return_value=moment):
        signer.add_auth(request)
    assert presign(credentials, bucket, key, signed_at=moment, ttl=ttl, method=method, overrides=overrides) == request.url


@given(PLACES, KNOWN, KEYS, MOMENTS, TTLS, RESPONSE)
def test_download_url_equals_that_of_boto3(
    place: tuple[str, str, str | None], credentials: Credentials, key: str, moment: datetime, ttl: int, response: dict[str, str]
) -> None:
    theirs = boto_url(moment, "get_object", {"Bucket": place[0], "Key": key, **response}, ttl, *place, credentials)
    overrides = {QUERY_NAMES[name]: value for name, value in response.items()}
    assert presign(credentials, bucket_address(*place), key, signed_at=moment, ttl=ttl, overrides=overrides) == theirs


@given(PLACES, KNOWN, KEYS, MOMENTS, TTLS, st.integers(1, 10_000), st.text("abcXYZ019._-~+/=", min_size=1, max_size=80))
def test_part_upload_url_equals_that_of_boto3(
    place: tuple[str, str, str | None], credentials: Credentials, key: str, moment: datetime, ttl: int, part: int, upload: str
) -> None:
    params = {"Bucket": place[0], "Key": key, "PartNumber": part, "UploadId": upload}
    theirs = boto_url(moment, "upload_part", params, ttl, *place, credentials)
    overrides = {"partNumber": str(part), "uploadId": upload}
    assert presign(credentials, bucket_address(*place), key, signed_at=moment, ttl=ttl, method="PUT", overrides=overrides) == theirs


@given(CREDENTIALS, REGIONS, KEYS, MOMENTS, TTLS, st.binary(min_size=4, max_size=4), st.integers(1, 5 * 1024**3))
def test_url_with_signed_headers_equals_that_of_botocores_signer(
    credentials: Credentials, region: str, key: str, moment: datetime, ttl: int, crc: bytes, size: int
) -> None:
    bucket = Bucket("https", "store.example.org:8443", "/under/clips", region)
    base = f"{bucket.scheme}://{bucket.host}{bucket.path}/{uri_encode(key, keep_slash=True)}"
    headers = {"x-amz-checksum-crc32": b64encode(crc).decode(), "content-length": str(size)}
    request = AWSRequest("PUT", f"{base}?partNumber=7&uploadId=abc", headers=headers)
    signer = S3SigV4QueryAuth(
        BotoCredentials(credentials.access_key, credentials.secret_key, credentials.session_token), "s3", region, expires=ttl
    )
    with mock.patch("botocore.auth.get_current_datetime", return_value=moment):
        signer.add_auth(request)
    overrides = {"partNumber": "7", "uploadId": "abc"}
    ours = presign(credentials, bucket, key, signed_at=moment, ttl=ttl, method="PUT", overrides=overrides, headers=headers)
    assert ours == request.url


@given(KEYS)
def test_the_store_decodes_exactly_the_signed_key(key: str) -> None:
    parts = urlsplit(presign(AWS_EXAMPLE, bucket_address("clips", "us-east-1"), key, signed_at=NOON, ttl=60))
    path = parts.path.encode("ascii")
    decoded = bytearray()
    while path:
        decoded += bytes.fromhex(path[1:3].decode()) if path.startswith(b"%") else path[:1]
        path = path[3 if path.startswith(b"%") else 1 :]
    assert decoded.decode() == f"/{key}"


def test_signature_depends_on_everything_that_is_signed() -> None:
    bucket = bucket_address("clips", "us-east-1")
    urls = {
        presign(AWS_EXAMPLE, bucket, "a.mp4", signed_at=NOON, ttl=60),
        presign(AWS_EXAMPLE, bucket, "b.mp4", signed_at=NOON, ttl=60),
        presign(AWS_EXAMPLE, bucket, "a.mp4", signed_at=NOON, ttl=61),
        presign(AWS_EXAMPLE, bucket, "a.mp4", signed_at=NOON + timedelta(seconds=1), ttl=60),
        presign(AWS_EXAMPLE, bucket, "a.mp4", signed_at=NOON, ttl=60, method="PUT"),
        presign(AWS_EXAMPLE, bucket, "a.mp4", signed_at=NOON, ttl=60, overrides={"response-content-type": "text/plain"}),
        presign(TEMPORARY, bucket, "a.mp4", signed_at=NOON, ttl=60),
        presign(AWS_EXAMPLE, bucket_address("clips", "eu-west-1"), "a.mp4", signed_at=NOON, ttl=60),
        presign(AWS_EXAMPLE, bucket_address("other", "us-east-1"), "a.mp4", signed_at=NOON, ttl=60),
    }
    signatures = {parse_qs(urlsplit(url).query)["X-Amz-Signature"][0] for url in urls}
    assert len(signatures) == 9


def test_a_date_in_another_zone_is_signed_in_utc() -> None:
    bucket = bucket_address("clips", "us-east-1")
    elsewhere = NOON.astimezone(timezone(timedelta(hours=14)))
    assert presign(AWS_EXAMPLE, bucket, "a", signed_at=elsewhere, ttl=60) == presign(AWS_EXAMPLE, bucket, "a", signed_at=NOON, ttl=60)


@pytest.mark.parametrize("ttl", [-1, 0, MAX_TTL + 1])
def test_a_lifetime_that_s3_would_refuse_is_refused(ttl: int) -> None:
    with pytest.raises(ValueError, match="1 second to 7 days"):
        presign(AWS_EXAMPLE, bucket_address("clips", "us-east-1"), "a", signed_at=NOON, ttl=ttl)


def test_a_date_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        presign(AWS_EXAMPLE, bucket_address("clips", "us-east-1"), "a", signed_at=NOON.replace(tzinfo=None), ttl=60)


@pytest.mark.parametrize(
    "endpoint", ["ftp://example.org", "example.org", "http://", "http://user@example.org", "http://a?b=c", "http://a:notaport"]
)
def test_an_invalid_endpoint_is_refused(endpoint: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  the message is Python's own for a wrong port
        bucket_address("clips", "us-east-1", endpoint)


def test_host_is_written_as_browsers_send_it() -> None:
    assert bucket_address("clips", "r", "https://Store.Example.org:443/").host == "store.example.org"
    assert bucket_address("clips", "r", "http://store:80").host == "store"
    assert bucket_address("clips", "r", "http://store:443").host == "store:443"


def test_secrets_are_not_in_the_text_of_credentials() -> None:
    text = f"{TEMPORARY!r} {TEMPORARY}"
    assert "another/secret+" not in text
    assert "token/with" not in text
