"""The doctor reports each fault of a store by name and leaves nothing behind."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from clipviewer.domain.bucket_address import bucket_address
from clipviewer.errors import StorageCredentials, StorageDenied, StorageUnreachable
from clipviewer.settings import Settings
from clipviewer.storage.doctor import CHECKS, Doctor, StoreAddresses
from clipviewer.storage.findings import Finding, Verdict
from clipviewer.storage.plain_http import Http, PlainRequest, PlainResponse, send
from clipviewer.storage.s3 import ObjectStore, open_store
from tests.storage.serving import BUCKET, KEYS, Served, serving

APP = "https://clips.example.org"
Change = Callable[[PlainRequest, PlainResponse], PlainResponse]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path / "store", cors_origins=[APP]) as served:
        yield served


@pytest.fixture
def store(served: Served) -> ObjectStore:
    return open_store(Settings(data_dir=Path("unused"), database_url="sqlite://", port=served.port), KEYS)


@pytest.fixture
def where(served: Served) -> StoreAddresses:
    address = bucket_address(BUCKET, "us-east-1", served.endpoint)
    return StoreAddresses(address, address, APP, "team/")


def examined(store: ObjectStore, where: StoreAddresses, **options: object) -> dict[str, Finding]:
    findings = list(Doctor(store, where, **options).examine())  # type: ignore[arg-type]
    assert tuple(finding.check for finding in findings) == CHECKS
    return {finding.check: finding for finding in findings}


def bad(findings: dict[str, Finding]) -> dict[str, Verdict]:
    return {check: finding.verdict for check, finding in findings.items() if finding.verdict is not Verdict.OK}


def changed(change: Change) -> Http:
    return lambda ask: change(ask, send(ask))


def left(served: Served) -> list[str]:
    client = served.client()
    uploads = client.list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])
    objects = client.list_objects_v2(Bucket=BUCKET).get("Contents", [])
    client.close()
    return [found["Key"] for found in [*uploads, *objects]]


def test_a_healthy_store_passes_every_check_and_is_left_as_it_was(store: ObjectStore, where: StoreAddresses, served: Served) -> None:
    findings = examined(store, where)
    assert bad(findings) == {}
    assert all(not finding.remedy for finding in findings.values())
    assert left(served) == []


def test_no_finding_holds_a_key_or_a_url(store: ObjectStore, where: StoreAddresses, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = replace(KEYS, session_token="a-token-of-the-test")
    monkeypatch.setattr(store, "credentials", lambda: secret)
    said = repr(list(examined(store, where).values()))
    assert "refused" in said
    assert not [canary for canary in (KEYS.secret_key, "a-token-of-the-test", "X-Amz-") if canary in said]


@pytest.mark.parametrize(
    ("left_seconds", "verdict"), [(-1, Verdict.FAILED), (600, Verdict.WARNING), (7200, Verdict.OK)], ids=["ended", "soon", "good"]
)
def test_the_expiry_of_temporary_credentials_is_reported(
    store: ObjectStore, where: StoreAddresses, monkeypatch: pytest.MonkeyPatch, left_seconds: int, verdict: Verdict
) -> None:
    end = datetime.now(UTC) + timedelta(seconds=left_seconds)
    monkeypatch.setattr(store, "credentials", lambda: replace(KEYS, expires_at=end))
    store.credential_kind = "iam-role"
    finding = examined(store, where)["credentials"]
    assert finding.verdict is verdict
    assert "the role of this machine" in finding.text
    assert f"{end:%H:%M}" in finding.text


def test_without_credentials_the_rest_is_not_checked(store: ObjectStore, where: StoreAddresses, monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> None:
        raise StorageCredentials("The server has no credentials")

    monkeypatch.setattr(store, "credentials", none)
    findings = examined(store, where)
    assert findings.pop("credentials").verdict is Verdict.FAILED
    assert {finding.verdict for finding in findings.values()} == {Verdict.NOT_CHECKED}


@pytest.mark.parametrize(("embedded", "advice"), [(True, "Start the app"), (False, "endpoint")])
def test_an_unreachable_store_is_reported_once(store: ObjectStore, where: StoreAddresses, embedded: bool, advice: str) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        nowhere = bucket_address(BUCKET, "us-east-1", f"http://127.0.0.1:{listener.getsockname()[1]}")
        findings = examined(store, replace(where, inside=nowhere, embedded=embedded))
    assert [check for check, finding in findings.items() if finding.verdict is Verdict.FAILED] == ["server"]
    assert advice in findings["server"].remedy


@pytest.mark.parametrize(
    ("seconds", "verdict", "said"),
    [(1000, Verdict.FAILED, "behind"), (-1000, Verdict.FAILED, "ahead of"), (90, Verdict.WARNING, "behind"), (5, Verdict.OK, "matches")],
)
def test_a_wrong_clock_is_reported(store: ObjectStore, where: StoreAddresses, seconds: int, verdict: Verdict, said: str) -> None:
    theirs = format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)
    finding = examined(store, where, http=changed(lambda _ask, answer: replace(answer, headers={**answer.headers, "date": theirs})))[
        "clock"
    ]
    assert finding.verdict is verdict
    assert said in finding.text


def test_a_store_without_a_date_header_is_not_a_fault(store: ObjectStore, where: StoreAddresses) -> None:
    def silent(_ask: PlainRequest, answer: PlainResponse) -> PlainResponse:
        return replace(answer, headers={name: value for name, value in answer.headers.items() if name != "date"})

    assert bad(examined(store, where, http=changed(silent))) == {"clock": Verdict.NOT_CHECKED}


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        (PlainResponse(301, {"x-amz-bucket-region": "eu-west-1"}), "CLIPVIEWER_S3_REGION=eu-west-1"),
        (PlainResponse(400, {}, b"<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-1</Region></Error>"), "=eu-west-1"),
        (PlainResponse(400, {}, b"<Error><Code>AuthorizationQueryParametersError</Code></Error>"), "CLIPVIEWER_S3_ENDPOINT_URL"),
        (PlainResponse(307), "CLIPVIEWER_S3_ENDPOINT_URL"),
    ],
)
def test_a_bucket_in_another_region_is_reported_with_its_region(
    store: ObjectStore, where: StoreAddresses, answer: PlainResponse, advice: str
) -> None:
    finding = examined(store, where, http=changed(lambda ask, real: answer if "list-type" in ask.url else real))["region"]
    assert finding.verdict is Verdict.FAILED
    assert advice in finding.remedy


@pytest.mark.parametrize(
    ("method", "check"),
    [("list", "list"), ("head", "get"), ("get", "get"), ("start_upload", "multipart"), ("parts", "multipart")],
)
def test_a_missing_permission_is_reported_by_what_it_prevents(
    store: ObjectStore, where: StoreAddresses, served: Served, monkeypatch: pytest.MonkeyPatch, method: str, check: str
) -> None:
    def denied(*_arguments: object) -> None:
        raise StorageDenied

    monkeypatch.setattr(store, method, denied)
    findings = examined(store, where)
    assert findings[check].verdict is Verdict.FAILED
    assert "IAM policy below" in findings[check].remedy
    assert bad(findings).keys() <= {check, "missing"}
    assert left(served) == []


def test_checks_that_write_are_skipped_without_write_permission(
    store: ObjectStore, where: StoreAddresses, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*_arguments: object) -> None:
        raise StorageDenied

    monkeypatch.setattr(store, "put", denied)
    unseen = dict.fromkeys(("get", "range", "public address", "conditional put", "cors etag"), Verdict.NOT_CHECKED)
    assert bad(examined(store, where)) == {"put": Verdict.FAILED, "adopted masters": Verdict.WARNING, **unseen}


def test_objects_that_cannot_be_deleted_are_named(
    store: ObjectStore, where: StoreAddresses, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(_key: str) -> None:
        raise StorageDenied

    monkeypatch.setattr(store, "delete", denied)
    findings = examined(store, where)
    beside, own = left(served)
    assert own.startswith("team/exports/.doctor-")
    assert beside.startswith("team/.doctor-")
    for check, key in (("delete", own), ("adopted masters", beside)):
        assert findings[check].verdict is Verdict.FAILED
        assert key in findings[check].remedy


def test_read_only_masters_are_reported_as_possibly_intended(
    store: ObjectStore, where: StoreAddresses, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = store.put

    def only_its_own(key: str, data: bytes, content_type: str) -> None:
        if not key.startswith("team/exports/"):
            raise StorageDenied
        put(key, data, content_type)

    monkeypatch.setattr(store, "put", only_its_own)
    findings = examined(store, where)
    assert bad(findings) == {"adopted masters": Verdict.WARNING}
    assert "add the statement Masters" in findings["adopted masters"].remedy
    assert left(served) == []


def test_wrong_bytes_are_reported(store: ObjectStore, where: StoreAddresses, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "get", lambda _key: b"something else")
    assert bad(examined(store, where)) == {"get": Verdict.FAILED}


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (PlainResponse(200, {}, b"all of it"), "status 200"),
        (PlainResponse(206, {}, b"other part"), "does not return the requested bytes"),
        (PlainResponse(403, {}, b"<Error><Code>SignatureDoesNotMatch</Code></Error>"), "(SignatureDoesNotMatch)"),
    ],
)
def test_a_missing_range_response_is_reported(store: ObjectStore, where: StoreAddresses, answer: PlainResponse, said: str) -> None:
    findings = examined(store, where, http=changed(lambda ask, real: answer if "Range" in ask.headers else real))
    assert bad(findings) == {"range": Verdict.FAILED}
    assert said in findings["range"].text


def test_a_public_endpoint_is_checked_separately(store: ObjectStore, where: StoreAddresses, served: Served) -> None:
    elsewhere = replace(where, outside=bucket_address(BUCKET, "us-east-1", f"http://localhost:{served.port}/s3"))

    def gone(ask: PlainRequest) -> PlainResponse:
        if "//localhost:" in ask.url:
            raise StorageUnreachable
        return send(ask)

    def refused(ask: PlainRequest, real: PlainResponse) -> PlainResponse:
        return PlainResponse(403) if "//localhost:" in ask.url and ask.method == "GET" else real

    assert bad(examined(store, elsewhere)) == {}
    assert bad(examined(store, elsewhere, http=changed(refused))).items() >= {"public address": Verdict.FAILED}.items()
    unseen = dict.fromkeys(("cors get", "cors put", "cors etag"), Verdict.NOT_CHECKED)
    assert bad(examined(store, elsewhere, http=gone)) == {"public address": Verdict.WARNING, **unseen}


def test_a_store_that_ignores_create_only_puts_is_reported(store: ObjectStore, where: StoreAddresses) -> None:
    findings = examined(store, where, http=changed(lambda ask, real: PlainResponse(200) if "If-None-Match" in ask.headers else real))
    assert bad(findings) == {"conditional put": Verdict.WARNING}


def test_a_bucket_without_cors_rules_says_what_does_not_work(store: ObjectStore, where: StoreAddresses) -> None:
    findings = examined(store, replace(where, origin="https://another.example.org"))
    assert bad(findings) == {"cors get": Verdict.WARNING, "cors put": Verdict.FAILED, "cors etag": Verdict.WARNING}
    assert "https://another.example.org" in findings["cors put"].text
    assert "CORS rules below" in findings["cors put"].remedy


@pytest.mark.parametrize(
    ("header", "value", "check", "verdict"),
    [
        ("access-control-allow-methods", "GET", "cors put", Verdict.FAILED),
        ("access-control-allow-headers", "range", "cors put", Verdict.FAILED),
        ("access-control-expose-headers", "Content-Length", "cors etag", Verdict.WARNING),
    ],
)
def test_incomplete_cors_rules_are_reported_by_the_missing_part(
    store: ObjectStore, where: StoreAddresses, header: str, value: str, check: str, verdict: Verdict
) -> None:
    def narrowed(_ask: PlainRequest, answer: PlainResponse) -> PlainResponse:
        return replace(answer, headers={**answer.headers, header: value}) if header in answer.headers else answer

    assert bad(examined(store, where, http=changed(narrowed))) == {check: verdict}


def test_the_apps_own_origin_needs_no_cors_rules(store: ObjectStore, where: StoreAddresses, served: Served) -> None:
    findings = examined(store, replace(where, origin=f"http://{served.host}"))
    assert bad(findings) == {}
    assert "no rules are needed" in findings["cors put"].text


def test_a_refused_part_is_reported_and_the_upload_aborted(store: ObjectStore, where: StoreAddresses, served: Served) -> None:
    findings = examined(store, where, http=lambda ask: PlainResponse(400) if "partNumber" in ask.url else send(ask))
    assert bad(findings) == {"multipart": Verdict.FAILED}
    assert "status 400" in findings["multipart"].text
    assert left(served) == []


def test_a_store_that_returns_403_for_missing_objects_is_reported(
    store: ObjectStore, where: StoreAddresses, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = store.head

    def hidden(key: str) -> object:
        if key.endswith("-missing"):
            raise StorageDenied
        return head(key)

    monkeypatch.setattr(store, "head", hidden)
    assert bad(examined(store, where)) == {"missing": Verdict.WARNING}


def test_wrong_credentials_are_reported(served: Served, where: StoreAddresses) -> None:
    settings = Settings(data_dir=Path("unused"), database_url="sqlite://", port=served.port)
    findings = examined(open_store(settings, replace(KEYS, secret_key="another")), where)
    assert "check the credentials" in findings["list"].text
    assert {findings[check].verdict for check in ("range", "region")} == {Verdict.NOT_CHECKED}


def test_a_policy_that_forbids_listing_says_nothing_against_the_region(store: ObjectStore, where: StoreAddresses) -> None:
    def denied(ask: PlainRequest, real: PlainResponse) -> PlainResponse:
        return replace(real, status=403, body=b"<Error><Code>AccessDenied</Code></Error>") if "list-type" in ask.url else real

    assert bad(examined(store, where, http=changed(denied))) == {}
