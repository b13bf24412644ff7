"""Export choices: captions and framing identify the file, and the plan estimates the time for the missing ones."""

from __future__ import annotations

import pytest
from sqlmodel import Session

from clipviewer.db.export_models import ExportJob
from clipviewer.db.models import ExportedClip, IdentifiedClip, Video
from clipviewer.db.session import Database
from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.caption_mode import CaptionMode, parse_mode
from clipviewer.domain.export_choices import ExportChoices
from clipviewer.domain.framing import Framing, FramingMode
from clipviewer.errors import Conflict, Invalid, VideoNotFound
from clipviewer.services.cells.board import CellView, cells, framing_of
from clipviewer.services.exporting import estimate
from clipviewer.services.exporting.choices import plan_exports, served_languages
from clipviewer.services.exporting.exports import cancel, request_exports, retry
from clipviewer.services.room.captions import attach, remove
from clipviewer.services.room.framings import save_framing

PORTRAIT, SQUARE = AspectRatio.PORTRAIT, AspectRatio.SQUARE
OFF, SOFT, BURNED = CaptionMode
VTT = "WEBVTT\n\n00:01.000 --> 00:01.400\n{}\n\n01:00.000 --> 01:01.000\nelsewhere\n"


@pytest.fixture
def footage(database: Database) -> Database:
    """``clip_1`` contains a caption, ``clip_2`` none."""
    with database.write() as db:
        db.add(Video(id="video_1", title="Talk", s3_key="talk.mp4", etag="e1", size=10))
        db.flush()
        for number, start_ms in ((1, 1_000), (2, 2_000)):
            clip = IdentifiedClip(
                id=f"clip_{number}", video_id="video_1", reference=str(number), start_ms=start_ms, end_ms=start_ms + 500, title="A clip"
            )
            db.add(clip)
    return database


def ask(db: Session, *languages: str, captions: CaptionMode = OFF, clip: str = "clip_1") -> list[CellView]:
    return request_exports(db, "video_1", [clip], ExportChoices([PORTRAIT], languages or ("original",), captions=captions))


def caption(db: Session, language: str, text: str = "Hello") -> None:
    attach(db, "video_1", language, VTT.format(text).encode(), "a.vtt")


def test_languages_with_captions_can_be_served(footage: Database) -> None:
    with footage.write() as db:
        assert served_languages(db, "video_1") == ["original"]
        for language in ("uk", "de", "original"):
            caption(db, language)
        assert served_languages(db, "video_1") == ["original", "de", "uk"]
        with pytest.raises(VideoNotFound):
            served_languages(db, "video_2")


def test_a_language_without_captions_shown_is_refused_by_plan_and_request_alike(footage: Database) -> None:
    with footage.write() as db:
        caption(db, "en")
        for refused in (plan_exports, request_exports):
            with pytest.raises(Invalid, match="would equal the original"):
                refused(db, "video_1", ["clip_1"], ExportChoices([PORTRAIT], ["en"]))
            with pytest.raises(Invalid, match="no captions in German"):
                refused(db, "video_1", ["clip_1"], ExportChoices([PORTRAIT], ["de"], captions=SOFT))
        assert cells(db, "video_1") == []


def test_each_language_and_kind_of_captions_is_a_file_of_its_own(footage: Database) -> None:
    with footage.write() as db:
        caption(db, "en")
        caption(db, "original", "Привет")
        jobs = [*ask(db), *ask(db, "original", "en", captions=SOFT), *ask(db, "original", "en", captions=BURNED)]
        assert len({job.identity for job in jobs}) == 5
        assert [parse_mode(job.captions) for job in jobs] == [OFF, SOFT, SOFT, BURNED, BURNED]
        assert [job.id for job in ask(db, "en", captions=SOFT)] == [jobs[2].id]


def test_only_a_change_to_what_the_clip_shows_makes_it_another_file(footage: Database) -> None:
    with footage.write() as db:
        caption(db, "en")
        (first,) = ask(db, "en", captions=SOFT)
        attach(db, "video_1", "en", VTT.format("Hello").replace("elsewhere", "changed").encode(), "b.vtt")
        assert [job.id for job in ask(db, "en", captions=SOFT)] == [first.id]
        caption(db, "en", "Hi")
        assert [job.id for job in ask(db, "en", captions=SOFT)] != [first.id]


def test_in_the_spoken_language_captions_are_included_if_there_are_any(footage: Database) -> None:
    with footage.write() as db:
        (plain,) = ask(db)
        assert [job.id for job in ask(db, captions=BURNED)] == [plain.id]
        caption(db, "original")
        assert ask(db, captions=BURNED)[0].captions.startswith("burned:")
        assert [job.captions for job in ask(db, captions=BURNED, clip="clip_2")] == [""]


