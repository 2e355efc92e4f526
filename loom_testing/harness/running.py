"""Agents under test: started in order, stopped in reverse, whatever happens in between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from loom.agent import Agent
from loom_testing.harness.entered import Entered
from loom_testing.harness.errors import HarnessError, WrongPlaceError, speaks_for_itself
from loom_testing.harness.given import check_seconds
from loom_testing.harness.tasks import note_loop
from loom_testing.harness.warm import loop_used

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from loom.endpoint import Endpoint
    from loom_testing.harness.host import Host

__all__ = ["DEFAULT_GRACE_S", "Running", "check_agents", "check_loop"]

__tracebackhide__ = speaks_for_itself

T = TypeVar("T", covariant=True)

DEFAULT_GRACE_S = 1.0


class Running(Entered, Generic[T]):
    """Agents that run inside its `async with`, or its `with` in a plain test.

    Args:
        agents: what to start.
        value: what the `with` gives: the agent, or all of them.
        endpoint: the bridge and the namespace.
        host: the bridge.
        grace: as `Agent.stop`, seconds.
    """

    def __init__(
        self, agents: tuple[Agent, ...], value: T, endpoint: Endpoint, host: Host, grace: float
    ) -> None:
        check_seconds(grace, "grace")
        self._agents = agents
        self._value = value
        self._endpoint = endpoint
        self._host = host
        self._grace = grace
        self._started: list[Agent] = []
        self._awaits_entering(f"loom_bridge.run({', '.join(agent.id for agent in agents)})")

    async def __aenter__(self) -> T:
        self.note_entered()
        check_loop("loom_bridge.run")
        try:
            with self._host.guarded():
                for agent in self._agents:
                    await agent.start(self._endpoint)
                    self._started.append(agent)
        except BaseException:
            await self._stop()
            raise
        return self._value

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop()

    async def _stop(self) -> None:
        """Stops all of them; the first that cannot be stopped says why."""
        problems = []
        while self._started:
            agent = self._started.pop()
            try:
                await agent.stop(self._grace)
            except Exception as problem:
                problems.append(problem)
        if problems:
            raise problems[0]


def check_agents(agents: Sequence[object]) -> None:
    """Refuses what cannot run together.

    Raises:
        HarnessError: something is no agent, or two have one id.
    """
    ids: set[str] = set()
    for agent in agents:
        if not isinstance(agent, Agent):
            what = f"the class {agent.__name__}" if isinstance(agent, type) else repr(agent)
            raise HarnessError(f"run() was given {what[:80]}, which is no Agent: loom_bridge.run(agent)")
        if agent.id in ids:
            raise HarnessError(
                f"run() was given two agents with the id {agent.id!r}, of which the second would take over "
                "from the first: give each an id of its own"
            )
        ids.add(agent.id)


def check_loop(name: str) -> None:
    """Refuses what needs an event loop of asyncio where none runs, and notes the one that does.

    Raises:
        WrongPlaceError: the test is a plain one, or runs on trio.
    """
    try:
        note_loop()
        loop_used()
    except RuntimeError:
        raise WrongPlaceError(
            f"{name} needs asyncio's event loop, and none runs here: in a plain test use loom_bridge.sync; "
            "with anyio choose its asyncio backend"
        ) from None
