"""NS: namespaces, each a world of its own."""

from __future__ import annotations

import grpc

from loom_conformance import Bench, check, expect
from loom_conformance.peer import Peer
from loom_conformance.steps import answered_without, ended, given, is_unknown, passes, payloads
from loom_conformance.stream import End

UNARY = (
    "/loom.v1.Bridge/RegisterAgent",
    "/loom.v1.Bridge/ForwardAction",
    "/loom.v1.Bridge/Heartbeat",
    "/loom.v1.ActionBroker/ListCapabilities",
    "/loom.v1.ActionBroker/Invoke",
)
BAD_NAMES = ("not a name", "a..b", ".a", "a.", "a.*", ">", "a#b", "x" * 129)
KEY = "loom-namespace"


def worlds(bench: Bench) -> tuple[Peer, Peer]:
    """Two clients, each in a namespace of its own."""
    return bench.peer("left", namespace=bench.beside("left")), bench.peer(
        "right", namespace=bench.beside("right")
    )


# NS-1: nothing crosses.


@check("NS-1.1")
async def events_do_not_cross(bench: Bench) -> None:
    """Agents of two namespaces hear the same topic; an event of each reaches its own only."""
    agents = [await world.join(f"agent.of.{world.who}", ">") for world in worlds(bench)]
    for agent, payload in zip(agents, (b"left", b"right"), strict=True):
        await agent.publish("t", payload)
        await agent.until_pong()
        await agent.publish("t", payload)
    for agent, payload in zip(agents, (b"left", b"right"), strict=True):
        expect.equal(await payloads(agent), [payload], f"what the agent of {payload.decode()} receives")


@check("NS-1.2")
async def calls_do_not_cross(bench: Bench) -> None:
    """A capability is offered in one namespace: a call in another is NOT_FOUND, one in its own is given."""
    left, right = worlds(bench)
    agent = await left.join("a", capabilities=["c"])
    result = await answered_without(agent, right.invoke("c"), "a call in the other namespace")
    expect.result(result, "ACTION_ERROR", "a call in the other namespace", code="NOT_FOUND")
    calling = left.invoke("c")
    await agent.answer(await given(agent, calling, "a call in its own namespace"), b"y")
    expect.result(await calling.result(), "ACTION_OK", "a call in its own namespace", output=b"y")


@check("NS-1.3")
async def listings_do_not_cross(bench: Bench) -> None:
    """Two namespaces offer one capability each, and a third offers none: each lists its own."""
    for world, name in zip(worlds(bench), ("left.c", "right.c"), strict=True):
        await world.join("a", capabilities=[name])
        names = [item.name for item in await world.capabilities()]
        expect.equal(names, [name], f"what is listed in {world.who}")
    empty = await bench.peer("empty", namespace=bench.beside("empty")).capabilities()
    expect.nothing(empty, "what is listed in a namespace without agents")


@check("NS-1.4")
async def agents_of_one_name_do_not_meet(bench: Bench) -> None:
    """An agent streams in one namespace; another of the same id joins in a second one: both go on."""
    left, right = worlds(bench)
    agents = [await left.join("a", "t"), await right.join("a", "t"), await right.stream("a")]
    expect.equal((await agents[1].end()).code, grpc.StatusCode.ABORTED, "the older stream in the second one")
    for agent, payload in ((agents[0], b"left"), (agents[2], b"right")):
        await agent.publish("t", payload)
        expect.equal(await payloads(agent), [payload], f"what the agent of {payload.decode()} receives")


@check("NS-1.5")
async def registrations_do_not_cross(bench: Bench) -> None:
    """An agent registers in one namespace: its handshake is refused in another, and accepted in its own."""
    left, right = worlds(bench)
    expect.nothing(await right.capabilities(), "what the other namespace has to begin with")
    await passes(left, "a")
    await is_unknown(right, "a", "a handshake in the other namespace")
    await left.stream("a")


@check("NS-1.6")
async def call_ids_do_not_cross(bench: Bench) -> None:
    """The same call, by the same caller under the same id, is made in two namespaces: it runs in both."""
    for world in worlds(bench):
        agent = await world.join("a", capabilities=["c"])
        calling = world.invoke("c", b"x", id="one", headers={"x-agent-id": "caller"})
        await agent.answer(await given(agent, calling, f"the call in {world.who}"), world.who.encode())
        result = await calling.result()
        expect.result(result, "ACTION_OK", f"the call in {world.who}", output=world.who.encode())


@check("NS-1.7", needs=["confirm"])
async def producers_do_not_cross(bench: Bench) -> None:
    """The same producer publishes under the same number in two namespaces: both are delivered."""
    for world in worlds(bench):
        await passes(world, "a", "t", features=["confirm"])
        agent = await world.stream("a", producer=7)
        await agent.publish("t", world.who.encode(), confirm=True, pub_seq=1)
        received = [
            event.delivery.event.payload for event in await agent.until_pong() if event.HasField("delivery")
        ]
        expect.equal(received, [world.who.encode()], f"what is delivered in {world.who}")


