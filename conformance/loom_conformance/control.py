"""`Control`: the testing service of the bridge, for one check's own namespace (CTL)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio

from loom.testing.v1 import control_pb2
from loom.testing.v1.control_pb2_grpc import ControlStub
from loom_conformance.expect import Violation
from loom_conformance.stream import PATIENCE, End

if TYPE_CHECKING:
    from collections.abc import Mapping

    from loom_conformance.tape import Tape
    from loom_conformance.target import Target

__all__ = ["Control"]

MICROS = 1_000_000
WHO = "control"


class Control:
    """One connection to the testing service.

    Attributes:
        namespace: which namespace the methods are about.
        channel: the connection.
        stub: the generated stub, for what has no method here.
    """

    def __init__(self, target: Target, namespace: str, tape: Tape) -> None:
        self.namespace = namespace
        self.channel = target.channel()
        self.stub: Any = ControlStub(self.channel)
        self.metadata = tuple(target.metadata())
        self._tape = tape

    async def create(self, *, virtual: bool, liveness: bool = False, limits: Mapping[str, int]) -> None:
        """Makes the namespace."""
        await self.ask("CreateNamespace", virtual_clock=virtual, liveness=liveness, limits=dict(limits))

    async def advance(self, seconds: float) -> int:
        """Moves the clock; gives how many deadlines fired."""
        answer = await self.ask("Advance", by_us=round(seconds * MICROS))
        return int(answer.fired)

    async def snapshot(self) -> control_pb2.SnapshotResponse:
        """What the namespace holds now."""
        answer: control_pb2.SnapshotResponse = await self.ask("Snapshot")
        return answer

    async def agent(self, agent_id: str) -> control_pb2.AgentSnapshot | None:
        """What the namespace holds of one agent; None where it is not known."""
        return next((a for a in (await self.snapshot()).agents if a.agent_id == agent_id), None)

    async def counter(self, name: str) -> int:
        """How often something happened in the namespace."""
        return int((await self.snapshot()).counters[name])

    async def disconnect(self, agent_id: str) -> None:
        """Breaks an agent's stream without a word."""
        await self.ask("Disconnect", agent_id=agent_id)

    async def hold(self, agent_id: str) -> None:
        """Stops writing to an agent."""
        await self.ask("Hold", agent_id=agent_id)

    async def release(self, agent_id: str) -> None:
        """Writes to it again."""
        await self.ask("Release", agent_id=agent_id)

    async def reset(self) -> None:
        """Forgets the namespace."""
        await self.ask("Reset")

    async def ask(self, method: str, **fields: Any) -> Any:
        """Calls a method of the service, about this namespace unless the fields say otherwise.

        Raises:
            Violation: it failed.
        """
        answer = await self.outcome(method, **fields)
        if isinstance(answer, End):
            raise Violation(f"Control.{method}", "an answer", f"{answer.code.name} ({answer.details})")
        return answer

    async def outcome(self, method: str, **fields: Any) -> Any:
        """Calls a method of the service: its answer, or an `End` that says how it failed."""
        request = getattr(control_pb2, f"{method}Request")(**{"namespace": self.namespace, **fields})
        self._tape.sent(WHO, method, request)
        try:
            answer = await getattr(self.stub, method)(request, metadata=self.metadata, timeout=PATIENCE)
        except grpc.aio.AioRpcError as error:
            end = End(error.code(), error.details() or "")
            self._tape.received(WHO, method, f"end: {end.code.name} {end.details}".rstrip())
            return end
        self._tape.received(WHO, method, answer)
        return answer

    async def close(self) -> None:
        """Ends the connection."""
        await self.channel.close()
