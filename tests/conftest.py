"""Fixtures for all test folders: a database of each kind, and the services wired as in the product.

A test that takes ``database`` (or ``services``) runs twice, on SQLite and on PostgreSQL. A test that does not depend on the database says
``@pytest.mark.parametrize("database", ["sqlite"], indirect=True)``.
"""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from botocore.loaders import create_loader
from hypothesis import settings as hypothesis_settings

from clipviewer.db.session import Database
from clipviewer.services.bucket.signing import signer_for
from clipviewer.services.container import Services
from clipviewer.services.people.accounts import Accounts
from clipviewer.services.people.api_tokens import ApiTokens
from clipviewer.services.people.sessions import Sessions
from clipviewer.settings import load_settings
from clipviewer.storage.embedded.credentials import embedded_credentials
from clipviewer.storage.s3 import ObjectStore, open_store
from tests.footage_cache import FootageCache
from tests.postgres import WorkerDatabase, shared_server

SECRET = "a secret key that only the tests have"


hypothesis_settings.register_profile("ci", deadline=None, derandomize=True, max_examples=30)
hypothesis_settings.register_profile("thorough", deadline=None, derandomize=False, max_examples=1_000, print_blob=True)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--thorough", action="store_true", help="try 1,000 random examples of each property instead of 30 fixed ones")


def pytest_configure(config: pytest.Config) -> None:
    hypothesis_settings.load_profile("thorough" if config.getoption("--thorough") else "ci")


def pytest_collection_finish() -> None:
    """Leave what is imported to no garbage collection, and collect rarely: looking through all of it takes a fifth of a test's CPU."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


pytest_plugins = ["tests.run_order"]


class Clock:
    """A clock that only moves when a test moves it."""

    def __init__(self) -> None:
        self.now = datetime(2025, 10, 5, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_time(self, **parts: float) -> None:
        self.now += timedelta(**parts)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session", autouse=True)
def _botocore_models() -> Iterator[None]:
    """Share botocore's parsed S3 model among all clients of a worker; parsing takes 0.2 s per client."""
    loader = create_loader()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("botocore.session.create_loader", lambda _search_path=None: loader)
        yield


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file for tests to copy."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    database = Database(f"sqlite:///{path}")
    database.migrate()
    with database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.dispose()
    return path


@pytest.fixture(scope="session")
def front_end() -> None:
    """The built front end, for tests that start the app with it."""
    from tests.checks import wait_for_front_end  # imported late, since it imports Reflex

    wait_for_front_end()


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder shared by all workers of this run."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def footage_cache(run_folder: Path) -> FootageCache:
    return FootageCache(run_folder / "kept-footage")


@pytest.fixture(scope="session")
def small_footage(footage_cache: FootageCache) -> Path:
    """``tests.footage.SMALL``: six seconds of 720p video with a number in every frame."""
    from clipviewer.demo.footage import render_master  # imported late, since not every worker renders
    from clipviewer.media.ffmpeg import Ffmpeg
    from tests.footage import SMALL

    return footage_cache.get("small.mp4", SMALL, lambda path: render_master(Ffmpeg(), SMALL, path))


@pytest.fixture(scope="session")
def postgres_server(run_folder: Path) -> Iterator[Path]:
    """The run's PostgreSQL on a Unix socket; yields the socket's folder."""
    with shared_server(run_folder) as folder:
        yield folder


@pytest.fixture(scope="session")
def worker_database(postgres_server: Path) -> Iterator[WorkerDatabase]:
    """This worker's migrated PostgreSQL database, emptied after each test."""
    database = WorkerDatabase(postgres_server, f"test_{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}")
    yield database
    database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty, migrated database for this test only."""
    if request.param == "sqlite":
        path = tmp_path / "clipviewer.db"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        database = Database(f"sqlite:///{path}")
        yield database
        database.dispose()
        return
    shared: WorkerDatabase = request.getfixturevalue("worker_database")
    database = Database(shared.url)
    yield database
    database.dispose()
    shared.empty()


@pytest.fixture(scope="session")
def unreachable_store(tmp_path_factory: pytest.TempPathFactory) -> ObjectStore:
    """A client of the embedded store at an address where nothing listens. Created once, since that takes half a second."""
    folder = tmp_path_factory.mktemp("store")
    return open_store(load_settings({"CLIPVIEWER_PORT": "9"}, folder), embedded_credentials(SECRET))


@pytest.fixture
def services(database: Database, tmp_path: Path, unreachable_store: ObjectStore) -> Services:
    """The services wired as in the product, over ``database``; use ``dataclasses.replace`` to give them another store."""
    settings = load_settings({"CLIPVIEWER_DATA_DIR": str(tmp_path / "data"), "CLIPVIEWER_SECRET_KEY": SECRET}, tmp_path)
    store = unreachable_store
    return Services(
        settings=settings,
        database=database,
        store=store,
        signer=signer_for(settings, store),
        sessions=Sessions([SECRET]),
        accounts=Accounts(),
        api_tokens=ApiTokens(),
    )
