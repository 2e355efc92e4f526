"""CTL-5 to CTL-7: making namespaces, watching them, and who may not."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio

from loom.testing.v1 import control_pb2
from loom_conformance import Bench, check, expect
from loom_conformance.controlling import agent_in, now, refused
from loom_conformance.expect import Violation
from loom_conformance.stream import PATIENCE, End

if TYPE_CHECKING:
    from collections.abc import Callable

Status = grpc.StatusCode
CONTROL = "/loom.testing.v1.Control/"
OF_A_NAMESPACE = ("Advance", "Jump", "Snapshot", "Disconnect", "Hold", "Release", "Reset")
METHODS = ("CreateNamespace", *OF_A_NAMESPACE, "Watch", "Participate")
LARGE = 1_000_000


# CTL-5.


@check("CTL-5.1", needs=["control"])
async def a_namespace_is_made_once(bench: Bench) -> None:
    """The check's own namespace is made again: refused, and the agent in it goes on."""
    agent = await bench.join(bench.id("a"))
    answer = await bench.control.outcome("CreateNamespace", virtual_clock=True)
    refused(answer, Status.ALREADY_EXISTS, "making it again", names=bench.namespace)
    expect.nothing(await agent.until_pong(), "what the agent in it is sent")
    expect.equal((await agent_in(bench, agent.agent_id)).state, "STREAMING", "its state")


@check("CTL-5.2", needs=["control"])
async def a_malformed_name_is_refused(bench: Bench) -> None:
    """Names with spaces, wildcards or empty tokens, of none and of 129 bytes; of 128 bytes it is made."""
    for name in ("not a name", "a.*", "a..b", "", "x" * 129):
        answer = await bench.control.outcome("CreateNamespace", namespace=name)
        refused(answer, Status.INVALID_ARGUMENT, f"a namespace named {name[:20]!r}", names=name[:20])
    largest = bench.beside("x" * (127 - len(bench.namespace)))
    expect.equal(len(largest), 128, "the length of the name that is tried")
    await bench.control.ask("CreateNamespace", namespace=largest)


@check("CTL-5.3", needs=["control", "namespaces"])
async def limits_are_of_one_namespace(bench: Bench) -> None:
    """An event of 200 bytes where 100 are allowed, and where nothing was said: refused, and delivered."""
    small = bench.beside("small")
    await bench.control.ask("CreateNamespace", namespace=small, limits={"event_bytes": 100})
    outcomes = {}
    for namespace in (small, bench.namespace):
        stream = await bench.peer(namespace=namespace).join(bench.id("a"), "t")
        await stream.publish("t", b"x" * 200)
        kinds = [event.WhichOneof("msg") for event in await stream.until_pong()]
        outcomes[namespace] = (stream.registration.limits.event_bytes, kinds)
    expect.equal(outcomes[small], (100, ["err"]), "the limit that is told there, and what comes of the event")
    told = bench.declared.limits["event_bytes"]
    expect.equal(
        outcomes[bench.namespace], (told, ["delivery"]), "the limit that is told elsewhere, and the same"
    )


@check("CTL-5.4", needs=["control"])
async def limits_that_cannot_be_are_refused(bench: Bench) -> None:
    """A limit that nobody knows, and one of nothing: refused, and nothing is made; with a right one it is."""
    name = bench.beside("strange") if bench.namespace else ""
    for limits in ({"nothing_of_that": 1}, {"queue_events": 0}):
        answer = await bench.control.outcome("CreateNamespace", namespace=name, limits=limits)
        refused(answer, Status.INVALID_ARGUMENT, f"a namespace with {limits}", names=next(iter(limits)))
        there = await bench.control.outcome("Snapshot", namespace=name)
        refused(there, Status.NOT_FOUND, "a snapshot of what was refused")
    await bench.control.ask("CreateNamespace", namespace=name, limits={"queue_events": 1})


@check("CTL-5.5", needs=["control"])
async def limits_of_the_bridge_are_refused(bench: Bench) -> None:
    """Each of the three that hold for the whole bridge: refused, and nothing is made."""
    name = bench.beside("strange")
    for limit in ("connection_streams", "message_bytes", "namespaces"):
        answer = await bench.control.outcome("CreateNamespace", namespace=name, limits={limit: 5})
        refused(answer, Status.INVALID_ARGUMENT, f"a namespace with its own {limit}", names=limit)
        there = await bench.control.outcome("Snapshot", namespace=name)
        refused(there, Status.NOT_FOUND, "a snapshot of what was refused")


