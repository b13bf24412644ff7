"""The bucket, through one boto3 client. boto3's errors are translated here and nowhere else.

Everything blocks: call it from a thread, never from the event loop. A store mounted in the same process would otherwise never answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.utils import parse_timestamp

from clipviewer.domain.bucket_address import virtual_hosted
from clipviewer.domain.sigv4 import Credentials
from clipviewer.errors import EmbeddedStoreFull, ObjectMissing, StartupError, StorageFull
from clipviewer.settings import EMBEDDED_PATH, Settings
from clipviewer.storage.credential_chain import CredentialSource, credential_source
from clipviewer.storage.s3_errors import translate_errors

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

_COPY_PART = 5 * 1024**3
_SENT_PART, _MOST_PARTS = 16 * 1024**2, 9_000
_ABORTS = 3
_EMBEDDED = "embedded"
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?Z", re.ASCII)
_WITHOUT_CHECKSUMS = ("NotImplemented", "InvalidArgument", "InvalidRequest")
_WILDCARD_HOSTS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  recognised, not bound


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object. ``size`` in bytes; ``etag`` without quotes; ``modified_at`` UTC.

    ``content_type`` and ``metadata`` (lower-case names) are empty in listings, which do not have them.
    """

    key: str
    size: int
    etag: str
    content_type: str
    modified_at: datetime
    metadata: Mapping[str, str] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class StoredPart:
    """A part of an upload in progress. ``size`` in bytes; ``crc32`` (base64) is empty if the store does not list it."""

    number: int
    size: int
    etag: str
    crc32: str = ""


