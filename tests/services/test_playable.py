"""Who gets a URL to play: single statements, checked against the rule they implement, ``Sessions.verify``, then ``clip_for_key``."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import delete, update
from sqlmodel import Session, col

from clipviewer.db.models import ExportedClip, User, UserSession, Video
from clipviewer.db.session import Database
from clipviewer.domain.permissions import Action, Role
from clipviewer.errors import ClipNotFound, NotFound, Unauthorized, VideoNotFound
from clipviewer.services.library.videos import master_key
from clipviewer.services.people.sessions import COOKIE, SECURE_COOKIE, Sessions
from clipviewer.services.room.clips import clip_for_key
from clipviewer.services.room.playable import may_play, playable_keys

NOW = datetime(2025, 10, 5, 12, 0, tzinfo=UTC)
VIDEOS = ("video_1", "video_2", "video_none", "clip_1", "video_1\0")
KEYS = ("one.mp4", "two.mp4", "master-1.mp4", "ONE.mp4", "one", "", "../one.mp4", "/one.mp4", "one.mp4\0", "x" * 1025)
MOMENTS = st.sampled_from([timedelta(0), timedelta(seconds=59), timedelta(minutes=1), timedelta(days=6), timedelta(days=7)])


@dataclass(frozen=True)
class Conditions:
    """One combination of states of the person, the session and the video at a request."""

    role: Role = Role.VIEWER
    disabled: bool = False
    revoked: bool = False
    gone: bool = False
    expires_in: timedelta = timedelta(days=1)
    unused_for: timedelta = timedelta(0)
    deleted: bool = False
    missing: bool = False


WORLDS = st.builds(
    Conditions,
    role=st.sampled_from(Role),
    disabled=st.booleans(),
    revoked=st.booleans(),
    gone=st.booleans(),
    expires_in=MOMENTS,
    unused_for=MOMENTS,
    deleted=st.booleans(),
    missing=st.booleans(),
)


@pytest.fixture(scope="module")
def module_sqlite(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Database]:
    path = tmp_path_factory.mktemp("playable") / "clipviewer.db"
    shutil.copyfile(sqlite_template, path)
    database = Database(f"sqlite:///{path}")
    yield database
    database.dispose()


@pytest.fixture(scope="module")
def sessions() -> Sessions:
    return Sessions(["a secret key"], clock=lambda: NOW)


@pytest.fixture(scope="module")
def cookies(module_sqlite: Database, sessions: Sessions) -> dict[str, str | None]:
    """Two videos with a clip each, a person with a session, and every kind of cookie that may be sent."""
    with module_sqlite.write() as db:
        db.add(User(id="user_1", email="a@example.org", name="A", role="viewer", password_hash=""))
        for number, key in ((1, "one.mp4"), (2, "two.mp4")):
            db.add(Video(id=f"video_{number}", title="V", s3_key=f"master-{number}.mp4"))
            db.flush()
            db.add(
                ExportedClip(
                    id=f"clip_{number}",
                    video_id=f"video_{number}",
                    start_ms=0,
                    end_ms=1000,
                    title="C",
                    s3_key=key,
                    aspect_ratio="9:16",
                    target_language="en",
                )
            )
        token = sessions.start(db, "user_1").token
        forged = Sessions(["another key"], clock=lambda: NOW).start(db, "user_1").token
    return {
        "genuine": f"{COOKIE}={token}",
        "over HTTPS": f"{SECURE_COOKIE}={token}",
        "forged": f"{COOKIE}={forged}",
        "cut off": f"{COOKIE}={token[:-1]}",
        "none": None,
    }


def arrange(db: Session, world: Conditions) -> None:
    statements = [
        update(User).values(role=world.role, disabled_at=NOW if world.disabled else None),
        update(UserSession).values(
            revoked_at=NOW if world.revoked else None, expires_at=NOW + world.expires_in, last_seen_at=NOW - world.unused_for
        ),
        update(Video).where(col(Video.id) == "video_1").values(deleted_at=NOW if world.deleted else None),
        update(ExportedClip).values(missing_at=NOW if world.missing else None),
    ]
    for statement in statements:
        db.connection().execute(statement)
    if world.gone:
        db.connection().execute(delete(UserSession))


@given(world=WORLDS, cookie=st.sampled_from(["genuine", "genuine", "over HTTPS", "forged", "cut off", "none"]), secure=st.booleans(),
       video_id=st.sampled_from(VIDEOS), key=st.sampled_from(KEYS))  # fmt: skip
@example(world=Conditions(), cookie="genuine", secure=False, video_id="video_1", key="one.mp4")
@example(world=Conditions(), cookie="over HTTPS", secure=True, video_id="video_2", key="two.mp4")
@example(world=Conditions(deleted=True), cookie="genuine", secure=False, video_id="video_1", key="one.mp4")
@example(world=Conditions(unused_for=timedelta(minutes=1)), cookie="genuine", secure=False, video_id="video_1", key="one.mp4")
def test_the_single_statement_admits_exactly_whom_the_rule_admits(
    module_sqlite: Database,
    sessions: Sessions,
    cookies: dict[str, str | None],
    world: Conditions,
    cookie: str,
    secure: bool,
    video_id: str,
    key: str,
) -> None:
    header = cookies[cookie]
    with module_sqlite.read() as db:
        arrange(db, world)
        try:
            verified = sessions.verify(db, header, secure=secure)
            verified.principal.require(Action.VIEW)
            admitted = clip_for_key(db, video_id, key).s3_key == key
            recorded_later = verified.stale
        except (Unauthorized, ClipNotFound) as error:
            admitted, recorded_later = False, False
            refused = type(error)
        try:
            at_once = may_play(db.connection(), sessions, header, video_id, key, secure=secure)
        except Unauthorized:
            assert not admitted
            assert refused is Unauthorized
            return
    assert at_once == (admitted and not recorded_later)


@given(world=WORLDS, video_id=st.sampled_from(VIDEOS), key=st.sampled_from(KEYS))
@example(world=Conditions(), video_id="video_1", key="one.mp4")
@example(world=Conditions(), video_id="video_1", key="master-1.mp4")
@example(world=Conditions(deleted=True), video_id="video_1", key="one.mp4")
def test_an_open_room_gets_urls_for_what_the_rule_admits_and_its_video(
    module_sqlite: Database, cookies: dict[str, str | None], world: Conditions, video_id: str, key: str
) -> None:
    with module_sqlite.read() as db:
        arrange(db, world)
        try:
            admitted = key == master_key(db, video_id) or clip_for_key(db, video_id, key).s3_key == key
        except NotFound:
            admitted = False
        try:
            playable = key in playable_keys(db, video_id, [key])
        except VideoNotFound:
            playable = False
    assert playable == admitted
