"""``python -m clipviewer``: serve (default) and the small commands for whoever hosts it."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from dotenv import load_dotenv

from clipviewer import frontend, startup
from clipviewer.errors import ClipviewerError, StartupError
from clipviewer.services import audit
from clipviewer.services.container import Services, install
from clipviewer.services.job_files import prepare_job_files
from clipviewer.settings import EMBEDDED_PATH, Settings, load_settings
from clipviewer.storage.embedded.credentials import embedded_credentials
from clipviewer.storage.s3 import embedded_origin

_TOLD_EVERY = 10_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command. Return 0 on success, or 2 after one sentence on stderr if it cannot run as configured."""
    options = _parser().parse_args(arguments)
    load_dotenv(Path.cwd() / ".env")  # boto3 reads AWS_* from the environment
    try:
        return int(options.run(load_settings(), options) or 0)
    except StartupError as error:
        print(f"clipviewer: {error.detail}", file=sys.stderr)
        return 2
    except ClipviewerError as error:
        print(f"clipviewer: {error.detail}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m clipviewer", description="The clip review room for a team's own bucket.")
    parser.set_defaults(run=_serve, wait=False)
    _add_wait(parser)
    commands = parser.add_subparsers(metavar="command")
    serve = commands.add_parser("serve", help="serve the app (default)")
    serve.set_defaults(run=_serve)
    _add_wait(serve)
    commands.add_parser("dev", help="serve the app from its sources and show every change in the open page").set_defaults(run=_dev)
    commands.add_parser("build", help="build the front end and stop").set_defaults(run=_build)
    worker = commands.add_parser("worker", help="run jobs in a process of its own (PostgreSQL only)")
    worker.set_defaults(run=_worker)
    _add_wait(worker)
    commands.add_parser("rebuild", help="restore an empty library from the bucket").set_defaults(run=_rebuild)
    commands.add_parser("previews", help="enqueue previews of all videos that have none").set_defaults(run=_previews)
    adopt = commands.add_parser("import", aliases=["adopt"], help="import videos, captions and exports from the bucket")
    adopt.add_argument("prefix", nargs="?", default="", help="prefix of their keys (default: the whole library)")
    adopt.add_argument("--dry-run", action="store_true", help="show what would be imported, without importing")
    adopt.set_defaults(run=_adopt)
    doctor = commands.add_parser("doctor", help="check the storage and print the policies it needs")
    doctor.add_argument("--json", action="store_true", help="print JSON")
    doctor.set_defaults(run=_doctor)
    store = commands.add_parser("store", help="the embedded store").add_subparsers(metavar="action", required=True)
    keys = store.add_parser("keys", help="print credentials and endpoint for S3 clients")
    keys.set_defaults(run=_store_keys)
    tokens = commands.add_parser("token", help="API tokens for pipelines").add_subparsers(metavar="action", required=True)
    create = tokens.add_parser("create", help="create a token and print it once")
    create.add_argument("name", nargs="?", default="pipeline", help="what the token is for")
    create.set_defaults(run=_token_create)
    tokens.add_parser("list", help="list the tokens").set_defaults(run=_token_list)
    revoke = tokens.add_parser("revoke", help="revoke a token")
    revoke.add_argument("id", help="the token's id, as listed")
    revoke.set_defaults(run=_token_revoke)
    return parser


def _add_wait(parser: argparse.ArgumentParser) -> None:
    says = "wait for the process that owns the data directory to end, instead of giving up"
    parser.add_argument("--wait", action="store_true", default=argparse.SUPPRESS, help=says)


def _serve(settings: Settings, options: argparse.Namespace) -> int:
    from clipviewer import server

    startup.prepare_data_dir(settings.data_dir)
    startup.own_data_dir(settings.data_dir, wait=options.wait)
    prepare_job_files(settings)
    started = time.monotonic()
    listener = startup.claim_port(settings)
    with listener:
        services = startup.open_services(settings, lambda: _print("Database: migrating the schema"))
        setup_token = startup.first_admin(services)
        _print(f"Data directory: {settings.data_dir}")
        _build_front_end()
        install(services)
        return server.run(services, listener, setup_token, started)


def _dev(settings: Settings, _options: argparse.Namespace) -> int:
    from clipviewer import dev

    return dev.run(settings)


def _build(_settings: Settings, _options: argparse.Namespace) -> None:
    _build_front_end()


def _worker(settings: Settings, options: argparse.Namespace) -> None:
    if settings.database_url.startswith("sqlite"):
        raise StartupError("A separate worker needs PostgreSQL: set CLIPVIEWER_DATABASE_URL. With SQLite the app runs all jobs itself.")
    from clipviewer.api.redaction import install_redaction
    from clipviewer.jobs.worker import JobWorker

    startup.prepare_data_dir(settings.data_dir)
    startup.own_data_dir(settings.data_dir, wait=options.wait)
    prepare_job_files(settings)
    services = startup.open_services(settings)
    install_redaction()
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    worker = JobWorker(services)
    worker.start()
    _print("Running jobs. Press Ctrl-C to stop.")
    ended.wait()
    worker.stop()


