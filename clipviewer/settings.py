"""Frozen settings: the only reader of the environment.

A ``.env`` file in the working directory is read too; the real environment wins. ``NAME_FILE`` reads a secret from a file.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

from dotenv import dotenv_values

from clipviewer.errors import StartupError

EMBEDDED_BUCKET = "clipviewer"
EMBEDDED_PATH = "/s3"
MAX_URL_TTL = 3600
_LOOPBACK = ("127.0.0.0/8", "::1/128")


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings, validated and typed. Secrets are not part of ``repr``."""

    data_dir: Path
    database_url: str = field(repr=False)
    s3_bucket: str | None = None
    s3_prefix: str = ""
    s3_endpoint_url: str | None = None
    s3_public_endpoint_url: str | None = None
    s3_region: str = "us-east-1"
    url_ttl: int = MAX_URL_TTL
    secret_key: str | None = field(default=None, repr=False)
    public_url: str | None = None
    trusted_proxies: tuple[str, ...] = _LOOPBACK
    host: str = "127.0.0.1"
    port: int = 3000
    redis_url: str | None = field(default=None, repr=False)
    ffmpeg: str | None = None
    demo: bool = True
    admin_email: str | None = None
    admin_password: str | None = field(default=None, repr=False)
    translate_url: str | None = None
    translate_key: str | None = field(default=None, repr=False)
    llm_url: str | None = None
    llm_key: str | None = field(default=None, repr=False)
    llm_model: str | None = None

    @property
    def embedded(self) -> bool:
        """Return whether objects live in the embedded store."""
        return self.s3_bucket is None

    @property
    def bucket(self) -> str:
        return self.s3_bucket or EMBEDDED_BUCKET


@dataclass(frozen=True, slots=True)
class Documented:
    """One row of the README's settings table: name, default as written there, meaning."""

    name: str
    default: str
    meaning: str


DOCUMENTED = (
    Documented("CLIPVIEWER_DATA_DIR", "`.clipviewer`", "Private folder for the database, the secret key and the embedded store"),
    Documented("CLIPVIEWER_DATABASE_URL", "SQLite in the data directory", "`sqlite:///…` or `postgresql://…`"),
    Documented("CLIPVIEWER_S3_BUCKET", "unset: the embedded store", "Bucket that holds the videos and clips"),
    Documented("CLIPVIEWER_S3_PREFIX", "empty", "Only keys that start with this are ever signed"),
    Documented("CLIPVIEWER_S3_ENDPOINT_URL", "AWS", "Endpoint that the server uses, for any S3 other than AWS"),
    Documented("CLIPVIEWER_S3_PUBLIC_ENDPOINT_URL", "the endpoint above", "Endpoint that browsers use; signed into the URLs"),
    Documented("CLIPVIEWER_S3_REGION", "`AWS_REGION`, else `us-east-1`", "Region of the bucket"),
    Documented("CLIPVIEWER_URL_TTL", "`3600`", "Longest life of a presigned URL in seconds, 20 to 3600"),
    Documented("CLIPVIEWER_SECRET_KEY", "generated", "Signs sessions; 32 bytes or more. Of several (`a,b`) the first signs, all verify"),
    Documented("CLIPVIEWER_PUBLIC_URL", "as the browser came", "Address under which people reach the app, when a proxy changes it"),
    Documented(
        "CLIPVIEWER_TRUSTED_PROXIES",
        "this machine",
        "Addresses and networks (`10.0.0.2,10.1.0.0/16`) of the proxies whose `X-Forwarded-For` and `-Proto` are believed",
    ),
    Documented("CLIPVIEWER_HOST", "`127.0.0.1`", "Address to listen on; `0.0.0.0` for the LAN"),
    Documented("CLIPVIEWER_PORT", "`3000`", "Port to listen on"),
    Documented("CLIPVIEWER_REDIS_URL", "unset", "Shares the state of open pages between processes"),
    Documented("CLIPVIEWER_FFMPEG", "the one installed with the requirements", "Path of an ffmpeg with libx264"),
    Documented("CLIPVIEWER_DEMO", "`on` while the embedded store is empty", "`off` leaves the demo footage out"),
    Documented("CLIPVIEWER_ADMIN_EMAIL", "unset: a one-time set-up link is printed", "Makes the first admin at start"),
    Documented("CLIPVIEWER_ADMIN_PASSWORD", "unset", "Password of that admin"),
    Documented(
        "CLIPVIEWER_TRANSLATE_URL",
        "unset: nothing is translated",
        "LibreTranslate server; captions are sent to it when somebody presses Translate",
    ),
    Documented("CLIPVIEWER_TRANSLATE_KEY", "unset", "Key for that server, if it wants one"),
    Documented(
        "CLIPVIEWER_LLM_URL",
        "unset: titles are sentences of the captions",
        "OpenAI-compatible server (`…/v1`) that titles and ranks found clips; gets the text and times of their captions, nothing else",
    ),
    Documented("CLIPVIEWER_LLM_KEY", "unset", "Key for that server, if it wants one"),
    Documented("CLIPVIEWER_LLM_MODEL", "unset", "Name of the model on that server"),
)  # fmt: skip

