from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import Session

from clipviewer.db.models import ExportedClip, IdentifiedClip, Video
from clipviewer.db.session import Database
from clipviewer.errors import VideoNotFound
from clipviewer.services.library.videos import master_key, video_details

NOON = datetime(2025, 10, 5, 12, tzinfo=UTC)
BAD_IDS = ["", "video_", "video_nobody", "clip_1", "video_1\0", "video_../1", "\ud800", "video_1' OR '1'='1"]


def add_video(db: Session, number: int, title: str, **fields: object) -> str:
    video = Video(id=f"video_{number}", title=title, s3_key=f"masters/{number}.mp4", created_at=NOON + timedelta(minutes=number), **fields)
    db.add(video)
    db.flush()
    return video.id


def add_clips(db: Session, video_id: str, identified: int, exported: int) -> None:
    for number in range(identified):
        db.add(IdentifiedClip(video_id=video_id, reference=str(number), start_ms=number, end_ms=number + 1, title="c"))
    for number in range(exported):
        key = f"{video_id}/{number}.mp4"
        db.add(
            ExportedClip(
                video_id=video_id, start_ms=number, end_ms=number + 1, title="c", s3_key=key, aspect_ratio="9:16", target_language="en"
            )
        )
    db.flush()


def test_the_details_of_a_video_say_where_it_lies_and_what_it_measures(database: Database) -> None:
    with database.write() as db:
        big = {"size": 5 * 2**30, "duration_ms": 3_600_000, "width": 1920, "height": 1080, "frame_rate": "30000/1001"}
        add_clips(db, add_video(db, 1, "Match", **big), 2, 1)
    with database.read() as db:
        video = video_details(db, "video_1")
        assert master_key(db, "video_1") == "masters/1.mp4"
    assert (video.title, video.s3_key, video.duration_ms) == ("Match", "masters/1.mp4", 3_600_000)
    assert (video.width, video.height, video.frame_rate) == (1920, 1080, "30000/1001")
    assert (video.identified_count, video.exported_count) == (2, 1)


@pytest.mark.parametrize("video_id", BAD_IDS)
def test_an_unknown_video_is_not_found(database: Database, video_id: str) -> None:
    with database.write() as db:
        add_video(db, 1, "Match")
    with database.read() as db:
        with pytest.raises(VideoNotFound):
            video_details(db, video_id)
        with pytest.raises(VideoNotFound):
            master_key(db, video_id)
