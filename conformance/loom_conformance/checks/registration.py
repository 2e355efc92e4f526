"""REG-1, REG-2: who may register and as what; a fault anywhere fails the whole."""

from __future__ import annotations

from loom.v1 import action_pb2, agent_pb2
from loom_conformance import Bench, check, expect
from loom_conformance.steps import given, is_unknown, passes, payloads

BAD_PATTERNS = ("", "a..b", ".a", "a.", "a b", "a#b", "a.>.b", "a*", "a.>b", "x" * 256)
"""What no subscription's topic is (PUB-2)."""
BAD_NAMES = ("", "a..b", "a b", "a.*", ">", "a#b", "x" * 256)
"""What no wildcard-free topic is."""


def capability(name: str, version: str = "", **metadata: str) -> action_pb2.CapabilityDescriptor:
    """A descriptor; `__` in a metadata key stands for a dot."""
    named = {key.replace("__", "."): value for key, value in metadata.items()}
    return action_pb2.CapabilityDescriptor(name=name, version=version, metadata=named)


def shown(text: str) -> str:
    """What a reason must have of a culprit: long ones may be cut."""
    return text[:40] or '""'


# REG-1: agent ids.


@check("REG-1.1")
async def agent_ids_of_every_shape(bench: Bench) -> None:
    """Registers ids with each allowed character, and one of 128 bytes."""
    peer = bench.peer("client")
    every = bench.id("ABCDEFGHIJKLMNOPQRSTUVWXYZ.abcdefghijklmnopqrstuvwxyz.0123456789._:@/-.x")
    for agent_id in (bench.id("a"), every, bench.id("x").ljust(128, "x"), bench.id("a" + ".a" * 50)):
        await passes(peer, agent_id)


@check("REG-1.2")
async def an_empty_agent_id(bench: Bench) -> None:
    """Registers without an id; then the same with one."""
    peer = bench.peer("client")
    expect.refused(await peer.register(""), "a registration without an agent id", names="agent id")
    await passes(peer, bench.id("a"))


@check("REG-1.3")
async def an_agent_id_that_is_too_long(bench: Bench) -> None:
    """Registers ids of 129 and of 255 bytes, then one of 128."""
    peer = bench.peer("client")
    for size in (129, 255):
        answer = await peer.register(bench.id("x").ljust(size, "x"))
        expect.refused(answer, f"an agent id of {size} bytes", names="128")
    await passes(peer, bench.id("x").ljust(128, "x"))


@check("REG-1.4")
async def an_agent_id_with_a_wildcard(bench: Bench) -> None:
    """Registers ids with wildcards as tokens and within tokens; then one without."""
    peer = bench.peer("client")
    for agent_id in ("*", ">", "a.*", "*.b", "a.>", "a*b"):
        expect.refused(await peer.register(agent_id), f"the agent id {agent_id}", names=agent_id)
    await passes(peer, bench.id("a.b"))


@check("REG-1.5")
async def an_agent_id_that_is_no_topic(bench: Bench) -> None:
    """Registers ids with empty tokens and with other characters; then one of good ones."""
    peer = bench.peer("client")
    for agent_id in ("a..b", ".a", "a.", ".", "a b", "a#b", "a$b", "a+b", "a~b"):
        expect.refused(await peer.register(agent_id), f"the agent id {agent_id!r}", names=agent_id)
    for agent_id in ("ä", "a\nb", "a\u2028b", "a\x00b"):
        expect.refused(await peer.register(agent_id), f"the agent id {agent_id!r}", names="agent id")
    await passes(peer, bench.id("a.b"))


@check("REG-1.6")
async def who_was_refused_is_not_there(bench: Bench) -> None:
    """Registers a malformed id, and opens its stream all the same."""
    peer = bench.peer("client")
    expect.refused(await peer.register("no id"), "a malformed agent id", names="no id")
    await is_unknown(peer, "no id", "a handshake for the id that was refused")
    await passes(peer, bench.id("a"))
    await peer.stream(bench.id("a"))


