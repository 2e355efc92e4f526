"""REG-3 to REG-6: registering again, the lapse, shared capabilities, what the answer says."""

from __future__ import annotations

import re

from loom.v1 import agent_pb2
from loom_conformance import Bench, check, expect
from loom_conformance.backlog import Backlog, without_ballast
from loom_conformance.checks.registration import capability
from loom_conformance.steps import answered_without, given, is_unknown, passes, payloads

LAPSE_MS = 30_000
"""After how long a registration lapses, where the bridge does not tell."""
LONGEST_HEARTBEAT_MS = 3_333
"""Three of these are at most ten seconds (SES-7)."""


def lapse(bench: Bench) -> float:
    """After how many seconds a registration without a stream lapses."""
    return bench.declared.limits.get("registration_lapse_ms", LAPSE_MS) / 1000


# REG-3: again.


@check("REG-3.1")
async def registering_again_replaces_subscriptions(bench: Bench) -> None:
    """An agent with a stream registers again with other topics: it hears those, each event once."""
    old, new, both = bench.topic("old"), bench.topic("new"), bench.topic("both")
    agent = await bench.join(bench.id("a"), old, both)
    other = await bench.join(bench.id("b"))
    for topic in (old, new, both):
        await other.publish(topic, topic.encode())
    await other.until_pong()
    before = [delivery.topic for delivery in await agent.deliveries()]
    expect.equal(before, [old, both], "what the agent receives before")
    await passes(bench.peer("client"), agent.agent_id, both, new)
    for topic in (old, new, both):
        await other.publish(topic, topic.encode())
    await other.until_pong()
    after = [delivery.topic for delivery in await agent.deliveries()]
    expect.equal(after, [new, both], "what the agent receives after it registered again")


@check("REG-3.2")
async def registering_again_replaces_capabilities(bench: Bench) -> None:
    """An agent with a stream registers again with another capability: it is served, the old one gone."""
    old, new = bench.capability("old"), bench.capability("new")
    agent = await bench.join(bench.id("a"), capabilities=[old])
    peer = bench.peer("client")
    await passes(peer, agent.agent_id, capabilities=[new])
    result = await answered_without(agent, peer.invoke(old), "a call of the old capability")
    expect.result(result, "ACTION_ERROR", "a call of the old capability", code="NOT_FOUND")
    calling = peer.invoke(new, b"x")
    await agent.answer(await given(agent, calling, "a call of the new capability"), b"y")
    expect.result(await calling.result(), "ACTION_OK", "a call of the new capability", output=b"y")


@check("REG-3.3")
async def registering_again_leaves_the_stream(bench: Bench) -> None:
    """An agent with a stream registers again three times: nothing comes on the stream, and it answers."""
    agent = await bench.join(bench.id("a"), bench.topic("t"))
    for _ in range(3):
        await passes(bench.peer("client"), agent.agent_id, bench.topic("t"))
        expect.equal(await agent.until_pong(), [], "what the stream was told of the new registration")


@check("REG-3.4")
async def registering_again_keeps_the_queue(bench: Bench) -> None:
    """Events lie in an agent's queue while it registers again with other topics: it receives them all."""
    topic = bench.topic("t")
    agent = await bench.peer("a", narrow=True).join(bench.id("a"), topic)
    publisher = await bench.join(bench.id("p"))
    backlog = Backlog(bench, agent, publisher, topic)
    await backlog.begin()
    await backlog.publish(b"1", b"2")
    await passes(bench.peer("client"), agent.agent_id, bench.topic("other"))
    await backlog.end()
    received = [delivery.event.payload for delivery in without_ballast(await agent.until_pong())]
    expect.equal(received, [b"1", b"2"], "the events that were queued before the new registration")


# REG-4: the lapse.


@check("REG-4.1")
async def a_registration_lapses(bench: Bench) -> None:
    """Registers, lets the time for the stream pass, and opens it then; another is opened at once."""
    peer, late, prompt = bench.peer("client"), bench.id("late"), bench.id("prompt")
    for agent_id in (late, prompt):
        await passes(peer, agent_id)
    await peer.stream(prompt)
    await bench.pass_time(lapse(bench) + 0.2)
    await is_unknown(peer, late, "a handshake after the time for it")


@check("REG-4.2")
async def a_registration_does_not_lapse_early(bench: Bench) -> None:
    """Registers, and opens the stream shortly before the time for it has passed."""
    peer, agent_id = bench.peer("client"), bench.id("a")
    await passes(peer, agent_id)
    await bench.pass_time(lapse(bench) - 0.5)
    stream = await peer.stream(agent_id)
    expect.equal(await stream.until_pong(), [], "what comes on the stream that was opened in time")


@check("REG-4.3")
async def registering_again_starts_the_lapse_anew(bench: Bench) -> None:
    """Registers, and again before the lapse: the stream can be opened after the first time is over."""
    peer, agent_id = bench.peer("client"), bench.id("a")
    await passes(peer, agent_id)
    await bench.pass_time(lapse(bench) * 0.8)
    await passes(peer, agent_id)
    await bench.pass_time(lapse(bench) * 0.8)
    stream = await peer.stream(agent_id)
    expect.equal(await stream.until_pong(), [], "what comes on the stream that was opened in time")


