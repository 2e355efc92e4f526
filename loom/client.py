"""`BridgeClient`: the shell on grpc.aio. It makes every call and maps every status; nothing above knows gRPC.

It holds one channel. A channel whose connection is in doubt is thrown away, and with it gRPC's own back-off;
calls that waited on it are told at once. The agent's stream is kept up by `loom.connection`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, TypeVar, cast

import grpc.aio

from loom.channel import call_metadata
from loom.clock import Clock
from loom.connection import Connection
from loom.errors import BridgeUnavailable, DeadlineExceeded, LoomError, NotConnected
from loom.leases import Lease
from loom.status import error_from_rpc
from loom.v1 import action_pb2, bridge_pb2_grpc, stream_pb2

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from loom.connection import Receiver
    from loom.endpoint import Endpoint
    from loom.registration import Registration
    from loom.stream import Call
    from loom.v1 import agent_pb2, event_pb2

__all__ = ["BridgeClient"]

DEFAULT_TIMEOUT_S = 30.0
REGISTER_TIMEOUT_S = 5.0
DEADLINE_GRACE_S = 2.0
"""The bridge enforces a call's deadline; gRPC's own comes this much later, for a bridge that is frozen."""

_log = logging.getLogger("loom.clock")
_Request = TypeVar("_Request")
_Response = TypeVar("_Response")


class BridgeClient:
    """A client of one bridge. Unary calls work at once; `connect` adds an agent's stream.

    Belongs to the event loop it is first used on.

    Attributes:
        endpoint: where the bridge is.
        clock: the agent's time, by which time-outs are counted.

    Args:
        endpoint: where the bridge is.
        again: finds the bridge again after it went away, where it may be back elsewhere.
    """

    def __init__(self, endpoint: Endpoint, again: Callable[[], Awaitable[Endpoint]] | None = None) -> None:
        self.endpoint = endpoint
        self.clock = Clock()
        self._again = again
        self._metadata = call_metadata(endpoint)
        self._lease: Lease | None = None
        self._calls: set[grpc.aio.Call] = set()
        self._connection: Connection | None = None
        self._receiver: Receiver | None = None
        self._is_closed = False

    async def __aenter__(self) -> BridgeClient:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    # The stream.

    async def connect(self, registration: Registration, receiver: Receiver, *, timeout: float = 10.0) -> None:
        """Registers an agent and opens its stream; from then on the client comes back by itself.

        Args:
            registration: what to register.
            receiver: who is told what comes in.
            timeout: seconds to go on trying while no bridge answers.

        Raises:
            BridgeUnavailable: no bridge answered in time.
            BridgeError: the bridge refused: RegistrationRefused, Unauthenticated, PermissionDenied,
                Superseded, ProtocolError.
        """
        if self._connection is not None:
            raise NotConnected("this client has a stream already: use one client per agent")
        self.clock.owner = registration.agent_id
        self._receiver = receiver
        self._connection = Connection(self, registration, receiver)
        try:
            await self._connection.begin(timeout)
        except BaseException:
            await self.close()
            raise

    @property
    def is_live(self) -> bool:
        """Whether the agent's stream is open now."""
        return self._connection is not None and self._connection.is_live

    @property
    def is_over(self) -> bool:
        """Whether the agent's stream is over for good."""
        return self._connection is not None and self._connection.is_over

    @property
    def confirms(self) -> bool:
        """Whether the bridge tells how many receive a publish."""
        return self._connection is not None and self._connection.session.confirms

    @property
    def features(self) -> frozenset[str]:
        """The features agreed with the bridge; none at the base level."""
        return frozenset() if self._connection is None else self._connection.session.features

    @property
    def epoch(self) -> int:
        """The number of the session (SES-4); 0 without one."""
        return 0 if self._connection is None else self._connection.session.epoch

    async def wait_ended(self) -> None:
        """Waits until the stream is over for good.

        Raises:
            BridgeError: what ended it, unless `close` did.
        """
        await self._connected().wait_over()

    async def replace(self, registration: Registration) -> None:
        """Replaces the registration; the stream goes on under the new one (REG-3).

        Raises:
            LoomError: the bridge is away, or refused it; the old one is still in force.
        """
        session = self._connected().session
        session.replaced(await self.register_agent(session.replace(registration)))

    async def flush(self, *, timeout: float = DEFAULT_TIMEOUT_S) -> None:
        """Waits until everything has come in that the bridge had queued for this agent so far (HB-2)."""
        await self._connected().flush(timeout)

    async def publish(
        self,
        topic: str,
        event: event_pb2.Event,
        *,
        confirm: bool = True,
        resend: bool = True,
        timeout: float = DEFAULT_TIMEOUT_S,
    ) -> int:
        """Publishes an event (PUB-1).

        A confirmed publish survives a lost stream: it is sent again under the same number, and accepted once.

        Args:
            topic: the concrete topic.
            event: the event.
            confirm: wait for the bridge's receipt.
            resend: survive a lost stream; without it the loss is raised at once.
            timeout: seconds to wait, for room and for the receipt.

        Returns:
            How many agents receive it; -1 where the bridge does not tell, or was not asked.

        Raises:
            PublishRefused: the bridge refused it, and why.
            DeadlineExceeded: no receipt in time; it may arrive all the same.
            BridgeError: the stream ended for good, or (where it is not sent again) the bridge is away.
        """
        connection = self._connected()
        try:
            async with self.clock.timeout(timeout):
                return await connection.publish(topic, event, confirm=confirm, resend=resend)
        except TimeoutError as error:
            raise DeadlineExceeded(
                f"the publish to {topic} was not confirmed within {timeout:g} s; it may arrive all the same"
            ) from error

    def post(self, topic: str, event: event_pb2.Event) -> bool:
        """Publishes without waiting for anything. False where it cannot be sent now."""
        return self._connected().post(topic, event)

    def answer(self, result: action_pb2.ActionResult) -> bool:
        """Answers a call. False where the stream it came on is gone: nobody waits for it (ACT-4)."""
        return self._connected().answer(result)

    async def close(self, reason: str = "") -> None:
        """Says goodbye, waits until the bridge has flushed (at most 6 s), and closes the channel."""
        if self._connection is not None:
            await self._connection.leave(reason)
        self._is_closed = True
        await self._leave_clock()
        await self._let_go()

    # Unary calls.

    async def invoke(
        self, call: action_pb2.ActionCall, *, timeout: float = DEFAULT_TIMEOUT_S
    ) -> action_pb2.ActionResult:
        """Calls a capability (ACT).

        Args:
            call: the call; its `timeout_ms` is set from `timeout`.
            timeout: seconds until the bridge gives up.

        Raises:
            InvalidInput: the call is larger than the bridge takes (LIM-1); nothing was sent.
            LoomError: the bridge could not be reached, or went away; how the call itself ended stands in the
                result.
        """
        if self._connection is not None:
            await self._connection.until_live(timeout)
            self._connection.session.check_call(call)
        call.timeout_ms = max(1, int(round(timeout * 1000, 3)))  # a thousandth: not 29,999 ms of 30 s
        forward = self._leased().bridge.ForwardAction
        if self.clock.participant is None:
            return await self._unary(forward, call, timeout + DEADLINE_GRACE_S)
        try:
            # gRPC's own deadline is real time.
            async with self.clock.timeout(timeout + DEADLINE_GRACE_S):
                return await self._unary(forward, call, None)
        except TimeoutError as error:
            raise DeadlineExceeded(
                f"the bridge did not answer the call of {call.capability} within {timeout:g} s"
            ) from error

    async def list_capabilities(
        self, *, timeout: float = DEFAULT_TIMEOUT_S
    ) -> list[action_pb2.CapabilityDescriptor]:
        """What is callable now, with schemas (ACT-11).

        Raises:
            LoomError: the bridge could not be reached.
        """
        stub = bridge_pb2_grpc.ActionBrokerStub(self._leased().channel)
        broker = cast("bridge_pb2_grpc.ActionBrokerAsyncStub", stub)
        answer = await self._unary(broker.ListCapabilities, action_pb2.ListCapabilitiesRequest(), timeout)
        return list(answer.capabilities)

    async def heartbeat(self, *, timeout: float = 5.0) -> float:
        """Asks whether the bridge answers (HB-1). Returns the seconds it took.

        Raises:
            LoomError: it does not.
        """
        begin = time.monotonic()
        request = stream_pb2.HeartbeatRequest(timestamp_ms=int(time.time() * 1000))
        await self._unary(self._leased().bridge.Heartbeat, request, timeout)
        return time.monotonic() - begin

    # What the connection asks of its client.

    async def register_agent(
        self, request: agent_pb2.AgentRegisterRequest
    ) -> agent_pb2.AgentRegisterResponse:
        """RegisterAgent, as it is; its answer says whether time is real.

        Raises:
            LoomError: the bridge could not be reached.
        """
        answer = await self._unary(self._leased().bridge.RegisterAgent, request, REGISTER_TIMEOUT_S)
        if answer.success and answer.virtual_clock != self.clock.is_virtual:
            await self._change_clock(is_virtual=answer.virtual_clock)
        return answer

    def open_stream(self, metadata: tuple[tuple[str, str], ...] = ()) -> Call:
        """EventStream, with more metadata."""
        return self._leased().bridge.EventStream(metadata=(*self._metadata, *metadata))

    async def find_again(self) -> None:
        """The bridge is gone; it may be back elsewhere.

        Raises:
            LoomError: it is not.
        """
        if self._again is not None:
            self.endpoint = await self._again()
            self._metadata = call_metadata(self.endpoint)

    async def drop_channel(self) -> None:
        """Throws the channel away, for a new one. Calls that wait on it raise `BridgeUnavailable`."""
        if self._lease is not None:
            self._lease.doubt()
        await self._let_go()

    async def _change_clock(self, *, is_virtual: bool) -> None:
        """The namespace's clock is a test's, or is not any more (CTL-3)."""
        await self._leave_clock()
        if not is_virtual or self._receiver is None:
            return
        from loom.joining import take_part  # of no use outside of tests

        try:
            self.clock.join(await take_part(self.endpoint, self._receiver))
        except LoomError as error:
            _log.warning(
                "%s: the clock of this namespace is a test's, and cannot be joined: %s; timers here are real",
                self.clock.owner,
                error.message,
            )

    async def _leave_clock(self) -> None:
        participant = self.clock.participant
        if participant is not None and self._receiver is not None:
            self.clock.leave()
            await participant.leave(self._receiver)

    def _connected(self) -> Connection:
        if self._connection is None:
            raise NotConnected("the client has no stream: connect it first")
        return self._connection

    def _leased(self) -> Lease:
        if self._lease is None:
            self._lease = Lease(self.endpoint)
        return self._lease

    async def _let_go(self) -> None:
        """Gives up what is under way, and the channel."""
        for call in list(self._calls):
            call.cancel()
        lease, self._lease = self._lease, None
        if lease is not None:
            await lease.end()

    async def _unary(
        self,
        method: grpc.aio.UnaryUnaryMultiCallable[_Request, _Response],
        request: _Request,
        timeout: float | None,
    ) -> _Response:
        traffic = self.clock.begin_call()
        call = method(request, timeout=timeout, metadata=(*self._metadata, *traffic.metadata))
        self._calls.add(call)
        try:
            answer: _Response | None = await call
        except grpc.aio.AioRpcError as error:
            raise error_from_rpc(error, self.endpoint.address) from None
        except asyncio.CancelledError:
            # gRPC raises this also when the channel was closed under the call. Only the task knows.
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            if self._is_closed:
                raise NotConnected("the agent was stopped before the answer came") from None
            raise BridgeUnavailable(
                f"the connection to {self.endpoint.address} was lost before the answer came: call again"
            ) from None
        finally:
            self._calls.discard(call)
            traffic.end()
        if answer is None:  # gRPC's word for bytes that are none
            raise BridgeUnavailable(f"the bridge at {self.endpoint.address} sent bytes that are no message")
        return answer