_STANDARD = ("AWS_REGION", "AWS_DEFAULT_REGION")


def load_settings(environ: Mapping[str, str] | None = None, folder: Path | None = None) -> Settings:
    """Return the settings from ``environ`` (default: the process's) and ``folder/.env`` (default: the working directory).

    Raises ``StartupError`` with one sentence that names the variable.
    """
    folder = folder or Path.cwd()
    environ = os.environ if environ is None else environ
    values = {name: value for name, value in dotenv_values(folder / ".env").items() if value is not None}
    values |= environ
    known = {row.name for row in DOCUMENTED} | {f"{row.name}_FILE" for row in DOCUMENTED}
    for name in sorted(values):
        if name.startswith("CLIPVIEWER_") and name not in known:
            raise StartupError(f"{name} is not a setting of clipviewer; see the table in the README.")
    read = _Reader(values)
    data_dir = (folder / read.text("DATA_DIR", ".clipviewer")).expanduser().resolve()
    region = read.optional("S3_REGION") or next((values[name] for name in _STANDARD if values.get(name)), "us-east-1")
    settings = Settings(
        data_dir=data_dir,
        database_url=read.checked("DATABASE_URL", _database_url) or f"sqlite:///{data_dir / 'clipviewer.db'}",
        s3_bucket=read.optional("S3_BUCKET"),
        s3_prefix=read.text("S3_PREFIX", ""),
        s3_endpoint_url=read.checked("S3_ENDPOINT_URL", _http_url),
        s3_public_endpoint_url=read.checked("S3_PUBLIC_ENDPOINT_URL", _http_url),
        s3_region=region,
        url_ttl=read.number("URL_TTL", MAX_URL_TTL, 20, MAX_URL_TTL),
        secret_key=read.checked("SECRET_KEY", _secret_key),
        public_url=read.checked("PUBLIC_URL", _http_url),
        trusted_proxies=tuple(filter(None, (read.checked("TRUSTED_PROXIES", _networks) or "").split(","))) or _LOOPBACK,
        host=read.text("HOST", "127.0.0.1"),
        port=read.number("PORT", 3000, 1, 65535),
        redis_url=read.optional("REDIS_URL"),
        ffmpeg=read.optional("FFMPEG"),
        demo=read.switch("DEMO", True),
        admin_email=read.optional("ADMIN_EMAIL"),
        admin_password=read.optional("ADMIN_PASSWORD"),
        translate_url=read.checked("TRANSLATE_URL", _http_url),
        translate_key=read.optional("TRANSLATE_KEY"),
        llm_url=read.checked("LLM_URL", _http_url),
        llm_key=read.optional("LLM_KEY"),
        llm_model=read.optional("LLM_MODEL"),
    )
    if (settings.admin_email is None) != (settings.admin_password is None):
        raise StartupError("CLIPVIEWER_ADMIN_EMAIL and CLIPVIEWER_ADMIN_PASSWORD belong together: set both or none.")
    if settings.translate_key and not settings.translate_url:
        raise StartupError("CLIPVIEWER_TRANSLATE_KEY needs CLIPVIEWER_TRANSLATE_URL: name the server too.")
    if (settings.llm_url is None) != (settings.llm_model is None):
        raise StartupError("CLIPVIEWER_LLM_URL and CLIPVIEWER_LLM_MODEL belong together: set both or none.")
    if settings.llm_key and not settings.llm_url:
        raise StartupError("CLIPVIEWER_LLM_KEY needs CLIPVIEWER_LLM_URL: name the server too.")
    if settings.embedded and (settings.s3_endpoint_url or settings.s3_public_endpoint_url):
        raise StartupError("CLIPVIEWER_S3_ENDPOINT_URL needs CLIPVIEWER_S3_BUCKET: name the bucket too.")
    return settings


