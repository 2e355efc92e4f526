"""A synchronous client for tools: it asks and calls, has no stream, and raises the same errors."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import time
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar

import grpc
import grpc.aio

from loom.calls import encode_arguments, make_call, read_result
from loom.channel import call_metadata, open_sync_channel
from loom.client import DEADLINE_GRACE_S, DEFAULT_TIMEOUT_S
from loom.envelope import Envelope
from loom.errors import NotConnected
from loom.leases import Lease
from loom.status import error_from_rpc
from loom.v1 import action_pb2, agent_pb2, bridge_pb2_grpc, stream_pb2

if TYPE_CHECKING:
    from collections.abc import Callable

    from loom.endpoint import Endpoint

__all__ = ["PROBE", "SyncClient"]

PROBE = "loom.probe"
"""Metadata of a registration that only asks which bridge it is; watchers leave it out."""

_Request = TypeVar("_Request")
_Response = TypeVar("_Response")
_ResponseOf = TypeVar("_ResponseOf", covariant=True)


class _Future(Protocol[_ResponseOf]):
    """A call under way, as gRPC gives it."""

    def result(self) -> _ResponseOf:
        """Waits for the answer."""

    def cancel(self) -> bool:
        """Gives it up."""

    def add_done_callback(self, tell: Callable[[Any], None], /) -> None:
        """Calls `tell`, from a thread of gRPC's, once it is over."""