# NS-2: which namespace.


@check("NS-2.1")
async def without_a_name_it_is_the_default_one(bench: Bench) -> None:
    """A client that names no namespace and one that names `default` meet; one that names another does not."""
    unnamed, named = bench.peer("unnamed", namespace=""), bench.peer("named", namespace="default")
    topic, one, two = f"conformance.{bench.nonce}", f"one-{bench.nonce}", f"two-{bench.nonce}"
    hearer, stranger = await unnamed.join(one, topic), await bench.peer("elsewhere").join(one, topic)
    speaker = await named.join(two)
    await speaker.publish(topic, b"x")
    await speaker.until_pong()
    expect.equal(await payloads(hearer), [b"x"], "what the client without a namespace receives")
    expect.equal(await payloads(stranger), [], "what the client of another namespace receives")


@check("NS-2.2")
async def a_namespace_needs_no_creation(bench: Bench) -> None:
    """Clients make the first call of a fresh namespace, each another one: all are answered."""
    peer = bench.peer("client", namespace=bench.beside("first"))
    expect.equal((await peer.heartbeat(1)).timestamp_ms, 1, "a heartbeat as the first call")
    peer = bench.peer("client", namespace=bench.beside("second"))
    expect.nothing(await peer.capabilities(), "what is listed by the first call")
    peer = bench.peer("client", namespace=bench.beside("third"))
    expect.result(await peer.call("c"), "ACTION_ERROR", "a call as the first one", code="NOT_FOUND")
    peer = bench.peer("client", namespace=bench.beside("fourth"))
    await is_unknown(peer, "a", "a stream as the first call")
    agent = await bench.peer("client", namespace=bench.beside("fifth")).join("a", "t")
    await agent.publish("t", b"x")
    expect.equal(
        await payloads(agent), [b"x"], "what an agent receives whose registration was the first call"
    )


@check("NS-2.3")
async def a_malformed_namespace(bench: Bench) -> None:
    """Each unary method is called with malformed namespaces, then with one of 128 bytes."""
    for name in BAD_NAMES:
        for method in UNARY:
            end = await bench.peer("client", namespace=name).raw(method, b"")
            _is_refused(end, f"{method} in the namespace {name}", names=name[:40])
    longest = bench.beside("x" * (127 - len(bench.namespace)))
    answer = await bench.peer("client", namespace=longest).heartbeat(1)
    expect.equal(answer.timestamp_ms, 1, "a heartbeat in a namespace whose name has 128 bytes")


@check("NS-2.3")
async def an_empty_namespace(bench: Bench) -> None:
    """Each unary method is called with the key and no name in it."""
    for method in UNARY:
        peer = bench.peer("client")
        peer.metadata = ((KEY, ""), *((key, value) for key, value in peer.metadata if key != KEY))
        _is_refused(await peer.raw(method, b""), f"{method} in a namespace without a name", names="empty")


@check("NS-2.4")
async def a_stream_in_a_malformed_namespace(bench: Bench) -> None:
    """Streams are opened in malformed namespaces; then one in a good one."""
    for name in BAD_NAMES:
        stream, what = bench.peer("client", namespace=name).open(), f"a stream in the namespace {name}"
        await ended(stream, grpc.StatusCode.INVALID_ARGUMENT, what, names=name[:40])
    agent = await bench.join("a")
    expect.equal(await agent.until_pong(), [], "what comes on a stream in a good namespace")


@check("NS-2.5")
async def two_namespaces_at_once(bench: Bench) -> None:
    """Each method is called with the key twice, with two names and with one; then once."""
    names = (bench.beside("left"), bench.beside("right"))
    for first, second in (names, (names[0], names[0])):
        peer = bench.peer("client")
        rest = [(key, value) for key, value in peer.metadata if key != KEY]
        peer.metadata = ((KEY, first), (KEY, second), *rest)
        for method in UNARY:
            _is_refused(await peer.raw(method, b""), f"{method} in {first} and {second}", names=KEY)
        await ended(peer.open(), grpc.StatusCode.INVALID_ARGUMENT, "a stream with the key twice", names=KEY)
        peer.metadata = ((KEY, first), *rest)
        expect.equal((await peer.heartbeat(1)).timestamp_ms, 1, "a heartbeat with the key once")


def _is_refused(answer: bytes | End, what: str, *, names: str) -> None:
    expect.true(isinstance(answer, End), what, expected="INVALID_ARGUMENT", got="an answer")
    assert isinstance(answer, End)
    expect.status(answer, grpc.StatusCode.INVALID_ARGUMENT, what, names=names)
