"""The browser and the domain compute the same crop for the same input."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.framing import Framing, FramingMode, Shot, auto_framing_at, crop_rect

SCRIPT = Path(__file__).parents[2] / "assets" / "crop" / "crop_rect.js"
ANSWER = """
import { readFileSync } from "node:fs";
const { cropRect, centreAt, clampCentre } = await import("data:text/javascript;base64," + readFileSync(process.argv[1]).toString("base64"));
const ways = {
  crop: (...asked) => (({ x, y, width, height }) => [x, y, width, height])(cropRect(...asked)),
  held: clampCentre,
  shots: (shots, ms) => (({ x, y }) => [x, y])(centreAt(shots, ms)),
};
const asked = JSON.parse(readFileSync(0));
process.stdout.write(JSON.stringify(asked.map(([way, ...rest]) => ways[way](...rest))));
"""
SIZES = [
    (1920, 1080),
    (1279, 719),
    (719, 1279),
    (640, 480),
    (800, 333),
    (798, 332),
    (2, 2),
    (3, 2),
    (2, 8999),
    (8999, 3),
    (4096, 1716),
    (1080, 1080),
]
EDGES = [0, 0.00004, 0.25, 1 / 3, 0.4999, 0.5, 0.8421, 0.8422, 0.99996, 1]


def browsers_answers(questions: list[list[Any]]) -> list[Any]:
    node = Path(sys.executable).parent / "node"
    command = [str(node), "--input-type=module", "--eval", ANSWER, "--", str(SCRIPT)]
    done = subprocess.run(command, input=json.dumps(questions), capture_output=True, text=True, check=True, timeout=60)
    answers: list[Any] = json.loads(done.stdout)
    return answers


def test_the_preview_and_the_renderer_show_the_same_pixels() -> None:
    chance = random.Random(3)
    sizes = SIZES + [(chance.randint(2, 9_000), chance.randint(2, 9_000)) for _ in range(600)]
    centres = [(x, y) for x in EDGES for y in (0, 0.5, 1)] + [(chance.random(), chance.random()) for _ in range(10)]
    cases = [(width, height, ratio, x, y) for width, height in sizes for ratio in AspectRatio for x, y in centres]
    questions = [["crop", width, height, ratio.value, x, y] for width, height, ratio, x, y in cases]
    wanted = []
    for width, height, ratio, x, y in cases:
        rect = crop_rect(width, height, ratio, Framing(FramingMode.MANUAL, x, y))
        wanted.append([rect.x, rect.y, rect.width, rect.height])
    assert len(cases) > 70_000
    answers = browsers_answers(questions)
    assert [(case, answer) for case, answer, right in zip(cases, answers, wanted, strict=True) if answer != right] == []


def test_the_proposal_is_shown_where_it_is_rendered() -> None:
    shots = [(Shot(0, 0.2, 0.5), Shot(1_001, 0.7, 0.4, True), Shot(3_000, 0.3, 0.6), Shot(3_040, 0.5, 0.5, True)), (Shot(0, 0.5, 0.5),)]
    cases = [(path, ms) for path in shots for ms in (0, 1, 500.5, 1_000, 1_001, 1_500, 2_999.9, 3_000, 3_039, 3_040, 9_000)]
    asked = [["shots", [[shot.start_ms, shot.x, shot.y, shot.glides] for shot in path], ms] for path, ms in cases]
    wanted = [auto_framing_at(path, ms) for path, ms in cases]
    assert browsers_answers(asked) == [[framing.x, framing.y] for framing in wanted]


def test_a_dragged_centre_stays_within_the_picture_and_reaches_both_edges() -> None:
    sizes = [(size, crop) for size in (3, 101, 640, 1279, 1920, 8_999) for crop in (2, size // 3 // 2 * 2, size // 2 * 2) if crop >= 2]
    answers = iter(browsers_answers([["held", centre, size, crop] for size, crop in sizes for centre in (-1, 0.123456, 2)]))
    for size, crop in sizes:
        least, within, most = next(answers), next(answers), next(answers)
        assert 0 <= least <= within <= most <= 1
        assert all(round(value, 4) == value for value in (least, within, most))
        assert max(least * size - crop / 2, 0) < 2
        assert int(min(most * size - crop / 2, size - crop)) // 2 * 2 == (size - crop) // 2 * 2
