"""Runs: their seeds and counts, and a difference that does not show each time."""

from __future__ import annotations

from loom_testing.engine import Engine
from loom_testing.engine import outputs as o
from tests.differential.campaign import Campaign
from tests.differential.divergence import Divergence
from tests.differential.engine_lane import EngineMachine
from tests.differential.lanes import Open, find
from tests.differential.operations import Case, Step


class Playing:
    """A lane with one engine, which differs at the steps that it is told."""

    name = "engine"

    def __init__(self, differs=lambda played, step: False) -> None:
        self.played = 0
        self.begun: list[Case] = []
        self._differs = differs
        self._engine: Engine

    def begin(self, case: Case) -> Engine:
        self.begun.append(case)
        header = case.header
        self._engine = Engine(header.created, header.engine_limits(), liveness=header.liveness)
        return self._engine

    def play(self, step: Step) -> list[o.Output]:
        self.played += step.size
        self.begun[-1].steps.append(step)
        if self._differs(self.played, step):
            raise Divergence(self.begun[-1], {"one": {}, "other": {}})
        return [output for came_in in step.inputs() for output in self._engine.handle(came_in, step.at)]

    def unread(self) -> list[int]:
        return []

    def end(self) -> None:
        pass


def test_it_plays_as_much_as_it_is_told_and_counts() -> None:
    lane = Playing()
    told = []
    outcome = Campaign(
        EngineMachine, lane, 700, 5, cases=3, steps=30, tell=lambda so_far: told.append(so_far.operations)
    ).run()
    assert outcome.operations == lane.played >= 700
    assert outcome.cases == len(lane.begun) == len(told)
    assert outcome.rounds > 1
    assert sum(outcome.kinds.values()) == outcome.operations
    assert told == sorted(told)


def test_the_same_seed_is_the_same_run() -> None:
    lanes = [Playing(), Playing()]
    for lane in lanes:
        Campaign(EngineMachine, lane, 300, 11, steps=30).run()
    one, other = ([case.text() for case in lane.begun] for lane in lanes)
    assert one == other


def test_a_later_round_can_be_had_alone() -> None:
    whole, alone = Playing(), Playing()
    outcome = Campaign(EngineMachine, whole, 600, 20, cases=2, steps=30).run()
    Campaign(EngineMachine, alone, 1, 20 + outcome.rounds - 1, cases=2, steps=30).run()
    assert [case.text() for case in alone.begun] == [case.text() for case in whole.begun[-len(alone.begun) :]]


def test_no_round_begins_after_its_time() -> None:
    outcome = Campaign(EngineMachine, Playing(), 10_000, 5, seconds=0).run()
    assert (outcome.rounds, outcome.operations) == (0, 0)


def test_a_difference_that_does_not_show_again_is_reported_all_the_same() -> None:
    lane = Playing(lambda played, step: played == 200)
    opened = Open(lane, EngineMachine, 5, 30)
    outcome = find(opened, Campaign(EngineMachine, lane, 1_000, 3, cases=5, steps=30), shrink_s=1)
    assert outcome.divergence is not None
    assert not outcome.is_steady
    assert outcome.found_at == 3 + outcome.rounds - 1
    assert outcome.operations == 200
