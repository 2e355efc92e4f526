"""How a difference is told."""

from __future__ import annotations

from loom_testing.engine import inputs as i
from loom_testing.engine.trace import Header
from tests.differential.divergence import Divergence, tell_apart
from tests.differential.operations import Case, Step

ALIKE = {"stream 1": ["headers", "welcome"], "answer": ["done"]}


def test_only_what_differs_is_told_from_where_it_differs() -> None:
    told = tell_apart({"fake": ALIKE, "rust": {**ALIKE, "stream 1": ["headers", "pong", "end OK"]}})
    assert told == ["stream 1:", "    fake  welcome", "    rust  pong", "          end OK"]


def test_what_is_missing_is_told() -> None:
    told = tell_apart({"engine": ALIKE, "fake": ALIKE, "rust": {"stream 1": ["headers"]}})
    assert told == [
        "answer:",
        "    engine  done",
        "    fake    done",
        "    rust    (nothing)",
        "stream 1:",
        "    engine  welcome",
        "    fake    welcome",
        "    rust    (nothing more)",
    ]


def test_what_long_lines_begin_with_alike_is_left_out() -> None:
    fake, rust = (f"{'x' * 500} and then {name} {'y' * 500}" for name in ("this", "that"))
    told = tell_apart({"fake": {"answer": [fake]}, "rust": {"answer": [rust]}})
    assert told[1].startswith(f"    fake  ...{'x' * 28} and then this y")
    assert told[2].startswith(f"    rust  ...{'x' * 28} and then that y")
    assert all(len(line) <= 210 for line in told)


def test_the_steps_lead_up_to_it() -> None:
    case = Case("engine", Header(5_000_000, {"queue_events": 2}, False))
    case.steps = [Step(5_000_000, i.Open(1)), Step(6_500_000, i.Break(1))]
    shown = str(Divergence(case, {"python": {"answer": ["one"]}, "rust": {"answer": ["two"]}}))
    assert shown.splitlines() == [
        "lane engine; limits: queue_events=2; liveness off",
        "    1         0 s  Open(stream=1)",
        ">   2       1.5 s  Break(stream=1)",
        "",
        "answer:",
        "    python  one",
        "    rust    two",
    ]


def test_of_many_steps_the_last_are_shown() -> None:
    case = Case("engine", Header(0, {}), [Step(number, i.Open(number)) for number in range(100)])
    lines = str(Divergence(case, {"python": {}, "rust": {}})).splitlines()
    assert lines[1].strip() == "... 41 steps before"
    assert len(lines) == 61
    assert lines[-1].startswith("> 100  0.000099 s  Open(")
