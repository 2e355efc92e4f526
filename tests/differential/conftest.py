"""What the tests of both bridges share."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from loom.errors import LoomError
from tests.differential.lanes import Open, open_lane
from tests.differential.processes import NoBridgeError
from tests.differential.rust import NoEngineError, RustEngine, find_binary

OPERATIONS = int(os.environ.get("LOOM_TEST_OPERATIONS", "3000"))
"""How many operations of each lane every run of the tests plays."""


@pytest.fixture(scope="session")
def rust() -> RustEngine:
    """The Rust engine; without it the test fails and says how to get it."""
    try:
        return RustEngine(find_binary())
    except NoEngineError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture(scope="module")
def engine_lane() -> Iterator[Open]:
    """The lane in memory."""
    with _open("engine") as opened:
        yield opened


@pytest.fixture(scope="module")
def grpc_lane() -> Iterator[Open]:
    """The lane over gRPC, with both bridges."""
    with _open("grpc") as opened:
        yield opened


@contextmanager
def _open(name: str) -> Iterator[Open]:
    """The lane; without a Rust bridge the test fails and says how to get it."""
    try:
        with open_lane(name) as opened:
            yield opened
    except (NoEngineError, NoBridgeError, LoomError) as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture
def fresh_seed() -> int:
    """A seed of this run's own, or the one that LOOM_TEST_SEED names."""
    named = os.environ.get("LOOM_TEST_SEED")
    return int(named) if named else random.SystemRandom().getrandbits(32)
