"""Waiting for several: a barrier over agents, and a gathering of calls. Both say who is missing."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from loom.deadline import budget
from loom.errors import InvalidInput, LoomError
from loom.happenings import UNKNOWN
from loom.topics import agent_id_problem

if TYPE_CHECKING:
    from collections.abc import Awaitable, Hashable, Mapping, Sequence

    from loom.clock import Clock
    from loom.replies import Reply

__all__ = ["Barrier", "Collector", "Gathered", "gather"]

K = TypeVar("K", bound="Hashable")


@dataclass(frozen=True, slots=True)
class Barrier:
    """What came back from a barrier.

    Attributes:
        replies: agent id -> the value it replied with, in the order they came.
        errors: agent id -> the error it replied with.
        missing: the agents that were named and did not answer.
        missing_count: how many answers are missing, named or not; 0 also where nobody knows how many there
            should be.
    """

    replies: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, Exception] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    missing_count: int = 0

    @property
    def complete(self) -> bool:
        """Whether everyone answered, and none with an error."""
        return not self.missing_count and not self.errors


@dataclass(frozen=True, slots=True)
class Gathered(Generic[K]):
    """What came of several calls made together.

    Attributes:
        replies: name -> its result.
        errors: name -> what it raised.
        missing: the names of those that were given up when time ran out.
    """

    replies: dict[K, Any]
    errors: dict[K, Exception]
    missing: list[K]

    @property
    def complete(self) -> bool:
        """Whether all of them succeeded."""
        return not self.errors and not self.missing


async def gather(calls: Mapping[K, Awaitable[Any]], timeout: float | None, clock: Clock) -> Gathered[K]:
    """Awaits calls together; those that are not done in time are cancelled.

    Args:
        calls: name -> what to await.
        timeout: seconds for all of them; None for the default, 30 s. The inherited budget bounds it.
        clock: by which they are counted.
    """
    seconds = budget(timeout, "the gathering")
    tasks = {name: asyncio.ensure_future(call) for name, call in calls.items()}
    try:
        if tasks:
            await clock.wait(tasks.values(), seconds)
    finally:
        late = [task for task in tasks.values() if not task.done()]
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
    missing = [name for name, task in tasks.items() if task.cancelled() or task in late]
    done = {name: task for name, task in tasks.items() if name not in missing}
    errors = {name: error for name, task in done.items() if (error := task.exception()) is not None}
    for error in errors.values():
        if not isinstance(error, Exception):
            raise error
    return Gathered(
        replies={name: task.result() for name, task in done.items() if name not in errors},
        errors={name: error for name, error in errors.items() if isinstance(error, Exception)},
        missing=missing,
    )


class Collector:
    """Counts replies until a barrier is done.

    Args:
        of: the agents to wait for, or how many; None for as many as matched.
        into: a type to validate each reply into.

    Raises:
        InvalidInput: `of` is empty or below 1, or holds something that is no agent id.
    """

    def __init__(self, of: Sequence[str] | int | None, into: Any) -> None:
        if isinstance(of, str):
            of = [of]
        _check_of(of)
        self._names = None if of is None or isinstance(of, int) else tuple(dict.fromkeys(of))
        self._number = of if isinstance(of, int) else None
        self._into = into
        self._replies: dict[str, Any] = {}
        self._errors: dict[str, Exception] = {}
        self._others: set[str] = set()
        self.matched = UNKNOWN
        """How many received the question; `UNKNOWN` where the bridge does not tell."""

    @property
    def named(self) -> bool:
        """Whether it waits for agents by their ids; those can be missing where nobody hears the topic."""
        return self._names is not None

    @property
    def done(self) -> bool:
        """Whether everyone answered, or nobody is left who could."""
        if self.matched != UNKNOWN and self._answered >= self.matched:
            return True
        if self._names is not None:
            return not self._missing
        return self._number is not None and self._answered >= self._number

    def add(self, reply: Reply) -> None:
        """A reply came. An agent's first one counts."""
        agent = reply.agent_id or f"anonymous-{self._answered + 1}"
        if agent in self._replies or agent in self._errors:
            return
        if self._names is not None and agent not in self._names:
            self._others.add(agent)  # not waited for, but one less who could still answer
            return
        error = reply.error
        if error is None:
            try:
                self._replies[agent] = reply.value(self._into)
            except LoomError as problem:
                self._errors[agent] = problem
        else:
            self._errors[agent] = error

    def barrier(self) -> Barrier:
        """What came, and who is missing."""
        if self._names is not None:
            return Barrier(self._replies, self._errors, self._missing, len(self._missing))
        wanted = self._number if self._number is not None else self.matched
        return Barrier(self._replies, self._errors, [], max(0, wanted - self._answered))

    @property
    def _answered(self) -> int:
        return len(self._replies) + len(self._errors) + len(self._others)

    @property
    def _missing(self) -> list[str]:
        return [name for name in self._names or () if name not in self._replies and name not in self._errors]


def _check_of(of: Sequence[str] | int | None) -> None:
    if of is None:
        return
    if isinstance(of, int):
        if isinstance(of, bool) or of < 1:
            raise InvalidInput(f"a barrier of {of!r} waits for nobody: give a number from 1, or agent ids")
        return
    if not of:
        raise InvalidInput("a barrier of no agents waits for nobody: give their ids, or None for everybody")
    for name in of:
        problem = agent_id_problem(name) if isinstance(name, str) else "it is no text"
        if problem:
            raise InvalidInput(f"a barrier waits for {str(name)[:140]!r}, which is no agent id: {problem}")
