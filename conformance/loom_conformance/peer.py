"""`Peer`: one connection to the bridge, speaking in one namespace with nothing but generated code."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio

from loom.v1 import action_pb2, agent_pb2, stream_pb2
from loom.v1.bridge_pb2_grpc import ActionBrokerStub, BridgeStub
from loom_conformance.expect import Violation
from loom_conformance.stream import PATIENCE, End, Stream

if TYPE_CHECKING:
    from collections.abc import Sequence

    from google.protobuf.message import Message

    from loom_conformance.tape import Tape
    from loom_conformance.target import Target

__all__ = ["Invocation", "Peer"]

BRIDGE = "/loom.v1.Bridge/"
BROKER = "/loom.v1.ActionBroker/"


class Peer:
    """One connection of its own.

    Attributes:
        who: the check's name for this side.
        channel: the connection.
        bridge: the generated stub of `loom.v1.Bridge`, for what has no method here.
        broker: the generated stub of `loom.v1.ActionBroker`.
        metadata: what goes along with every call: the namespace, the token.
    """

    def __init__(
        self, target: Target, who: str, tape: Tape, metadata: Sequence[tuple[str, str]], **options: int
    ) -> None:
        self.who = who
        self.channel = target.channel(**options)
        self.bridge: Any = BridgeStub(self.channel)
        self.broker: Any = ActionBrokerStub(self.channel)
        self.metadata = tuple(metadata)
        self._tape = tape
        self._streams: list[Stream] = []
        self._invocations: list[Invocation] = []

    async def register(self, agent_id: str, *topics: str, **fields: Any) -> agent_pb2.AgentRegisterResponse:
        """Registers an agent. Fields are those of the request; capabilities may be names."""
        fields["capabilities"] = [
            action_pb2.CapabilityDescriptor(name=item) if isinstance(item, str) else item
            for item in fields.get("capabilities", ())
        ]
        request = agent_pb2.AgentRegisterRequest(agent_id=agent_id, subscribed_topics=topics, **fields)
        response: agent_pb2.AgentRegisterResponse = await self.unary(
            f"{BRIDGE}RegisterAgent", request, agent_pb2.AgentRegisterResponse
        )
        return response

    def open(self) -> Stream:
        """Opens a stream, without a handshake."""
        call: Any = self.channel.stream_stream(f"{BRIDGE}EventStream")
        stream = Stream(call(metadata=self.metadata), self.who, self._tape)
        self._streams.append(stream)
        return stream

    async def stream(self, agent_id: str, **ack: Any) -> Stream:
        """Opens a registered agent's stream, and waits until the handshake is accepted."""
        stream = self.open()
        await stream.hello(agent_id, **ack)
        await stream.accepted()
        return stream

    async def join(self, agent_id: str, *topics: str, features: Sequence[str] = (), **fields: Any) -> Stream:
        """Registers an agent and opens its stream; reads the Welcome where `session` was agreed.

        Raises:
            Violation: the bridge refuses it.
        """
        response = await self.register(agent_id, *topics, features=features, **fields)
        if not response.success:
            raise Violation(f"the registration of {agent_id}", "success", response.error_message)
        stream = await self.stream(agent_id)
        stream.registration = response
        if "session" in response.features:
            first = await stream.read()
            if first.WhichOneof("msg") != "welcome":
                raise Violation(f"the first message to {agent_id}", "a Welcome", str(first))
            stream.welcome = first.welcome
        return stream

    def invoke(
        self, capability: str, payload: bytes = b"", *, broker: bool = False, **fields: Any
    ) -> Invocation:
        """Begins a call of a capability (`broker`: through ActionBroker.Invoke)."""
        method = f"{BROKER}Invoke" if broker else f"{BRIDGE}ForwardAction"
        call = action_pb2.ActionCall(capability=capability, payload=payload, **fields)
        self._tape.sent(self.who, method.rpartition("/")[2], call)
        sent: Any = self.channel.unary_unary(method)
        invocation = Invocation(
            sent(call.SerializeToString(), metadata=self.metadata), method, self.who, self._tape
        )
        self._invocations.append(invocation)
        return invocation

    async def call(self, capability: str, payload: bytes = b"", **fields: Any) -> action_pb2.ActionResult:
        """Calls a capability, and waits for the result."""
        return await self.invoke(capability, payload, **fields).result()

    async def capabilities(self) -> list[action_pb2.CapabilityDescriptor]:
        """What is callable now."""
        response: action_pb2.ListCapabilitiesResponse = await self.unary(
            f"{BROKER}ListCapabilities",
            action_pb2.ListCapabilitiesRequest(),
            action_pb2.ListCapabilitiesResponse,
        )
        return list(response.capabilities)

    async def heartbeat(self, timestamp_ms: int) -> stream_pb2.HeartbeatResponse:
        """The unary heartbeat."""
        response: stream_pb2.HeartbeatResponse = await self.unary(
            f"{BRIDGE}Heartbeat",
            stream_pb2.HeartbeatRequest(timestamp_ms=timestamp_ms),
            stream_pb2.HeartbeatResponse,
        )
        return response

    async def unary(self, method: str, request: Message, kind: Any) -> Any:
        """Calls a unary method that must succeed.

        Raises:
            Violation: it failed.
        """
        answer = await self.raw(method, request.SerializeToString(), request)
        if isinstance(answer, End):
            raise Violation(f"{method} by {self.who}", "an answer", f"{answer.code.name} ({answer.details})")
        response = kind.FromString(answer)
        self._tape.received(self.who, method.rpartition("/")[2], response)
        return response

    async def raw(self, method: str, data: bytes, shown: Message | str = "") -> bytes | End:
        """Calls a unary method (`/package.Service/Method`): the bytes of its answer, or how it failed."""
        name = method.rpartition("/")[2]
        self._tape.sent(self.who, name, shown or f"{len(data)} bytes")
        call: Any = self.channel.unary_unary(method)
        try:
            answer: bytes = await call(data, metadata=self.metadata, timeout=PATIENCE)
        except grpc.aio.AioRpcError as error:
            end = End(error.code(), error.details() or "")
            self._tape.received(self.who, name, f"end: {end.code.name} {end.details}".rstrip())
            return end
        return answer

    async def close(self) -> None:
        """Ends the connection and all that is open on it."""
        for invocation in self._invocations:
            await invocation.close()
        for stream in self._streams:
            await stream.close()
        await self.channel.close()


