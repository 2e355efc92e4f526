"""`StandIn`: an agent that says again what another said when a transcript was recorded.

async with loom_bridge.scripted("order.jsonl", agent="prices") as prices:
    ...
assert prices.unheard == []
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Self

from loom.calls import error_result
from loom.client import BridgeClient
from loom.errors import CapabilityError, HandlerError, LoomError
from loom.event import Event
from loom.handler import Handler
from loom.memory import LocalMemory
from loom.registration import QoS, Registration, Subscription
from loom.session import is_final
from loom.v1 import event_pb2
from loom.work import resting
from loom.worker import Worker
from loom_testing.harness.entered import Entered
from loom_testing.harness.errors import ExpectationError, speaks_for_itself
from loom_testing.harness.running import check_loop
from loom_testing.transcript.cassette import Cassette, Heard

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from loom.context import Context
    from loom.endpoint import Endpoint
    from loom.v1 import action_pb2, agent_pb2
    from loom_testing.harness.host import Host
    from loom_testing.transcript.role import Role

__all__ = ["StandIn"]

__tracebackhide__ = speaks_for_itself

CONNECT_S = 10.0
MOST_AT_ONCE = 64


class StandIn(Entered):
    """Stands in for an agent inside its `async with`. `loom_bridge.scripted` makes one.

    It registers as the agent did. To what it hears it says what the agent said to the same: results of calls,
    and events. Ids, correlations and threads are those of now. It takes the time that the agent took where
    that was a virtual clock's. What the agent called itself it does not call.

    Args:
        endpoint: the bridge and the namespace.
        host: the bridge, to be told of its death.
        role: the agent's part of the transcript.
        ignore: names in payloads whose values may be others than when it was recorded.
    """

    def __init__(self, endpoint: Endpoint, host: Host, role: Role, *, ignore: Sequence[str] = ()) -> None:
        self._endpoint = endpoint
        self._host = host
        self._cassette = Cassette(role, frozenset(ignore))
        self._worker: _Standing | None = None
        self._awaits_entering(f"loom_bridge.scripted(..., agent={self.agent_id!r})")

    def __repr__(self) -> str:
        return f"StandIn({self.agent_id!r})"

    @property
    def agent_id(self) -> str:
        """The agent's id."""
        return self._cassette.agent_id

    @property
    def unheard(self) -> list[str]:
        """What the agent had heard when it was recorded and this one has not heard yet, a line for each."""
        return self._cassette.unheard()

    async def __aenter__(self) -> Self:
        self.note_entered()
        check_loop("loom_bridge.scripted")
        worker = _Standing(self._endpoint, self._cassette)
        with self._host.guarded():
            await worker.start(CONNECT_S)
        self._worker = worker
        await worker.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leaves. What it was asked and the agent was not stands beside an error of the block's own.

        Raises:
            ExpectationError: it was asked what the agent was not asked; the text shows the nearest.
        """
        worker, self._worker = self._worker, None
        if worker is None:
            return
        await worker.stop(0)
        if not worker.problems:
            return
        told = "\n".join(worker.problems)
        if error is None:
            raise ExpectationError(told)
        error.add_note(told)


class _Standing(Worker):
    """The running half: it answers from the cassette."""

    def __init__(self, endpoint: Endpoint, cassette: Cassette) -> None:
        self.problems: list[str] = []
        self._cassette = cassette
        request = cassette.registration
        super().__init__(
            Registration(
                request.agent_id,
                [*map(Subscription, request.subscribed_topics), *map(_subscription, request.subscriptions)],
                list(request.capabilities),
                dict(request.metadata),
                echo=request.echo if request.HasField("echo") else True,
            ),
            BridgeClient(endpoint),
            handlers=[Handler(self._hear, None, Event, ("ctx", "payload"), is_async=True)],
            capabilities={},
            memory=LocalMemory(),
            max_parallel=MOST_AT_ONCE,
            counts=Counter(),
        )

    async def open(self) -> None:
        """Says what the agent said before it had heard anything."""
        await self._say(self._cassette.opening())

    def lost(self, error: LoomError) -> None:
        """The connection is lost; the client comes back by itself unless that is final."""
        super().lost(error)
        if is_final(error):
            self.problems.append(f"{self.agent_id} was sent away: {error}")

    async def _hear(self, ctx: Context, event: Event) -> None:
        heard = self._cassette.event(_delivery(event))
        if heard is not None:
            await self._say(self._checked(heard, HandlerError))

    async def _serve(self, call: action_pb2.ActionCall) -> None:
        try:
            heard = self._checked(self._cassette.call(call), CapabilityError)
        except CapabilityError as error:
            self._client.answer(error_result(call.id, error))
            return
        await self._say(heard)
        if not heard.is_answered:
            with resting():  # the agent never answered: whoever called gives up some time
                await asyncio.Event().wait()

    def _checked(self, heard: Heard, error: type[LoomError]) -> Heard:
        if heard.problem:
            self.problems.append(heard.problem)
            raise error(heard.problem.partition("\n")[0])
        return heard

    async def _say(self, heard: Heard) -> None:
        """Says all of it, each at its time."""
        passed = 0.0
        for said in heard.says:
            if said.after > passed:
                await self.clock.sleep(said.after - passed)
                passed = said.after
            if said.result is not None:
                self._client.answer(said.result)
            elif said.publish is not None:
                await self.publish(said.publish.topic, said.publish.event, confirm=True)


def _subscription(message: agent_pb2.Subscription) -> Subscription:
    qos = QoS(message.qos) if message.HasField("qos") else None
    return Subscription(message.topic, tuple(message.event_types), message.group, qos, message.observer)


def _delivery(event: Event) -> event_pb2.Delivery:
    """The event as it is compared and learnt from."""
    made = event_pb2.Event(
        id=event.id, type=event.type, source=event.source, payload=event.payload, metadata=event.metadata
    )
    return event_pb2.Delivery(topic=event.topic, event=made)
