"""The store shares the app's origin: uploads must not run scripts there, and other origins need a setting."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.storage.raw import Reply, send
from tests.storage.serving import BUCKET, Served, serving

FRIEND = "https://clips.example.org"


@pytest.fixture(scope="module")
def store_with_cors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("store") / "objects", cors_origins=[FRIEND]) as served:
        yield served


def address(served: Served, key: str, **overrides: str) -> str:
    client = served.client()
    parameters = {"Bucket": BUCKET, "Key": key} | overrides
    made: str = client.generate_presigned_url("get_object", Params=parameters, ExpiresIn=600)
    client.close()
    return made.removeprefix(f"http://{served.host}")


def put(served: Served, key: str, **arguments: str) -> None:
    client = served.client()
    client.put_object(Bucket=BUCKET, Key=key, Body=b"<script>", **arguments)
    client.close()


def get(served: Served, target: str, method: str = "GET", **headers: str) -> Reply:
    return send(served.port, method, target, {"Host": served.host} | {name.replace("_", "-"): value for name, value in headers.items()})


@pytest.mark.parametrize(
    "kind",
    ["text/html", "image/svg+xml", "application/xhtml+xml", "text/xml", "application/pdf", "application/javascript", "text/css", "x",
     "video/mp4, text/html", "video/mp4;a=b, text/html", "video/mp4;charset=\"a, text/html\"", "multipart/x-mixed-replace",
     "video/x+xml", "audio/svg+xml", "Video/X+XML; charset=utf-8", "image/png+xml"],
)  # fmt: skip
def test_active_content_is_only_downloaded(served: Served, kind: str) -> None:
    put(served, "page", ContentType=kind, ContentDisposition='inline; filename="page.html"')
    for reply in (get(served, address(served, "page")), get(served, address(served, "page", ResponseContentDisposition="inline"))):
        assert reply.status == 200
        assert reply.headers["content-disposition"].startswith("attachment")
        assert reply.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
        assert reply.headers["x-content-type-options"] == "nosniff"
    assert get(served, address(served, "page")).headers["content-disposition"] == 'attachment; filename="page.html"'


@pytest.mark.parametrize("kind", ["video/mp4", "Video/MP4", "video/mp4; codecs=avc1", "audio/ogg", "image/png", "text/vtt"])
def test_media_and_captions_are_shown_in_place(served: Served, kind: str) -> None:
    put(served, "media", ContentType=kind)
    reply = get(served, address(served, "media"))
    assert "content-disposition" not in reply.headers
    assert reply.headers["x-content-type-options"] == "nosniff"
    policy = reply.headers["content-security-policy"].split("; ")
    assert {"default-src 'none'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"} <= set(policy)
    assert ("sandbox" in policy) == kind.startswith("text/")


def test_a_signed_override_cannot_turn_a_video_into_a_page(served: Served) -> None:
    put(served, "clip", ContentType="video/mp4")
    reply = get(served, address(served, "clip", ResponseContentType="text/html"))
    assert (reply.headers["content-type"], reply.headers["content-disposition"]) == ("text/html", "attachment")


def test_signed_overrides_replace_what_was_stored(served: Served) -> None:
    put(served, "clip", ContentType="video/mp4", CacheControl="max-age=5")
    said = {
        "ResponseContentDisposition": "attachment; filename=\"a.mp4\"; filename*=UTF-8''%C3%A4.mp4",
        "ResponseContentType": "video/webm",
        "ResponseCacheControl": "no-cache",
        "ResponseContentEncoding": "identity",
        "ResponseContentLanguage": "de",
        "ResponseExpires": "Tue, 01 Dec 2026 16:00:00 GMT",
    }
    reply = get(served, address(served, "clip", **said))
    names = {name: re.sub(r"(?<!^)([A-Z])", r"-\1", name.removeprefix("Response")).lower() for name in said}
    assert {name: reply.headers[names[name]] for name in said} == said


@pytest.mark.parametrize("value", ["a\r\nset-cookie: b=c", "a\nb", "\x00", "ä", "\x7f"])
def test_an_override_cannot_add_a_header(served: Served, value: str) -> None:
    put(served, "clip", ContentType="video/mp4")
    reply = get(served, address(served, "clip", ResponseContentDisposition=value))
    assert (reply.status, reply.code) == (400, "InvalidArgument")
    assert "set-cookie" not in reply.headers


def test_an_address_is_kept_in_the_browsers_cache_for_as_long_as_it_lives(served: Served) -> None:
    put(served, "clip", ContentType="video/mp4")
    found = re.fullmatch(r"private, max-age=(\d+)", get(served, address(served, "clip")).headers["cache-control"])
    assert found
    assert 590 <= int(found[1]) <= 600


def test_an_objects_own_cache_control_wins(served: Served) -> None:
    put(served, "clip", ContentType="video/mp4", CacheControl="no-store")
    assert get(served, address(served, "clip")).headers["cache-control"] == "no-store"


def test_an_error_is_not_cached_and_tells_nothing_of_the_signature(served: Served) -> None:
    reply = get(served, address(served, "clip") + "0", method="GET")
    assert (reply.status, reply.headers["cache-control"], reply.headers["content-type"]) == (403, "no-store", "application/xml")
    assert b"Signature=" not in reply.body


def test_the_key_in_an_error_cannot_become_markup(served: Served) -> None:
    reply = get(served, address(served, "<script>&\x01"))
    assert reply.code == "NoSuchKey"
    assert b"<script>" not in reply.body


def test_no_origin_is_let_in_unless_it_is_configured(served: Served, store_with_cors: Served) -> None:
    put(served, "clip", ContentType="video/mp4")
    put(store_with_cors, "clip", ContentType="video/mp4")
    assert "access-control-allow-origin" not in get(served, address(served, "clip"), Origin=FRIEND).headers
    for origin in ("https://evil.example", "null", "http://clips.example.org", f"{FRIEND}.evil.example", f"{FRIEND}:444"):
        headers = get(store_with_cors, address(store_with_cors, "clip"), Origin=origin).headers
        assert "access-control-allow-origin" not in headers
        assert headers["vary"] == "Origin"
    headers = get(store_with_cors, address(store_with_cors, "clip"), Origin=FRIEND).headers
    assert headers["access-control-allow-origin"] == FRIEND
    assert "ETag" in headers["access-control-expose-headers"]
    assert "access-control-allow-credentials" not in headers


def test_a_refusal_is_readable_for_a_configured_origin(store_with_cors: Served) -> None:
    reply = get(store_with_cors, address(store_with_cors, "clip") + "0", Origin=FRIEND)
    assert (reply.status, reply.headers["access-control-allow-origin"]) == (403, FRIEND)


def test_a_preflight_is_answered_for_a_configured_origin_only(served: Served, store_with_cors: Served) -> None:
    asked = {"Origin": FRIEND, "Access_Control_Request_Method": "PUT", "Access_Control_Request_Headers": "content-type,x-amz-meta-a"}
    allowed = get(store_with_cors, f"/s3/{BUCKET}/clip", "OPTIONS", **asked)
    assert (allowed.status, allowed.headers["access-control-allow-origin"]) == (200, FRIEND)
    assert "PUT" in allowed.headers["access-control-allow-methods"]
    assert allowed.headers["access-control-allow-headers"] == "content-type,x-amz-meta-a"
    for refused in (
        get(served, f"/s3/{BUCKET}/clip", "OPTIONS", **asked),
        get(store_with_cors, f"/s3/{BUCKET}/clip", "OPTIONS", **(asked | {"Origin": "https://evil.example"})),
        get(store_with_cors, f"/s3/{BUCKET}/clip", "OPTIONS", **(asked | {"Access_Control_Request_Method": "PATCH"})),
        get(store_with_cors, f"/s3/{BUCKET}/clip", "OPTIONS", Origin=FRIEND),
    ):
        assert (refused.status, refused.code) == (403, "AccessForbidden")


def test_the_configured_origins_can_be_read(served: Served, store_with_cors: Served) -> None:
    client = store_with_cors.client()
    (rule,) = client.get_bucket_cors(Bucket=BUCKET)["CORSRules"]
    client.close()
    assert rule["AllowedOrigins"] == [FRIEND]
    client = served.client()
    with pytest.raises(client.exceptions.ClientError, match="NoSuchCORSConfiguration"):
        client.get_bucket_cors(Bucket=BUCKET)
    client.close()


def test_the_folder_is_private(served: Served) -> None:
    put(served, "clip", ContentType="video/mp4")
    paths = [served.root, *served.root.rglob("*")]
    assert {path.stat().st_mode & 0o077 for path in paths} == {0}, [path for path in paths if path.stat().st_mode & 0o077]
    assert isinstance(served.root, Path)
