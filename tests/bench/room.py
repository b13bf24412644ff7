"""The clip room with 50, 1,000 and 10,000 exported clips, opened by browsers with empty caches; then clicks in it.

``original`` is the application that this one replaces, measured on another machine with two cores; the other baselines are of this run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from playwright.sync_api import Browser

from tests.bench import Row
from tests.bench._app import App, footage, running_app
from tests.bench._browser import Clicked, Opened, chromium, reviewer

RUNS = 5
CLIPS = (50, 1_000, 10_000)
CLICKS = (3, 6, 2)
ORIGINAL_ROW = {50: 323, 1_000: 568, 10_000: 2068}
GOALS = {50: "≤ 1.5×", 1_000: "≤ 0.9×", 10_000: "≤ 0.3×"}
MOST_ELEMENTS = 1_500


@dataclass(frozen=True, slots=True)
class Visit:
    """A first visit, the clicks in it, and a reload with the scripts in the cache."""

    cold: Opened
    clicks: list[Clicked]
    warm: Opened


def run() -> list[Row]:
    with running_app() as app, chromium() as browser:
        clip = footage(2, 180, 320, 150)
        videos = {count: app.add_video(f"{count} clips", count, clip) for count in CLIPS}
        _visit(browser, app, videos[50])
        rounds = [{count: _visit(browser, app, videos[count]) for count in CLIPS} for _ in range(RUNS)]
    visits = {count: [visited[count] for visited in rounds] for count in CLIPS}
    return [*_against_the_original(visits), *_against_fifty(visits)]


def _visit(browser: Browser, app: App, video_id: str) -> Visit:
    with reviewer(browser, app.origin) as person:
        cold = person.open_room(video_id)
        clicks = [person.click(row) for row in CLICKS]
        return Visit(cold, clicks, person.open_room(video_id))


def _against_the_original(visits: dict[int, list[Visit]]) -> list[Row]:
    return [
        Row(
            f"first row, {count:,} clips, against the original (elsewhere)",
            median(visit.cold.row for visit in visits[count]) / 1000,
            ORIGINAL_ROW[count] / 1000,
            goal=GOALS[count],
        )
        for count in CLIPS
    ]


def _against_fifty(visits: dict[int, list[Visit]]) -> list[Row]:
    measures: list[tuple[str, Callable[[Visit], float], str, str]] = [
        ("first row", lambda visit: visit.cold.row / 1000, "s", "≤ 1.3×"),
        ("first frame", lambda visit: visit.cold.frame / 1000, "s", "≤ 1.3×"),
        ("first row, scripts cached", lambda visit: visit.warm.row / 1000, "s", "≤ 1.3×"),
        ("first frame, scripts cached", lambda visit: visit.warm.frame / 1000, "s", "≤ 1.3×"),
        ("received, without footage", lambda visit: visit.cold.bytes / 1024, "KiB", "the same"),
        ("received, scripts cached", lambda visit: visit.warm.bytes / 1024, "KiB", "the same"),
        ("elements", lambda visit: visit.cold.elements, "", f"≤ {MOST_ELEMENTS:,}"),
        ("click to new source", lambda visit: median(click.source for click in visit.clicks) / 1000, "s", "the same"),
        ("click to first frame", lambda visit: median(click.frame for click in visit.clicks) / 1000, "s", "the same"),
    ]
    return [
        Row(f"{name}, {count:,} clips, against 50", median(map(measure, visits[count])), median(map(measure, visits[50])), unit, goal)
        for name, measure, unit, goal in measures
        for count in CLIPS[1:]
    ]
