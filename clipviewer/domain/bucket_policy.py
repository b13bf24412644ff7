"""The IAM and CORS policies that clipviewer needs on its bucket.

Sources: AWS, "Actions, resources, and condition keys for Amazon S3", "IAM JSON policy elements: Variables and tags" (escaping of
wildcards) and "Elements of a CORS configuration".
"""

from __future__ import annotations

from typing import Any

WRITTEN = ("videos/", "exports/", "previews/")
"""Folders under the prefix that clipviewer writes to: uploads, exports with their sidecars, posters and filmstrips."""
_WRITE = ["s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"]
_CHANGE = ["s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
_MEANT_AS_THEMSELVES = str.maketrans({"*": "${*}", "?": "${?}", "$": "${$}"})
_PARTITIONS = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}


def iam_policy(bucket: str, prefix: str, region: str) -> dict[str, Any]:
    """Return the IAM policy for the credentials, limited to ``bucket`` and ``prefix``: read everything, write the product's own folders.

    The statement ``Masters`` is needed to make imported masters start quickly and to delete them; without it only the product's own
    objects are changed.
    """
    partition = next((name for start, name in _PARTITIONS.items() if region.startswith(start)), "aws")
    arn, below = f"arn:{partition}:s3:::{bucket}", prefix.translate(_MEANT_AS_THEMSELVES)
    listing: dict[str, Any] = {"Sid": "List", "Effect": "Allow", "Action": "s3:ListBucket", "Resource": arn}
    if prefix:
        listing["Condition"] = {"StringLike": {"s3:prefix": f"{below}*"}}
    return {
        "Version": "2012-10-17",
        "Statement": [
            listing,
            {"Sid": "Read", "Effect": "Allow", "Action": "s3:GetObject", "Resource": f"{arn}/{below}*"},
            {"Sid": "Write", "Effect": "Allow", "Action": _WRITE, "Resource": [f"{arn}/{below}{folder}*" for folder in WRITTEN]},
            {"Sid": "Masters", "Effect": "Allow", "Action": _CHANGE, "Resource": f"{arn}/{below}*"},
        ],
    }


def cors_policy(origin: str) -> list[dict[str, list[str]]]:
    """Return the bucket's CORS rules for pages at ``origin`` (``scheme://host[:port]``): reading ahead, captions, multipart uploads."""
    return [{"AllowedOrigins": [origin], "AllowedMethods": ["GET", "PUT"], "AllowedHeaders": ["*"], "ExposeHeaders": ["ETag"]}]
