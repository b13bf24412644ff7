import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session

from clipviewer.db.models import ExportedClip, IdentifiedClip, Video
from clipviewer.db.session import Database
from clipviewer.errors import ClipNotFound
from clipviewer.services.room import clips
from clipviewer.services.room.clips import ExportedClipView, clip_for_key, download_name

NOON = datetime(2025, 10, 5, 12, tzinfo=UTC)
KEY = "youtube-videos/uuid/exported/clip_1.mp4"


def add_exported(db: Session, video_id: str, clip_id: str, start_ms: int, key: str) -> None:
    clip = ExportedClip(
        id=clip_id,
        video_id=video_id,
        start_ms=start_ms,
        end_ms=start_ms + 1000,
        title=f"Clip {clip_id}",
        s3_key=key,
        aspect_ratio="9:16",
        target_language="en",
        created_at=NOON,
    )
    db.add(clip)
    db.flush()


@pytest.fixture
def footage(database: Database) -> Database:
    """Two videos: the first with clips at 2 s (twice), 0 s and 5 s, the second with one."""
    with database.write() as db:
        db.add(Video(id="video_1", title="One", s3_key="one.mp4"))
        db.add(Video(id="video_2", title="Two", s3_key="two.mp4"))
        db.flush()
        add_exported(db, "video_1", "clip_b", 2000, "b.mp4")
        add_exported(db, "video_1", "clip_a", 2000, "a.mp4")
        add_exported(db, "video_1", "clip_z", 0, KEY)
        add_exported(db, "video_1", "clip_c", 5000, "ärger/ü b+c%20.mp4")
        add_exported(db, "video_2", "clip_other", 0, "other.mp4")
        parts = {"speech": 0.5, "motion": 0.25}
        for name, start in (("clip_q", 4000), ("clip_p", 1000)):
            db.add(
                IdentifiedClip(
                    id=name,
                    video_id="video_1",
                    reference=name,
                    start_ms=start,
                    end_ms=start + 500,
                    title=name,
                    score=0.75,
                    score_parts=parts,
                )
            )
    return database


def test_clips_are_ordered_by_their_time(footage: Database) -> None:
    with footage.read() as db:
        assert [clip.id for clip in clips.exported_clips(db, "video_1")] == ["clip_z", "clip_a", "clip_b", "clip_c"]
        assert [clip.id for clip in clips.exported_clips(db, "video_1", offset=1, limit=2)] == ["clip_a", "clip_b"]
        assert [clip.id for clip in clips.identified_clips(db, "video_1")] == ["clip_p", "clip_q"]
        assert [clip.id for clip in clips.identified_clips(db, "video_1", offset=1, limit=5)] == ["clip_q"]
        assert (clips.count_exported(db, "video_1"), clips.count_identified(db, "video_1")) == (4, 2)


def test_a_clip_has_all_that_the_page_and_the_api_show(footage: Database) -> None:
    with footage.read() as db:
        assert clips.exported_clip(db, "video_1", "clip_z") == ExportedClipView(
            "clip_z", "video_1", None, "Clip clip_z", 0, 1000, KEY, "9:16", "en", 0, NOON
        )
        candidate = clips.identified_clips(db, "video_1")[0]
    assert (candidate.title, candidate.start_ms, candidate.end_ms, candidate.score) == ("clip_p", 1000, 1500, 0.75)
    assert candidate.score_parts == {"speech": 0.5, "motion": 0.25}


def test_a_position_is_the_index_in_the_list(footage: Database) -> None:
    with footage.read() as db:
        for index, exported in enumerate(clips.exported_clips(db, "video_1")):
            assert clips.exported_position(db, "video_1", exported.id) == index
        for index, identified in enumerate(clips.identified_clips(db, "video_1")):
            assert clips.identified_position(db, "video_1", identified.id) == index


@pytest.mark.parametrize("clip_id", ["", "clip_", "clip_nobody", "clip_other", "video_1", "clip_a\0", "\ud800", "clip_a "])
def test_an_unknown_clip_and_one_of_another_video_are_not_found(footage: Database, clip_id: str) -> None:
    with footage.read() as db:
        for look_up in (clips.exported_clip, clips.exported_position, clips.identified_position):
            with pytest.raises(ClipNotFound):
                look_up(db, "video_1", clip_id)