class ObjectStore:
    """One bucket. Every method raises a ``StorageError``. Keys are used as given; callers check them.

    ``credential_kind`` is the source of the credentials in botocore's words (``env``, ``iam-role`` …), or ``embedded``.
    """

    def __init__(self, client: S3Client, bucket: str, credentials: CredentialSource, credential_kind: str = "") -> None:
        self._client = client
        self.bucket = bucket
        self.credentials = credentials
        self.credential_kind = credential_kind

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        try:
            with translate_errors():
                yield
        except StorageFull as error:
            if self.credential_kind == _EMBEDDED:
                raise EmbeddedStoreFull from error
            raise

    def head(self, key: str) -> StoredObject:
        """Return the metadata of ``key``; raises ``ObjectMissing`` if there is no object."""
        with self._translate_errors():
            try:
                found = self._client.head_object(Bucket=self.bucket, Key=key)
            except ClientError as error:
                if error.response["ResponseMetadata"]["HTTPStatusCode"] in (400, 403):
                    self._first_byte(key)
                raise
        metadata = {name.lower(): value for name, value in found.get("Metadata", {}).items()}
        kind, modified = found.get("ContentType", ""), _utc(found["LastModified"])
        return StoredObject(key, found["ContentLength"], _bare(found["ETag"]), kind, modified, metadata)

    def put(self, key: str, data: bytes, content_type: str) -> None:
        with self._translate_errors():
            self._client.put_object(Bucket=self.bucket, Key=key, Body=data, ContentType=content_type)

    def put_file(self, key: str, path: Path, content_type: str) -> None:
        """Upload a file, in parts if it is large. A failed upload leaves nothing behind."""
        with self._translate_errors():
            self._client.upload_file(str(path), self.bucket, key, ExtraArgs={"ContentType": content_type})

    def send_file(
        self, key: str, path: Path, content_type: str, on_sent: Callable[[int], None], metadata: Mapping[str, str] | None = None
    ) -> None:
        """Upload a large file part by part. ``on_sent`` receives the number of bytes sent before each part.

        ``metadata`` (ASCII, at most 2 KB) is stored with the object atomically. An exception from ``on_sent`` aborts the upload, leaves
        nothing behind, and propagates.
        """
        size = path.stat().st_size
        part_size = max(_SENT_PART, -(-size // _MOST_PARTS))
        with self._translate_errors():
            begun = self._client.create_multipart_upload(Bucket=self.bucket, Key=key, ContentType=content_type, Metadata=metadata or {})
        upload_id = begun["UploadId"]
        try:
            sent: list[StoredPart] = []
            with path.open("rb") as file:
                for number in range(1, max(1, -(-size // part_size)) + 1):
                    on_sent(file.tell())
                    data = file.read(part_size)
                    with self._translate_errors():
                        part = self._client.upload_part(Bucket=self.bucket, Key=key, UploadId=upload_id, PartNumber=number, Body=data)
                    sent.append(StoredPart(number, len(data), part["ETag"]))
            on_sent(size)
            self.finish_upload(key, upload_id, sent)
        except BaseException:
            self.abort_upload(key, upload_id)
            raise

    def get(self, key: str) -> bytes:
        """Return a small object's content."""
        with self._translate_errors():
            return self._client.get_object(Bucket=self.bucket, Key=key)["Body"].read()

    def get_range(self, key: str, start: int, end: int) -> bytes:
        """Return bytes ``start`` to ``end`` (exclusive); fewer if the object is shorter. Raises ``StorageError`` past its end."""
        if not 0 <= start < end:
            raise ValueError("a range has at least one byte")
        with self._translate_errors():
            return self._client.get_object(Bucket=self.bucket, Key=key, Range=f"bytes={start}-{end - 1}")["Body"].read()

    def list(self, prefix: str) -> Iterator[StoredObject]:
        """Yield every object under ``prefix`` in key order, fetching pages of 1,000."""
        pages = iter(self._client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix))
        while True:
            with self._translate_errors():
                page = next(pages, None)
            if page is None:
                return
            for found in page.get("Contents", ()):
                yield StoredObject(found["Key"], found["Size"], _bare(found["ETag"]), "", _utc(found["LastModified"]))

    def check(self, prefix: str) -> None:
        """Ask for one key under ``prefix``, to see whether the bucket answers. Raises ``StorageError``."""
        with self._translate_errors():
            self._client.list_objects_v2(Bucket=self.bucket, Prefix=prefix, MaxKeys=1)

    def delete(self, key: str) -> None:
        """Delete an object. It is no error if there is none."""
        with self._translate_errors():
            self._client.delete_object(Bucket=self.bucket, Key=key)

    def copy(self, source: str, target: str) -> None:
        """Copy within the bucket on the store's side. Content type and metadata are kept up to 5 GiB."""
        config = TransferConfig(multipart_threshold=_COPY_PART)
        with self._translate_errors():
            self._client.copy({"Bucket": self.bucket, "Key": source}, self.bucket, target, Config=config)

    def start_upload(self, key: str, content_type: str) -> tuple[str, bool]:
        """Start a multipart upload; return its id and whether the store verifies the CRC-32 of parts."""
        with self._translate_errors():
            try:
                made = self._client.create_multipart_upload(
                    Bucket=self.bucket, Key=key, ContentType=content_type, ChecksumAlgorithm="CRC32"
                )
            except ClientError as error:
                if error.response["Error"].get("Code") not in _WITHOUT_CHECKSUMS:
                    raise
                made = self._client.create_multipart_upload(Bucket=self.bucket, Key=key, ContentType=content_type)
        return made["UploadId"], made.get("ChecksumAlgorithm") == "CRC32"

    def parts(self, key: str, upload_id: str) -> Sequence[StoredPart]:
        """Return the uploaded parts in order; raises ``ObjectMissing`` once the upload was completed or aborted."""
        with self._translate_errors():
            pages = self._client.get_paginator("list_parts").paginate(Bucket=self.bucket, Key=key, UploadId=upload_id)
            found = [part for page in pages for part in page.get("Parts", ())]
        return [StoredPart(part["PartNumber"], part["Size"], part["ETag"], part.get("ChecksumCRC32", "")) for part in found]

    def finish_upload(self, key: str, upload_id: str, parts: Sequence[StoredPart]) -> None:
        """Complete an upload from ``parts``. The object appears at once and whole."""
        chosen: list[CompletedPartTypeDef] = [
            {"PartNumber": part.number, "ETag": part.etag, **({"ChecksumCRC32": part.crc32} if part.crc32 else {})} for part in parts
        ]
        with self._translate_errors():
            self._client.complete_multipart_upload(Bucket=self.bucket, Key=key, UploadId=upload_id, MultipartUpload={"Parts": chosen})

    def abort_upload(self, key: str, upload_id: str) -> None:
        """Abort an upload and delete its parts. It is no error if there is none.

        A part in transit may still arrive, so this repeats until none is left (AWS, "AbortMultipartUpload").
        """
        for _ in range(_ABORTS):
            try:
                with self._translate_errors():
                    self._client.abort_multipart_upload(Bucket=self.bucket, Key=key, UploadId=upload_id)
                if not self.parts(key, upload_id):
                    return
            except ObjectMissing:
                return

    def _first_byte(self, key: str) -> None:
        """Request again in a way whose response has a body: the response to HEAD does not say why it refuses."""
        self._client.get_object(Bucket=self.bucket, Key=key, Range="bytes=0-0")["Body"].close()


def embedded_origin(settings: Settings) -> str:
    """Return ``scheme://host:port`` at which this machine reaches the app and its embedded store."""
    host = _WILDCARD_HOSTS.get(settings.host, settings.host)
    return f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"


def open_store(settings: Settings, embedded: Credentials) -> ObjectStore:
    """Open the configured bucket with credentials from boto3's chain, or the embedded one with ``embedded``.

    Call it once, at start: it takes about half a second. Without credentials it still opens, and every use raises ``StorageCredentials``.
    Raises ``StartupError`` if the AWS configuration is broken.
    """
    endpoint = embedded_origin(settings) + EMBEDDED_PATH if settings.embedded else settings.s3_endpoint_url
    config = Config(
        signature_version="s3v4",
        s3={
            "addressing_style": "virtual" if virtual_hosted(settings.bucket, endpoint) else "path",
            "us_east_1_regional_endpoint": "regional",
        },
        # The signer does not read AWS_ENDPOINT_URL, so the client must not follow it to another store.
        ignore_configured_endpoint_urls=True,  # type: ignore[call-arg]  # missing from the stubs
        # Stores other than AWS often refuse the newer checksum headers.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        retries={"mode": "standard", "total_max_attempts": 3},
        connect_timeout=5,
        read_timeout=30,
        max_pool_connections=32,
        proxies={} if settings.embedded else None,
    )
    try:
        core = botocore.session.get_session()
        core.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=parse_s3_timestamp)
        given = (embedded.access_key, embedded.secret_key) if settings.embedded else (None, None)
        session = boto3.Session(given[0], given[1], botocore_session=core)
        client = session.client("s3", region_name=settings.s3_region, endpoint_url=endpoint, config=config)
        keys = session.get_credentials()
    except (BotoCoreError, ValueError) as error:
        raise StartupError(f"The storage cannot be set up: {error}") from error
    kind = _EMBEDDED if settings.embedded else getattr(keys, "method", "")
    return ObjectStore(client, settings.bucket, credential_source(keys), kind)


def parse_s3_timestamp(value: Any) -> datetime:
    """Parse an S3 timestamp. botocore's own parser takes three quarters of the time of a listing."""
    if isinstance(value, str) and _MOMENT.fullmatch(value):
        return datetime.fromisoformat(value)
    return parse_timestamp(value)


def _bare(etag: str) -> str:
    return etag.strip('"')


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)
