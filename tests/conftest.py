"""What all tests share: those that need a bridge are told apart, to be run once on each kind of bridge."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from hypothesis import Phase, settings

# How long one example takes says more about the machine than about the code.
settings.register_profile("loom", deadline=None)
settings.load_profile("loom")

# For thousands of runs of the engines' tests: few examples, the same each time, and none made smaller.
settings.register_profile(
    "mutants",
    deadline=None,
    derandomize=True,
    database=None,
    max_examples=20,
    phases=[Phase.explicit, Phase.generate],
)


BRIDGES = {"loom_bridge", "bridge_process", "bridge_kind"}
"""The fixtures that give a bridge of the kind that `--loom-bridge` chose."""


OVER_GRPC = {"program"}
"""The fixtures that speak to the bridge from a process of their own."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        names = set(getattr(item, "fixturenames", ()))
        if BRIDGES & names:
            item.add_marker("bridge")
        if OVER_GRPC & names:
            item.add_marker("over_grpc")


@pytest.fixture
def bridge_kind(pytestconfig: pytest.Config) -> str:
    """What `--loom-bridge` chose, for runs within a run."""
    return str(pytestconfig.getoption("--loom-bridge") or "fake")


@pytest.fixture(autouse=True)
def loggers_as_they_were() -> Iterator[None]:
    """A command that a test runs in this process may quieten a logger; the next test finds it as it was."""
    loggers = [logging.getLogger(name) for name in (None, "loom", "loom_testing")]
    levels = [logger.level for logger in loggers]
    yield
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)