@pytest.mark.parametrize("video_id", ["", "video_nobody", "video_1\0", "\ud800"])
def test_an_unknown_video_has_no_clips(footage: Database, video_id: str) -> None:
    with footage.read() as db:
        assert clips.exported_clips(db, video_id) == []
        assert clips.identified_clips(db, video_id) == []
        assert (clips.count_exported(db, video_id), clips.count_identified(db, video_id)) == (0, 0)


@pytest.mark.parametrize(("key", "clip_id"), [(KEY, "clip_z"), ("ärger/ü b+c%20.mp4", "clip_c")])
def test_a_stored_key_finds_its_clip(footage: Database, key: str, clip_id: str) -> None:
    with footage.read() as db:
        assert clip_for_key(db, "video_1", key).id == clip_id


@pytest.mark.parametrize(
    "key",
    [
        "other.mp4",
        "one.mp4",
        "",
        KEY[:-1],
        KEY + "x",
        KEY + "/",
        "/" + KEY,
        KEY + "\0",
        KEY.upper(),
        KEY.replace("/exported/", "/x/../exported/"),
        KEY.replace("/exported/", "//exported/"),
        KEY.replace("exported", "%65xported"),
        "youtube-videos/%2e%2e/uuid/exported/clip_1.mp4",
        "youtube-videos/",
        "..",
        "%",
        "_" * len(KEY),
        "x" * 2000,
        "\ud800",
        unicodedata.normalize("NFD", "ärger/ü b+c%20.mp4"),
        "ärger/ü b c .mp4",
    ],
)
def test_any_other_key_finds_nothing(footage: Database, key: str) -> None:
    with footage.read() as db, pytest.raises(ClipNotFound):
        clip_for_key(db, "video_1", key)


@pytest.fixture(scope="module")
def one_clip(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('one') / 'clip.db'}")
    database.migrate()
    with database.write() as db:
        db.add(Video(id="video_1", title="One", s3_key="one.mp4"))
        db.flush()
        add_exported(db, "video_1", "clip_1", 0, KEY)
    yield database
    database.dispose()


@given(st.text(max_size=60))
def test_arbitrary_text_is_not_taken_for_a_key(one_clip: Database, text: str) -> None:
    with one_clip.read() as db:
        for made_up in (text, f"{KEY}{text or ' '}", f"{text or ' '}{KEY}"):
            with pytest.raises(ClipNotFound):
                clip_for_key(db, "video_1", made_up)


def view(title: str = "The goal", start_ms: int = 125_007, end_ms: int = 221_043, key: str = KEY, language: str = "en") -> ExportedClipView:
    return ExportedClipView("clip_1", "video_1", None, title, start_ms, end_ms, key, "9:16", language, 1, NOON)


def test_a_download_is_named_for_people() -> None:
    assert download_name(view(), "Match") == "The goal – 02.05–03.41 – 9x16 – English.mp4"
    assert download_name(view(title=""), "Match") == "Match – 02.05–03.41 – 9x16 – English.mp4"
    assert download_name(view(start_ms=3_725_000, end_ms=3_785_000), "M") == "The goal – 1.02.05–1.03.05 – 9x16 – English.mp4"
    assert download_name(view(key="a/b.WebM", language="pt-BR"), "M") == "The goal – 02.05–03.41 – 9x16 – Portuguese (BR).WebM"
    assert download_name(view(key="a/no-suffix", title="../..\\\r\nSet-Cookie: x\u202e"), "M").startswith("Set-Cookie x – ")


@given(st.text(max_size=400), st.text(max_size=400))
def test_a_download_name_fits_every_file_system(title: str, video_title: str) -> None:
    name = download_name(view(title=title), video_title)
    assert len(name.encode()) <= 180
    assert not set(name) & set('/\\:*?"<>|\0\r\n')
    assert all(unicodedata.category(char)[0] != "C" for char in name)
    assert name.endswith(" – 02.05–03.41 – 9x16 – English.mp4")
    assert name[0] not in ". "
