"""Limits and their overrides."""

from __future__ import annotations

import pytest

from loom.v1.agent_pb2 import Limits as WireLimits
from loom_testing.engine.limits import Limits, micros


def test_every_limit_told_on_the_wire_is_one_of_ours() -> None:
    assert {field.name for field in WireLimits.DESCRIPTOR.fields} <= set(Limits.__slots__)


def test_overrides() -> None:
    assert Limits().with_overrides({"queue_events": 5}).queue_events == 5
    with pytest.raises(ValueError, match="unknown limit") as refused:
        Limits().with_overrides({"nope": 1})
    assert str(refused.value) == f"unknown limit 'nope'; known are {', '.join(sorted(Limits.__slots__))}"
    with pytest.raises(ValueError, match="limit queue_events is 0; it must be at least 1"):
        Limits().with_overrides({"queue_events": 0})


def test_engine_time_is_microseconds() -> None:
    assert micros(30_000) == 30_000_000
