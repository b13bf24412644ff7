"""The objects are in an S3 of another origin, configured by settings alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browser.clip_footage import Footage
from tests.browser.clip_library import Video, registering
from tests.browser.running_app import EMAIL, PASSWORD, RunningApp, running_app
from tests.browser.watched_page import OpenRoom


@pytest.fixture(scope="module")
def cross_origin_app(app: RunningApp, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    folder = tmp_path_factory.mktemp("elsewhere")
    with running_app(folder, bucket_of=app, ADMIN_EMAIL=EMAIL, ADMIN_PASSWORD=PASSWORD) as cross_origin_app:
        yield cross_origin_app


@pytest.fixture(scope="module")
def cross_origin_video(cross_origin_app: RunningApp, footage: Footage) -> Iterator[Video]:
    with registering(cross_origin_app, footage) as registrar:
        yield registrar.four_shapes("far-bay", "The far bay")


def test_clips_of_a_bucket_elsewhere_play_one_after_the_other_without_a_complaint(
    cross_origin_app: RunningApp, app: RunningApp, cross_origin_video: Video, open_room: OpenRoom
) -> None:
    room = open_room(cross_origin_app, cross_origin_video.path)
    for clip in cross_origin_video.exported:
        room.option(clip.title).click()
        room.playing(clip.key)
        assert room.media("video.currentSrc").startswith(f"http://127.0.0.1:{app.port}/s3/clipviewer/")
