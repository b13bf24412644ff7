"""This product's URLs against a store that validates them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from clipviewer.services.bucket.signing import UrlSigner, signer_for
from clipviewer.settings import Settings
from clipviewer.storage.s3 import open_store
from tests.storage.serving import KEYS, serving

KEY = "clips/ä b+c~100%.mp4"
FOOTAGE = bytes(range(256))


@dataclass
class SignedStore:
    """A store with one clip, a signer for it, and the clock of both."""

    signer: UrlSigner
    port: int
    now: datetime

    def url(self, host: str = "127.0.0.1", name: str | None = None) -> str:
        return self.signer.sign(KEY, origin=f"http://{host}:{self.port}", download_name=name).url


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[SignedStore]:
    moments: list[SignedStore] = []

    def clock() -> datetime:
        return moments[0].now if moments else datetime.now(UTC)

    with serving(tmp_path / "store", clock=clock) as served:
        settings = Settings(data_dir=tmp_path, database_url="sqlite://", port=served.port, url_ttl=20)
        store = open_store(settings, KEYS)
        store.put(KEY, FOOTAGE, "video/mp4")
        moments.append(SignedStore(signer_for(settings, store, clock), served.port, datetime.now(UTC)))
        yield moments[0]


def test_a_signed_url_plays_by_range(stage: SignedStore) -> None:
    answer = httpx.get(stage.url(), headers={"Range": "bytes=16-31"})
    assert (answer.status_code, answer.content) == (206, FOOTAGE[16:32])
    assert answer.headers["Content-Range"] == "bytes 16-31/256"
    assert "Content-Disposition" not in answer.headers


def test_a_signed_url_works_to_the_second_of_its_reported_expiry_and_no_longer(stage: SignedStore) -> None:
    signed = stage.signer.sign(KEY)
    stage.now = signed.expires_at - timedelta(seconds=1)
    assert httpx.get(signed.url).status_code == 200
    stage.now = signed.expires_at + timedelta(seconds=1)
    assert httpx.get(signed.url).status_code == 403


def test_a_url_is_good_only_at_the_host_for_which_it_was_signed(stage: SignedStore) -> None:
    url = stage.url("localhost")
    assert httpx.get(url).status_code == 200
    assert httpx.get(url.replace("localhost", "127.0.0.1")).status_code == 403


def test_a_changed_character_anywhere_in_key_life_or_signature_is_refused(stage: SignedStore) -> None:
    url = stage.url()
    last = "0" if url[-1] != "0" else "1"
    for tampered in (url[:-1] + last, url.replace("clips/", "clipz/"), url.replace("X-Amz-Expires=20", "X-Amz-Expires=21")):
        assert tampered != url
        assert httpx.get(tampered).status_code == 403


def test_a_named_download_arrives_under_its_human_name(stage: SignedStore) -> None:
    answer = httpx.get(stage.url(name="Die Wende – Teil 1.mp4"))
    assert answer.content == FOOTAGE
    assert answer.headers["Content-Disposition"] == (
        "attachment; filename=\"Die Wende _ Teil 1.mp4\"; filename*=UTF-8''Die%20Wende%20%E2%80%93%20Teil%201.mp4"
    )
