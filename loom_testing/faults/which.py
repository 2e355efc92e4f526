"""`Which`: what messages a fault is about."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from loom.topics import agent_id_problem, matches, pattern_problem, topic_problem
from loom_testing.faults.errors import FaultError
from loom_testing.faults.message import CALLS, EVENTS, KINDS, Direction, WireMessage, kinds_of
from loom_testing.transcript.wire import METHODS

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Which"]

ANSWERS = frozenset({"answer", "action_result"})
"""Kinds that answer the call of a capability."""


@dataclass(frozen=True, slots=True)
class Which:
    """What messages a fault is about: all that fit everything that is given.

    A topic or a type alone means events on their way to the bridge; a capability alone means calls on their
    way to it. With `direction="to_agent"` they mean deliveries, and calls on their way to the provider.

    Attributes:
        agent: whose connection, by agent id; empty for all.
        direction: `to_bridge` or `to_agent`; empty for both.
        kind: one of `KINDS`.
        topic: a pattern that the event's topic fits; `*` and `>` as in subscriptions.
        type: the event's type.
        capability: the capability that is called, or answered.
        rpc: the gRPC method, such as `EventStream`.
        nth: the number of the one that is meant, among those that fit, from 1; 0 for all.
        where: a function of the `WireMessage`; what it answers true for.

    Raises:
        FaultError: nothing can fit that.
    """

    agent: str = ""
    direction: str = ""
    kind: str = ""
    topic: str = ""
    type: str = ""
    capability: str = ""
    rpc: str = ""
    nth: int = 0
    where: Callable[[WireMessage], object] | None = None

    def __post_init__(self) -> None:
        for item in fields(self):
            if item.type == "str" and not isinstance(getattr(self, item.name), str):
                raise FaultError(f"{item.name}={getattr(self, item.name)!r}: give a text")
        self._check_words()
        self._check_sense()
        self._settle()
        self._check_rpc()

    @property
    def names_messages(self) -> bool:
        """Whether it is about some messages of a connection, and not about the connection itself."""
        return any((self.direction, self.kind, self.topic, self.type, self.capability, self.rpc)) or bool(
            self.nth or self.where
        )

    def fits(self, message: WireMessage) -> bool:
        """Whether a message is meant, whatever its number."""
        return (
            (not self.agent or message.agent == self.agent)
            and (not self.direction or message.direction == self.direction)
            and (not self.rpc or message.rpc == self.rpc)
            and (not self.kind or message.kind == self.kind)
            and (not self.topic or (bool(message.topic) and matches(self.topic, message.topic)))
            and (not self.type or message.type == self.type)
            and (not self.capability or message.capability == self.capability)
            and (self.where is None or bool(self.where(message)))
        )

    def __str__(self) -> str:
        """As it was written."""
        given: list[str] = []
        for item in fields(self):
            value: Any = getattr(self, item.name)
            if item.name == "where" and value is not None:
                given.append(f"where={getattr(value, '__name__', 'function')}")
            elif value:
                given.append(f"{item.name}={value!r}")
        return ", ".join(given)

    def _check_words(self) -> None:
        if self.direction and self.direction not in tuple(Direction):
            raise FaultError(f"direction={self.direction!r}: write {' or '.join(Direction)}")
        if self.kind and self.kind not in KINDS:
            raise FaultError(f"kind={self.kind!r}: there is {', '.join(KINDS)}")
        if self.rpc and self.rpc not in METHODS:
            raise FaultError(f"rpc={self.rpc!r}: there is {', '.join(METHODS)}")
        if self.topic and (problem := pattern_problem(self.topic)):
            raise FaultError(f"topic={self.topic!r}: {problem}")
        if self.capability and (problem := topic_problem(self.capability)):
            raise FaultError(f"capability={self.capability!r}: {problem}")
        if self.agent and (problem := agent_id_problem(self.agent)):
            raise FaultError(f"agent={self.agent!r}: {problem}")
        if not isinstance(self.nth, int) or isinstance(self.nth, bool) or self.nth < 0:
            raise FaultError(f"nth={self.nth!r}: give a number from 1 on, or leave it out")
        if self.where is not None and not callable(self.where):
            raise FaultError(f"where={self.where!r}: give a function of the message")

    def _check_sense(self) -> None:
        """Refuses what nothing can fit."""
        way = KINDS.get(self.kind)
        if way is not None and self.direction and self.direction != way:
            raise FaultError(f"kind={self.kind!r} goes {way}, never {self.direction}: leave out direction")
        if (self.topic or self.type) and self.capability:
            raise FaultError("topic and type are of events, capability of calls: nothing has both")
        if (self.topic or self.type) and self.kind and self.kind not in EVENTS:
            name = "topic" if self.topic else "type"
            raise FaultError(f"{name} is of events, and kind={self.kind!r} is none: leave one out")
        if self.capability and self.kind and self.kind not in CALLS | ANSWERS:
            raise FaultError(f"capability is of calls, and kind={self.kind!r} is none: leave one out")

    def _check_rpc(self) -> None:
        """Refuses a method that never carries what is meant."""
        if not self.rpc:
            return
        carried = kinds_of(self.rpc, self.direction)
        meant = {self.kind} if self.kind else carried
        if self.topic or self.type:
            meant &= EVENTS
        if self.capability:
            meant &= CALLS | ANSWERS
        if not meant & carried:
            way = f" {self.direction}" if self.direction else ""
            raise FaultError(
                f"rpc={self.rpc!r} carries{way} only {', '.join(sorted(carried))}: nothing fits {self}; "
                "leave rpc out, or what does not go with it"
            )

    def _settle(self) -> None:
        """What is meant where only half of it was said."""
        if self.kind or self.where is not None:
            return
        if self.topic or self.type:
            self._set(kind="delivery" if self.direction == Direction.TO_AGENT else "publish")
        elif self.capability:
            self._set(kind="action_call" if self.direction == Direction.TO_AGENT else "call")

    def _set(self, *, kind: str) -> None:
        object.__setattr__(self, "kind", kind)  # frozen for others; this is still its making
