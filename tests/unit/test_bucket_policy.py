"""The printed policies grant what the product needs, and nothing beyond its bucket and prefix."""

from __future__ import annotations

from typing import Any

import pytest

from clipviewer.domain.bucket_policy import cors_policy, iam_policy

PREFIXES = ["", "team/", "a*b/", "who?/", "${aws:username}/"]


def listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


@pytest.mark.parametrize("prefix", PREFIXES)
def test_no_statement_reaches_beyond_bucket_and_prefix(prefix: str) -> None:
    written = prefix.replace("$", "\0").replace("*", "${*}").replace("?", "${?}").replace("\0", "${$}")
    for statement in iam_policy("team-videos", prefix, "eu-west-1")["Statement"]:
        assert statement["Effect"] == "Allow"
        assert statement.keys() <= {"Sid", "Effect", "Action", "Resource", "Condition"}
        for action in listed(statement["Action"]):
            assert "*" not in action
        for resource in listed(statement["Resource"]):
            if statement["Action"] == "s3:ListBucket":
                assert resource == "arn:aws:s3:::team-videos"
                assert statement.get("Condition") == ({"StringLike": {"s3:prefix": f"{written}*"}} if prefix else None)
            else:
                assert resource.startswith(f"arn:aws:s3:::team-videos/{written}")
                assert resource.endswith("*")
                assert "*" not in resource.removeprefix(f"arn:aws:s3:::team-videos/{written}")[:-1]


def test_permissions_for_own_objects_and_for_masters_are_separate_statements() -> None:
    write, masters = [found for found in iam_policy("b", "team/", "eu-west-1")["Statement"] if "s3:PutObject" in found["Action"]]
    assert write["Resource"] == [f"arn:aws:s3:::b/team/{folder}/*" for folder in ("videos", "exports", "previews")]
    assert write["Action"] == ["s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"]
    assert masters == {
        "Sid": "Masters",
        "Effect": "Allow",
        "Action": ["s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"],
        "Resource": "arn:aws:s3:::b/team/*",
    }


@pytest.mark.parametrize(("region", "partition"), [("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov"), ("us-east-1", "aws")])
def test_partitions_have_their_own_resource_names(region: str, partition: str) -> None:
    assert iam_policy("b", "", region)["Statement"][1]["Resource"] == f"arn:{partition}:s3:::b/*"


def test_only_the_apps_origin_may_ask_from_a_browser() -> None:
    assert cors_policy("https://clips.example.org") == [
        {
            "AllowedOrigins": ["https://clips.example.org"],
            "AllowedMethods": ["GET", "PUT"],
            "AllowedHeaders": ["*"],
            "ExposeHeaders": ["ETag"],
        }
    ]
