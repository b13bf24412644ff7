"""The product's own client and signer with the embedded store."""

from __future__ import annotations

import re
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.error import HTTPError

import pytest

from clipviewer.errors import ObjectMissing, StorageCredentials, StorageError
from clipviewer.services.bucket.signing import signer_for
from clipviewer.settings import Settings, load_settings
from clipviewer.storage.s3 import ObjectStore, open_store
from tests.storage.serving import KEYS, Served


@pytest.fixture(scope="module")
def configured(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("data")
    return load_settings({"CLIPVIEWER_DATA_DIR": str(folder), "CLIPVIEWER_PORT": str(served.port)}, folder)


@pytest.fixture(scope="module")
def store(configured: Settings) -> Iterator[ObjectStore]:
    store = open_store(configured, KEYS)
    yield store
    for found in list(store.list("")):
        store.delete(found.key)


def test_the_client_supports_every_operation(store: ObjectStore, tmp_path: Path) -> None:
    data = b"0123456789" * 1_000_000
    (tmp_path / "large.mp4").write_bytes(data)
    store.put_file("clips/large ü.mp4", tmp_path / "large.mp4", "video/mp4")
    store.put("clips/small.mp4", b"small", "video/mp4")
    found = store.head("clips/large ü.mp4")
    assert (found.size, found.content_type) == (len(data), "video/mp4")
    assert (store.get("clips/large ü.mp4"), store.get_range("clips/large ü.mp4", 5, 15)) == (data, data[5:15])
    store.copy("clips/large ü.mp4", "clips/copy.mp4")
    assert [each.key for each in store.list("clips/")] == ["clips/copy.mp4", "clips/large ü.mp4", "clips/small.mp4"]
    store.delete("clips/large ü.mp4")
    with pytest.raises(ObjectMissing):
        store.head("clips/large ü.mp4")
    assert store.get("clips/copy.mp4") == data
    with pytest.raises(StorageError):
        store.get_range("clips/small.mp4", 5, 6)


def test_the_client_with_wrong_credentials_gets_a_clear_error(configured: Settings) -> None:
    with pytest.raises(StorageCredentials):
        open_store(configured, replace(KEYS, secret_key="another secret")).get("clips/small.mp4")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_signed_url_works_for_the_host_by_which_the_browser_came(
    store: ObjectStore, configured: Settings, served: Served, host: str
) -> None:
    store.put("clips/a b.mp4", b"footage", "video/mp4")
    origin = f"http://{host}:{served.port}"
    signed = signer_for(configured, store).sign("clips/a b.mp4", origin=origin, download_name="Höhepunkt 1.mp4")
    assert signed.url.startswith(f"{origin}/s3/clipviewer/clips/a%20b.mp4?")
    with urllib.request.urlopen(signed.url) as answer:
        assert answer.read() == b"footage"
        assert answer.headers["content-disposition"].startswith("attachment")
        assert "filename*=UTF-8''H%C3%B6hepunkt%201.mp4" in answer.headers["content-disposition"]
        kept = re.fullmatch(r"private, max-age=(\d+)", answer.headers["cache-control"])
    assert kept
    assert int(kept[1]) <= (signed.expires_at - datetime.now(UTC)).total_seconds() + 5


def test_a_signed_url_expires_when_stated(store: ObjectStore, configured: Settings, served: Served) -> None:
    store.put("clips/short.mp4", b"footage", "video/mp4")
    moment = datetime.now(UTC)
    signer = signer_for(replace(configured, url_ttl=20), store, clock=lambda: datetime.fromtimestamp(moment.timestamp() - 18, UTC))
    signed = signer.sign("clips/short.mp4", origin=f"http://{served.host}")
    deadline = time.monotonic() + 10
    while datetime.now(UTC) < signed.expires_at:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    with pytest.raises(HTTPError) as caught:
        urllib.request.urlopen(signed.url)
    assert caught.value.code == 403
    caught.value.close()
