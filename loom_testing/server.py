"""The bridge's gRPC services: bytes in, one input for the engine, its reply as bytes out.

Handlers take and give raw bytes (see `codec`), so malformed protobuf ends that call with INVALID_ARGUMENT and
nothing else. All handlers are generic ones: grpc.aio keeps a waiting task per registered method, and each
incoming call would pay for all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio

from loom.codes import Code
from loom_testing import codec
from loom_testing.driver import Refused
from loom_testing.event_stream import EventStream
from loom_testing.participants import Tag
from loom_testing.unary import unary

if TYPE_CHECKING:
    from collections.abc import Callable

    from loom_testing.driver import Driver
    from loom_testing.engine.inputs import Input
    from loom_testing.engine.limits import Limits
    from loom_testing.engine.outputs import RegisterReply
    from loom_testing.namespaces import Namespaces

    Context = grpc.aio.ServicerContext[Any, Any]
    Methods = dict[str, grpc.RpcMethodHandler[Any, Any]]

__all__ = ["DEFAULT_NAMESPACE", "NAMESPACE_KEY", "BridgeService", "server_options"]


NAMESPACE_KEY = "loom-namespace"
PARTICIPANT_KEY = "loom-participant"
DEFAULT_NAMESPACE = "default"

BRIDGE = "loom.v1.Bridge"
ACTION_BROKER = "loom.v1.ActionBroker"


class BridgeService:
    """loom.v1.Bridge and loom.v1.ActionBroker over the engines."""

    def __init__(self, namespaces: Namespaces) -> None:
        self._namespaces = namespaces

    def handlers(self) -> list[grpc.GenericRpcHandler]:
        """What to add to a server. A method that is not here answers UNIMPLEMENTED, as gRPC does."""
        bridge: Methods = {
            "RegisterAgent": unary(self._register),
            "EventStream": grpc.stream_stream_rpc_method_handler(self._event_stream),
            "ForwardAction": unary(self._invoke),
            "Heartbeat": unary(self._heartbeat),
        }
        broker: Methods = {
            "ListCapabilities": unary(self._list_capabilities),
            "Invoke": unary(self._invoke),
        }
        return [
            grpc.method_handlers_generic_handler(BRIDGE, bridge),
            grpc.method_handlers_generic_handler(ACTION_BROKER, broker),
        ]

    async def _event_stream(self, _requests: object, context: Context) -> None:
        driver, tag = await self._driver(context)
        await EventStream(driver, context, tag).serve()

    async def _register(self, data: bytes, context: Context) -> bytes:
        driver, tag = await self._driver(context)
        reply: RegisterReply = await _ask(driver, tag, data, context, codec.decode_register)
        if reply.error_code == Code.DRAINING:
            await context.abort(grpc.StatusCode.UNAVAILABLE, reply.error_message)
        return codec.encode_register_reply(reply, driver.limits, virtual_clock=driver.virtual)

    async def _invoke(self, data: bytes, context: Context) -> bytes:
        driver, tag = await self._driver(context)
        return codec.encode_answer(await _ask(driver, tag, data, context, codec.decode_invoke))

    async def _list_capabilities(self, data: bytes, context: Context) -> bytes:
        driver, tag = await self._driver(context)
        reply = await _ask(driver, tag, data, context, codec.decode_list_capabilities)
        return codec.encode_capabilities(reply)

    async def _heartbeat(self, data: bytes, context: Context) -> bytes:
        driver, tag = await self._driver(context)
        return codec.encode_heartbeat(await _ask(driver, tag, data, context, codec.decode_heartbeat))

    async def _driver(self, context: Context) -> tuple[Driver, Tag | None]:
        """The namespace the call is about, and whose call it is there: what its metadata says."""
        try:
            driver = self._namespaces.get(_namespace_name(context))
            return driver, _tag(context) if driver.virtual else None
        except Refused as refused:
            await context.abort(grpc.StatusCode[refused.status], refused.message)


async def _ask(
    driver: Driver, tag: Tag | None, data: bytes, context: Context, decode: Callable[[int, bytes], Input]
) -> Any:
    """The engine's reply to a unary call. Cancelled with the call, it tells the engine so (ACT-3)."""
    try:
        return await driver.ask(lambda call: decode(call, data), tag)
    except codec.Malformed as problem:
        await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(problem))
    except Refused as refused:
        await context.abort(grpc.StatusCode[refused.status], refused.message)


def _namespace_name(context: Context) -> str:
    named = _metadata(context, NAMESPACE_KEY)
    return DEFAULT_NAMESPACE if named is None else named


def _tag(context: Context) -> Tag | None:
    """Which participant's call it is (CTL-3); None for those of programs that take no part."""
    text = _metadata(context, PARTICIPANT_KEY)
    if text is None:
        return None
    try:
        return Tag.read(text)
    except ValueError as problem:
        raise Refused("INVALID_ARGUMENT", str(problem)) from None


def _metadata(context: Context, name: str) -> str | None:
    named = [value for key, value in context.invocation_metadata() or () if key == name]
    if len(named) > 1:
        raise Refused("INVALID_ARGUMENT", f"the metadata has {name} more than once; give it once")
    return str(named[0]) if named else None


def server_options(limits: Limits) -> list[tuple[str, int]]:
    """gRPC's settings: what it may take in, and how it finds out that a peer is gone."""
    return [
        ("grpc.so_reuseport", 0),  # a port that is in use is an error, not shared
        ("grpc.max_receive_message_length", limits.message_bytes),
        ("grpc.max_send_message_length", -1),
        ("grpc.max_concurrent_streams", limits.connection_streams),
        # A peer that is frozen or cut off is noticed within ten seconds, also one that sends no heartbeats.
        ("grpc.keepalive_time_ms", 5_000),
        ("grpc.keepalive_timeout_ms", 4_000),
        ("grpc.http2.ping_timeout_ms", 4_000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
        # Clients may ping as often as they like.
        ("grpc.http2.max_ping_strikes", 0),
        ("grpc.http2.min_ping_interval_without_data_ms", 0),
    ]
