"""This product's presigned URL against boto3's ``generate_presigned_url``, both including checks and credentials."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import botocore.session
from botocore.config import Config
from botocore.credentials import RefreshableCredentials

from clipviewer.services.bucket.signing import UrlSigner, public_address
from clipviewer.settings import Settings
from clipviewer.storage.credential_chain import credential_source
from tests.bench import Row, compare

ACCESS_KEY, SECRET_KEY = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
SETTINGS = Settings(data_dir=Path("unused"), database_url="sqlite://", s3_bucket="team-clips", s3_region="eu-central-1")
CLIPS = [f"videos/2026/launch-interview/exports/clip-{number:05}-9x16-en.mp4" for number in range(10_000)]
GOAL = "≤ 1/15"


def run() -> list[Row]:
    ours, baseline = _signers(boto3.Session(ACCESS_KEY, SECRET_KEY))
    role_ours, role_baseline = _signers(_role_session())
    return [
        compare("one key", lambda: ours(CLIPS[0]), lambda: baseline(CLIPS[0]), times=1000, goal=GOAL),
        compare("10,000 keys", lambda: [ours(key) for key in CLIPS], lambda: [baseline(key) for key in CLIPS], goal=GOAL),
        compare("one key, a role's credentials", lambda: role_ours(CLIPS[0]), lambda: role_baseline(CLIPS[0]), times=1000),
    ]


def _signers(session: boto3.Session) -> tuple[Callable[[str], object], Callable[[str], object]]:
    config = Config(signature_version="s3v4", s3={"addressing_style": "virtual"})
    client = session.client("s3", region_name=SETTINGS.s3_region, config=config)
    signer = UrlSigner(credential_source(session.get_credentials()), public_address(SETTINGS))

    def baseline(key: str) -> str:
        return client.generate_presigned_url("get_object", Params={"Bucket": SETTINGS.bucket, "Key": key}, ExpiresIn=3600)

    return signer.sign, baseline


def _role_session() -> boto3.Session:
    core = botocore.session.Session()
    end = datetime.now(UTC) + timedelta(hours=6)
    core._credentials = RefreshableCredentials("ASIAIOSFODNN7EXAMPLE", SECRET_KEY, "token" * 100, end, dict, "role")
    return boto3.Session(botocore_session=core)
