"""loom.testing.v1.Control: how a test moves clocks, breaks sessions and looks inside (CTL).

On a bridge that was not started for testing the service is not there, and gRPC answers UNIMPLEMENTED.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import grpc
import grpc.aio
from google.protobuf.message import Message

from loom.testing.v1 import control_pb2
from loom_testing import codec
from loom_testing.advance import MOST_DEADLINES, PATIENCE_S, Bystanders, NotSettled, TooManyDeadlines
from loom_testing.driver import Refused
from loom_testing.engine.inputs import Disconnect, Hold, Release, Snapshot
from loom_testing.engine.text import quote
from loom_testing.namespaces import BRIDGE_LIMITS
from loom_testing.participate import participate
from loom_testing.unary import unary, unary_stream
from loom_testing.watch import Watcher

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from loom_testing.driver import Driver
    from loom_testing.engine.limits import Limits
    from loom_testing.engine.outputs import AgentSnapshot, CallSnapshot, SnapshotReply
    from loom_testing.namespaces import Namespaces

    Context = grpc.aio.ServicerContext[Any, Any]

__all__ = ["CONTROL", "ControlService"]

CONTROL = "loom.testing.v1.Control"

M = TypeVar("M", bound=Message)

MOST_ADVANCE_US = 366 * 24 * 60 * 60 * 1_000_000
"""The furthest that one Advance goes: a year."""
MOST_PATIENCE_MS = 600_000
"""The longest that an Advance waits for participants at each deadline, real time."""
QOS_NAMES = {None: "BATCHED", 0: "REALTIME", 1: "BATCHED", 2: "BACKGROUND"}


class ControlService:
    """Serves Control over the bridge's namespaces."""

    def __init__(self, namespaces: Namespaces) -> None:
        self._namespaces = namespaces

    def handlers(self) -> list[grpc.GenericRpcHandler]:
        """What to add to a server."""
        methods = {
            "CreateNamespace": _unary(control_pb2.CreateNamespaceRequest, self._create),
            "Advance": _unary(control_pb2.AdvanceRequest, self._advance),
            "Jump": _unary(control_pb2.JumpRequest, self._jump),
            "Participate": grpc.stream_stream_rpc_method_handler(self._participate),
            "Snapshot": _unary(control_pb2.SnapshotRequest, self._snapshot),
            "Disconnect": _unary(control_pb2.DisconnectRequest, self._disconnect),
            "Hold": _unary(control_pb2.HoldRequest, self._hold),
            "Release": _unary(control_pb2.ReleaseRequest, self._release),
            "Reset": _unary(control_pb2.ResetRequest, self._reset),
            "Watch": unary_stream(self._watch),
        }
        return [grpc.method_handlers_generic_handler(CONTROL, methods)]

    async def _create(self, request: control_pb2.CreateNamespaceRequest) -> Message:
        made = self._namespaces.create_all(
            [request.namespace, *request.others],
            virtual=request.virtual_clock,
            liveness=request.liveness or not request.virtual_clock,
            limits=_own_limits(self._namespaces.limits, dict(request.limits)),
            keeps=True,
        )
        return control_pb2.CreateNamespaceResponse(now_us=made[0].clock.now(), made=len(made))

    async def _advance(self, request: control_pb2.AdvanceRequest) -> Message:
        driver = self._namespaces.find(request.namespace)
        if request.by_us > MOST_ADVANCE_US:
            raise Refused(
                "INVALID_ARGUMENT", f"by_us is {request.by_us}; at most a year ({MOST_ADVANCE_US}) at once"
            )
        if request.patience_ms > MOST_PATIENCE_MS:
            raise Refused(
                "INVALID_ARGUMENT", f"patience_ms is {request.patience_ms}; at most {MOST_PATIENCE_MS}"
            )
        try:
            fired = await driver.advance(request.by_us, request.patience_ms / 1000 or PATIENCE_S)
        except TooManyDeadlines:
            raise Refused(
                "RESOURCE_EXHAUSTED",
                f"{MOST_DEADLINES} deadlines fired and the clock stands at {driver.clock.now()} us; "
                "advance in smaller steps",
            ) from None
        except NotSettled as problem:
            raise _not_settled(problem) from None
        return control_pb2.AdvanceResponse(now_us=driver.clock.now(), fired=fired)

    async def _jump(self, request: control_pb2.JumpRequest) -> Message:
        driver = self._namespaces.find(request.namespace)
        try:
            await driver.jump()
        except Bystanders as apart:
            raise Refused(
                "FAILED_PRECONDITION",
                f"nobody knows whether {apart} is idle: it takes no part in the clock of this namespace; "
                "use Advance, or connect it with an SDK that takes part (CTL-3)",
            ) from None
        except NotSettled as problem:
            raise _not_settled(problem) from None
        return control_pb2.JumpResponse(now_us=driver.clock.now())

    async def _participate(self, _requests: object, context: Context) -> None:
        try:
            await participate(self._namespaces, context)
        except codec.Malformed as problem:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(problem))
        except Refused as refused:
            await context.abort(grpc.StatusCode[refused.status], refused.message)

    async def _snapshot(self, request: control_pb2.SnapshotRequest) -> Message:
        return _snapshot_response(await self._namespaces.find(request.namespace).ask(Snapshot))

    async def _disconnect(self, request: control_pb2.DisconnectRequest) -> Message:
        driver = await self._of_agent(request.namespace, request.agent_id)
        driver.feed(Disconnect(request.agent_id))
        return control_pb2.DisconnectResponse()

    async def _hold(self, request: control_pb2.HoldRequest) -> Message:
        driver = await self._of_agent(request.namespace, request.agent_id)
        driver.feed(Hold(request.agent_id))
        return control_pb2.HoldResponse()

    async def _release(self, request: control_pb2.ReleaseRequest) -> Message:
        driver = await self._of_agent(request.namespace, request.agent_id)
        driver.feed(Release(request.agent_id))
        return control_pb2.ReleaseResponse()

    async def _reset(self, request: control_pb2.ResetRequest) -> Message:
        self._namespaces.reset(request.namespace, *request.others)
        return control_pb2.ResetResponse()

    async def _watch(self, data: bytes, context: Context) -> None:
        try:
            request = codec.parse(control_pb2.WatchRequest, data)
            watcher = Watcher(request.namespace)
            self._namespaces.watch(watcher, kept=request.kept)
        except codec.Malformed as problem:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(problem))
        except Refused as refused:
            await context.abort(grpc.StatusCode[refused.status], refused.message)
        try:
            await context.send_initial_metadata(())  # tells the client that nothing is missed from here on
            while (line := await watcher.next()) is not None:
                response = control_pb2.WatchResponse(
                    namespace=line.namespace, line=line.text, skipped=line.skipped
                )
                await context.write(response.SerializeToString())
        finally:
            self._namespaces.unwatch(watcher)

    async def _of_agent(self, namespace: str, agent_id: str) -> Driver:
        """The namespace, in which the agent is known.

        Raises:
            Refused: NOT_FOUND, for either.
        """
        driver = self._namespaces.find(namespace)
        snapshot: SnapshotReply = await driver.ask(Snapshot)
        if all(agent.agent_id != agent_id for agent in snapshot.agents):
            raise Refused("NOT_FOUND", f"namespace {namespace} has no agent {quote(agent_id)}")
        return driver


