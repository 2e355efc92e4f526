"""How a case is made small."""

from __future__ import annotations

from loom_testing.engine import inputs as i
from loom_testing.engine import messages as m
from loom_testing.engine.trace import Header
from tests.differential.divergence import Divergence
from tests.differential.operations import Burst, Case, Step
from tests.differential.smaller import make_smaller
from tests.differential.values import START

LARGE = Case(
    "engine",
    Header(START, {"queue_events": 1, "producers": 2, "message_bytes": 9}, True),
    [
        Step(START, i.Open(1)),
        Step(START + 5, i.Register(2, "a", ["x", "y"], metadata={"k": "v"}, features=["f", "g"], echo=False)),
        Step(START + 9, i.Snapshot(3)),
        Step(START + 9, i.Receive(1, m.Publish("a", b"12345678", True, 4))),
        Step(START + 20, Burst(1, [m.Ping(1), m.Ping(2), m.Ping(3)])),
        Step(START + 30, i.Reset()),
    ],
)


class Player:
    """Shows a difference in any case that has what `needs` names."""

    def __init__(self, needs) -> None:
        self.needs = needs
        self.played = 0

    def __call__(self, case: Case) -> Divergence | None:
        self.played += 1
        return Divergence(case, {}) if self.needs(case) else None


def small(needs, seconds: float = 60) -> Case:
    return make_smaller(Divergence(LARGE, {}), Player(needs), seconds).case


def test_only_the_steps_that_it_takes_are_left() -> None:
    found = small(lambda case: any(isinstance(step.does, i.Snapshot) for step in case.steps))
    assert [step.does for step in found.steps] == [i.Snapshot(3)]


def test_what_is_left_is_plain() -> None:
    def needs(case: Case) -> bool:
        return any(
            isinstance(step.does, i.Register) and "y" in step.does.subscribed_topics for step in case.steps
        )

    found = small(needs)
    assert found.steps[0].does == i.Register(2, "a", ["y"])
    assert found.header == Header(START, {"message_bytes": 9}, False)


def test_what_it_needs_stays() -> None:
    def needs(case: Case) -> bool:
        times = [step.at for step in case.steps if isinstance(step.does, i.Open | i.Reset)]
        return len(times) == 2 and times[1] - times[0] >= 10 and "producers" in case.header.limits

    found = small(needs)
    assert [type(step.does) for step in found.steps] == [i.Open, i.Reset]
    assert found.header.limits == {"producers": 2, "message_bytes": 9}


def test_bytes_and_bursts_become_short() -> None:
    def needs(case: Case) -> bool:
        said = [step.does for step in case.steps if isinstance(step.does, i.Receive)]
        bursts = [step.does for step in case.steps if isinstance(step.does, Burst)]
        return bool(said and bursts and b"1" in (said[0].message.event or b"") and bursts[0].messages)

    said, burst = (step.does for step in small(needs).steps)
    assert said == i.Receive(1, m.Publish("a", b"1"))
    assert burst == Burst(1, [m.Ping()])


def test_it_ends_in_time() -> None:
    player = Player(lambda case: True)
    assert make_smaller(Divergence(LARGE, {}), player, 0).case == LARGE
    assert player.played == 0
