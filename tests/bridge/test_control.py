"""The testing control, over real gRPC (CTL)."""

from __future__ import annotations

import asyncio

import grpc
import grpc.aio
import pytest

from loom.testing.v1 import control_pb2 as c
from loom.v1 import action_pb2, agent_pb2, event_pb2, stream_pb2
from loom_testing.engine.inputs import Heartbeat, Register
from loom_testing.engine.trace import decode_step
from tests.bridge.conftest import below
from tests.loom_testing.peers import MALFORMED, PATIENCE, refused

Status = grpc.StatusCode


SECOND = 1_000_000


def ns(peer, name: str = "ns") -> str:
    """A further namespace of the test's."""
    return below(peer.namespace, name)


async def snapshot(peer, namespace: str = "ns") -> c.SnapshotResponse:
    return await peer.control.Snapshot(c.SnapshotRequest(namespace=ns(peer, namespace)))


async def create(peer, namespace: str = "ns", *, virtual: bool = True, **fields) -> int:
    request = c.CreateNamespaceRequest(namespace=ns(peer, namespace), virtual_clock=virtual, **fields)
    return (await peer.control.CreateNamespace(request)).now_us


async def advance(peer, by_us: int, namespace: str = "ns") -> c.AdvanceResponse:
    return await peer.control.Advance(c.AdvanceRequest(namespace=ns(peer, namespace), by_us=by_us))


@pytest.mark.parametrize("method", ["CreateNamespace", "Advance", "Snapshot", "Disconnect", "Reset"])
async def test_malformed_bytes(peer, method):
    async with refused(*MALFORMED):
        await peer.raw(f"/loom.testing.v1.Control/{method}", b"\xff")


async def test_malformed_bytes_to_watch(peer):
    async with refused(*MALFORMED):
        await peer.channel.unary_stream("/loom.testing.v1.Control/Watch")(b"\xff").read()


@pytest.mark.parametrize(
    ("method", "request_kind"),
    [
        ("Advance", c.AdvanceRequest),
        ("Snapshot", c.SnapshotRequest),
        ("Disconnect", c.DisconnectRequest),
        ("Hold", c.HoldRequest),
        ("Release", c.ReleaseRequest),
        ("Reset", c.ResetRequest),
    ],
)
async def test_an_unknown_namespace(peer, method, request_kind):
    async with refused(Status.NOT_FOUND) as details:
        await getattr(peer.control, method)(request_kind(namespace=ns(peer)))
    assert f'"{ns(peer)}"' in details[0]


async def test_watching_an_unknown_namespace(peer):
    async with refused(Status.NOT_FOUND):
        await peer.control.Watch(c.WatchRequest(namespace=ns(peer))).read()


@pytest.mark.parametrize(
    ("method", "request_kind"),
    [("Disconnect", c.DisconnectRequest), ("Hold", c.HoldRequest), ("Release", c.ReleaseRequest)],
)
async def test_an_unknown_agent(peer, method, request_kind):
    await create(peer)
    async with refused(Status.NOT_FOUND) as details:
        await getattr(peer.control, method)(request_kind(namespace=ns(peer), agent_id="nobody"))
    assert '"nobody"' in details[0]


# CreateNamespace.


async def test_a_namespace_is_created_once(peer):
    await create(peer)
    async with refused(Status.ALREADY_EXISTS):
        await create(peer)


async def test_a_namespace_with_a_malformed_name(peer):
    async with refused(Status.INVALID_ARGUMENT):
        await create(peer, "not a name")


async def test_several_namespaces_are_made_and_forgotten_together(peer):
    names = [ns(peer, name) for name in ("one", "two", "three")]
    request = c.CreateNamespaceRequest(namespace=names[0], others=names[1:], virtual_clock=True)
    assert (await peer.control.CreateNamespace(request)).made == 3
    assert [await advance(peer, SECOND, name) for name in ("one", "two", "three")]
    async with refused(Status.ALREADY_EXISTS) as details:
        request = c.CreateNamespaceRequest(namespace=ns(peer, "new"), others=[names[2], names[1]])
        await peer.control.CreateNamespace(request)
    assert f'"{names[2]}"' in details[0]
    async with refused(Status.NOT_FOUND) as details:
        await peer.control.Reset(c.ResetRequest(namespace=ns(peer, "new"), others=names))
    assert f'"{ns(peer, "new")}"' in details[0]
    for name in ("one", "two", "three", "new"):
        async with refused(Status.NOT_FOUND):
            await snapshot(peer, name)


