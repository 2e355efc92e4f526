"""What the agent under test does in a replay, as the bridge sees it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from loom_testing.transcript.entry import Entry, Kind, Way
from loom_testing.transcript.plain import Literal
from loom_testing.transcript.wire import crossings, method_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from loom_testing.transcript.recorder import Recorded

__all__ = ["Observed", "acts", "told"]

ACTS = frozenset({"publish", "action_result", "action_chunk", "subscribe", "unsubscribe"})
"""What an agent sends on its stream because of its own code."""
CALLS = frozenset({"ForwardAction", "ForwardActionStream", "Invoke", "ListCapabilities"})
HEARD = frozenset({"delivery", "action_call", "action_cancel", "response", "result", "chunk"})

_LITERAL = Literal()


def acts(entry: Entry) -> bool:
    """Whether the entry is the agent's own doing, rather than its SDK's."""
    if entry.kind is not Kind.MESSAGE or entry.way is not Way.SENT:
        return False
    return entry.name in ACTS or entry.rpc in CALLS


def told(entry: Entry) -> bool:
    """Whether the entry is something that the agent acts upon; that its stream is accepted is the first."""
    if entry.way is not Way.RECEIVED or entry.rpc == "RegisterAgent":
        return False
    is_accepted = entry.kind is Kind.HEADERS and entry.rpc == "EventStream"
    return is_accepted or (entry.kind is Kind.MESSAGE and entry.name in HEARD)


class Observed:
    """Everything of one agent, in order; each entry is given out once.

    Attributes:
        open: what was not given out yet.

    Args:
        agent_id: the agent.
    """

    def __init__(self, agent_id: str) -> None:
        self.open: list[Entry] = []
        self._agent_id = agent_id
        self._fences: set[int] = set()
        self._news = asyncio.Event()

    def see(self, item: Recorded) -> None:
        """Something crossed the bridge."""
        for crossing in crossings(item):
            body = None if crossing.message is None else _LITERAL.message(crossing.message)
            if item.who == self._agent_id:
                rpc = method_of(item.rpc)
                self.open.append(Entry(item.who, item.way, crossing.kind, crossing.name, rpc, 0, body))
        self._news.set()

    def heard(self, number: int) -> None:
        """A heartbeat of this number reached the bridge."""
        self._fences.add(number)
        self._news.set()

    async def first(self, fits: Callable[[Entry], bool], timeout: float) -> Entry | None:
        """Gives out the oldest entry that fits, as soon as there is one; None where none came in time."""
        try:
            async with asyncio.timeout(timeout):
                while True:
                    found = next((entry for entry in self.open if fits(entry)), None)
                    if found is not None:
                        self.open.remove(found)
                        return found
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            return None

    async def fence(self, number: int, timeout: float) -> bool:
        """Waits until the heartbeat of this number was heard of: all before it was seen as well.

        Returns:
            Whether it was, in time.
        """
        try:
            async with asyncio.timeout(timeout):
                while number not in self._fences:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            return False
        return True
