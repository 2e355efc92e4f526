"""A client of the testing control, for threads: it blocks, and knows nothing of event loops (CTL).

One connection serves a whole run. It is a synchronous one on purpose: several grpc.aio event loops in one
process disturb each other, and every test has an event loop of its own.
"""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from loom.channel import open_sync_channel
from loom.endpoint import Endpoint
from loom.status import error_from_rpc
from loom.sync import SyncClient
from loom.testing.v1 import control_pb2, control_pb2_grpc
from loom_testing.harness.errors import HarnessError, NoControlError, speaks_for_itself

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Control", "NamespaceOptions", "Snapshot"]

__tracebackhide__ = speaks_for_itself

MICROS = 1_000_000
PATIENCE_S = 5.0
"""How long the bridge may take to answer; a namespace is made in less than a millisecond."""
NOT_IDLE = "the clock waits for what is not idle"
HOW_TO_REST = (
    "what takes real time there must end first: wait with ctx.sleep, stub what is slow, or give the test "
    'a real clock, @pytest.mark.loom(clock="real")'
)
ADVANCE_S = 600.0
"""Advancing fires deadlines one by one; how long each may take the bridge is told."""


@dataclass(frozen=True, slots=True)
class NamespaceOptions:
    """What a test's namespace is like.

    Attributes:
        virtual: whether its clock moves only by `advance`.
        liveness: whether silent peers are taken for dead also on a virtual clock (SES-7).
        limits: limits other than the bridge's own, by the names of loom.v1.Limits.
        auto: whether the test has the clock move by itself; nothing of the bridge's.
    """

    virtual: bool = True
    liveness: bool = False
    limits: Mapping[str, int] = field(default_factory=dict)
    auto: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a namespace held at one moment (CTL-1).

    Attributes:
        now: its time, seconds since the Unix epoch.
        agents: its agents by id, in the order of their registration.
        calls: its open calls, in the order of their arrival.
        counters: what happened since the namespace was made; counters that are 0 are left out.
    """

    now: float
    agents: dict[str, control_pb2.AgentSnapshot]
    calls: list[control_pb2.CallSnapshot]
    counters: dict[str, int]


class Control:
    """Blocking calls to one bridge.

    Attributes:
        address: the bridge's.
        channel: the connection.
        client: makes other blocking calls by it.
        losses: how often the connection was lost; there may be another bridge since, which knows of nothing.

    Args:
        address: the bridge's.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        endpoint = Endpoint(address)
        self.channel = open_sync_channel(endpoint)
        self.client = SyncClient(endpoint, self.channel)
        self._stub = control_pb2_grpc.ControlStub(self.channel)
        self.losses = 0
        self._is_lost = self._is_closed = False
        self._health: Any = health_pb2_grpc.HealthStub(self.channel)
        self._stand()

    def _stand(self) -> None:
        """Keeps a call open for as long as the connection lasts, and notes its end.

        gRPC reads what comes in by a thread that lives while a call does. A thread of its own for each would
        be half of what a call costs.
        """
        self._is_lost = False
        self._standing: Any = self._health.Watch(health_pb2.HealthCheckRequest())
        watch = threading.Thread(target=self._watch, args=(self._standing,), name="loom-control", daemon=True)
        watch.start()

    def _watch(self, standing: Any) -> None:
        with contextlib.suppress(grpc.RpcError):
            for _ in standing:  # unread, a call has no end
                pass
        # A bridge that stops may cancel it as well, so its status does not say who ended it.
        if not self._is_closed and standing.code() is not grpc.StatusCode.UNIMPLEMENTED:
            self._is_lost = True
            self.losses += 1

    def close(self) -> None:
        """Closes the connection; what is under way on it ends."""
        self._is_closed = True
        self._standing.cancel()
        self.channel.close()

    def create(self, namespace: str, *others: str, options: NamespaceOptions) -> int:
        """Makes namespaces that are alike. Answers how many: all, or one where the bridge knows no `others`.

        Raises:
            NoControlError: the bridge was not started for testing.
            HarnessError: the options are refused, or one of the names, or so many.
            LoomError: the bridge cannot be reached.
        """
        request = control_pb2.CreateNamespaceRequest(
            namespace=namespace,
            virtual_clock=options.virtual,
            liveness=options.liveness,
            limits=options.limits,
            others=others,
        )
        return self._ask(self._stub.CreateNamespace, request).made or 1

    def reset(self, namespace: str, *others: str) -> None:
        """Ends namespaces and forgets them. One that is gone already is fine.

        Raises:
            LoomError: the bridge cannot be reached.
        """
        try:
            request = control_pb2.ResetRequest(namespace=namespace, others=others)
            self._stub.Reset(request, timeout=PATIENCE_S)
        except grpc.RpcError as error:
            if error.code() not in (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.UNIMPLEMENTED):
                raise error_from_rpc(error, self.address) from None

    def advance(self, namespace: str, seconds: float, patience: float = PATIENCE_S) -> int:
        """Moves a virtual clock. Answers how many deadlines fired.

        Args:
            namespace: whose.
            seconds: how far.
            patience: how long agents may be busy at each deadline, seconds of real time.

        Raises:
            NoControlError: the bridge was not started for testing.
            HarnessError: the clock is real, too much fired, or an agent did not come to rest.
            LoomError: the bridge cannot be reached.
        """
        request = control_pb2.AdvanceRequest(
            namespace=namespace, by_us=round(seconds * MICROS), patience_ms=max(1, round(patience * 1000))
        )
        answer = self._ask(self._stub.Advance, request, ADVANCE_S)
        return int(answer.fired)

    def jumping(self, namespace: str) -> grpc.Future[Any]:
        """Asks for a jump to what is awaited next. The future is done when it was made."""
        return self._stub.Jump.future(control_pb2.JumpRequest(namespace=namespace))

    def snapshot(self, namespace: str) -> Snapshot:
        """Looks into a namespace.

        Raises:
            NoControlError: the bridge was not started for testing.
            LoomError: the bridge cannot be reached.
        """
        answer = self._ask(self._stub.Snapshot, control_pb2.SnapshotRequest(namespace=namespace))
        return Snapshot(
            now=answer.now_us / MICROS,
            agents={agent.agent_id: agent for agent in answer.agents},
            calls=list(answer.calls),
            counters=dict(answer.counters),
        )

    def disconnect(self, namespace: str, agent_id: str) -> None:
        """Breaks an agent's stream without a word (CTL-4).

        Raises:
            NoControlError: the bridge was not started for testing.
            HarnessError: there is no such agent.
            LoomError: the bridge cannot be reached.
        """
        self._ask(
            self._stub.Disconnect, control_pb2.DisconnectRequest(namespace=namespace, agent_id=agent_id)
        )

    def _ask(self, method: Any, request: Any, patience: float = PATIENCE_S) -> Any:
        try:
            answer = method(request, timeout=patience)
        except grpc.RpcError as error:
            raise self.problem(error) from None
        if self._is_lost:  # it is back
            self._stand()
        return answer

    def missing(self) -> NoControlError:
        """What to raise where the bridge has no testing control."""
        return NoControlError(
            f"the bridge at {self.address} was not started for testing: its clock and state are out of "
            "reach; use --loom-bridge=fake, or start it with `loom-testing serve --testing`"
        )

    def problem(self, error: grpc.RpcError) -> Exception:
        """What to raise in place of an error of gRPC's."""
        status, details = error.code(), error.details()
        if status is grpc.StatusCode.UNIMPLEMENTED:
            return self.missing()
        if status in (
            grpc.StatusCode.FAILED_PRECONDITION,
            grpc.StatusCode.INVALID_ARGUMENT,
            grpc.StatusCode.NOT_FOUND,
            grpc.StatusCode.RESOURCE_EXHAUSTED,
        ):
            return HarnessError(str(details))
        if status is grpc.StatusCode.DEADLINE_EXCEEDED and str(details).startswith(NOT_IDLE):
            return HarnessError(f"{details}; {HOW_TO_REST}")
        return error_from_rpc(error, self.address)
