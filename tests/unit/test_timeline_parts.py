"""What a timeline shows of a long video, and how it draws any number of candidates."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

TIMELINE = Path(__file__).parents[2] / "assets" / "timeline"
ANSWER = """
import { readFileSync } from "node:fs";
const load = (path) => import("data:text/javascript;base64," + readFileSync(path).toString("base64"));
const { Marks, marksIn } = await load(process.argv[1]);
const { ShownWindow } = await load(process.argv[2]);
const ways = {
  marks: marksIn,
  without: (ranges, shown, width, one) => {
    const marks = new Marks();
    marks.ranges = ranges;
    const before = marks.in(shown, width);
    const same = marks.in(shown, width) === before;
    return [same, marks.in(shown, width, one).alone];
  },
  window: (length, ...steps) => {
    const shown = new ShownWindow();
    shown.reset(length);
    return steps.map(([way, ...rest]) => (shown[way](...rest), [shown.from, shown.to]));
  },
};
const [way, ...rest] = JSON.parse(readFileSync(0));
process.stdout.write(JSON.stringify(ways[way](...rest)));
"""
WHOLE = {"from": 0, "to": 10_000}


def ask(*question: Any) -> Any:
    node = Path(sys.executable).parent / "node"
    paths = [str(TIMELINE / "marks.js"), str(TIMELINE / "window.js")]
    command = [str(node), "--input-type=module", "-e", ANSWER, *paths]
    return json.loads(subprocess.run(command, input=json.dumps(question), capture_output=True, text=True, check=True).stdout)


def test_few_candidates_are_drawn_one_by_one_and_only_those_in_view() -> None:
    ranges = [[0, 1_000], [4_000, 6_000], [9_000, 10_000]]
    assert ask("marks", ranges, {"from": 5_000, "to": 9_000}, 100) == {"alone": [[4_000, 6_000]], "columns": []}


def test_many_candidates_are_counted_per_column_of_pixels() -> None:
    made = ask("marks", [[0, 999]] * 500 + [[500, 1_500]] * 9_500, WHOLE, 100)
    assert made["alone"] == []
    columns = made["columns"]
    assert (len(columns), columns[0], columns[4], columns[5], columns[9], columns[10], columns[15], columns[16]) == (
        100, 500, 500, 10_000, 10_000, 9_500, 9_500, 0,
    )  # fmt: skip


def test_candidates_beyond_the_view_are_counted_up_to_its_edge() -> None:
    columns = ask("marks", [[0, 20_000]] * 301, {"from": 5_000, "to": 6_000}, 10)["columns"]
    assert columns == [301] * 10


def test_the_candidate_being_edited_is_left_out_and_none_is_counted_twice() -> None:
    ranges = [[0, 1_000], [0, 1_000], [2_000, 3_000]]
    assert ask("without", ranges, WHOLE, 100, [0, 1_000]) == [True, [[0, 1_000], [2_000, 3_000]]]


def test_the_view_stays_within_the_video() -> None:
    steps = [["zoom", 0.5, 0], ["pan", 0.3], ["pan", 5], ["pan", -9], ["zoom", 1e-9, 50_000], ["zoom", 1e9, 0], ["reset", 60_000]]
    assert ask("window", 100_000, *steps) == [
        [0, 50_000],
        [15_000, 65_000],
        [50_000, 100_000],
        [0, 50_000],
        [49_000, 50_000],
        [0, 100_000],
        [0, 60_000],
    ]
