"""What all tests share: those that need a bridge are told apart, to be run once on each kind of bridge."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from hypothesis import settings

# How long one example takes says more about the machine than about the code.
settings.register_profile("loom", deadline=None)
settings.load_profile("loom")


BRIDGES = {"loom_bridge", "bridge_process", "bridge_kind"}
"""The fixtures that give a bridge of the kind that `--loom-bridge` chose."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if BRIDGES & set(getattr(item, "fixturenames", ())):
            item.add_marker("bridge")


@pytest.fixture(autouse=True)
def loggers_as_they_were() -> Iterator[None]:
    """A command that a test runs in this process may quieten a logger; the next test finds it as it was."""
    loggers = [logging.getLogger(name) for name in (None, "loom", "loom_testing")]
    levels = [logger.level for logger in loggers]
    yield
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)
