"""Ending the agents that a test left running, so that a later test may run the same `Agent`."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from typing import TYPE_CHECKING, Any

from loom.agent import Agent

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["end_agents"]

STOP_S = 2.0


def end_agents(namespace: str) -> None:
    """Stops the agents of this process that run in a namespace, and forgets those whose loop is closed.

    To be asked where no event loop runs. It looks through all that there is in memory: whoever started them,
    and however, they are found. So it is for tests that went wrong.
    """
    for agent in _running_in(namespace):
        loop = _worker(agent).loop
        if not loop.is_closed() and not loop.is_running():
            with contextlib.suppress(Exception):
                loop.run_until_complete(asyncio.wait_for(agent.stop(0), STOP_S))
        if agent.is_running:
            _forget(agent)


def _running_in(namespace: str) -> Iterator[Agent]:
    # By its type: an object may say of itself whatever it likes when it is asked with isinstance.
    agents = [found for found in gc.get_objects() if issubclass(type(found), Agent)]
    for agent in agents:
        worker = _worker(agent)
        if worker is not None and worker._client.endpoint.namespace == namespace:  # noqa: SLF001 - ours
            yield agent


def _worker(agent: Agent) -> Any:
    return getattr(agent, "_worker", None)  # one that could not be made has none


def _forget(agent: Agent) -> None:
    """What it remembers in is closed; all else went with its loop."""
    loop = asyncio.new_event_loop()
    try:
        with contextlib.suppress(Exception):
            loop.run_until_complete(agent._forget())  # noqa: SLF001 - ours
    finally:
        loop.close()
