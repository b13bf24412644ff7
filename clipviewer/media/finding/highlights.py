"""Find clips in a video by measurement alone. Times are milliseconds.

One pass reads small pictures and the sound. Clips start and end at pauses, cuts and ends of sentences; every pair of such edges is
scored by how it stands out from the rest of the video (``domain.highlight``), and the best that do not overlap are aligned to frames.
The result is deterministic.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from clipviewer.domain.clip_title import choose_title, word_weights
from clipviewer.domain.highlight import Candidate, FindOptions, reasons_of, round_parts, score_of, stands_out
from clipviewer.domain.timecode import format_clock
from clipviewer.media.cage.cage import PROBE
from clipviewer.media.captions.reading import CaptionTrack
from clipviewer.media.captions.sentences import Speech, find_speech, split_sentences, texts_within
from clipviewer.media.ffmpeg import Ffmpeg, MediaCancelled, MediaError
from clipviewer.media.finding.cuts import find_cuts, find_other_shots
from clipviewer.media.finding.edges import GRID_MS, find_edges
from clipviewer.media.finding.evidence import Evidence, collect_evidence
from clipviewer.media.finding.footage_scan import Footage, Scan
from clipviewer.media.finding.sound_features import SoundFeatures, measure_sound
from clipviewer.media.finding.trimming import ROOM_MS, ReadPictures, align_windows
from clipviewer.media.finding.windows import best_windows
from clipviewer.media.source.opened_source import OpenedSource, open_source
from clipviewer.media.source.stored_source import Source

_SCANNED, _HEARD = 0.8, 0.85


class NothingFound(MediaError):
    """There is nothing to choose by; the detail says why."""

    status, code, title = 422, "nothing_found", "No clips were found"


@dataclass(frozen=True, slots=True)
class _Found:
    evidence: Evidence
    speech: Speech | None


def find_clips(
    ffmpeg: Ffmpeg,
    source: Source,
    *,
    duration_ms: int,
    captions: CaptionTrack | None,
    folder: Path,
    options: FindOptions | None = None,
    on_progress: Callable[[float], None] = lambda _: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> list[Candidate]:
    """Return the candidates in ``source`` (a path or an http(s) URL), best first. Blocks.

    ``folder`` holds temporary files (2 MB a minute, plus what is read from a URL) and is left as it was. ``on_progress`` receives the share
    done, 0 to 1. A video shorter than the shortest clip is one candidate. Raises ``NothingFound`` if nothing stands out, ``MediaError`` for
    unusable footage, ``StorageError`` for an unreadable source, and ``MediaCancelled`` within a second.
    """
    with open_source(source, folder, cancelled=cancelled) as opened:
        return find_clips_in(
            ffmpeg, opened, duration_ms=duration_ms, captions=captions, folder=folder, options=options, on_progress=on_progress
        )


def find_clips_in(
    ffmpeg: Ffmpeg,
    opened: OpenedSource,
    *,
    duration_ms: int,
    captions: CaptionTrack | None,
    folder: Path,
    options: FindOptions | None = None,
    on_progress: Callable[[float], None] = lambda _: None,
) -> list[Candidate]:
    """Run ``find_clips`` on an open source, so that several readers share one pass over the store."""
    with tempfile.TemporaryDirectory(prefix="find-", dir=folder) as name:
        work = Path(name)
        info = opened.ask(PROBE)
        footage = Footage(ffmpeg, opened, info, min(duration_ms, info.duration_ms))
        seen = footage.scan(work, lambda share: on_progress(share * _SCANNED))
        sound = measure_sound(seen.sound, opened.cancelled) if seen.sound else None
        on_progress(_HEARD)
        candidates = choose_candidates(
            seen,
            sound,
            captions,
            options or FindOptions(),
            look=seen.between if seen.complete else lambda ranges: footage.look_closely(ranges, work),
            on_progress=lambda share: on_progress(_HEARD + share * (1 - _HEARD)),
            cancelled=opened.cancelled,
        )
    on_progress(1.0)
    return candidates


def choose_candidates(
    seen: Scan,
    sound: SoundFeatures | None,
    captions: CaptionTrack | None,
    options: FindOptions,
    *,
    look: ReadPictures,
    on_progress: Callable[[float], None] = lambda _: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> list[Candidate]:
    """Return the candidates of a scan, best first; ``look`` returns all pictures around an edge. Raises ``NothingFound``."""
    grid_ms = min(GRID_MS, (options.longest_ms - options.shortest_ms) // 2)
    found = _collect(seen, None if sound is None or sound.silent else sound, captions, grid_ms, cancelled)
    if seen.duration_ms < options.shortest_ms:
        return [_whole_video_candidate(found, seen.duration_ms, options)]
    windows = best_windows(found.evidence, seen.duration_ms, options, cancelled)
    exact = align_windows(windows, seen.duration_ms, found.speech, options, look, on_progress)
    candidates = _make_candidates(found, [(*bounds, (one.start.strength + one.end.strength) / 2) for one, bounds in exact])
    if not candidates:
        raise NothingFound("Every cut in this video would split a word: allow longer clips, or mark clips by hand.")
    candidates.sort(key=lambda candidate: (-candidate.score, candidate.start_ms))
    return [candidate for candidate in candidates if stands_out(candidate.parts)] or candidates[:1]


def _collect(seen: Scan, sound: SoundFeatures | None, captions: CaptionTrack | None, grid_ms: int, cancelled: Callable[[], bool]) -> _Found:
    """Collect what the video can be scored by. Raises ``NothingFound``."""
    speech = find_speech(captions) if captions is not None else None
    speech = speech if speech is not None and speech.cues else None
    shots = find_cuts(seen.pictures) if seen.complete else find_other_shots(seen.pictures)
    times = seen.times_ms
    _raise_if_cancelled(cancelled)
    rooms = [(int(times[index]), 0 if seen.complete else min(ROOM_MS, int(times[index] - times[index - 1]))) for index in shots]
    edges = find_edges(seen.duration_ms, sound.level if sound else None, rooms, speech, grid_ms)
    _raise_if_cancelled(cancelled)
    evidence = collect_evidence(seen, sound, shots, edges, speech)
    if evidence.level is None and evidence.change is None and speech is None:
        raise NothingFound("This video is silent and its picture does not change: mark clips in it by hand.")
    return _Found(evidence, speech)


def _raise_if_cancelled(cancelled: Callable[[], bool]) -> None:
    if cancelled():
        raise MediaCancelled


def _whole_video_candidate(found: _Found, duration_ms: int, options: FindOptions) -> Candidate:
    candidate = _make_candidates(found, [(0, duration_ms, 1.0)])[0]
    reason = f"the whole video: it is shorter than {options.shortest_ms / 1000:g} seconds"
    return Candidate(0, duration_ms, candidate.title, candidate.score, candidate.parts, (reason, *candidate.reasons))


def _make_candidates(found: _Found, ranges: Sequence[tuple[int, int, float]]) -> list[Candidate]:
    """Make candidates of ranges, each with the strength of its edges."""
    if not ranges:
        return []
    starts, ends, clean = zip(*ranges, strict=True)
    measured = found.evidence.parts(starts, ends, np.array(clean, np.float64))
    sentences = found.speech.sentences if found.speech else ()
    telling = word_weights([sentence.text for sentence in sentences])
    candidates = []
    for index, (start_ms, end_ms, _) in enumerate(ranges):
        parts = round_parts({name: float(values[index]) for name, values in measured.items()})
        said = [part for text in texts_within(sentences, start_ms, end_ms) for part in split_sentences(text)]
        title = choose_title(said, telling) or f"At {format_clock(start_ms)}"
        candidates.append(Candidate(start_ms, end_ms, title, score_of(parts), parts, reasons_of(parts)))
    return candidates
