"""An agent as the engine knows it, from its registration until it is gone."""

from __future__ import annotations

from dataclasses import dataclass, field

from loom_testing.engine.messages import Capability
from loom_testing.engine.router import Route
from loom_testing.engine.states import SessionState

__all__ = ["Agent", "max_concurrency"]


@dataclass(slots=True, eq=False)
class Agent:
    """One registered agent."""

    agent_id: str
    registration: int = 0
    state: SessionState = SessionState.NEW
    features: frozenset[str] = frozenset()
    """What its newest registration agreed on; a stream keeps what held at its handshake."""
    echo: bool = True
    routes: list[Route] = field(default_factory=list)
    capabilities: dict[str, Capability] = field(default_factory=dict)
    stream: int | None = None
    """Its live stream."""
    last_dispatch: int = 0
    """When it was last given a call, counted in calls (ACT-6)."""
    served: dict[str, int] = field(default_factory=dict)
    """When it was last given an event of a queue group, counted in such events (PUB-8)."""
    open_calls: dict[int, None] = field(default_factory=dict)
    """The calls it works on, in order."""
    running: dict[str, int] = field(default_factory=dict)
    """How many calls of a capability it has not answered yet, ended ones included (ACT-7)."""
    unanswered: dict[str, str] = field(default_factory=dict)
    """Calls that ended before it answered: their id, and the capability whose place they still hold."""

    def forget_left_groups(self) -> None:
        """Forgets when it was served in queue groups that it is in no more, so that they do not pile up."""
        groups = {route.subscription.group for route in self.routes}
        self.served = {group: serial for group, serial in self.served.items() if group in groups}

    def has_slot(self, name: str) -> bool:
        """Whether it may be given one more call of this capability (ACT-7)."""
        most = max_concurrency(self.capabilities[name])
        return most is None or self.running.get(name, 0) < most


def max_concurrency(capability: Capability) -> int | None:
    """The capability's `loom.max_concurrency`, or None; it was checked at registration."""
    text = capability.metadata.get("loom.max_concurrency")
    return None if text is None else int(text)
