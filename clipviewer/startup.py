"""Prepare what the first request needs: private folder, secret key, database, storage, services."""

from __future__ import annotations

import fcntl
import os
import secrets
import socket
import sqlite3
from collections.abc import Callable
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from clipviewer.db.private_file import make_private
from clipviewer.db.session import Database, UnknownSchema
from clipviewer.errors import ClipviewerError, Invalid, StartupError
from clipviewer.services.bucket.signing import signer_for
from clipviewer.services.container import Services
from clipviewer.services.people.accounts import Accounts
from clipviewer.services.people.api_tokens import ApiTokens
from clipviewer.services.people.sessions import Sessions
from clipviewer.settings import Settings
from clipviewer.storage.embedded.credentials import embedded_credentials
from clipviewer.storage.s3 import open_store


def prepare_data_dir(folder: Path) -> None:
    """Create the data directory, readable by its owner only. Raises ``StartupError`` if that is not possible."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        probe = folder / ".writable"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise StartupError(f"CLIPVIEWER_DATA_DIR is not a folder that can be written to: {folder} ({error.strerror}).") from error


def own_data_dir(folder: Path, *, wait: bool) -> None:
    """Own the data directory until this process ends, in whatever way: the lock is the kernel's, and is never released before.

    If another process owns it, ``wait`` for that one to end; otherwise raise ``StartupError``.
    """
    path = folder / "owner"
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.read(descriptor, 20).decode("ascii", "replace").strip()
            used = f"The data directory {folder} is in use by another clipviewer" + (f" (process {owner})" if owner else "")
            if not wait:
                os.close(descriptor)
                raise StartupError(f"{used}: stop that one first, or start with --wait to begin when it has ended.") from None
            print(f"{used}. Waiting for it to end.", flush=True)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    except OSError as error:
        raise StartupError(f"CLIPVIEWER_DATA_DIR is on a disk without file locks: {path} ({error.strerror}).") from error


def secret_keys(settings: Settings) -> list[str]:
    """Return the configured keys, else the one in the data directory, created at the first start and readable by its owner only."""
    if settings.secret_key is not None:
        return settings.secret_key.split(",")
    path = settings.data_dir / "secret_key"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        pass
    except OSError as error:
        raise StartupError(f"The secret key cannot be created: {path} ({error.strerror}).") from error
    else:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(48))
    try:
        key = path.read_text(encoding="ascii").strip()
    except UnicodeDecodeError:
        key = ""
    except OSError as error:
        raise StartupError(f"The secret key cannot be read: {path} ({error.strerror}). Make it a file that this user can read.") from error
    if len(key) < 32:
        raise StartupError(f"{path} is not a secret key of clipviewer: delete it to have one generated (everybody signs in again).")
    path.chmod(0o600)
    return [key]


def open_database(settings: Settings, before_migration: Callable[[], None] = lambda: None) -> Database:
    """Open the database and migrate it; ``before_migration`` is called if the schema is to change.

    Raises ``StartupError`` if it cannot be reached, read or written, or is of a newer release.
    """
    database = Database(settings.database_url)
    try:
        if (file := database.engine.url.database) and database.engine.dialect.name == "sqlite":
            make_private(Path(file))
        database.migrate(before_migration)
    except OSError as error:
        raise StartupError(f"CLIPVIEWER_DATABASE_URL: the database cannot be opened ({error.strerror}).") from error
    except UnknownSchema as error:
        database.dispose()
        raise StartupError(f"{error} Install that release, or restore the backup made before it.") from error
    except (SQLAlchemyError, sqlite3.Error) as error:
        database.dispose()
        reason = str(getattr(error, "orig", error)).strip().splitlines()[0][:200]
        raise StartupError(f"CLIPVIEWER_DATABASE_URL: the database cannot be opened ({reason}).") from error
    return database


def open_services(settings: Settings, before_migration: Callable[[], None] = lambda: None) -> Services:
    """Build every service over one storage client and one database engine. The database comes last: migrating it cannot be undone."""
    keys = secret_keys(settings)
    try:
        store = open_store(settings, embedded_credentials(keys[0]))
    except ClipviewerError as error:
        raise StartupError(error.detail) from error
    database = open_database(settings, before_migration)
    return Services(
        settings=settings,
        secret_key=keys[0],
        database=database,
        store=store,
        signer=signer_for(settings, store),
        sessions=Sessions(keys),
        accounts=Accounts(),
        api_tokens=ApiTokens(),
    )


def first_admin(services: Services) -> str | None:
    """Create the configured first admin; otherwise return the one-time set-up token if there is no user yet."""
    settings = services.settings
    with services.database.write() as db:
        if settings.admin_email is not None and settings.admin_password is not None:
            try:
                services.accounts.ensure_admin(db, settings.admin_email, settings.admin_password)
            except Invalid as error:
                raise StartupError(f"CLIPVIEWER_ADMIN_EMAIL and CLIPVIEWER_ADMIN_PASSWORD cannot be used: {error.detail}.") from error
            return None
        return services.accounts.issue_setup_link(db)


def claim_port(settings: Settings) -> socket.socket:
    """Return a listening socket, claimed before any long work. Raises ``StartupError`` if the port is in use or not allowed."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    where = f"port {settings.port} (CLIPVIEWER_PORT) on {settings.host} (CLIPVIEWER_HOST)"
    # Without the protocol asyncio does not recognise TCP, and leaves Nagle's delay on.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((settings.host, settings.port))
        listener.listen(512)
    except OSError as error:
        listener.close()
        raise StartupError(f"Cannot listen on {where}: {error.strerror}; stop what uses it, or choose another.") from error
    return listener