def _rebuild(settings: Settings, _options: argparse.Namespace) -> None:
    from clipviewer.services.adoption.rebuild import Rebuilt, find_copies, read_sidecars, rebuild
    from clipviewer.services.adoption.video_sidecars import read_video_sidecars

    services, found = _prepare(settings), Rebuilt()
    sidecars = read_sidecars(services.store, settings.s3_prefix, found)
    copies = find_copies(services.store, settings.s3_prefix, sidecars)
    typed = list(read_video_sidecars(services.store, settings.s3_prefix))
    with services.database.write() as db:
        rebuild(db, sidecars, copies, found, typed=typed, prefix=settings.s3_prefix)
    print(f"Restored {found.videos} videos, {found.clips} clips and {found.exports} exports; {found.unusable} sidecars could not be used.")


def _previews(settings: Settings, _options: argparse.Namespace) -> None:
    from clipviewer.services.library.video_previews import enqueue_missing_previews

    with _prepare(settings).database.write() as db:
        count = enqueue_missing_previews(db, actor="cli")
    print(f"{count} previews enqueued. They are made while the app runs." if count else "Every video has its previews.")


def _adopt(settings: Settings, options: argparse.Namespace) -> None:
    from clipviewer.services.adoption import adopting
    from clipviewer.services.adoption.words import format_report

    services = _prepare(settings)
    prefix = adopting.checked_prefix(settings.s3_prefix, options.prefix)
    look = adopting.preview_import(services, prefix)
    print(format_report(look, prefix, done=False))
    if options.dry_run:
        return
    last = [0]

    def tell(objects: int) -> None:
        if objects >= last[0] + _TOLD_EVERY:
            last[0] = objects
            _print(f"{objects:,} objects seen")

    with services.database.write() as db:
        audit.record(db, "adopt", actor="cli", subject=prefix)
    print(format_report(adopting.run_import(services, prefix, actor="cli", on_progress=tell, check=lambda: None), prefix, done=True))


def _doctor(settings: Settings, options: argparse.Namespace) -> int:
    from clipviewer.services.bucket.diagnosis import as_json, as_text, diagnose, newest_masters

    services = _prepare(settings)
    with services.database.read() as db:
        masters = newest_masters(db)
    diagnosis = diagnose(settings, services.store, masters)
    print(as_json(diagnosis) if options.json else as_text(diagnosis))
    return 0 if diagnosis.healthy else 1


def _store_keys(settings: Settings, _options: argparse.Namespace) -> None:
    if not settings.embedded:
        raise StartupError("CLIPVIEWER_S3_BUCKET is set, so the embedded store is not in use.")
    startup.prepare_data_dir(settings.data_dir)
    credentials = embedded_credentials(startup.secret_keys(settings)[0])
    print(f"export AWS_ACCESS_KEY_ID={credentials.access_key} AWS_SECRET_ACCESS_KEY={credentials.secret_key}")
    print(f"export AWS_ENDPOINT_URL_S3={embedded_origin(settings)}{EMBEDDED_PATH} AWS_REGION={settings.s3_region}")
    print(f"aws s3 cp master.mp4 s3://{settings.bucket}/talks/42/master.mp4", file=sys.stderr)


def _token_create(settings: Settings, options: argparse.Namespace) -> None:
    services = _prepare(settings)
    with services.database.write() as db:
        secret = services.api_tokens.create(db, options.name, actor="cli")
    print(secret)
    print("Store it now: it is not shown again.", file=sys.stderr)


def _token_list(settings: Settings, _options: argparse.Namespace) -> None:
    services = _prepare(settings)
    with services.database.read() as db:
        for token in services.api_tokens.list(db):
            print(f"{token.id}  {token.created_at:%Y-%m-%d %H:%M}  {'revoked' if token.revoked else 'active '}  {token.name}")


def _token_revoke(settings: Settings, options: argparse.Namespace) -> None:
    services = _prepare(settings)
    with services.database.write() as db:
        services.api_tokens.revoke(db, options.id, actor="cli")


def _prepare(settings: Settings) -> Services:
    startup.prepare_data_dir(settings.data_dir)
    return startup.open_services(settings)


def _build_front_end() -> None:
    os.chdir(frontend.ROOT)
    if frontend.is_built():
        return
    _print("Front end: building, about a minute the first time")
    started = time.monotonic()
    frontend.build(lambda line: _print(f"  {line}") if sys.stdout.isatty() or logging.root.level <= logging.DEBUG else None)
    _print(f"Front end: built in {time.monotonic() - started:.0f} s")


def _print(text: str) -> None:
    print(text, flush=True)