def test_a_clip_without_speech_still_has_a_file_per_language(footage: Database) -> None:
    with footage.write() as db:
        caption(db, "en")
        (job,) = ask(db, "en", captions=SOFT, clip="clip_2")
        assert (job.target_language, parse_mode(job.captions)) == ("en", SOFT)


def test_a_retry_uses_the_current_captions(footage: Database) -> None:
    with footage.write() as db:
        caption(db, "en")
        (job,) = ask(db, "en", captions=SOFT)
        cancel(db, job.id)
        caption(db, "en", "Hi")
        renewed = retry(db, job.id)
        assert (renewed.identity != job.identity, renewed.captions != job.captions) == (True, True)
        assert [same.id for same in ask(db, "en", captions=SOFT)] == [job.id]
        cancel(db, job.id)
        remove(db, "video_1", "en")
        with pytest.raises(Invalid, match="no captions in English"):
            retry(db, job.id)


def test_a_retry_that_would_duplicate_an_existing_file_is_refused(footage: Database) -> None:
    with footage.write() as db:
        caption(db, "original")
        (job,) = ask(db, captions=SOFT)
        cancel(db, job.id)
        remove(db, "video_1", "original")
        ask(db)
        with pytest.raises(Conflict, match="Follow that one"):
            retry(db, job.id)


def test_a_ratio_without_a_framing_is_framed_as_saved_for_each_clip(footage: Database) -> None:
    with footage.write() as db:
        save_framing(db, "video_1", "clip_1", PORTRAIT, 0.25, 0.5)
        fit = Framing(FramingMode.FIT)
        jobs = request_exports(
            db, "video_1", ["clip_1", "clip_2"], ExportChoices([PORTRAIT, SQUARE], framings={PORTRAIT: None, SQUARE: fit})
        )
        by_hand = Framing(FramingMode.MANUAL, 0.25, 0.5)
        assert [framing_of(job.framing) for job in jobs] == [by_hand, fit, Framing(), fit]
        again = request_exports(db, "video_1", ["clip_1"], ExportChoices([PORTRAIT]))
        assert [job.id for job in again] == [jobs[0].id]


@pytest.mark.parametrize(
    ("language", "captions_key", "captions", "present"),
    [
        ("original", None, OFF, True),
        ("original", None, SOFT, False),
        ("original", "made.vtt", OFF, True),
        ("original", "made.vtt", SOFT, True),
        ("en", None, BURNED, True),
        ("en", "made.vtt", SOFT, True),
    ],
)
def test_an_export_delivered_by_a_pipeline_is_not_rendered_again(
    footage: Database, language: str, captions_key: str | None, captions: CaptionMode, present: bool
) -> None:
    with footage.write() as db:
        caption(db, language)
        db.add(
            ExportedClip(
                video_id="video_1", identified_clip_id="clip_1", start_ms=950, end_ms=1_550, title="", s3_key="made.mp4",
                aspect_ratio="9:16", target_language=language, captions_key=captions_key,
            )
        )  # fmt: skip
        db.flush()
        plan = plan_exports(db, "video_1", ["clip_1"], ExportChoices([PORTRAIT], [language], captions=captions))
        assert (len(plan.present), len(plan.missing)) == (int(present), int(not present))
        assert len(ask(db, language, captions=captions)) == len(plan.missing)


@pytest.mark.parametrize(("end_ms", "present"), [(1_500, True), (1_600, True), (1_601, False)])
def test_a_pipelines_export_of_another_range_does_not_count_for_the_clip(footage: Database, end_ms: int, present: bool) -> None:
    with footage.write() as db:
        made = {
            "start_ms": 1_000,
            "end_ms": end_ms,
            "title": "",
            "s3_key": "made.mp4",
            "aspect_ratio": "9:16",
            "target_language": "original",
        }
        db.add(ExportedClip(video_id="video_1", identified_clip_id="clip_1", **made))
        db.flush()
        assert bool(plan_exports(db, "video_1", ["clip_1"], ExportChoices([PORTRAIT])).present) == present


def test_the_plan_estimates_time_from_the_last_renders(footage: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimate, "renders_at_once", lambda: 2)

    def seconds(clips: int) -> int:
        return plan_exports(db, "video_1", ["clip_1", "clip_2"][:clips], ExportChoices(list(AspectRatio))).seconds

    with footage.write() as db:
        for clip in ("clip_1", "clip_2"):
            db.get_one(IdentifiedClip, clip).end_ms += 39_500
        db.flush()
        assert seconds(2) == 72
        (job,) = ask(db)
        assert seconds(2) == 60
        row = db.get_one(ExportJob, job.id)
        row.state, row.render_ms = "done", None
        db.flush()
        assert seconds(2) == 72
        row.render_ms, row.exported_clip_id = 80_000, None
        db.flush()
        assert (seconds(2), seconds(1), seconds(0)) == (240, 120, 0)
