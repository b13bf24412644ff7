"""The timeline's state: opening an imported video moves its previews to the front of the queue."""

from __future__ import annotations

import pytest

from clipviewer.db.models import User
from clipviewer.domain.ids import new_id
from clipviewer.domain.permissions import Role
from clipviewer.services import container, work
from clipviewer.services.adoption.rows import enqueue_previews
from clipviewer.services.container import Services
from clipviewer.state.room import RoomState
from clipviewer.state.timeline import TimelineState
from tests.state.page import Page
from tests.state.video_rows import add_footage

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def test_an_imported_videos_previews_are_prioritised_when_somebody_opens_it(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container, "_installed", services)
    user = User(id=new_id("user"), email="a@example.org", name="Kim", role=Role.VIEWER, password_hash="no password")
    with services.database.write() as db:
        footage = add_footage(db)
        enqueue_previews(db, [footage.video_id])
        db.add(user)
        db.flush()
        token = services.sessions.start(db, user.id).token
    page = Page(token, footage.path)
    page.call(RoomState, "open")
    page.call(RoomState, "open")
    assert page.state(TimelineState).timeline.state == "making"
    with services.database.read() as db:
        assert [(item.kind, item.subject) for item in work.unfinished_work(db)] == [("previews", footage.video_id)]
