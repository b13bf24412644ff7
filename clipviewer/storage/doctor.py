"""Check the store: try everything the product needs once, and report each result with a remedy.

Some checks use the boto3 client, as the server does, others presigned URLs and plain HTTP, as a browser does: botocore follows a bucket
to another region and retries, a presigned URL does neither. Findings contain no URL, no key and none of the store's own wording.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from itertools import islice

from clipviewer.domain.sigv4 import Bucket, Credentials, presign
from clipviewer.errors import ObjectMissing, StorageDenied, StorageError, StorageUnreachable
from clipviewer.storage.credential_chain import KIND_WORDS
from clipviewer.storage.findings import POLICY, Finding, Verdict, skipped_finding, try_check
from clipviewer.storage.plain_http import Http, PlainRequest, PlainResponse, send
from clipviewer.storage.s3 import ObjectStore

_URL_SECONDS = 300
_SKEW_NOTED, _SKEW_REFUSED = timedelta(seconds=30), timedelta(minutes=15)
_SOON = timedelta(minutes=15)
_PROBE = b"clipviewer looks whether the storage works; this object may be deleted"
_FIRST, _LAST = 11, 20
_OTHER_REGION = {"PermanentRedirect", "TemporaryRedirect", "AuthorizationHeaderMalformed", "AuthorizationQueryParametersError"}
_AS_WANTED = "This may be intended. Otherwise"
_CORS_REMEDY = "Put the CORS rules below on the bucket"


@dataclass(frozen=True, slots=True)
class StoreAddresses:
    """Where the server (``inside``) and browsers (``outside``) reach the bucket, and the ``origin`` of the app's pages."""

    inside: Bucket
    outside: Bucket
    origin: str
    prefix: str = ""
    embedded: bool = False


