"""The doctor's report as a whole: findings, masters, and the policies to paste."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from clipviewer.db.models import Video
from clipviewer.db.session import Database
from clipviewer.domain.bucket_policy import cors_policy, iam_policy
from clipviewer.services.bucket.diagnosis import Master, app_origin, as_json, as_text, diagnose, newest_masters
from clipviewer.settings import Settings
from clipviewer.storage.findings import Finding, Verdict
from clipviewer.storage.s3 import ObjectStore, open_store
from tests.storage.serving import BUCKET, KEYS, Served

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def box(kind: bytes, size: int) -> bytes:
    return size.to_bytes(4, "big") + kind + bytes(size - 8)


QUICK = box(b"ftyp", 24) + box(b"moov", 400) + box(b"mdat", 5000)
SLOW = box(b"ftyp", 24) + box(b"mdat", 5000) + box(b"moov", 400)


@pytest.fixture
def settings(served: Served) -> Settings:
    return Settings(data_dir=Path("unused"), database_url="sqlite://", port=served.port, s3_prefix="team/")


@pytest.fixture
def store(settings: Settings) -> ObjectStore:
    return open_store(settings, KEYS)


def of_masters(settings: Settings, store: ObjectStore, *masters: Master) -> Finding:
    return diagnose(settings, store, list(masters)).findings[-1]


def test_the_embedded_store_is_healthy_and_needs_no_policies(settings: Settings, store: ObjectStore) -> None:
    diagnosis = diagnose(settings, store, [])
    assert diagnosis.healthy
    assert (diagnosis.iam, diagnosis.cors) == (None, None)
    assert [found.check for found in diagnosis.findings if found.verdict is not Verdict.OK] == ["masters"]
    assert not list(store.list(""))


def test_a_bucket_gets_its_policies_in_both_reports_and_no_secret(
    settings: Settings, store: ObjectStore, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEYS.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", KEYS.secret_key)
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    bucket = replace(settings, s3_bucket=BUCKET, s3_endpoint_url=served.endpoint, public_url="https://clips.example.org/")
    diagnosis = diagnose(bucket, open_store(bucket, KEYS), [])
    text, told = as_text(diagnosis), json.loads(as_json(diagnosis))
    assert told["iamPolicy"] == iam_policy(BUCKET, "team/", "us-east-1")
    assert told["corsRules"] == cors_policy("https://clips.example.org")
    assert json.dumps(diagnosis.iam, indent=2) in text
    assert json.dumps(diagnosis.cors, indent=2) in text
    assert "environment variables" in text
    assert told["healthy"] is diagnosis.healthy is False  # the store has no rules for that origin
    for report in (text, json.dumps(told)):
        assert KEYS.secret_key not in report
        assert "X-Amz-" not in report


@pytest.mark.parametrize(
    ("public_url", "origin"),
    [
        (None, "http://127.0.0.1:3000"),
        ("https://clips.example.org:443/room", "https://clips.example.org"),
        ("http://clips.example.org:8080", "http://clips.example.org:8080"),
        ("http://[::1]:3000", "http://[::1]:3000"),
    ],
)
def test_the_apps_origin_is_written_as_browsers_send_it(public_url: str | None, origin: str) -> None:
    assert app_origin(Settings(data_dir=Path("unused"), database_url="sqlite://", public_url=public_url)) == origin


def test_masters_that_start_slowly_are_named(settings: Settings, store: ObjectStore) -> None:
    store.put("team/quick.mp4", QUICK, "video/mp4")
    store.put("team/slow.mp4", SLOW, "video/mp4")
    quick, slow = Master("team/quick.mp4", "Quick", ""), Master("team/slow.mp4", "Slow", "")
    assert of_masters(settings, store, quick).verdict is Verdict.OK
    found = of_masters(settings, store, quick, slow)
    assert found.verdict is Verdict.WARNING
    assert found.text == "Of the newest videos 1 of 2 start slowly, because their index is at the end: “Slow”."


def test_known_facts_about_a_master_are_not_read_again(settings: Settings, store: ObjectStore) -> None:
    store.put("team/known.mp4", QUICK, "video/mp4")
    assert of_masters(settings, store, Master("team/known.mp4", "Known", "last")).verdict is Verdict.WARNING


@pytest.mark.parametrize("moov", ["", "first"])
def test_missing_masters_are_named(settings: Settings, store: ObjectStore, moov: str) -> None:
    found = of_masters(settings, store, Master("team/gone.mp4", "Gone", moov))
    assert found.verdict is Verdict.FAILED
    assert "“Gone”" in found.text


def test_only_the_newest_existing_videos_are_examined(database: Database) -> None:
    with database.write() as db:
        for number in range(9):
            gone = {"deleted_at": NOW} if number == 8 else {"missing_at": NOW} if number == 7 else {}
            media = {"moov": "first"} if number == 6 else {}
            db.add(Video(title=f"{number}", s3_key=f"{number}.mp4", media=media, created_at=NOW + timedelta(minutes=number), **gone))
    with database.read() as db:
        found = newest_masters(db)
    assert [master.title for master in found] == ["6", "5", "4", "3", "2"]
    assert [master.moov for master in found] == ["first", "", "", "", ""]
