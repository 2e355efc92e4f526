"""Waiting until agents are there: after a restart, or when they run in processes of their own."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from loom_testing.harness.errors import HarnessError, speaks_for_itself

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loom_testing.harness.namespace import Namespace

__all__ = ["JOIN_S", "wait_joined"]

__tracebackhide__ = speaks_for_itself

JOIN_S = 5.0
PAUSE_S = 0.005
STREAMING = "STREAMING"


def wait_joined(space: Namespace, agents: Sequence[str], timeout: float) -> None:
    """Waits until all of the agents are connected; for a thread that may wait.

    Args:
        space: the namespace.
        agents: their ids.
        timeout: seconds of real time.

    Raises:
        HarnessError: some are not, in that time, and which; or none was named.
        NoControlError: the bridge was not started for testing.
    """
    if not agents:
        raise HarnessError("joined() was given no agent: name those to wait for, by their ids")
    for name in agents:
        if not isinstance(name, str):
            raise HarnessError(f"joined({name!r}): name agents by their ids, as in joined(agent.id)")
    end = time.monotonic() + timeout
    while missing := _missing(space, agents):
        if time.monotonic() >= end:
            raise HarnessError(f"not connected within {timeout:g} s: {', '.join(missing)}{_hint(space)}")
        time.sleep(PAUSE_S)


def _missing(space: Namespace, agents: Sequence[str]) -> list[str]:
    there = space.snapshot().agents
    return [name for name in agents if name not in there or there[name].state != STREAMING]


def _hint(space: Namespace) -> str:
    return "; on a test's clock agents that come back wait for it: advance it first" if space.virtual else ""
