"""Clients made of nothing but generated code: what a stranger who read the .proto files would write."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any, Self

import grpc
import grpc.aio

from loom import inmemory
from loom.testing.v1.control_pb2_grpc import ControlStub
from loom.v1 import action_pb2, agent_pb2, event_pb2, stream_pb2
from loom.v1.bridge_pb2_grpc import ActionBrokerStub, BridgeStub

MALFORMED = (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN)
"""What gRPC stacks call bytes that are no message (LIM-2)."""

PATIENCE = 10.0
"""How long a test waits for what must come, seconds."""


async def until(condition: Callable[[], bool]) -> None:
    """Waits until the condition holds."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - the condition is the bridge's, which has no event for it
            await asyncio.sleep(0.002)


class Peer:
    """One connection of its own to a bridge, speaking in one namespace."""

    def __init__(self, address: str, namespace: str | None = None, **options: int) -> None:
        settings = [("grpc.use_local_subchannel_pool", 1), *((f"grpc.{k}", v) for k, v in options.items())]
        if address.startswith(inmemory.SCHEME):
            self.channel = inmemory.found(address).channel()
        else:
            self.channel = grpc.aio.insecure_channel(address, options=settings)
        self.namespace = namespace or "default"
        self.metadata = (("loom-namespace", namespace),) if namespace is not None else ()
        self.bridge: Any = BridgeStub(self.channel)
        self.broker: Any = ActionBrokerStub(self.channel)
        self.control: Any = ControlStub(self.channel)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.channel.close()

    async def register(self, agent_id: str, *topics: str, **fields: Any) -> agent_pb2.AgentRegisterResponse:
        """Registers an agent; `capabilities` may be names."""
        fields["capabilities"] = [
            action_pb2.CapabilityDescriptor(name=item) if isinstance(item, str) else item
            for item in fields.get("capabilities", ())
        ]
        request = agent_pb2.AgentRegisterRequest(agent_id=agent_id, subscribed_topics=topics, **fields)
        return await self.bridge.RegisterAgent(request, metadata=self.metadata, timeout=PATIENCE)

    async def open(self, agent_id: str, **ack: Any) -> Stream:
        """Opens a registered agent's stream and waits until it is accepted."""
        stream = self.open_raw()
        await stream.send(ack=stream_pb2.Ack(message_id=agent_id, **ack))
        async with asyncio.timeout(PATIENCE):
            await stream.call.initial_metadata()
        return stream

    def open_raw(self) -> Stream:
        """Opens a stream without a handshake."""
        return Stream(self.bridge.EventStream(metadata=self.metadata))

    async def join(self, agent_id: str, *topics: str, **fields: Any) -> Stream:
        """Registers an agent and opens its stream."""
        response = await self.register(agent_id, *topics, **fields)
        assert response.success, response.error_message
        return await self.open(agent_id)

    def invoke(self, capability: str, **fields: Any) -> Any:
        """Calls a capability; the result can be awaited or cancelled."""
        return self.bridge.ForwardAction(
            action_pb2.ActionCall(capability=capability, **fields), metadata=self.metadata, timeout=PATIENCE
        )

    def raw(self, method: str, data: bytes) -> Any:
        """Calls a unary method with bytes as they are."""
        call: Any = self.channel.unary_unary(method)
        return call(data, metadata=self.metadata, timeout=PATIENCE)


class Stream:
    """One EventStream call."""

    def __init__(self, call: Any) -> None:
        self.call = call

    async def send(self, **event: Any) -> None:
        """Sends one ClientEvent."""
        async with asyncio.timeout(PATIENCE):
            await self.call.write(stream_pb2.ClientEvent(**event))

    async def publish(self, topic: str, payload: bytes = b"", **fields: Any) -> None:
        """Publishes an event."""
        event = event_pb2.Event(id="e", payload=payload)
        await self.send(publish=event_pb2.Publish(topic=topic, event=event, **fields))

    async def read(self) -> stream_pb2.ServerEvent:
        """The next ServerEvent; fails when the stream ended."""
        async with asyncio.timeout(PATIENCE):
            event = await self.call.read()
        assert event is not grpc.aio.EOF, f"the stream ended: {await self.call.code()}"
        return event

    async def delivery(self) -> event_pb2.Delivery:
        """The next ServerEvent, a delivery."""
        event = await self.read()
        assert event.WhichOneof("msg") == "delivery", event
        return event.delivery

    async def ping(self) -> None:
        """Waits for the pong; then everything sent before was handled (HB-2)."""
        await self.send(ping=stream_pb2.HeartbeatRequest(timestamp_ms=7))
        assert (await self.read()).pong == stream_pb2.HeartbeatResponse(timestamp_ms=7, status="ok")

    async def end(self) -> tuple[grpc.StatusCode, str, list[stream_pb2.ServerEvent]]:
        """Reads on until the bridge ends the stream: its status, the details, what came before."""
        events = []
        async with asyncio.timeout(PATIENCE):
            with contextlib.suppress(grpc.aio.AioRpcError):
                while (event := await self.call.read()) is not grpc.aio.EOF:
                    events.append(event)
            return await self.call.code(), await self.call.details(), events


@contextlib.asynccontextmanager
async def refused(*statuses: grpc.StatusCode) -> AsyncIterator[list[str]]:
    """The call within must fail with one of these; its details come out as the one item of the list."""
    details: list[str] = []
    try:
        yield details
    except grpc.aio.AioRpcError as error:
        assert error.code() in statuses, f"{error.code()}: {error.details()}"  # noqa: PT017 - more than `raises` says
        details.append(error.details() or "")
    else:
        raise AssertionError(f"the call was not refused with {statuses}")