class Invocation:
    """A call of a capability on its way."""

    def __init__(self, call: Any, method: str, who: str, tape: Tape) -> None:
        self._call = call
        self._rpc = method.rpartition("/")[2]
        self._who = who
        self._tape = tape
        self._task = asyncio.create_task(self._run())

    @property
    def done(self) -> bool:
        """Whether it has ended."""
        return self._task.done()

    async def result(self) -> action_pb2.ActionResult:
        """The result.

        Raises:
            Violation: the call failed with a gRPC status, or nothing came in time.
        """
        got = await self.outcome()
        if isinstance(got, End):
            raise Violation(f"{self._rpc} by {self._who}", "a result", f"{got.code.name} ({got.details})")
        return got

    async def outcome(self) -> action_pb2.ActionResult | End:
        """The result, or how the call failed.

        Raises:
            Violation: nothing came in time.
        """
        done, _ = await asyncio.wait([self._task], timeout=PATIENCE)
        if not done:
            raise Violation(f"{self._rpc} by {self._who}", "a result", f"nothing within {PATIENCE:g} s")
        return self._task.result()

    def cancel(self) -> None:
        """The caller gives up."""
        self._tape.sent(self._who, self._rpc, "cancel")
        self._call.cancel()

    async def close(self) -> None:
        """Gives it up, whatever became of it."""
        self._call.cancel()
        await asyncio.wait([self._task])

    async def _run(self) -> action_pb2.ActionResult | End:
        try:
            data = await self._call
        except (grpc.aio.AioRpcError, asyncio.CancelledError):
            end = End(await self._call.code(), await self._call.details() or "")
            self._tape.received(self._who, self._rpc, f"end: {end.code.name} {end.details}".rstrip())
            return end
        result = action_pb2.ActionResult.FromString(data)
        self._tape.received(self._who, self._rpc, result)
        return result
