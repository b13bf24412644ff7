"""The rows of the pages: small, frozen, ready to display; never table rows."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.caption_mode import CaptionMode
from clipviewer.domain.framing import FramingMode
from clipviewer.domain.language import ORIGINAL, language_name
from clipviewer.domain.timecode import format_clock
from clipviewer.services.bucket.signing import SignedUrl
from clipviewer.services.cells.board import CellView
from clipviewer.services.cells.drift import Drift
from clipviewer.services.library.videos import VideoDetails
from clipviewer.services.room.captions import CaptionsView
from clipviewer.services.room.clips import ExportedClipView, IdentifiedClipView

FRAMING_WORDS = {
    FramingMode.CENTRE.value: "Centre",
    FramingMode.MANUAL.value: "By hand",
    FramingMode.FIT.value: "Fit",
    FramingMode.AUTO.value: "Auto",
}
CAPTION_WORDS = {CaptionMode.SOFT.value: "soft captions", CaptionMode.BURNED.value: "burned-in captions"}
ORIGIN_WORDS = {"found": "found", "marked": "marked"}
DRIFT_WORDS = {
    Drift.MISSING: "Its file is missing from the bucket. Upload it again and import it, or export the clip again.",
    Drift.SOURCE: "The video was replaced.",
    Drift.RANGE: "The clip's range was changed.",
    Drift.CROP: "Its crop was changed.",
    Drift.CAPTIONS: "Its captions were changed.",
    Drift.RECIPE: "It was rendered by an older version.",
}


@dataclasses.dataclass(frozen=True)
class ClipRow:
    """A clip in a list. ``start_ms`` and ``end_ms`` are times in the master; ``ratio`` and ``language`` are "" for a candidate.

    For an exported clip ``note`` is how it was framed and captioned, ``drift`` why it is stale, ``missing`` whether its file is gone, and
    ``captions`` whether it has a WebVTT sidecar. For a candidate ``origin`` is who added it, "" for a pipeline, and ``reasons`` why it was
    found.
    """

    id: str
    title: str
    start_ms: int
    end_ms: int
    span: str
    duration: str
    s3_key: str = ""
    ratio: str = ""
    language: str = ""
    score: str = ""
    score_parts: str = ""
    note: str = ""
    drift: str = ""
    missing: bool = False
    captions: bool = False
    origin: str = ""
    reasons: str = ""


@dataclasses.dataclass(frozen=True)
class VideoView:
    """The opened video. ``frame`` is ``1920 × 1080``, or "" if unknown. An archived video is hidden from the library's lists."""

    id: str
    title: str
    duration: str
    frame: str
    s3_key: str
    archived: bool = False
    missing: bool = False


@dataclasses.dataclass(frozen=True)
class UrlEntry:
    """A presigned URL in the browser's cache; times in ms since 1970, ``now`` by the server's clock."""

    url: str
    expires: int
    now: int


@dataclasses.dataclass(frozen=True)
class JobRow:
    """An unfinished export: ``state`` is queued, running or failed; ``log`` holds ffmpeg's last lines, if any.

    ``making``: language, framing and captions, as far as they differ from the defaults.
    """

    id: str
    title: str
    ratio: str
    making: str
    state: str
    percent: int
    reason: str
    log: str


@dataclasses.dataclass(frozen=True)
class LanguageRow:
    """A language that clips can be exported in."""

    tag: str
    name: str


@dataclasses.dataclass(frozen=True)
class CaptionsRow:
    """The captions of a video in one language; ``note`` says where they come from and how many there are."""

    tag: str
    language: str
    note: str


def exported_row(clip: ExportedClipView) -> ClipRow:
    return ClipRow(
        id=clip.id,
        title=clip.title,
        start_ms=clip.start_ms,
        end_ms=clip.end_ms,
        span=f"{format_clock(clip.start_ms)} – {format_clock(clip.end_ms)}",
        duration=format_clock(clip.end_ms - clip.start_ms, tenths=True),
        s3_key=clip.s3_key,
        ratio=clip.aspect_ratio,
        language=language_name(clip.target_language),
        note=making(clip.framing, clip.captions),
        drift=drift_words(clip.drift),
        missing=Drift.MISSING in clip.drift,
        captions=clip.captions_key is not None,
    )


def making(framing: str, captions: str) -> str:
    """Return ``Fit · burned-in captions``, or "" if unknown."""
    return " · ".join(words for words in (FRAMING_WORDS.get(framing, ""), CAPTION_WORDS.get(captions, "")) if words)


def drift_words(drift: Iterable[Drift]) -> str:
    """Return why an export is stale, as sentences; "" if it is not."""
    return " ".join(DRIFT_WORDS[reason] for reason in drift)


def identified_row(clip: IdentifiedClipView, master_key: str) -> ClipRow:
    return ClipRow(
        id=clip.id,
        title=clip.title,
        start_ms=clip.start_ms,
        end_ms=clip.end_ms,
        span=f"{format_clock(clip.start_ms)} – {format_clock(clip.end_ms)}",
        duration=format_clock(clip.end_ms - clip.start_ms, tenths=True),
        s3_key=master_key,
        ratio=AspectRatio.LANDSCAPE,
        score="" if clip.score is None else f"{clip.score:g}",
        score_parts=", ".join(f"{name} {value:g}" for name, value in clip.score_parts.items()),
        origin=ORIGIN_WORDS.get(clip.origin, ""),
        reasons="; ".join(clip.reasons),
    )


def video_view(video: VideoDetails) -> VideoView:
    return VideoView(
        id=video.id,
        title=video.title,
        duration=format_clock(video.duration_ms) if video.duration_ms else "",
        frame=f"{video.width} × {video.height}" if video.width else "",
        s3_key=video.s3_key,
        archived=video.archived_at is not None,
        missing=video.missing_at is not None,
    )


def url_entry(signed: SignedUrl, now_ms: int) -> UrlEntry:
    return UrlEntry(url=signed.url, expires=int(signed.expires_at.timestamp() * 1000), now=now_ms)


def job_row(cell: CellView) -> JobRow:
    language = "" if cell.target_language == ORIGINAL else language_name(cell.target_language)
    framing = "" if cell.framing["mode"] == FramingMode.CENTRE else cell.framing["mode"]
    captions = cell.captions.partition(":")[0]
    return JobRow(
        id=cell.id,
        title=cell.title,
        ratio=cell.aspect_ratio,
        making=" · ".join(filter(None, (language, making(framing, captions)))),
        state=cell.state,
        percent=round(cell.progress * 100),
        reason=cell.reason,
        log=cell.log,
    )


def language_row(tag: str) -> LanguageRow:
    return LanguageRow(tag, language_name(tag))


def counted(number: int, word: str) -> str:
    """Return ``1 clip``, ``2 clips``."""
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def captions_row(captions: CaptionsView) -> CaptionsRow:
    origins = {"embedded": "from the video file", "translated": "translated"}
    whence = origins.get(captions.origin, captions.name)
    return CaptionsRow(captions.language, language_name(captions.language), f"{counted(captions.cues, 'caption')} · {whence}")