class Doctor:
    """Runs the checks once. Every step blocks until the store answers, a few seconds per check at most."""

    def __init__(
        self, store: ObjectStore, where: StoreAddresses, *, http: Http = send, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._store, self._where, self._http, self._clock = store, where, http, clock
        self._name = name = f".doctor-{secrets.token_hex(8)}"
        self._key, self._upload_key = f"{where.prefix}exports/{name}", f"{where.prefix}videos/{name}"

    def examine(self) -> Iterator[Finding]:
        """Yield one finding per entry of ``CHECKS``. Test objects are deleted at the end, or a finding names them."""
        credentials = self._credentials()
        yield credentials
        if credentials.verdict is Verdict.FAILED:
            yield from skipped_finding("there are no usable credentials", *_AFTER_CREDENTIALS)
            return
        try:
            first = self._send("GET", self._where.inside, "", {"list-type": "2", "max-keys": "1", "prefix": self._where.prefix})
        except StorageUnreachable:
            remedy = "Start the app: the embedded store runs in it" if self._where.embedded else "Check the endpoint and the network"
            yield Finding("server", Verdict.FAILED, "The storage cannot be reached from the server.", f"{remedy}.")
            yield from skipped_finding("the storage cannot be reached", *_AFTER_SERVER)
            return
        yield Finding("server", Verdict.OK, "The storage answers.")
        yield self._time(first)
        yield _region(first, self._where.inside.region)
        yield from self._objects()
        yield self._multipart()
        yield self._missing()

    def _credentials(self) -> Finding:
        try:
            found = self._store.credentials()
        except StorageError as error:
            return Finding("credentials", Verdict.FAILED, f"{error.detail}.", "Then look again.")
        kind = KIND_WORDS.get(self._store.credential_kind, "another source")
        if found.expires_at is None:
            return Finding("credentials", Verdict.OK, f"They come from {kind} and do not expire.")
        left = found.expires_at - self._clock()
        if left <= timedelta(0):
            text = f"They come from {kind} and expired at {found.expires_at:%Y-%m-%d %H:%M} UTC."
            return Finding("credentials", Verdict.FAILED, text, "Renew them, or give the machine a role, which renews itself.")
        text = f"They come from {kind} and are good until {found.expires_at:%Y-%m-%d %H:%M} UTC."
        if left < _SOON:
            return Finding("credentials", Verdict.WARNING, text, "Presigned URLs expire with them: make sure they are renewed in time.")
        return Finding("credentials", Verdict.OK, text)

    def _time(self, answer: PlainResponse) -> Finding:
        try:
            theirs = parsedate_to_datetime(answer.headers.get("date", ""))
        except ValueError:
            return Finding("clock", Verdict.NOT_CHECKED, "The storage does not report its time.")
        theirs = theirs if theirs.tzinfo else theirs.replace(tzinfo=UTC)
        skew = self._clock() - theirs
        apart = f"{abs(skew).total_seconds():.0f} s {'ahead of' if skew > timedelta(0) else 'behind'} the storage's"
        if abs(skew) >= _SKEW_REFUSED:
            text = f"The server's clock is {apart}: the storage rejects its signatures."
            return Finding("clock", Verdict.FAILED, text, "Set the clock by NTP.")
        if abs(skew) > _SKEW_NOTED:
            return Finding("clock", Verdict.WARNING, f"The server's clock is {apart}.", "Set the clock by NTP before the difference grows.")
        return Finding("clock", Verdict.OK, "The server's clock matches the storage's.")

    def _objects(self) -> Iterator[Finding]:
        """Check listing, then reads on one small object, which is always deleted at the end."""
        yield try_check("list", "Objects under the prefix can be listed", self._list)
        put = try_check("put", "Objects can be written under exports/", lambda: self._store.put(self._key, _PROBE, "text/plain"))
        yield put
        try:
            if put.verdict is Verdict.OK:
                yield try_check("get", "Objects can be read", self._read)
                yield self._range("range", self._where.inside)
                yield self._public()
                yield self._conditional()
            else:
                yield from skipped_finding("no test object could be written", "get", "range", "public address", "conditional put")
            yield from self._cors(put.verdict is Verdict.OK)
        finally:
            deleted = try_check("delete", "Objects can be deleted", lambda: self._store.delete(self._key))
        if put.verdict is Verdict.OK and deleted.verdict is not Verdict.OK:
            deleted = Finding(deleted.check, deleted.verdict, deleted.text, f"{deleted.remedy} Delete {self._key} by hand.")
        yield deleted
        yield self._beside_masters()

    def _list(self) -> None:
        list(islice(self._store.list(self._where.prefix), 1))

    def _read(self) -> None:
        if self._store.head(self._key).size != len(_PROBE) or self._store.get(self._key) != _PROBE:
            raise StorageError("What was read is not what was written")

    def _range(self, check: str, bucket: Bucket) -> Finding:
        try:
            answer = self._send("GET", bucket, self._key, headers={"Range": f"bytes={_FIRST}-{_LAST}"})
        except StorageUnreachable:
            return Finding(check, Verdict.FAILED, "The storage cannot be reached there.", "Check the endpoint and the network.")
        if answer.status == 206 and answer.body == _PROBE[_FIRST : _LAST + 1]:
            return Finding(check, Verdict.OK, "A presigned URL returns the requested bytes with status 206.")
        if answer.status in (200, 206):
            text = f"A presigned URL does not return the requested bytes: status {answer.status} and {len(answer.body)} bytes."
            return Finding(check, Verdict.FAILED, text, "Players cannot seek: use a storage and proxies that support Range requests.")
        why = f" ({answer.said('Code')})" if answer.said("Code") else ""
        text = f"A presigned URL is refused with status {answer.status}{why}."
        return Finding(check, Verdict.FAILED, text, f"Check the clock, the region and that proxies keep Host. {POLICY}.")

    def _public(self) -> Finding:
        check = "public address"
        if self._where.outside == self._where.inside:
            return Finding(check, Verdict.OK, "Browsers use the same address as the server.")
        found = self._range(check, self._where.outside)
        if found.text.startswith("The storage cannot be reached"):
            text = "The server does not reach the address that browsers use; browsers may."
            return Finding(check, Verdict.WARNING, text, "See Settings, Storage in a browser, or check CLIPVIEWER_S3_PUBLIC_ENDPOINT_URL.")
        return found

    def _conditional(self) -> Finding:
        check = "conditional put"
        try:
            answer = self._send("PUT", self._where.inside, self._key, headers={"If-None-Match": "*"}, body=_PROBE)
        except StorageUnreachable:
            return Finding(check, Verdict.WARNING, "The storage did not answer.", "Look again in a moment.")
        if answer.status == 412:
            return Finding(check, Verdict.OK, "A write that must not replace an object is refused if there is one.")
        text = f"A write that must not replace an object was answered with status {answer.status}, not 412."
        return Finding(check, Verdict.WARNING, text, "Use the bucket for one installation of clipviewer only.")

    def _cors(self, with_object: bool) -> Iterator[Finding]:
        """Check the preflights of reading and uploading, then which response headers a page can read."""
        origin, checks = self._where.origin, ("cors get", "cors put", "cors etag")
        if f"{self._where.outside.scheme}://{self._where.outside.host}" == origin:
            for check in checks:
                yield Finding(check, Verdict.OK, "The storage answers under the app's own origin: no rules are needed.")
            return
        try:
            get = self._preflight("GET", "range")
            put = self._preflight("PUT", "content-type,x-amz-checksum-crc32")
            seen = self._send("GET", self._where.outside, self._key, headers={"Origin": origin}) if with_object else None
        except StorageUnreachable:
            yield from skipped_finding("the address that browsers use cannot be reached from the server", *checks)
            return
        reads = f"Pages of {origin} may read from the bucket."
        yield _cors_finding("cors get", get, reads, f"Pages of {origin} may not read: clips are not loaded ahead.", Verdict.WARNING)
        sends = f"Pages of {origin} may upload to the bucket."
        yield _cors_finding("cors put", put, sends, f"Pages of {origin} may not upload to the bucket.", Verdict.FAILED)
        if seen is None:
            yield from skipped_finding("no test object could be written", "cors etag")
            return
        exposed = {name.strip().lower() for name in seen.headers.get("access-control-expose-headers", "").split(",")}
        shown = bool(exposed & {"etag", "*"}) and _lets_in(seen, origin)
        unseen = "Pages cannot read the ETag: uploads here work without it, other browser programs may not."
        yield _cors_finding("cors etag", shown, "Pages can read the ETag.", unseen, Verdict.WARNING)

    def _preflight(self, method: str, headers: str) -> bool:
        asked = {"Origin": self._where.origin, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": headers}
        answer = self._send("OPTIONS", self._where.outside, self._key, headers=asked)
        allowed = {name.strip().lower() for name in answer.headers.get("access-control-allow-headers", "").split(",")}
        methods = {name.strip() for name in answer.headers.get("access-control-allow-methods", "").split(",")}
        fits = ("*" in allowed or set(headers.split(",")) <= allowed) and bool({method, "*"} & methods)
        return answer.status < 300 and _lets_in(answer, self._where.origin) and fits

    def _multipart(self) -> Finding:
        return try_check("multipart", "Uploads in parts work under videos/", self._send_part)

    def _send_part(self) -> None:
        key = self._upload_key
        upload_id, _ = self._store.start_upload(key, "text/plain")
        try:
            answer = self._send("PUT", self._where.inside, key, {"partNumber": "1", "uploadId": upload_id}, body=_PROBE)
            if answer.status != 200:
                raise StorageError(f"A part sent by a presigned URL is refused with status {answer.status}")
            if [part.size for part in self._store.parts(key, upload_id)] != [len(_PROBE)]:
                raise StorageError("An uploaded part is missing")
        finally:
            self._store.abort_upload(key, upload_id)

    def _beside_masters(self) -> Finding:
        """Check writes beside imported masters, which lie anywhere under the prefix. A team may want to forbid these."""
        check, key = "adopted masters", f"{self._where.prefix}{self._name}"
        remedy = f"{_AS_WANTED} add the statement Masters of the IAM policy below."
        try:
            self._store.put(key, _PROBE, "text/plain")
        except StorageDenied:
            text = "Nothing may be written beside imported masters: they get no quick start, and deleting a video keeps them in the bucket."
            return Finding(check, Verdict.WARNING, text, remedy)
        except StorageError as error:
            return Finding(check, Verdict.FAILED, f"{error.detail}.", "Fix that, then check again.")
        deleted = try_check(check, "Objects beside imported masters can be written and deleted", lambda: self._store.delete(key))
        if deleted.verdict is Verdict.OK:
            return deleted
        return Finding(check, deleted.verdict, deleted.text, f"{deleted.remedy} Delete {key} by hand.")

    def _missing(self) -> Finding:
        try:
            self._store.head(f"{self._key}-missing")
        except ObjectMissing:
            return Finding("missing", Verdict.OK, "A missing object is distinguished from a forbidden one.")
        except StorageDenied:
            text = "A missing object is answered like a forbidden one, so a deleted video looks like a wrong policy."
            return Finding("missing", Verdict.WARNING, text, "Without a prefix, allow s3:ListBucket; with one, AWS always answers so.")
        except StorageError as error:
            return Finding("missing", Verdict.FAILED, f"{error.detail}.", "Look again in a moment.")
        return Finding("missing", Verdict.FAILED, "The storage reports an object that does not exist.", "Use another storage.")

    def _send(
        self,
        method: str,
        bucket: Bucket,
        key: str,
        query: Mapping[str, str] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> PlainResponse:
        keys: Credentials = self._store.credentials()
        url = presign(keys, bucket, key, signed_at=self._clock(), ttl=_URL_SECONDS, method=method, overrides=query)
        return self._http(PlainRequest(method, url, headers or {}, body))


_AFTER_SERVER = (
    "clock", "region", "list", "put", "get", "range", "public address", "conditional put", "cors get", "cors put", "cors etag", "delete",
    "adopted masters", "multipart", "missing",
)  # fmt: skip
_AFTER_CREDENTIALS = ("server", *_AFTER_SERVER)
CHECKS = ("credentials", *_AFTER_CREDENTIALS)
"""All checks, in the order in which they run."""


def _region(answer: PlainResponse, ours: str) -> Finding:
    theirs = answer.headers.get("x-amz-bucket-region") or answer.said("Region")
    elsewhere = answer.status in (301, 307) or answer.said("Code") in _OTHER_REGION
    if elsewhere or (theirs and theirs != ours):
        named = f"in {theirs}" if theirs else "in another region or at another endpoint"
        remedy = f"Set CLIPVIEWER_S3_REGION={theirs}." if theirs else "Check CLIPVIEWER_S3_REGION and CLIPVIEWER_S3_ENDPOINT_URL."
        return Finding("region", Verdict.FAILED, f"The bucket is {named}, not in {ours}: signed URLs are refused.", remedy)
    if not theirs and answer.status >= 300 and answer.said("Code") != "AccessDenied":
        return Finding("region", Verdict.NOT_CHECKED, "Not checked: the storage refuses to list for another reason.")
    return Finding("region", Verdict.OK, f"The storage accepts {ours} as the bucket's region.")


def _lets_in(answer: PlainResponse, origin: str) -> bool:
    return answer.headers.get("access-control-allow-origin") in (origin, "*")


def _cors_finding(check: str, fine: bool, yes: str, no: str, otherwise: Verdict) -> Finding:
    return Finding(check, Verdict.OK, yes) if fine else Finding(check, otherwise, no, f"{_CORS_REMEDY}.")