@check("REG-4.4")
async def who_streams_does_not_lapse(bench: Bench) -> None:
    """An agent with a stream is still there after the time, also one that registered again meanwhile."""
    one, two, topic = bench.id("one"), bench.id("two"), bench.topic("t")
    streams = [await bench.join(one, topic), await bench.join(two, topic)]
    await passes(bench.peer("client"), two, topic)
    await bench.pass_time(lapse(bench) + 0.2)
    await streams[0].publish(topic, b"x")
    await streams[0].until_pong()
    for stream in streams[1:]:
        expect.equal(
            await payloads(stream), [b"x"], f"what {stream.agent_id} receives after the time for streams"
        )


# REG-5: capabilities.


@check("REG-5.1")
async def one_capability_twice(bench: Bench) -> None:
    """Registers the same capability twice, in one version and in two; then two capabilities."""
    peer, agent_id, name = bench.peer("client"), bench.id("a"), bench.capability("c")
    for versions in (("", ""), ("1", "1"), ("1", "2")):
        twice = [capability(name, version) for version in versions]
        answer = await peer.register(agent_id, capabilities=[twice[0], bench.capability("d"), twice[1]])
        expect.refused(answer, f"one capability in the versions {versions}", names=name)
    await passes(peer, agent_id, capabilities=[capability(name, "1"), bench.capability("d")])


@check("REG-5.2")
async def two_agents_of_one_capability(bench: Bench) -> None:
    """Two agents offer one capability, and either leaves: the other one is given the next call."""
    for leaver in (0, 1):
        name = bench.capability(f"c{leaver}")
        agents = [await bench.join(bench.id(f"{each}{leaver}"), capabilities=[name]) for each in ("a", "b")]
        await agents[leaver].half_close()
        await agents[leaver].end()
        stays, caller = agents[1 - leaver], bench.peer("caller")
        calling = caller.invoke(name, b"x")
        await stays.answer(await given(stays, calling, "a call after the other provider left"), b"y")
        expect.result(await calling.result(), "ACTION_OK", "the answer of the other provider", output=b"y")


# REG-6: what the answer says.


@check("REG-6.1")
async def registrations_are_numbered(bench: Bench) -> None:
    """Registers several agents, some again: each number is larger than all before it."""
    peer, last = bench.peer("client"), 0
    for agent_id in ("a", "b", "a", "a", "c", "b"):
        number = (await peer.register(bench.id(agent_id))).registration
        expect.true(
            number > last,
            f"the number of {agent_id}'s registration",
            expected=f"more than {last}",
            got=str(number),
        )
        last = number


@check("REG-6.2")
async def the_bridge_says_who_it_is(bench: Bench) -> None:
    """The answer to a registration names the program, its version, and the protocol's version."""
    server = (await bench.peer("client").register(bench.id("a"))).server
    expect.true(server.name, "the bridge's name", expected="a name", got="''")
    expect.true(server.version, "the bridge's version", expected="a version", got="''")
    protocol = re.fullmatch(r"[0-9]+\.[0-9]+", server.protocol)
    expect.true(protocol, "the version of the protocol", expected="as 1.0", got=repr(server.protocol))


@check("REG-6.3")
async def the_bridge_tells_its_heartbeat(bench: Bench) -> None:
    """The answer to a registration with `session` tells how often each side should be heard from."""
    answer = await bench.peer("client").register(bench.id("a"), features=["session"])
    interval = answer.heartbeat_interval_ms
    expect.true(interval > 0, "heartbeat_interval_ms", expected="more than 0", got=str(interval))
    expect.at_most(interval, LONGEST_HEARTBEAT_MS, "heartbeat_interval_ms")


@check("REG-6.4")
async def a_refusal_has_a_code(bench: Bench) -> None:
    """Registrations with faults of each kind are refused, each with the code of its kind."""
    peer, agent_id, topic = bench.peer("client"), bench.id("a"), bench.topic("t")
    answer = await peer.register("no id")
    expect.refused(answer, "a malformed agent id", code="INVALID_AGENT_ID", names="no id")
    answer = await peer.register(agent_id, "no topic")
    expect.refused(answer, "a malformed topic", code="INVALID_TOPIC", names="no topic")
    answer = await peer.register(agent_id, capabilities=["no name"])
    expect.refused(answer, "a malformed capability", code="INVALID_CAPABILITY", names="no name")
    if "subscriptions" in bench.declared.features:
        wrong = agent_pb2.Subscription(topic=topic, group="no group")
        answer = await peer.register(agent_id, subscriptions=[wrong], features=["subscriptions"])
        expect.refused(answer, "a malformed subscription", code="INVALID_SUBSCRIPTION", names="no group")
    fine = await peer.register(agent_id, topic, capabilities=[bench.capability("c")])
    expect.equal(fine.error_code, "", "the error code of a registration that is accepted")


@check("REG-6.5")
async def a_refusal_has_no_number(bench: Bench) -> None:
    """Registrations that are refused have no number; those around them have."""
    peer, agent_id = bench.peer("client"), bench.id("a")
    for _ in range(2):
        refused = await peer.register(agent_id, "no topic")
        expect.refused(refused, "a malformed topic", names="no topic")
        expect.equal(refused.registration, 0, "the number of the refused registration")
        accepted = await peer.register(agent_id)
        expect.true(accepted.registration, "the number of the accepted one", expected="a number", got="0")
