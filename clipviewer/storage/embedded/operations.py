"""Route a request to its S3 operation."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from clipviewer.settings import EMBEDDED_BUCKET
from clipviewer.storage.embedded import bucket, multipart, objects
from clipviewer.storage.embedded.errors import S3Failure
from clipviewer.storage.embedded.messages import Answer, Request
from clipviewer.storage.embedded.objects import Call, Shelf

Handler = Callable[[Shelf, Call], Answer]


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation. ``run`` answers in a thread; ``check`` is set for uploads and refuses what it can before the body is received."""

    run: Handler
    check: Callable[[Shelf, Call], None] | None = None


_ELSEWHERE = frozenset(
    re.findall(
        r"\S+",
        """accelerate acl analytics attributes encryption intelligent-tiering inventory legal-hold lifecycle logging metadataTable metrics
        notification object-lock ownershipControls partNumber policy policyStatus publicAccessBlock renameObject replication
        requestPayment restore retention select session tagging torrent versionId versioning versions website""",
    )
)


class Operations:
    """The operations for one region and its configured origins."""

    def __init__(self, region: str, origins: Sequence[str]) -> None:
        self._root: Mapping[tuple[str, str], Operation] = {("GET", ""): Operation(bucket.list_buckets)}
        self._bucket: Mapping[tuple[str, str], Operation] = {
            ("GET", ""): Operation(bucket.list_objects),
            ("GET", "location"): Operation(bucket.location(region)),
            ("GET", "cors"): Operation(bucket.cors(origins)),
            ("GET", "uploads"): Operation(multipart.list_uploads),
            ("HEAD", ""): Operation(bucket.head_bucket),
            ("PUT", ""): Operation(bucket.create_bucket),
            ("POST", "delete"): Operation(bucket.delete_objects),
        }
        self._object: Mapping[tuple[str, str], Operation] = {
            ("GET", ""): Operation(objects.get_object),
            ("HEAD", ""): Operation(objects.head_object),
            ("PUT", ""): Operation(objects.put_object, objects.check_put),
            ("DELETE", ""): Operation(objects.delete_object),
            ("PUT", "copy"): Operation(objects.copy_object),
            ("POST", "uploads"): Operation(multipart.create_upload),
            ("GET", "uploadId"): Operation(multipart.list_parts),
            ("PUT", "uploadId"): Operation(multipart.put_part, multipart.check_part),
            ("POST", "uploadId"): Operation(multipart.complete_upload),
            ("DELETE", "uploadId"): Operation(multipart.abort_upload),
        }

    def find(self, request: Request) -> Operation:
        """Return the request's operation. Raises ``S3Failure``: NoSuchBucket, NotImplemented, MethodNotAllowed."""
        if request.bucket not in ("", EMBEDDED_BUCKET):
            raise S3Failure("NoSuchBucket")
        table = self._object if request.key else self._bucket if request.bucket else self._root
        names = {name for name, _ in request.query}
        kinds = [name for name in ("location", "cors", "uploads", "delete", "uploadId") if name in names]
        copies = "x-amz-copy-source" in request.headers
        other = names & _ELSEWHERE - ({"partNumber"} if "uploadId" in names else set())
        if other or len(kinds) > 1 or (copies and (kinds or request.method != "PUT")):
            raise S3Failure("NotImplemented")
        operation = table.get((request.method, "copy" if copies else kinds[0] if kinds else ""))
        if operation is not None:
            return operation
        if request.method in ("GET", "HEAD", "PUT", "POST", "DELETE") and (kinds or request.method in ("POST", "DELETE")):
            raise S3Failure("NotImplemented")
        raise S3Failure("MethodNotAllowed")