# REG-2: topics, subscriptions, capabilities.


@check("REG-2.1")
async def a_malformed_topic(bench: Bench) -> None:
    """Registers malformed patterns, each between two good ones."""
    peer, one, two = bench.peer("client"), bench.topic("a.*"), bench.topic("b.>")
    for pattern in BAD_PATTERNS:
        answer = await peer.register(bench.id("a"), one, pattern, two)
        expect.refused(answer, f"the topic {shown(pattern)}", names=shown(pattern))
    await passes(peer, bench.id("a"), one, two)


async def _refused_subscription(
    bench: Bench, bad: agent_pb2.Subscription, good: agent_pb2.Subscription, names: str
) -> None:
    """A registration with the bad subscription is refused, with the good one in its place not."""
    peer, agent_id, features = bench.peer("client"), bench.id("a"), ["subscriptions"]
    fine = agent_pb2.Subscription(topic=bench.topic("fine"))
    what = " ".join(f"the subscription {{{bad}}}".split())
    answer = await peer.register(agent_id, subscriptions=[fine, bad], features=features)
    expect.refused(answer, what, names=names)
    await passes(peer, agent_id, subscriptions=[fine, good], features=features)


@check("REG-2.2")
async def a_malformed_topic_of_a_subscription(bench: Bench) -> None:
    """Registers subscriptions with malformed patterns."""
    good = agent_pb2.Subscription(topic=bench.topic("a.*"))
    for pattern in BAD_PATTERNS:
        await _refused_subscription(bench, agent_pb2.Subscription(topic=pattern), good, shown(pattern))


@check("REG-2.3")
async def an_unknown_qos(bench: Bench) -> None:
    """Registers subscriptions whose QoS has a number beyond the enum's; then each of the enum's."""
    topic = bench.topic("a.b")
    for bad, good in ((3, 0), (99, 1), (-1, 2)):
        await _refused_subscription(
            bench,
            agent_pb2.Subscription(topic=topic, qos=bad),  # type: ignore[arg-type]  # no QoSLevel, on purpose
            agent_pb2.Subscription(topic=topic, qos=good),  # type: ignore[arg-type]  # a number is one
            topic,
        )


@check("REG-2.4")
async def an_empty_event_type(bench: Bench) -> None:
    """Registers a filter with an empty type in it."""
    topic = bench.topic("a.b")
    bad = agent_pb2.Subscription(topic=topic, event_types=["t", ""])
    await _refused_subscription(bench, bad, agent_pb2.Subscription(topic=topic, event_types=["t"]), topic)


@check("REG-2.5")
async def a_malformed_group(bench: Bench) -> None:
    """Registers queue groups with malformed names."""
    topic = bench.topic("a.b")
    for group in BAD_NAMES[1:]:
        bad = agent_pb2.Subscription(topic=topic, group=group)
        good = agent_pb2.Subscription(topic=topic, group="workers")
        await _refused_subscription(bench, bad, good, shown(group))


@check("REG-2.6")
async def an_observer_in_a_group(bench: Bench) -> None:
    """Registers a subscription that names a group and is an observer; then each of them alone."""
    topic = bench.topic("a.b")
    for good in ({"group": "workers"}, {"observer": True}):
        bad = agent_pb2.Subscription(topic=topic, group="workers", observer=True)
        await _refused_subscription(bench, bad, agent_pb2.Subscription(topic=topic, **good), topic)


@check("REG-2.7")
async def a_malformed_capability(bench: Bench) -> None:
    """Registers capabilities with malformed names, each beside a good one."""
    peer, fine = bench.peer("client"), bench.capability("fine")
    for name in BAD_NAMES:
        answer = await peer.register(bench.id("a"), capabilities=[fine, name])
        expect.refused(answer, f"the capability {shown(name)}", names=shown(name))
    await passes(peer, bench.id("a"), capabilities=[fine, bench.capability("fine.too")])