async def test_limits_of_its_own(peer, connect):
    await create(peer, limits={"event_bytes": 100})
    response = await connect("ns").register("a")
    assert response.limits.event_bytes == 100
    assert response.limits.message_bytes == 4 * 1024 * 1024
    assert (await connect("other").register("a")).limits.event_bytes == 1024 * 1024


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"nothing": 1}, "unknown limit 'nothing'"),
        ({"event_bytes": 0}, "at least 1"),
        ({"message_bytes": 5}, "holds for the whole bridge"),
        ({"namespaces": 5}, "holds for the whole bridge"),
    ],
)
async def test_limits_that_cannot_be(peer, limits, words):
    async with refused(Status.INVALID_ARGUMENT) as details:
        await create(peer, limits=limits)
    assert words in details[0]
    async with refused(Status.NOT_FOUND):
        await snapshot(peer)


async def test_a_silent_session_lives_on_a_virtual_clock_unless_liveness_is_asked_for(peer, connect):
    await create(peer, "calm")
    await create(peer, "strict", liveness=True)
    calm = await connect("calm").join("a", features=["session"])
    strict = await connect("strict").join("a", features=["session"])
    for namespace in ("calm", "strict"):
        await advance(peer, 60 * SECOND, namespace)
    assert (await calm.read()).WhichOneof("msg") == "welcome"
    status, details, _ = await strict.end()
    assert status is Status.UNAVAILABLE
    assert "HEARTBEAT_TIMEOUT" in details
    await calm.ping()


# Advance.


async def test_a_virtual_clock_stands_until_it_is_moved(peer):
    start = await create(peer)
    assert (await snapshot(peer)).now_us == start
    assert await advance(peer, 5 * SECOND) == c.AdvanceResponse(now_us=start + 5 * SECOND)
    assert (await snapshot(peer)).now_us == start + 5 * SECOND


async def test_time_that_passes_fires_deadlines(peer, connect):
    await create(peer)
    caller = connect("ns")
    stream = await caller.join("a", capabilities=["c"])
    calling = caller.invoke("c", timeout_ms=7_000)
    await stream.read()
    assert (await advance(peer, 6_999_999)).fired == 0
    assert (await advance(peer, 1)).fired == 1
    result = await calling
    assert (result.status, result.error.code) == (action_pb2.ACTION_TIMEOUT, "TIMEOUT")


async def test_what_a_deadline_sends_is_written_before_advance_answers(peer, connect):
    await create(peer)
    stream = connect("ns").open_raw()
    await stream.call.wait_for_connection()
    async with asyncio.timeout(PATIENCE):
        while not (await advance(peer, 10 * SECOND)).fired:
            pass
    assert (await stream.end())[0] is Status.DEADLINE_EXCEEDED


async def test_a_real_clock_is_not_moved(peer, connect):
    await connect("ns").register("a")
    async with refused(Status.FAILED_PRECONDITION) as details:
        await advance(peer, 1)
    assert "virtual_clock" in details[0]


async def test_an_advance_beyond_reason(peer):
    start = await create(peer)
    async with refused(Status.INVALID_ARGUMENT):
        await advance(peer, 2**64 - 1)
    assert (await snapshot(peer)).now_us == start


# Snapshot.


async def test_an_empty_namespace(peer):
    start = await create(peer)
    assert await snapshot(peer) == c.SnapshotResponse(now_us=start)


async def test_a_snapshot_shows_agents_calls_and_counters(peer, connect):
    await create(peer)
    client = connect("ns")
    stream = await client.join(
        "a",
        "plain.*",
        capabilities=[action_pb2.CapabilityDescriptor(name="c", version="1"), "d"],
        subscriptions=[
            agent_pb2.Subscription(topic="x.>", event_types=["t"], qos=event_pb2.QOS_REALTIME, group="g"),
            agent_pb2.Subscription(topic="y", observer=True),
        ],
        features=["subscriptions", "session"],
    )
    await client.register("b")
    calling = client.invoke("c", headers={"x-agent-id": "someone"})
    await stream.read()
    await stream.read()
    held = await snapshot(peer)
    a, b = held.agents
    assert (a.agent_id, a.state, list(a.features)) == ("a", "STREAMING", ["session", "subscriptions"])
    assert a.epoch > 0
    assert list(a.subscriptions) == [
        c.SubscriptionSnapshot(topic="plain.*", qos="BATCHED"),
        c.SubscriptionSnapshot(topic="x.>", event_types=["t"], qos="REALTIME", group="g"),
        c.SubscriptionSnapshot(topic="y", qos="BATCHED", observer=True),
    ]
    assert list(a.capabilities) == ["c@1", "d"]
    assert a.open_calls == 1
    assert (b.agent_id, b.state, b.epoch) == ("b", "REGISTERED", 0)
    assert b.registration > a.registration > 0
    (call,) = held.calls
    assert (call.capability, call.state, call.caller, call.provider) == ("c", "DISPATCHED", "someone", "a")
    assert call.waiters == 1
    assert held.counters
    assert all(count > 0 for count in held.counters.values())
    calling.cancel()