@check("CTL-5.6", needs=["control", "namespaces"])
async def the_real_clock_is_the_default(bench: Bench) -> None:
    """A namespace that was made without a word about its clock, and one that began with a call."""
    made, begun = bench.beside("made"), bench.beside("begun")
    await bench.control.ask("CreateNamespace", namespace=made)
    await bench.peer(namespace=begun).heartbeat(1)
    for namespace in (made, begun):
        begin = await now(bench, namespace)

        async def has_passed(namespace: str = namespace, begin: int = begin) -> bool:
            return await now(bench, namespace) > begin

        passed = await bench.eventually(has_passed, "that time passes by itself", within=5)
        expect.true(passed, "the time", expected="to pass by itself", got="it stands")


@check("CTL-5.7", needs=["control", "namespaces"])
async def namespaces_are_made_together(bench: Bench) -> None:
    """Three in one call: the clock of each stands until it is moved, and each has the limits asked for."""
    names = [bench.beside("one"), bench.beside("two"), bench.beside("three")]
    first, *others = names
    limits = {"event_bytes": 100}
    answer = await bench.control.ask(
        "CreateNamespace", namespace=first, others=others, virtual_clock=True, limits=limits
    )
    expect.equal(answer.made, 3, "how many were made")
    for name in names:
        begin = await now(bench, name)
        await bench.control.ask("Advance", namespace=name, by_us=1_000_000)
        expect.equal(await now(bench, name) - begin, 1_000_000, f"how far the clock of {name} was moved")
        registered = await bench.peer(namespace=name).register(bench.id("a"))
        expect.equal(registered.limits.event_bytes, 100, f"the limit that is told in {name}")


@check("CTL-5.8", needs=["control", "namespaces"])
async def all_namespaces_are_made_or_none(bench: Bench) -> None:
    """Two new ones with one that is there, a malformed one, and one of them again; then by themselves."""
    one, two = bench.beside("one"), bench.beside("two")
    wrong = {
        bench.namespace: Status.ALREADY_EXISTS,
        "not a name": Status.INVALID_ARGUMENT,
        one: Status.INVALID_ARGUMENT,
    }
    for culprit, code in wrong.items():
        answer = await bench.control.outcome("CreateNamespace", namespace=one, others=[two, culprit])
        refused(answer, code, f"two new namespaces with {culprit}", names=culprit)
        for name in (one, two):
            there = await bench.control.outcome("Snapshot", namespace=name)
            refused(there, Status.NOT_FOUND, f"a snapshot of {name}, made with {culprit}", names=name)
    await bench.control.ask("CreateNamespace", namespace=one, others=[two])


# CTL-6.


class Watching:
    """A watch of a namespace, of which every step is read within a while."""

    def __init__(self, bench: Bench, *, namespace: str = "") -> None:
        self._bench = bench
        self._call: Any = bench.control.stub.Watch(
            control_pb2.WatchRequest(namespace=namespace), metadata=bench.control.metadata
        )

    async def begun(self) -> Watching:
        """Waits for the response headers: nothing is missed from here on."""
        async with asyncio.timeout(PATIENCE):
            await self._call.initial_metadata()
        return self

    async def next(self) -> control_pb2.WatchResponse | None:
        """The next step; None at the end.

        Raises:
            Violation: nothing comes.
        """
        try:
            async with asyncio.timeout(PATIENCE / 2):
                line = await self._call.read()
        except TimeoutError:
            raise Violation("the watch", "a step or its end", "nothing in time") from None
        return None if line is grpc.aio.EOF else line

    async def until(self, last: Callable[[dict[str, Any]], bool]) -> list[control_pb2.WatchResponse]:
        """Every step up to the first of which this holds."""
        lines = []
        while line := await self.next():
            lines.append(line)
            if last(json.loads(line.line)["in"]):
                return lines
        raise Violation("the watch", "the step that is waited for", "its end")

    async def status(self) -> End:
        """How it ended."""
        return End(await self._call.code(), await self._call.details() or "")


def mark(bench: Bench) -> int:
    """The timestamp of the heartbeat by which a check finds its place: no other check sends it."""
    return int(bench.nonce, 16)


def marked(bench: Bench) -> Callable[[dict[str, Any]], bool]:
    """Whether a step is that heartbeat."""
    return lambda came_in: came_in["kind"] == "heartbeat" and came_in.get("timestamp_ms") == mark(bench)


def kinds(lines: list[control_pb2.WatchResponse]) -> list[str]:
    """What kinds of steps these are."""
    return [json.loads(line.line)["in"]["kind"] for line in lines]