def _unary(kind: type[M], answer: Callable[[M], Awaitable[Message]]) -> grpc.RpcMethodHandler[Any, Any]:
    async def handle(data: bytes, context: Context) -> bytes:
        try:
            return (await answer(codec.parse(kind, data))).SerializeToString()
        except codec.Malformed as problem:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(problem))
        except Refused as refused:
            await context.abort(grpc.StatusCode[refused.status], refused.message)

    return unary(handle)


def _not_settled(problem: NotSettled) -> Refused:
    return Refused("DEADLINE_EXCEEDED", f"the clock waits for what is not idle: {problem}")


def _own_limits(limits: Limits, overrides: dict[str, int]) -> Limits:
    """The bridge's limits with those of the namespace.

    Raises:
        Refused: INVALID_ARGUMENT.
    """
    shared = sorted(BRIDGE_LIMITS & overrides.keys())
    if shared:
        raise Refused(
            "INVALID_ARGUMENT", f"limit {shared[0]} holds for the whole bridge; set it where it starts"
        )
    try:
        return limits.with_overrides(overrides)
    except ValueError as error:
        raise Refused("INVALID_ARGUMENT", str(error)) from None


def _snapshot_response(reply: SnapshotReply) -> control_pb2.SnapshotResponse:
    return control_pb2.SnapshotResponse(
        now_us=reply.now,
        agents=[_agent(agent) for agent in reply.agents],
        calls=[_call(call) for call in reply.calls],
        counters=reply.counters,
    )


def _agent(agent: AgentSnapshot) -> control_pb2.AgentSnapshot:
    return control_pb2.AgentSnapshot(
        agent_id=agent.agent_id,
        registration=agent.registration,
        state=agent.state,
        epoch=agent.epoch,
        features=agent.features,
        subscriptions=[
            control_pb2.SubscriptionSnapshot(
                topic=item.topic,
                event_types=item.event_types,
                qos=QOS_NAMES.get(item.qos, str(item.qos)),
                group=item.group,
                observer=item.observer,
            )
            for item in agent.subscriptions
        ],
        capabilities=agent.capabilities,
        queued_events=agent.queued_events,
        queued_bytes=agent.queued_bytes,
        waiting_events=agent.waiting_events,
        open_calls=agent.open_calls,
        paused=agent.paused,
        held=agent.held,
    )


def _call(call: CallSnapshot) -> control_pb2.CallSnapshot:
    return control_pb2.CallSnapshot(
        id=call.id,
        capability=call.capability,
        state=call.state,
        caller=call.caller,
        provider=call.provider,
        waiters=call.waiters,
    )