# Disconnect, Hold, Release, Reset.


async def test_disconnect_breaks_the_stream_without_a_word(peer, connect):
    stream = await connect("ns").join("a", "t")
    await peer.control.Disconnect(c.DisconnectRequest(namespace=ns(peer), agent_id="a"))
    status, _, events = await stream.end()
    assert (status, events) == (Status.UNAVAILABLE, [])
    assert not (await snapshot(peer)).agents


async def test_disconnecting_an_agent_without_a_stream_does_nothing(peer, connect):
    await connect("ns").register("a")
    await peer.control.Disconnect(c.DisconnectRequest(namespace=ns(peer), agent_id="a"))
    assert (await snapshot(peer)).agents[0].state == "REGISTERED"


async def test_a_held_stream_fills_its_queue_and_a_released_one_empties_it(peer, connect):
    stream = await connect("ns").join("a", "t")
    publisher = await connect("ns").join("p")
    await peer.control.Hold(c.HoldRequest(namespace=ns(peer), agent_id="a"))
    for number in range(5):
        await publisher.publish("t", str(number).encode())
    await publisher.ping()
    held = (await snapshot(peer)).agents[0]
    assert (held.held, held.queued_events) == (True, 5)
    assert held.queued_bytes > 0
    await peer.control.Release(c.ReleaseRequest(namespace=ns(peer), agent_id="a"))
    assert [(await stream.delivery()).event.payload for _ in range(5)] == [b"0", b"1", b"2", b"3", b"4"]
    released = (await snapshot(peer)).agents[0]
    assert (released.held, released.queued_events) == (False, 0)


async def test_reset_ends_everything_and_forgets_the_namespace(peer, connect):
    await create(peer)
    stream = await connect("ns").join("a", "t")
    await peer.control.Reset(c.ResetRequest(namespace=ns(peer)))
    status, details, events = await stream.end()
    assert status is Status.UNAVAILABLE
    assert "NAMESPACE_RESET" in details
    assert [event.err.code for event in events] == ["NAMESPACE_RESET"]
    async with refused(Status.NOT_FOUND):
        await snapshot(peer)
    await create(peer, virtual=False)


# Watch.


async def watch(peer, namespace: str = "ns"):
    call = peer.control.Watch(c.WatchRequest(namespace=ns(peer, namespace) if namespace else ""))
    await call.initial_metadata()
    return call


async def test_a_watcher_is_told_every_step(peer, connect):
    await create(peer)
    lines = await watch(peer)
    await connect("ns").register("a")
    line = await lines.read()
    assert (line.namespace, line.skipped) == (ns(peer), 0)
    step = decode_step(line.line)
    assert isinstance(step.input, Register)
    assert step.input.agent_id == "a"


async def test_a_watcher_of_all_namespaces(peer, connect):
    lines = await watch(peer, "")
    await connect("one").bridge.Heartbeat(
        stream_pb2.HeartbeatRequest(), metadata=(("loom-namespace", ns(peer, "one")),)
    )
    async with asyncio.timeout(PATIENCE):
        while (line := await lines.read()).namespace != ns(peer, "one"):
            pass
    assert isinstance(decode_step(line.line).input, Heartbeat)


async def test_a_watch_ends_with_its_namespace(peer):
    await create(peer)
    lines = await watch(peer)
    await peer.control.Reset(c.ResetRequest(namespace=ns(peer)))
    assert '"reset"' in (await lines.read()).line
    assert await lines.read() is grpc.aio.EOF
    assert await lines.code() is Status.OK


async def test_a_watcher_that_does_not_read_slows_nobody_and_hears_what_it_missed(peer, connect):
    await create(peer)
    lines = await watch(connect())
    client = connect("ns")
    stream = await client.join("a")
    for _ in range(60):
        await stream.publish("t", b"x" * 1_000_000)  # about 80 MB of lines
    await stream.ping()
    skipped = 0
    async with asyncio.timeout(PATIENCE):
        while not skipped:
            skipped = (await lines.read()).skipped
            if not skipped:
                await client.bridge.Heartbeat(stream_pb2.HeartbeatRequest(), metadata=client.metadata)
    assert skipped > 0
