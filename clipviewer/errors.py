"""Expected errors: each has an HTTP status, a stable code and a sentence for people.

Services raise them; the API turns them into problem details (RFC 9457), the state into a toast.
"""

from __future__ import annotations

from typing import ClassVar


class ClipviewerError(Exception):
    """Base class of expected failures. ``detail`` is shown to people; it has no secrets and nobody else's keys."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    title: ClassVar[str] = "Something went wrong"

    def __init__(self, detail: str | None = None) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title


class Unauthorized(ClipviewerError):
    """Nobody is signed in, or the session has ended."""

    status, code, title = 401, "unauthorized", "Unauthorized"


class Forbidden(ClipviewerError):
    """The principal's role does not allow the action."""

    status, code, title = 403, "forbidden", "Your role does not allow this"


class NotFound(ClipviewerError):
    """The thing does not exist, or this person may not see it: the answer is the same."""

    status, code, title = 404, "not_found", "Not found"


class ClipNotFound(NotFound):
    code, title = "clip_not_found", "Clip not found"


class VideoNotFound(NotFound):
    code, title = "video_not_found", "Video not found"


class Conflict(ClipviewerError):
    status, code, title = 409, "conflict", "This already exists"


class VideoDeleted(Conflict):
    code, title = "video_deleted", "This video was deleted. Restore it first."


class ChangedByPerson(Conflict):
    """A program may not overrule what a person decided."""

    code, title = "changed_by_person", "A person has changed this"


class RemovedByPerson(Conflict):
    """A program may not bring back what a person removed."""

    code, title = "removed_by_person", "A person has removed this"


class Invalid(ClipviewerError):
    """The input breaks a rule; ``detail`` says which."""

    status, code, title = 422, "invalid", "The input is not valid"


class TooManyAttempts(ClipviewerError):
    """Throttled. ``retry_after`` is in whole seconds."""

    status, code, title = 429, "too_many_attempts", "Too many attempts"

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"Too many attempts. Try again in {retry_after} seconds.")
        self.retry_after = retry_after


class SigningFailed(ClipviewerError):
    status, code, title = 500, "signing_failed", "Failed to generate URL"


class StorageError(ClipviewerError):
    """The object store failed; subclasses say why."""

    status, code, title = 502, "storage_error", "The storage refused the request"


class ObjectMissing(StorageError):
    status, code, title = 404, "object_missing", "The object is not in the bucket"


class StorageCredentials(StorageError):
    code, title = "storage_credentials", "The storage rejected the signature: check the credentials"


class StorageClock(StorageCredentials):
    """The signature was rejected because the server's clock is wrong."""

    code, title = "storage_clock", "The storage rejected the signature: set the server's clock by NTP"


class StorageDenied(StorageError):
    code, title = "storage_denied", "The storage denied access: check the bucket policy"


class StorageUnreachable(StorageError):
    status, code, title = 503, "storage_unreachable", "The storage cannot be reached"


class StorageFull(StorageError):
    status, code, title = 507, "storage_full", "The storage is full: delete videos or exports, or give it more space"


class PreconditionFailed(StorageError):
    status, code, title = 412, "precondition_failed", "The object changed in the meantime"


class DiskFull(ClipviewerError):
    """The server's own disk has no space left."""

    status, code, title = 507, "disk_full", "The server's disk is full: delete videos or exports, or free some space"


class TooLittleSpace(DiskFull):
    """The server's disk has space left, but not enough for what was asked."""

    title = "The server's disk has too little free space for this"


class EmbeddedStoreFull(StorageFull):
    """The embedded store has no space left: its disk is the server's."""

    code, title = DiskFull.code, DiskFull.title


class FolderUnusable(ClipviewerError):
    """A folder of the data directory cannot be used, for the reason that the system gives."""

    status, code, title = 503, "folder_unusable", "The server cannot use a folder of its data directory"

    def __init__(self, folder: str, reason: str | None) -> None:
        super().__init__(f"The server cannot use the folder {folder} of its data directory ({reason}).")


class StartupError(ClipviewerError):
    """The process cannot start; the detail is one sentence that says what to change."""

    code, title = "startup_error", "clipviewer cannot start"
