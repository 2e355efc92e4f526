"""Totals: activities in, a short summary out."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from loom_testing.activity import (
    AgentJoined,
    AgentRefused,
    CallEnded,
    EventDelivered,
    EventPublished,
    Refused,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from loom_testing.activity import Activity

__all__ = ["Totals"]

KEPT = 10_000
"""How many of the newest latencies the percentiles are taken from."""


@dataclass(slots=True)
class Totals:
    """What happened in all. Latencies are of calls that were answered, in microseconds."""

    agents: set[str] = field(default_factory=set)
    events: int = 0
    deliveries: int = 0
    calls: int = 0
    failed_calls: int = 0
    refusals: int = 0
    latencies_us: deque[int] = field(default_factory=lambda: deque(maxlen=KEPT))

    def add(self, activities: Iterable[Activity]) -> None:
        """Counts these too."""
        for activity in activities:
            self._add(activity)

    def percentile_us(self, percent: int) -> int | None:
        """The latency that this percentage of the calls did not exceed; None without calls."""
        if not self.latencies_us:
            return None
        ordered = sorted(self.latencies_us)
        return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]

    def as_json(self) -> dict[str, int | None]:
        """The totals as a JSON object."""
        return {
            "agents": len(self.agents),
            "events": self.events,
            "deliveries": self.deliveries,
            "calls": self.calls,
            "failed_calls": self.failed_calls,
            "refusals": self.refusals,
            "call_p50_us": self.percentile_us(50),
            "call_p99_us": self.percentile_us(99),
        }

    def _add(self, activity: Activity) -> None:
        match activity:
            case AgentJoined():
                self.agents.add(activity.agent)
            case EventPublished():
                self.events += 1
            case EventDelivered():
                self.deliveries += 1
            case CallEnded():
                self.calls += 1
                self.failed_calls += activity.status != "OK"
                if activity.provider and activity.took_us is not None:
                    self.latencies_us.append(activity.took_us)
            case Refused() | AgentRefused():
                self.refusals += 1
            case _:
                pass
