"""What a bridge says, and shows, that it can do: a bridge is judged by that."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio

from loom.testing.v1 import control_pb2
from loom.testing.v1.control_pb2_grpc import ControlStub
from loom.v1 import agent_pb2, stream_pb2
from loom.v1.bridge_pb2_grpc import BridgeStub

if TYPE_CHECKING:
    from loom_conformance.target import Target

__all__ = ["EXTENSIONS", "Declared", "Unreachable", "ask"]

EXTENSIONS = ("batch", "cancel", "confirm", "drain", "flow", "resume", "session", "stream", "subscriptions")
"""The features that a registration can name (protocol, section 2)."""
CONNECT_S = 10.0


class Unreachable(Exception):  # noqa: N818 - it says what the bridge is
    """Nothing can be tested: no bridge answers there, or it answers what no bridge does."""


@dataclass(frozen=True, slots=True)
class Declared:
    """What a bridge can do.

    Attributes:
        features: those that it accepts at a registration, and what it shows otherwise: `control` (the testing
            service answers), `namespaces` (the metadata key is honoured), `process` (we can start one and
            send it signals), `plain` (we can start one without its testing control).
        server: its name, version and protocol, as it tells them; empty texts where it does not.
        limits: what it takes at the most, by the names of `loom.v1.Limits`; empty where it does not say.
    """

    features: frozenset[str]
    server: dict[str, str] = field(default_factory=dict)
    limits: dict[str, int] = field(default_factory=dict)


async def ask(target: Target) -> Declared:
    """Asks a bridge what it can do, and leaves nothing behind in it that does not lapse.

    Raises:
        Unreachable: with the reason, in one line.
    """
    channel = target.channel()
    try:
        response = await _register(channel, target, "")
        shown = {
            "control": await _has_control(channel, target),
            "namespaces": await _has_namespaces(channel, target),
            "process": target.start is not None,
            "plain": target.plain is not None,
        }
        features = {*response.features, *(name for name, there in shown.items() if there)}
        told = response.server
        return Declared(
            frozenset(features),
            {"name": told.name, "version": told.version, "protocol": told.protocol},
            {item.name: value for item, value in response.limits.ListFields()},
        )
    except grpc.aio.AioRpcError as error:
        raise Unreachable(f"{target.address}: {error.code().name}: {error.details()}") from None
    except TimeoutError:
        raise Unreachable(f"{target.address}: no answer within {CONNECT_S:g} s") from None
    finally:
        await channel.close()


async def _register(
    channel: grpc.aio.Channel, target: Target, namespace: str
) -> agent_pb2.AgentRegisterResponse:
    stub: Any = BridgeStub(channel)
    request = agent_pb2.AgentRegisterRequest(
        agent_id=f"conformance-{secrets.token_hex(4)}", features=EXTENSIONS
    )
    async with asyncio.timeout(CONNECT_S):
        await channel.channel_ready()
        response: agent_pb2.AgentRegisterResponse = await stub.RegisterAgent(
            request, metadata=target.metadata(namespace), timeout=CONNECT_S
        )
    if not response.success:
        raise Unreachable(f"{target.address}: it refuses a plain registration: {response.error_message}")
    return response


async def _has_control(channel: grpc.aio.Channel, target: Target) -> bool:
    """Whether the testing service answers, whatever it says."""
    stub: Any = ControlStub(channel)
    try:
        await stub.Snapshot(
            control_pb2.SnapshotRequest(namespace="default"), metadata=target.metadata(), timeout=CONNECT_S
        )
    except grpc.aio.AioRpcError as error:
        return error.code() is not grpc.StatusCode.UNIMPLEMENTED
    return True


async def _has_namespaces(channel: grpc.aio.Channel, target: Target) -> bool:
    """Whether an agent of one namespace is unknown in another (NS)."""
    stub: Any = BridgeStub(channel)
    agent_id = f"conformance-{secrets.token_hex(4)}"
    here, there = (target.metadata(f"conformance-{secrets.token_hex(4)}") for _ in range(2))
    await stub.RegisterAgent(
        agent_pb2.AgentRegisterRequest(agent_id=agent_id), metadata=here, timeout=CONNECT_S
    )
    stream = stub.EventStream(metadata=there, timeout=CONNECT_S)
    try:
        await stream.write(stream_pb2.ClientEvent(ack=stream_pb2.Ack(message_id=agent_id)))
        await stream.initial_metadata()
        if stream.done():
            return bool(await stream.code() is grpc.StatusCode.FAILED_PRECONDITION)
        await stream.done_writing()
        await stream.read()
    except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
        return bool(await stream.code() is grpc.StatusCode.FAILED_PRECONDITION)
    finally:
        stream.cancel()
    return False