class _Reader:
    """Reads ``CLIPVIEWER_`` variables; an empty one counts as unset."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    def optional(self, name: str) -> str | None:
        full = f"CLIPVIEWER_{name}"
        value, path = self._values.get(full, "").strip(), self._values.get(f"{full}_FILE", "").strip()
        if value and path:
            raise StartupError(f"{full} and {full}_FILE are both set: keep one of them.")
        if path:
            try:
                value = Path(path).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                raise StartupError(f"{full}_FILE names a file that cannot be read: {path}.") from error
            if not value:
                raise StartupError(f"{full}_FILE names an empty file: {path}.")
        return value or None

    def text(self, name: str, default: str) -> str:
        return self.optional(name) or default

    def checked(self, name: str, check: Callable[[str], str]) -> str | None:
        value = self.optional(name)
        if value is None:
            return None
        try:
            return check(value)
        except ValueError as error:
            raise StartupError(f"CLIPVIEWER_{name} {error}.") from error

    def number(self, name: str, default: int, low: int, high: int) -> int:
        value = self.optional(name)
        if value is None:
            return default
        if not value.isascii() or not value.isdigit() or not low <= int(value) <= high:
            raise StartupError(f"CLIPVIEWER_{name} must be a whole number from {low} to {high}.")
        return int(value)

    def switch(self, name: str, default: bool) -> bool:
        value = self.optional(name)
        if value is None:
            return default
        if value.lower() not in ("on", "off", "true", "false", "1", "0"):
            raise StartupError(f"CLIPVIEWER_{name} must be on or off.")
        return value.lower() in ("on", "true", "1")


def _http_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        fits = parts.scheme in ("http", "https") and parts.hostname and not parts.query and not parts.fragment
    except ValueError:
        fits = False
    if not fits or "@" in value:
        raise ValueError("must be an address such as https://clips.example.org")
    return value.rstrip("/")


def _networks(value: str) -> str:
    try:
        return ",".join(str(ip_network(part.strip())) for part in value.split(","))
    except ValueError:
        raise ValueError("must be addresses or networks such as 10.0.0.2,10.1.0.0/16") from None


def _database_url(value: str) -> str:
    if value.startswith("sqlite:///"):
        return value
    for scheme in ("postgresql://", "postgres://", "postgresql+psycopg://"):
        if value.startswith(scheme):
            return "postgresql+psycopg://" + value.removeprefix(scheme)
    raise ValueError("must start with sqlite:/// or postgresql://")


def _secret_key(value: str) -> str:
    keys = [key.strip() for key in value.split(",")]
    if any(len(key.encode()) < 32 or len(set(key)) < 8 for key in keys):
        raise ValueError("must be random and at least 32 bytes long; unset it to have one generated")
    return ",".join(keys)
