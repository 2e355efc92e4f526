"""The lane in memory: both engines answer the same, to the byte; and a difference would be found."""

from __future__ import annotations

from collections import Counter as Tally

import pytest

from loom.codes import CODES, Code
from loom_testing.engine import Engine, registration
from loom_testing.engine import inputs as i
from loom_testing.engine import messages as m
from loom_testing.engine import outputs as o
from loom_testing.engine.counters import Counter
from loom_testing.engine.trace import Header, encode_header, encode_step
from tests.differential.campaign import Campaign
from tests.differential.conftest import OPERATIONS
from tests.differential.divergence import Divergence
from tests.differential.engine_lane import EngineMachine, answer
from tests.differential.kept import kept
from tests.differential.lanes import Open, find
from tests.differential.operations import Case, Step
from tests.differential.rust import RustEngine, RustPipe, find_binary
from tests.differential.values import START

SAID_BY_OTHERS = {
    Code.INVALID_OUTPUT,
    Code.CAPABILITY_ERROR,
    Code.PERMISSION_DENIED,
    Code.UNAUTHENTICATED,
    *(code for code in Code if CODES[code].clause == "SDK"),
    Code.NO_SUBSCRIBERS,
    Code.AGENT_GONE,
}
"""Codes that no engine says: a shell's, a provider's, or the SDK's own."""


def test_what_once_differed_differs_no_more(engine_lane: Open) -> None:
    for path, case in kept("engine"):
        shown = engine_lane.shows(case)
        assert shown is None, f"{path.name}\n{shown}"


@pytest.mark.parametrize("seed", [1, 2])
def test_known_seeds(engine_lane: Open, seed: int) -> None:
    assert_alike(engine_lane, OPERATIONS // 4, seed)


def test_a_fresh_seed(engine_lane: Open, fresh_seed: int) -> None:
    assert_alike(engine_lane, OPERATIONS // 2, fresh_seed)


def assert_alike(lane: Open, operations: int, seed: int) -> None:
    """Plays; what is found fails, made small, with how to have it again."""
    outcome = find(
        lane, Campaign(lane.machine, lane.lane, operations, seed, cases=lane.cases, steps=lane.steps)
    )
    if outcome.divergence is not None:
        pytest.fail(f"seed {outcome.found_at} (LOOM_TEST_SEED)\n{outcome.divergence}", pytrace=False)
    assert outcome.operations >= operations


def test_a_difference_is_found_made_small_and_explained(engine_lane: Open, monkeypatch) -> None:
    """One engine is changed, and the comparison must say so."""
    monkeypatch.setattr(registration, "FEATURES", ("session",))
    outcome = find(engine_lane, Campaign(EngineMachine, engine_lane.lane, 5_000, 3, shrink_s=2), shrink_s=2)
    found = outcome.divergence
    assert found is not None
    assert [type(step.does) for step in found.case.steps] == [i.Register]
    told = str(found)
    assert ">   1         0 s  Register(" in told
    python, rust = (line for line in told.splitlines() if line.startswith(("    python", "    rust")))
    assert '"confirm"' not in python
    assert '"confirm"' in rust or '"subscriptions"' in rust or '"drain"' in rust or '"cancel"' in rust
    monkeypatch.undo()
    assert engine_lane.shows(found.case) is None


def test_an_engine_that_falls_over_is_a_difference(engine_lane: Open, monkeypatch) -> None:
    def fall(self: Engine, came_in: i.Input, now: int) -> list[o.Output]:
        raise AssertionError("no transition")

    monkeypatch.setattr(Engine, "handle", fall)
    found = engine_lane.shows(Case("engine", Header(START, {}), [Step(START, i.Open(1))]))
    assert isinstance(found, Divergence)
    assert "python  fell over: AssertionError: no transition" in str(found)


def test_a_rust_engine_that_falls_over_says_why(rust: RustEngine) -> None:
    pipe = RustPipe(find_binary())
    pipe.begin(encode_header(Header(START, {})))
    good = encode_step(START, i.Open(1), [])
    nothing, said = pipe.ask([good, good.replace("open", "opened"), good])
    assert nothing == '{"out":[],"next":1700000010000000}'
    assert said.startswith("fell over: not a step")
    pipe.begin(encode_header(Header(START, {})))
    assert pipe.ask([good]) == [nothing]
    pipe.close()


def test_what_a_python_engine_answers_is_written_as_rust_writes_it() -> None:
    assert answer([], None) == '{"out":[],"next":null}'
    assert answer([o.Accept(7)], 5) == '{"out":[{"kind":"accept","stream":7}],"next":5}'


class Alone:
    """The Python engine by itself, and a tally of what it was led to."""

    name = "engine"

    def __init__(self) -> None:
        self.seen: Tally[str] = Tally()
        self.engine: Engine

    def begin(self, case: Case) -> Engine:
        header = case.header
        self.engine = Engine(header.created, header.engine_limits(), liveness=header.liveness)
        return self.engine

    def play(self, step: Step) -> list[o.Output]:
        outputs = []
        for came_in in step.inputs():
            self.seen[type(came_in).__name__] += 1
            outputs += self.engine.handle(came_in, step.at)
        for output in outputs:
            self.seen.update(_what(output))
        return outputs

    def unread(self) -> list[int]:
        return []

    def end(self) -> None:
        self.play(Step(self.engine.now, i.Snapshot(0)))


def test_the_operations_reach_everything() -> None:
    """Green would mean little if the operations never came near what the engines can do."""
    lane = Alone()
    Campaign(EngineMachine, lane, 30_000, 1).run()
    wanted = {kind.__name__ for union in (i.Input, o.Output, m.ServerMessage) for kind in union.__args__}
    wanted |= {str(counter) for counter in Counter} | {str(code) for code in set(Code) - SAID_BY_OTHERS}
    assert sorted(wanted - lane.seen.keys()) == []


def _what(output: o.Output) -> list[str]:
    """The names of what an output shows."""
    found = [type(output).__name__]
    match output:
        case o.RegisterReply(error_code=code):
            found.append(code)
        case o.Send(_, message):
            found += [type(message).__name__, str(getattr(message, "code", ""))]
        case o.End(_, _, message):
            found.append(message.partition(":")[0])
        case o.Answer(_, result) if result.error:
            found.append(result.error.code)
        case o.SnapshotReply(counters=counters):
            found += counters
        case _:
            pass
    return found