@check("CTL-6.1", needs=["control"])
async def every_step_is_told(bench: Bench) -> None:
    """An agent registers, opens its stream, shakes hands and publishes: a trace line for each, in order."""
    watching = await Watching(bench, namespace=bench.namespace).begun()
    peer = bench.peer()
    agent = await peer.join(bench.id("a"))
    await agent.publish("t")
    await agent.until_pong()
    await peer.heartbeat(mark(bench))
    lines = await watching.until(marked(bench))
    told = [kind for kind in kinds(lines) if kind not in ("writable", "tick")]
    wanted = ["register", "open", "receive", "receive", "receive", "heartbeat"]
    expect.equal(told, wanted, "the kinds of the steps")
    for line in lines:
        step = json.loads(line.line)
        expect.true(step.keys() >= {"at", "in", "out"}, "a step", expected="at, in and out", got=line.line)
    expect.equal(sum(line.skipped for line in lines), 0, "how many steps were left out")


@check("CTL-6.2", needs=["control", "namespaces"])
async def steps_of_others_are_not_told(bench: Bench) -> None:
    """Heartbeats in two namespaces: who watches one hears of it alone, who watches all hears of both."""
    other = bench.beside("other")
    here, there = bench.peer(), bench.peer(namespace=other)
    await there.heartbeat(1)
    one = await Watching(bench, namespace=bench.namespace).begun()
    everything = await Watching(bench).begun()
    await there.heartbeat(2)
    await here.heartbeat(mark(bench))
    own = await one.until(marked(bench))
    names = {line.namespace for line in own}
    expect.equal(names, {bench.namespace}, "whose steps are told to who watches one namespace")
    ours = {bench.namespace, other}
    all_of_them = [line for line in await everything.until(marked(bench)) if line.namespace in ours]
    names = {line.namespace for line in all_of_them}
    expect.equal(names, ours, "whose steps are told to who watches all")


@check("CTL-6.3", needs=["control"])
async def a_watch_ends_with_its_namespace(bench: Bench) -> None:
    """The namespace is reset: that is the last step that is told."""
    watching = await Watching(bench, namespace=bench.namespace).begun()
    await bench.peer().heartbeat(1)
    await bench.control.reset()
    lines = await watching.until(lambda came_in: came_in["kind"] == "reset")
    expect.equal(kinds(lines)[-1], "reset", "the last step")
    expect.true(await watching.next() is None, "the watch", expected="its end", got="another step")
    expect.status(await watching.status(), Status.OK, "the watch")


@check("CTL-6.4", needs=["control"])
async def a_watcher_that_does_not_read_hears_what_it_missed(bench: Bench) -> None:
    """60 MB are published while nobody reads the watch: each step is told, or counted as left out."""
    watching = await Watching(bench, namespace=bench.namespace).begun()
    peer = bench.peer()
    agent = await peer.join(bench.id("a"))
    for _ in range(60):
        await agent.publish("t", bytes(LARGE))
    expect.nothing(await agent.until_pong(), "what the publisher is sent")
    published = skipped = 0
    came_in: dict[str, Any] = {"kind": ""}
    while not marked(bench)(came_in):
        await peer.heartbeat(mark(bench))  # told as soon as there is room for it
        line = await watching.next()
        if line is None:
            raise Violation("the watch", "the step that is waited for", "its end")
        came_in = json.loads(line.line)["in"]
        published += came_in["kind"] == "receive" and came_in["message"]["kind"] == "publish"
        skipped += line.skipped
    missing = 60 - published
    expect.true(
        skipped >= missing,
        f"what is counted as left out, where {missing} of 60 publishes were not told",
        expected=f"at least {missing}",
        got=str(skipped),
    )


# CTL-7.


@check("CTL-7.1", needs=["control"])
async def an_unknown_namespace_is_not_found(bench: Bench) -> None:
    """Every method but CreateNamespace, of a namespace that is not there, nor afterwards."""
    name = bench.beside("nowhere")
    for method in OF_A_NAMESPACE:
        answer = await bench.control.outcome(method, namespace=name)
        refused(answer, Status.NOT_FOUND, f"{method} of a namespace that is not there", names=name)
    watching = Watching(bench, namespace=name)
    expect.status(
        await watching.status(), Status.NOT_FOUND, "Watch of a namespace that is not there", names=name
    )
    answer = await bench.control.outcome("Snapshot", namespace=name)
    refused(answer, Status.NOT_FOUND, "a snapshot afterwards", names=name)


@check("CTL-7.2", needs=["plain"])
async def nobody_controls_a_bridge_at_work(bench: Bench) -> None:
    """A bridge that was started without its testing control: its methods are unimplemented, others serve."""
    program = await bench.program(testing=False)
    peer = bench.peer_of(program)
    for method in METHODS:
        answer = await peer.raw(CONTROL + method, b"\x0a\x07default")
        refused(answer, Status.UNIMPLEMENTED, f"Control.{method} of a bridge that is not for testing")
    expect.equal((await peer.heartbeat(7)).timestamp_ms, 7, "a heartbeat")
