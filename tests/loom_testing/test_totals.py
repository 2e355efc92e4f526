"""Totals of activities."""

from __future__ import annotations

from loom_testing.activity import (
    AgentJoined,
    AgentLeft,
    AgentRefused,
    CallEnded,
    CallStarted,
    EventDelivered,
    EventPublished,
    Refused,
)
from loom_testing.totals import Totals


def ended(took_us: int, status: str = "OK", provider: str = "b") -> CallEnded:
    return CallEnded(
        at=1, call=1, caller="a", provider=provider, capability="c", status=status, took_us=took_us
    )


def test_everything_is_counted_once() -> None:
    totals = Totals()
    totals.add(
        [
            AgentJoined(at=1, agent="a"),
            AgentJoined(at=2, agent="b"),
            AgentLeft(at=3, agent="b", reason="said goodbye", orderly=True),
            AgentJoined(at=4, agent="b"),
            AgentRefused(at=5, agent="..", code="INVALID_AGENT_ID", message=""),
            EventPublished(at=6, sender="a", topic="t", event_type="t", event_id="1"),
            EventDelivered(at=6, sender="a", to="b", topic="t", event_type="t", event_id="1"),
            EventDelivered(at=6, sender="a", to="a", topic="t", event_type="t", event_id="1"),
            CallStarted(at=7, call=1, caller="a", capability="c"),
            ended(1000),
            ended(3000, status="TIMEOUT"),
            Refused(at=8, agent="a", code="INVALID_TOPIC", message=""),
        ]
    )
    assert totals.as_json() == {
        "agents": 2,
        "events": 1,
        "deliveries": 2,
        "calls": 2,
        "failed_calls": 1,
        "refusals": 2,
        "call_p50_us": 1000,
        "call_p99_us": 3000,
    }


def test_percentiles() -> None:
    totals = Totals()
    assert totals.percentile_us(50) is None
    totals.add(ended(number) for number in range(1, 101))
    assert [totals.percentile_us(percent) for percent in (0, 1, 50, 99, 100)] == [1, 1, 50, 99, 100]


def test_a_call_that_nobody_took_has_no_latency() -> None:
    totals = Totals()
    totals.add([ended(0, status="ERROR", provider="")])
    assert totals.percentile_us(50) is None
    assert totals.failed_calls == 1