@check("REG-2.8")
async def a_version_that_is_too_long(bench: Bench) -> None:
    """Registers a capability whose version has 129 bytes, then one of 128."""
    peer, name = bench.peer("client"), bench.capability("c")
    for version in ("v" * 129, "é" * 64 + "v"):
        answer = await peer.register(bench.id("a"), capabilities=[capability(name, version)])
        expect.refused(answer, "a version of 129 bytes", names=name)
    await passes(peer, bench.id("a"), capabilities=[capability(name, "v" * 128)])


@check("REG-2.9")
async def a_max_concurrency_that_is_no_number(bench: Bench) -> None:
    """Registers capabilities whose loom.max_concurrency is malformed, 0, or beyond reason; then good ones."""
    peer, name = bench.peer("client"), bench.capability("c")
    for text in ("0", "-1", "1.5", "", "x", "01", " 1", "+1", "1e3", "1000000", "\uff11", "1\n"):
        answer = await peer.register(
            bench.id("a"), capabilities=[capability(name, loom__max_concurrency=text)]
        )
        expect.refused(answer, f"loom.max_concurrency {text!r}", names=name)
    for text in ("1", "10", "999999"):
        await passes(peer, bench.id("a"), capabilities=[capability(name, loom__max_concurrency=text)])


@check("REG-2.10")
async def a_fault_anywhere_registers_nobody(bench: Bench) -> None:
    """Registers a new agent with one malformed part: nobody is there, and its capability is not either."""
    peer, agent_id, topic, name = bench.peer("client"), bench.id("a"), bench.topic("t"), bench.capability("c")
    faults: tuple[tuple[list[str], list[str]], ...] = (([topic, "a..b"], [name]), ([topic], [name, "a..b"]))
    for topics, capabilities in faults:
        answer = await peer.register(agent_id, *topics, capabilities=capabilities)
        expect.refused(answer, f"topics {topics} and capabilities {capabilities}", names="a..b")
        await is_unknown(peer, agent_id, "a handshake of the agent that was refused")
        expect.result(await peer.call(name), "ACTION_ERROR", "a call of what it offered", code="NOT_FOUND")
    await passes(peer, agent_id, topic, capabilities=[name])
    await peer.stream(agent_id)


@check("REG-2.11")
async def a_refused_change_leaves_the_subscriptions(bench: Bench) -> None:
    """An agent with a stream registers again, with a malformed part: it hears what it heard, and no more."""
    old, new = bench.topic("old"), bench.topic("new")
    agent = await bench.join(bench.id("a"), old)
    other = await bench.join(bench.id("b"))
    peer = bench.peer("client")
    for topics, capabilities in (([new, "a..b"], []), ([new], ["a..b"])):
        answer = await peer.register(agent.agent_id, *topics, capabilities=capabilities)
        expect.refused(answer, f"topics {topics} and capabilities {capabilities}", names="a..b")
    await other.publish(old, b"old")
    await other.publish(new, b"new")
    await other.until_pong()
    expect.equal(await payloads(agent), [b"old"], "what the agent receives after the refused change")


@check("REG-2.12")
async def a_refused_change_leaves_the_capabilities(bench: Bench) -> None:
    """An agent with a stream registers again, with a malformed part: it offers what it offered, no more."""
    old, new = bench.capability("old"), bench.capability("new")
    agent = await bench.join(bench.id("a"), capabilities=[old])
    peer = bench.peer("client")
    for topics, capabilities in ((["a..b"], [new]), ([], [new, "a..b"])):
        answer = await peer.register(agent.agent_id, *topics, capabilities=capabilities)
        expect.refused(answer, f"topics {topics} and capabilities {capabilities}", names="a..b")
    listed = {item.name for item in await peer.capabilities()} & {old, new}
    expect.equal(listed, {old}, "what is callable after the refused change")
    calling = peer.invoke(old, b"x")
    await agent.answer(await given(agent, calling, "a call of what it offered before"), b"y")
    expect.result(await calling.result(), "ACTION_OK", "a call of what it offered before", output=b"y")
