"""The database shared by one worker's tests on PostgreSQL: no test sees another's rows."""

from __future__ import annotations

import psycopg
import pytest
from sqlmodel import select

from clipviewer.db.models import Video
from clipviewer.db.session import Database
from tests import postgres
from tests.postgres import WorkerDatabase


def numbers_of_new_rows(database: WorkerDatabase) -> list[int]:
    opened = Database(database.url)
    with opened.write() as db:
        db.add(Video(id="video_1", title="One", s3_key="one.mp4"))
    with opened.read() as db:
        numbers = db.connection().exec_driver_sql("SELECT number FROM search_entry").scalars().all()
    opened.dispose()
    return list(numbers)


def test_emptying_deletes_all_rows_and_resets_sequences(worker_database: WorkerDatabase) -> None:
    assert numbers_of_new_rows(worker_database) == [1]
    worker_database.empty()
    assert numbers_of_new_rows(worker_database) == [1]
    worker_database.empty()
    opened = Database(worker_database.url)
    with opened.read() as db:
        assert db.exec(select(Video)).all() == []
        assert db.connection().exec_driver_sql("SELECT count(*) FROM alembic_version").scalar_one() == 1
    opened.dispose()


def test_a_connection_that_a_test_leaves_open_fails_it_alone_and_is_ended(
    worker_database: WorkerDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "PATIENCE", 0.05)
    address = worker_database.url.replace("+psycopg", "")
    numbers_of_new_rows(worker_database)
    with psycopg.connect(address, autocommit=True) as left:
        with pytest.raises(pytest.fail.Exception, match="left 1 connections"):
            worker_database.empty()
        with pytest.raises(psycopg.OperationalError):
            left.execute("SELECT 1")
    assert numbers_of_new_rows(worker_database) == [1]
    worker_database.empty()
