"""The browser shows a chosen crop at once and yields to the server's state, whatever the order of responses."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

SCRIPT = Path(__file__).parents[2] / "assets" / "crop" / "chosen_crops.js"
PLAY = """
import { readFileSync } from "node:fs";
const due = new Set();
globalThis.setTimeout = (work) => (due.add(work), work);
globalThis.clearTimeout = (work) => due.delete(work);
const { ChosenCrops } = await import("data:text/javascript;base64," + readFileSync(process.argv[1]).toString("base64"));
let told = 0;
const crops = new ChosenCrops(() => told++);
const see = () => ({
  saved: crops.of("a")?.saved["9:16"] ?? null,
  underWay: crops.isPending("a", "9:16"),
  lost: crops.isUnsaved("a", "9:16"),
  told,
  waiting: due.size,
});
const steps = {
  decide: (centre) => crops.decide("a", "9:16", centre),
  answer: (answers, saved, more) => crops.accept({ clip_id: "a", saved: saved ? { "9:16": saved } : {}, answers, ...more }),
  wait: () => [...due].forEach((work) => due.delete(work) && work()),
};
const story = JSON.parse(readFileSync(0));
process.stdout.write(JSON.stringify(story.map(([step, ...given]) => (steps[step](...given), see()))));
"""
LEFT, RIGHT = {"x": 0.25, "y": 0.5}, {"x": 0.75, "y": 0.5}


def play(*story: list[Any]) -> list[dict[str, Any]]:
    """Return what is shown after each step."""
    node = Path(sys.executable).parent / "node"
    command = [str(node), "--input-type=module", "--eval", PLAY, "--", str(SCRIPT)]
    done = subprocess.run(command, input=json.dumps(story), capture_output=True, text=True, check=True, timeout=60)
    seen: list[dict[str, Any]] = json.loads(done.stdout)
    return seen


def test_a_decision_shows_at_once_and_is_confirmed_by_its_response() -> None:
    opened, decided, answered = play(["answer", 0, None], ["decide", LEFT], ["answer", 1, [0.25, 0.5]])
    assert (opened["saved"], opened["underWay"]) == (None, False)
    assert (decided["saved"], decided["underWay"]) == ([0.25, 0.5], True)
    assert (answered["saved"], answered["underWay"], answered["waiting"]) == ([0.25, 0.5], False, 0)


def test_the_response_to_an_earlier_decision_does_not_move_a_later_one() -> None:
    seen = play(["answer", 7, None], ["decide", LEFT], ["decide", RIGHT], ["answer", 8, [0.25, 0.5]], ["answer", 9, [0.75, 0.5]])
    assert [step["saved"] for step in seen] == [None, [0.25, 0.5], [0.75, 0.5], [0.75, 0.5], [0.75, 0.5]]
    assert [step["underWay"] for step in seen] == [False, True, True, True, False]


def test_two_responses_may_arrive_as_one() -> None:
    seen = play(["answer", 0, None], ["decide", LEFT], ["decide", None], ["answer", 2, None])
    assert [step["saved"] for step in seen] == [None, [0.25, 0.5], None, None]
    assert (seen[-1]["underWay"], seen[-1]["waiting"]) == (False, 0)


def test_a_refused_decision_is_undone_and_reported_until_the_next_one() -> None:
    seen = play(["answer", 0, [0.25, 0.5]], ["decide", RIGHT], ["answer", 1, [0.25, 0.5], {"refused": True}], ["decide", RIGHT])
    assert [step["saved"] for step in seen] == [[0.25, 0.5], [0.75, 0.5], [0.25, 0.5], [0.75, 0.5]]
    assert [step["lost"] for step in seen] == [False, False, True, False]


def test_a_decision_without_a_response_in_time_is_undone() -> None:
    seen = play(["answer", 0, [0.25, 0.5]], ["decide", RIGHT], ["wait"])
    assert (seen[-1]["saved"], seen[-1]["lost"], seen[-1]["underWay"], seen[-1]["told"]) == ([0.25, 0.5], True, False, 1)


def test_several_unanswered_decisions_are_undone_together() -> None:
    seen = play(["answer", 0, None], ["decide", LEFT], ["decide", RIGHT], ["wait"])
    assert (seen[-1]["saved"], seen[-1]["told"], seen[-1]["waiting"]) == (None, 1, 0)


def test_a_late_response_counts() -> None:
    seen = play(["answer", 0, None], ["decide", RIGHT], ["wait"], ["answer", 1, [0.75, 0.5]])
    assert seen[-1]["saved"] == [0.75, 0.5]


def test_a_restarted_server_is_believed() -> None:
    seen = play(["answer", 5, None], ["decide", RIGHT], ["answer", 0, [0.25, 0.5]])
    assert (seen[-1]["saved"], seen[-1]["underWay"], seen[-1]["waiting"]) == ([0.25, 0.5], False, 0)
