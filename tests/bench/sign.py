"""A presigned URL of ours against boto3's ``generate_presigned_url``: the whole of both, with checks and credentials."""

from __future__ import annotations

from pathlib import Path

import boto3
from botocore.config import Config

from clipviewer.domain.sigv4 import Credentials
from clipviewer.services.signing import UrlSigner, public_address
from clipviewer.settings import Settings
from clipviewer.storage.credential_chain import credential_source
from tests.bench import Row, compare

KEYS = Credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
SETTINGS = Settings(data_dir=Path("unused"), database_url="sqlite://", s3_bucket="team-clips", s3_region="eu-central-1")
CLIPS = [f"videos/2026/launch-interview/exports/clip-{number:05}-9x16-en.mp4" for number in range(10_000)]
GOAL = "≤ 1/15"


def run() -> list[Row]:
    session = boto3.Session(KEYS.access_key, KEYS.secret_key, region_name=SETTINGS.s3_region)
    client = session.client("s3", config=Config(signature_version="s3v4", s3={"addressing_style": "virtual"}))
    sign = UrlSigner(credential_source(session.get_credentials()), public_address(SETTINGS)).sign

    def boto(key: str) -> str:
        return client.generate_presigned_url("get_object", Params={"Bucket": SETTINGS.bucket, "Key": key}, ExpiresIn=3600)

    return [
        compare("one key", lambda: sign(CLIPS[0]), lambda: boto(CLIPS[0]), times=1000, goal=GOAL),
        compare("10,000 keys", lambda: [sign(key) for key in CLIPS], lambda: [boto(key) for key in CLIPS], goal=GOAL),
    ]
