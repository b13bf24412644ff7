"""From the click on a clip to its first frame: never opened, opened before, next or previous, at round trips of 0 and 80 ms.

Clips of ten seconds, 720×1280, 2.5 Mbit/s; every round uses a browser with an empty cache, the same one for both sides. ``original`` is
the application that this one replaces, which fetches a URL at each click, measured elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from playwright.sync_api import Browser

from tests.bench import Row
from tests.bench._app import exported_key, footage, running_app
from tests.bench._browser import chromium, reviewer
from tests.bench.delay import delayed

RUNS = 7
NAME, CLIPS = "opened", 30
ORIGINAL = {"never opened": (161, 374), "opened before": (145, 292)}
GOALS = {
    "never opened": ("≤ 1.0×", "≤ 0.75×"),
    "opened before": ("≤ 0.8×", "≤ 0.5×"),
    "next": ("≤ 0.3×", "≤ 0.3×"),
    "previous": ("≤ 0.3×", "≤ 0.3×"),
}
BASELINE = {"next": "never opened", "previous": "never opened"}


@dataclass(frozen=True, slots=True)
class Round:
    """Milliseconds by the kind of clip clicked: ours, and fetching at each click."""

    ours: dict[str, float]
    baseline: dict[str, float]


def run() -> list[Row]:
    rows: list[Row] = []
    with running_app() as app, chromium() as browser:
        video_id = app.add_video(NAME, CLIPS, footage(10, 720, 1280, 2500))
        for column, round_trip in enumerate((0, 80)):
            with delayed(app.port, round_trip / 1000) as proxy:
                origin = app.origin if round_trip == 0 else f"http://127.0.0.1:{proxy}"
                _round(browser, origin, video_id)
                rounds = [_round(browser, origin, video_id) for _ in range(RUNS)]
            for name, goals in GOALS.items():
                rows += _rows(f"{name}, {round_trip} ms", name, rounds, column, goals[column])
    return rows


def _round(browser: Browser, origin: str, video_id: str) -> Round:
    with reviewer(browser, origin) as person:
        person.open_room(video_id)
        ours = {}
        for name, row in (("never opened", 6), ("opened before", 0), ("next", 1), ("", 6), ("previous", 5)):
            ours[name] = person.click(row).frame
            person.settle()
        person.fetch_on_click(video_id, exported_key(NAME, CLIPS - 2))
        never = person.fetch_on_click(video_id, exported_key(NAME, CLIPS - 1))
        person.fetch_on_click(video_id, exported_key(NAME, CLIPS - 2))
        baseline = {"never opened": never, "opened before": person.fetch_on_click(video_id, exported_key(NAME, CLIPS - 1))}
    return Round(ours, baseline)


def _rows(title: str, name: str, rounds: list[Round], column: int, goal: str) -> list[Row]:
    compared = BASELINE.get(name, name)
    ours = median(each.ours[name] for each in rounds) / 1000
    baseline = median(each.baseline[compared] for each in rounds) / 1000
    return [
        Row(f"{title}, against fetching at each click", ours, baseline, goal=goal),
        Row(f"{title}, against the original (elsewhere)", ours, ORIGINAL[compared][column] / 1000, goal=goal),
    ]