class SyncClient:
    """A synchronous client of one bridge.

    Args:
        endpoint: where the bridge is.
        channel: used instead of one of its own.
        sender: who calls, as providers and watchers see it.
    """

    def __init__(self, endpoint: Endpoint, channel: grpc.Channel | None = None, *, sender: str = "") -> None:
        self.endpoint = endpoint
        self._sender = sender
        self._metadata = call_metadata(endpoint)
        self._channel = channel or open_sync_channel(endpoint)
        self._bridge = bridge_pb2_grpc.BridgeStub(self._channel)
        self._broker = bridge_pb2_grpc.ActionBrokerStub(self._channel)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def at(self, endpoint: Endpoint) -> SyncClient:
        """The same by the same channel, in another namespace of the bridge."""
        other = copy.copy(self)
        other.endpoint = endpoint
        other._metadata = call_metadata(endpoint)  # noqa: SLF001 - of its own class
        return other

    def close(self) -> None:
        """Closes the channel."""
        self._channel.close()

    def heartbeat(self, *, timeout: float = 5.0) -> float:
        """Asks whether the bridge answers (HB-1). Returns the seconds it took.

        Raises:
            LoomError: it does not.
        """
        begin = time.monotonic()
        request = stream_pb2.HeartbeatRequest(timestamp_ms=int(time.time() * 1000))
        self._unary(self._bridge.Heartbeat, request, timeout)
        return time.monotonic() - begin

    def server_info(self, *, timeout: float = 5.0) -> agent_pb2.ServerInfo | None:
        """Which bridge it is; None for one that knows only the base level and does not say.

        A bridge says it in answer to a registration. This asks with one without an agent id, which every
        bridge refuses without changing anything (REG-1).

        Raises:
            LoomError: the bridge could not be reached.
        """
        request = agent_pb2.AgentRegisterRequest(metadata={PROBE: "server-info"})
        answer = self._unary(self._bridge.RegisterAgent, request, timeout)
        return answer.server if answer.HasField("server") else None

    def list_capabilities(
        self, *, timeout: float = DEFAULT_TIMEOUT_S
    ) -> list[action_pb2.CapabilityDescriptor]:
        """What is callable now, with schemas (ACT-11).

        Raises:
            LoomError: the bridge could not be reached.
        """
        request = action_pb2.ListCapabilitiesRequest()
        return list(self._unary(self._broker.ListCapabilities, request, timeout).capabilities)

    def call(
        self,
        capability: str,
        arguments: Any = None,
        *,
        version: str = "",
        timeout: float = DEFAULT_TIMEOUT_S,
        into: Any = None,
        raw: bool = False,
        call_id: str | None = None,
        patience: float | None = None,
        metadata: tuple[tuple[str, str], ...] = (),
    ) -> Any:
        """Calls a capability. Arguments, answer and errors are those of `Context.tool`, but for two.

        Args:
            patience: seconds of real time after which a bridge that does not keep the time-out itself is
                given up; None for a little longer than that.
            metadata: what else to tell the bridge.
        """
        request = self._request(capability, arguments, version, timeout, call_id)
        longest = (timeout if patience is None else patience) + DEADLINE_GRACE_S
        result = self._unary(self._bridge.ForwardAction, request, longest, metadata)
        return read_result(result, capability, into=into, raw=raw)

    async def call_from_loop(
        self,
        capability: str,
        arguments: Any = None,
        *,
        version: str = "",
        timeout: float = DEFAULT_TIMEOUT_S,
        into: Any = None,
        raw: bool = False,
        patience: float | None = None,
        metadata: tuple[tuple[str, str], ...] = (),
    ) -> Any:
        """The same for a coroutine: its event loop goes on meanwhile. Cancelled, it gives the call up."""
        request = self._request(capability, arguments, version, timeout, None)
        longest = (timeout if patience is None else patience) + DEADLINE_GRACE_S
        lease = Lease.of_another(self.endpoint)
        if lease is not None:  # the agents of this loop have a channel: that saves a thread
            result = await self._forward_by(lease, request, longest, metadata)
            return read_result(result, capability, into=into, raw=raw)
        call = self._begin(self._bridge.ForwardAction, request, longest, metadata)
        try:
            await _done(call)
            result = self._outcome(call)
        except BaseException:
            call.cancel()
            raise
        return read_result(result, capability, into=into, raw=raw)

    async def _forward_by(
        self,
        lease: Lease,
        request: action_pb2.ActionCall,
        timeout: float,
        metadata: tuple[tuple[str, str], ...],
    ) -> action_pb2.ActionResult:
        call = lease.bridge.ForwardAction(request, timeout=timeout, metadata=(*self._metadata, *metadata))
        try:
            return await call
        except grpc.aio.AioRpcError as error:
            raise error_from_rpc(error, self.endpoint.address) from None
        finally:
            await lease.end()

    def _request(
        self, capability: str, arguments: Any, version: str, timeout: float, call_id: str | None
    ) -> action_pb2.ActionCall:
        call = make_call(
            capability,
            encode_arguments(arguments, {}),
            Envelope(sender=self._sender),
            version=version,
            call_id=call_id,
        )
        call.timeout_ms = max(1, int(timeout * 1000))
        return call

    def _unary(
        self,
        method: grpc.UnaryUnaryMultiCallable[_Request, _Response],
        request: _Request,
        timeout: float,
        metadata: tuple[tuple[str, str], ...] = (),
    ) -> _Response:
        # Not a blocking call: gRPC waits for that in C, where a Ctrl-C can get lost.
        call = self._begin(method, request, timeout, metadata)
        try:
            return self._outcome(call)
        except BaseException:
            call.cancel()
            raise

    def _begin(
        self,
        method: grpc.UnaryUnaryMultiCallable[_Request, _Response],
        request: _Request,
        timeout: float,
        metadata: tuple[tuple[str, str], ...],
    ) -> _Future[_Response]:
        try:
            return method.future(request, timeout=timeout, metadata=(*self._metadata, *metadata))
        except ValueError:  # gRPC's word for a closed channel
            raise NotConnected("the client is closed: open another") from None

    def _outcome(self, call: _Future[_Response]) -> _Response:
        try:
            return call.result()
        except grpc.RpcError as error:
            # What a call raises is the call itself, which says how it ended.
            raise error_from_rpc(error, self.endpoint.address) from None


async def _done(call: _Future[Any]) -> None:
    """Waits until a call is over, with nothing but the event loop."""
    loop = asyncio.get_running_loop()
    over: asyncio.Future[None] = loop.create_future()

    def finish() -> None:
        if not over.done():
            over.set_result(None)

    def tell(_call: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(finish)

    call.add_done_callback(tell)
    await over
