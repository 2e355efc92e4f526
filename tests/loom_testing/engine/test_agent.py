"""How many calls an agent may be given (ACT-7)."""

from __future__ import annotations

from loom_testing.engine.agent import Agent, max_concurrency
from loom_testing.engine.messages import Capability


def test_the_number_is_read_from_the_descriptor() -> None:
    assert max_concurrency(Capability("c")) is None
    assert max_concurrency(Capability("c", metadata={"loom.max_concurrency": "12"})) == 12


def test_slots_are_per_capability() -> None:
    limited = Capability("c", metadata={"loom.max_concurrency": "2"})
    agent = Agent("a", capabilities={"c": limited, "d": Capability("d")}, running={"c": 1, "d": 1000})
    assert agent.has_slot("c")
    assert agent.has_slot("d")
    agent.running["c"] = 2
    assert not agent.has_slot("c")
