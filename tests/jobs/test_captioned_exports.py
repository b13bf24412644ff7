"""Exports with captions: a soft track or text in the picture, and always a WebVTT file beside the mp4."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import av
import pytest
from sqlmodel import select

from clipviewer.db.export_models import ExportJob, ExportUpload
from clipviewer.db.models import ExportedClip, IdentifiedClip, Video
from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.caption_mode import CaptionMode
from clipviewer.domain.export_choices import ExportChoices
from clipviewer.domain.job_state import JobState
from clipviewer.errors import StorageCredentials
from clipviewer.jobs import rendering
from clipviewer.jobs.export_run import STEPS, ExportRun
from clipviewer.media.captions.fonts import FontShelf
from clipviewer.media.captions.tracks import parse_captions
from clipviewer.media.ffmpeg import Ffmpeg
from clipviewer.media.source.probe import probe
from clipviewer.services.cells.board import CellView, cell
from clipviewer.services.container import Services
from clipviewer.services.exporting.export_runs import Ticket
from clipviewer.services.exporting.exports import cancel, request_exports, retry
from clipviewer.services.room.captions import attach, remove
from tests.jobs.conftest import VIDEO_ID
from tests.jobs.test_export_run import with_faults

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

SAMPLES = Path(__file__).parents[3] / "shared" / "samples"
# clip_1 is 0.5–1.5 s of the master, clip_2 is 2–3 s.
VTT = b"WEBVTT\n\n00:00.000 --> 00:00.750\nEnds in it\n\n00:01.000 --> 00:01.250\nAll of it & more\n\n00:05.000 --> 00:06.000\nElsewhere\n"


def ask(room: Services, mode: CaptionMode, language: str = "de", clip: str = "clip_1") -> CellView:
    with room.database.write() as db:
        return request_exports(db, VIDEO_ID, [clip], ExportChoices([AspectRatio.PORTRAIT], [language], captions=mode))[0]


def caption(room: Services, language: str = "de", data: bytes = VTT) -> None:
    with room.database.write() as db:
        attach(db, VIDEO_ID, language, data, "talk.vtt")


def attempt(room: Services, job: CellView, folder: Path) -> CellView:
    """Run the job's current attempt to its end."""
    run = ExportRun(room, Ticket(job.id, job.attempt), folder, Ffmpeg(), patience=(0.01,))
    all(run.perform(step) for step in STEPS)
    run.clean_up()
    assert list(folder.iterdir()) == []
    with room.database.read() as db:
        return cell(db, job.id)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "work"
    made.mkdir()
    return made


def exported(room: Services) -> dict[str, bytes]:
    """Return the exported objects, by the extension of their keys."""
    return {item.key.rpartition(".")[2]: room.store.get(item.key) for item in room.store.list("exports/")}


def spoken(data: bytes, folder: Path) -> tuple[str, list[tuple[int, int, str]]]:
    """Return the language of an mp4's soft track, and its captions with start and end in ms."""
    file = folder / "made.mp4"
    file.write_bytes(data)
    found = []
    with av.open(str(file)) as container:
        (stream,) = container.streams.subtitles
        assert stream.time_base is not None
        for packet in container.demux(stream):
            if packet.size > 2 and packet.pts is not None and packet.duration is not None:
                start, end = (round(float(at * stream.time_base) * 1000) for at in (packet.pts, packet.pts + packet.duration))
                found.append((start, end, bytes(packet)[2:].decode()))
        language = str(stream.language)
    file.unlink()
    return language, found


