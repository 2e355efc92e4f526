"""A synchronous client for tools: it asks and calls, has no stream, and raises the same errors."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Self, TypeVar

import grpc

from loom.calls import encode_arguments, make_call, read_result
from loom.channel import call_metadata, open_sync_channel
from loom.client import DEADLINE_GRACE_S, DEFAULT_TIMEOUT_S
from loom.envelope import Envelope
from loom.errors import NotConnected
from loom.status import error_from_rpc
from loom.v1 import action_pb2, agent_pb2, bridge_pb2_grpc, stream_pb2

if TYPE_CHECKING:
    from loom.endpoint import Endpoint

__all__ = ["PROBE", "SyncClient"]

PROBE = "loom.probe"
"""Metadata of a registration that only asks which bridge it is; watchers leave it out."""

_Request = TypeVar("_Request")
_Response = TypeVar("_Response")


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
    ) -> Any:
        """Calls a capability. Arguments, answer and errors are those of `Context.tool`."""
        call = make_call(
            capability,
            encode_arguments(arguments, {}),
            Envelope(sender=self._sender),
            version=version,
            call_id=call_id,
        )
        call.timeout_ms = max(1, int(timeout * 1000))
        result = self._unary(self._bridge.ForwardAction, call, timeout + DEADLINE_GRACE_S)
        return read_result(result, capability, into=into, raw=raw)

    def _unary(
        self, method: grpc.UnaryUnaryMultiCallable[_Request, _Response], request: _Request, timeout: float
    ) -> _Response:
        try:
            # Not a blocking call: gRPC waits for that in C, where a Ctrl-C can get lost.
            call = method.future(request, timeout=timeout, metadata=self._metadata)
        except ValueError:  # gRPC's word for a closed channel
            raise NotConnected("the client is closed: open another") from None
        try:
            return call.result()
        except grpc.RpcError as error:
            # What a call raises is the call itself, which says how it ended.
            raise error_from_rpc(error, self.endpoint.address) from None
        except BaseException:
            call.cancel()
            raise
