"""How a probe speaks with the bridge: an agent that records what it hears, and answers as it is told."""

from __future__ import annotations

import inspect
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from loom.capability import Capability
from loom.client import BridgeClient
from loom.errors import LoomError, NotConnected, PayloadError
from loom.event import Event
from loom.memory import LocalMemory
from loom.payload import decode_json, encode_payload
from loom.registration import Registration
from loom.session import is_final
from loom.worker import Worker
from loom_testing.harness.seen import Calls, SeenCall

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loom.context import Context
    from loom.endpoint import Endpoint
    from loom.registration import Subscription
    from loom.v1 import action_pb2, event_pb2
    from loom_testing.harness.record import Record

__all__ = ["Scripted", "ScriptedCapability"]


class ScriptedCapability(Capability[[], Any]):
    """A capability with a set answer, whatever the arguments.

    Args:
        name: its name.
        answer: what it answers: a value; an exception, which is raised; or a function, synchronous or not,
            that is called with the arguments by name, unchecked, and whose result is the answer.
        version: its version.
    """

    def __init__(self, name: str, answer: Any, *, version: str = "") -> None:
        super().__init__(_anything, name, version=version, description="scripted by a test")
        self._answer = answer

    async def run(self, payload: bytes, context: Context | None = None) -> bytes:
        """Answers as scripted."""
        if isinstance(self._answer, LoomError):
            raise self._answer
        try:
            return encode_payload(await self._value(payload))
        except LoomError:
            raise
        except Exception as error:
            raise self._failed(error) from error

    async def _value(self, payload: bytes) -> Any:
        answer = self._answer
        if isinstance(answer, Exception):
            raise answer
        if not callable(answer):
            return answer
        arguments = decode_json(payload) or {}
        result = answer(**arguments) if isinstance(arguments, dict) else answer(arguments)
        return await result if inspect.isawaitable(result) else result


class Scripted(Worker):
    """The running half of a probe.

    Args:
        endpoint: the bridge and the namespace.
        agent_id: its id.
        subscriptions: what it hears.
        capabilities: what it offers from the start.
        record: what it hears goes there.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        agent_id: str,
        subscriptions: Sequence[Subscription],
        capabilities: Sequence[Capability[..., Any]],
        record: Record,
    ) -> None:
        self.calls = Calls()
        self._record = record
        self._offered = {capability.name: capability for capability in capabilities}
        super().__init__(
            _registration(agent_id, subscriptions, self._offered),
            BridgeClient(endpoint),
            handlers=(),
            capabilities=self._offered,
            memory=LocalMemory(),
            max_parallel=1,
            counts=Counter(),
        )

    async def offer(self, capability: Capability[..., Any]) -> None:
        """Offers one more capability, or another answer under the same name.

        Raises:
            LoomError: the bridge is away, or refused it.
        """
        before = self._offered.get(capability.name)
        self._offered[capability.name] = capability
        if before is not None and before.version == capability.version:
            return
        offered = tuple(item.descriptor() for item in self._offered.values())
        self._registration = replace(self._registration, capabilities=offered)
        await self._client.replace(self._registration)

    async def leave(self) -> None:
        """Says goodbye, without finishing anything: its test is over."""
        self.replies.fail(NotConnected(f"{self.agent_id} was left before the reply came: await it inside"))
        await self._cancel_calls()
        await self._client.close("the test is over")

    def delivered(self, topic: str, event: event_pb2.Event) -> None:
        """An event: into the record, and to the request that waits for it."""
        received = Event.from_message(topic, event)
        if not (topic == self.replies_topic and self.replies.take(received)):
            self._record.add(received)

    def called(self, call: action_pb2.ActionCall) -> None:
        """A call: noted, and answered."""
        self.calls.append(SeenCall(call.capability, _arguments(call), call.headers.get("x-agent-id", "")))
        super().called(call)

    def lost(self, error: LoomError) -> None:
        """The connection is lost; the client comes back by itself unless that is final."""
        super().lost(error)
        if is_final(error):
            self._record.fail(error)


def _registration(
    agent_id: str, subscriptions: Sequence[Subscription], offered: dict[str, Capability[..., Any]]
) -> Registration:
    # No echo: what a probe said itself is nothing to expect.
    descriptors = tuple(capability.descriptor() for capability in offered.values())
    return Registration(agent_id, tuple(subscriptions), descriptors, echo=False)


def _arguments(call: action_pb2.ActionCall) -> Any:
    try:
        return decode_json(call.payload)
    except PayloadError:
        return call.payload


def _anything() -> Any:
    """Stands for a scripted answer."""