def lower_part(data: bytes, folder: Path) -> list[bytes]:
    """Return the lower part of each frame, where upright captions appear, as rows of grey."""
    file = folder / "made.mp4"
    file.write_bytes(data)
    with av.open(str(file)) as container:
        assert not container.streams.subtitles
        frames = [frame.reformat(format="gray").to_ndarray() for frame in container.decode(video=0)]
    file.unlink()
    return [frame[frame.shape[0] * 6 // 10 : frame.shape[0] * 8 // 10].tobytes() for frame in frames]


def test_soft_captions_are_a_track_in_their_language_that_starts_with_the_clip(room: Services, folder: Path, tmp_path: Path) -> None:
    caption(room)
    done = attempt(room, ask(room, CaptionMode.SOFT), folder)
    assert (done.state, done.reason) == (JobState.DONE, "")
    language, cues = spoken(exported(room)["mp4"], tmp_path)
    assert (language, cues) == ("deu", [(0, 250, "Ends in it"), (500, 750, "All of it & more")])


def test_the_sidecar_and_its_row_and_provenance_tell_of_the_captions(room: Services, folder: Path) -> None:
    caption(room)
    job = attempt(room, ask(room, CaptionMode.SOFT), folder)
    with room.database.read() as db:
        (clip,) = db.exec(select(ExportedClip))
        assert db.exec(select(ExportUpload)).all() == []
        took_ms = db.get_one(ExportJob, job.id).render_ms
    assert clip.captions_key == clip.s3_key.replace(".mp4", ".vtt")
    assert took_ms is not None
    assert took_ms > 0
    found = exported(room)
    assert found["vtt"].decode() == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:00.250\nEnds in it\n\n00:00:00.500 --> 00:00:00.750\nAll of it &amp; more\n"
    )
    assert room.store.head(clip.captions_key).content_type.startswith("text/vtt")
    digest = hashlib.sha256(found["vtt"]).hexdigest()[:16]
    told = {"mode": "soft", "language": "de", "digest": digest, "s3Key": clip.captions_key}
    assert json.loads(found["json"])["captions"] == told


def test_burned_in_captions_change_the_picture_while_they_show_and_at_no_other_time(room: Services, folder: Path, tmp_path: Path) -> None:
    caption(room)
    assert attempt(room, ask(room, CaptionMode.OFF, "original"), folder).state == JobState.DONE
    plain = lower_part(exported(room)["mp4"], tmp_path)
    for item in list(room.store.list("exports/")):
        room.store.delete(item.key)
    done = attempt(room, ask(room, CaptionMode.BURNED), folder)
    assert (done.state, done.reason) == (JobState.DONE, "")
    found = exported(room)
    assert sorted(found) == ["json", "mp4", "vtt"]
    burned = lower_part(found["mp4"], tmp_path)
    other = [sum(abs(new - old) > 60 for new, old in zip(*both, strict=True)) for both in zip(burned, plain, strict=True)]
    # 24 frames a second, the first at 12.5/24 s of the master: captions show until 0.75 s and from 1 s to 1.25 s.
    showing = [index for index, pixels in enumerate(other) if pixels > 500]
    assert showing == [*range(6), *range(12, 18)]


def test_a_clip_in_which_nothing_is_said_has_an_empty_sidecar_and_no_track(room: Services, folder: Path) -> None:
    caption(room)
    for mode in (CaptionMode.SOFT, CaptionMode.BURNED):
        assert attempt(room, ask(room, mode, clip="clip_2"), folder).state == JobState.DONE
    assert exported(room)["vtt"] == b"WEBVTT\n"
    (folder / "made.mp4").write_bytes(exported(room)["mp4"])
    assert probe(folder / "made.mp4").duration_ms in range(980, 1_020)


def test_captions_of_the_spoken_language_have_no_language_named(room: Services, folder: Path, tmp_path: Path) -> None:
    caption(room, "original")
    assert attempt(room, ask(room, CaptionMode.SOFT, "original"), folder).state == JobState.DONE
    assert spoken(exported(room)["mp4"], tmp_path)[0] in ("und", "None")


@pytest.mark.parametrize("change", ["other", "removed"])
def test_captions_that_changed_meanwhile_fail_the_export_and_a_retry_takes_the_new_ones(
    change: str, room: Services, folder: Path, tmp_path: Path
) -> None:
    caption(room)
    job = ask(room, CaptionMode.SOFT)
    if change == "removed":
        with room.database.write() as db:
            remove(db, VIDEO_ID, "de")
    else:
        caption(room, data=VTT.replace(b"Ends", b"Stops"))
    failed = attempt(room, job, folder)
    assert failed.state == JobState.FAILED
    assert failed.reason == "The captions have changed since this export was requested. Press Retry to export with the current ones."
    assert exported(room) == {}
    if change == "removed":
        caption(room, data=VTT.replace(b"Ends", b"Stops"))
    with room.database.write() as db:
        renewed = retry(db, job.id)
    assert attempt(room, renewed, folder).state == JobState.DONE
    assert spoken(exported(room)["mp4"], tmp_path)[1][0] == (0, 250, "Stops in it")


def test_letters_that_no_font_has_fail_the_export_with_what_to_install(
    room: Services, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rendering, "_font_shelf", lambda: FontShelf([tmp_path / "no fonts"]))
    caption(room)
    failed = attempt(room, ask(room, CaptionMode.BURNED), folder)
    assert failed.state == JobState.FAILED
    assert "install one on the server" in failed.reason
    assert exported(room) == {}


@pytest.mark.parametrize("method", ["put_file", "put"])
def test_a_failed_or_cancelled_export_leaves_no_captions_in_the_bucket(method: str, room: Services, folder: Path) -> None:
    caption(room)
    job = ask(room, CaptionMode.SOFT)
    assert attempt(with_faults(room, method, StorageCredentials()), job, folder).state == JobState.FAILED
    assert exported(room) == {}
    with room.database.write() as db:
        again = retry(db, job.id)
    run = ExportRun(room, Ticket(again.id, again.attempt), folder, Ffmpeg())
    assert all(run.perform(step) for step in STEPS[:-1])
    assert sorted(exported(room)) == ["mp4", "vtt"]
    with room.database.write() as db:
        cancel(db, job.id)
    assert not run.perform("publish")
    run.clean_up()
    assert exported(room) == {}
    with room.database.read() as db:
        assert db.exec(select(ExportUpload)).all() == []


def test_captions_lost_between_two_steps_are_written_again(room: Services, folder: Path) -> None:
    caption(room)
    job = ask(room, CaptionMode.SOFT)
    run = ExportRun(room, Ticket(job.id, 1), folder, Ffmpeg())
    assert all(run.perform(step) for step in STEPS[:3])
    run.file.with_suffix(".vtt").unlink()
    assert all(run.perform(step) for step in STEPS[3:])
    assert sorted(exported(room)) == ["json", "mp4", "vtt"]


@pytest.mark.skipif(not (SAMPLES / "friday.mp4").exists(), reason="the real footage is not here")
@pytest.mark.parametrize("mode", [CaptionMode.SOFT, CaptionMode.BURNED])
def test_a_person_who_speaks_is_exported_with_the_words_of_the_clip(
    mode: CaptionMode, room: Services, folder: Path, tmp_path: Path
) -> None:
    room.store.put_file("talks/friday.mp4", SAMPLES / "friday.mp4", "video/mp4")
    master = room.store.head("talks/friday.mp4")
    with room.database.write() as db:
        db.add(Video(id="video_friday", title="Friday", s3_key=master.key, etag=master.etag, size=master.size, duration_ms=6_166))
        db.flush()
        db.add(IdentifiedClip(id="clip_f", video_id="video_friday", reference="f", start_ms=1_000, end_ms=4_000, title="Hildy"))
        attach(db, "video_friday", "original", (SAMPLES / "friday.vtt").read_bytes(), "friday.vtt")
        (job,) = request_exports(db, "video_friday", ["clip_f"], ExportChoices([AspectRatio.PORTRAIT], captions=mode))
    assert attempt(room, job, folder).state == JobState.DONE
    found = exported(room)
    (tmp_path / "made.mp4").write_bytes(found["mp4"])
    made = probe(tmp_path / "made.mp4")
    assert (made.width, made.height, made.has_audio, made.duration_ms in range(2_960, 3_040)) == (720, 1280, True, True)
    words = [
        (0, 499, "How are you?"),
        (500, 1_999, "Tell me, is the lord of the universe in?"),
        (2_000, 3_000, "Yes, he's in - in a bad humor"),
    ]
    sidecar = parse_captions(found["vtt"], "made.vtt")
    assert [(cue.start_ms, cue.end_ms, cue.text) for cue in sidecar.cues] == words
    if mode is CaptionMode.SOFT:
        assert spoken(found["mp4"], tmp_path)[1] == words
    else:
        bright = [sum(pixel > 235 for pixel in rows) for rows in lower_part(found["mp4"], tmp_path)]
        assert min(bright[:7]) > 1_000
