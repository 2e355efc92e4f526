"""A bridge in memory for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from loom_testing.engine.limits import Limits
from loom_testing.inmemory import InMemoryBridge


@pytest.fixture
def bridge() -> Iterator[InMemoryBridge]:
    bridge = InMemoryBridge(Limits().with_overrides({"message_bytes": 100_000}))
    bridge.start()
    yield bridge
    bridge.stop()
