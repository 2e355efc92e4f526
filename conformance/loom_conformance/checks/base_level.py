"""BASE-2 to BASE-4: base-level clients and full ones, and what features agree on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loom.v1 import agent_pb2, event_pb2, stream_pb2
from loom_conformance import Bench, check, expect
from loom_conformance.declared import EXTENSIONS
from loom_conformance.steps import given, passes, payloads
from loom_conformance.wire import foreign_fields

if TYPE_CHECKING:
    from loom_conformance.stream import Stream

BASE_MEMBERS = {"delivery", "pong", "err", "action_call"}
FREE = {"Error.100", "Error.101"}
"""Extension fields that belong to no feature: `ref` and `fatal`."""


def all_features(bench: Bench) -> list[str]:
    """Every feature of a registration that the bridge has."""
    return [name for name in EXTENSIONS if name in bench.declared.features]


async def _answers(provider: Stream, bench: Bench, caller: str, capability: str) -> None:
    """A call reaches the provider and its answer the caller."""
    calling = bench.peer(caller).invoke(capability, b"question", id="mine")
    call = await given(provider, calling, f"a call by {caller}")
    expect.equal(call.payload, b"question", "the payload that the provider is given")
    await provider.answer(call, b"answer")
    result = await calling.result()
    expect.result(result, "ACTION_OK", f"the call by {caller}", output=b"answer")
    expect.equal(result.id, "mine", "the id of the result")


# BASE-2: the base level.


@check("BASE-2.1")
async def base_level_events(bench: Bench) -> None:
    """Two clients that name no features publish to each other."""
    one_topic, two_topic = bench.topic("one.x"), bench.topic("two.x")
    one = await bench.join(bench.id("one"), bench.topic("one.*"))
    two = await bench.join(bench.id("two"), bench.topic("two.>"))
    expect.equal(list(one.registration.features), [], "the features of a client that names none")
    await one.publish(two_topic, b"to two")
    await one.until_pong()
    expect.equal(await payloads(two), [b"to two"], "what the second receives")
    await two.publish(one_topic, b"to one")
    await two.until_pong()
    expect.equal(await payloads(one), [b"to one"], "what the first receives")


@check("BASE-2.2")
async def base_level_calls(bench: Bench) -> None:
    """Two clients that name no features each offer a capability, which strangers call."""
    for name in ("one", "two"):
        capability = bench.capability(f"capability.of.{name}")
        provider = await bench.join(bench.id(name), capabilities=[capability])
        await _answers(provider, bench, "stranger", capability)


async def _base_level_conversation(bench: Bench) -> list[stream_pb2.ServerEvent]:
    """All that a base-level client is sent while everything happens to it, also what extensions are about."""
    topic, name = bench.topic("t"), bench.capability("c")
    peer = bench.peer("base")
    older = await peer.join(bench.id("base"), topic, capabilities=[name])
    other = await bench.join(bench.id("other"), features=all_features(bench))
    seen = await _everything_happens(bench, older, other, topic, name)
    newer = await peer.stream(older.agent_id)
    seen += (await older.end()).events  # it was superseded
    return seen + await _everything_happens(bench, newer, other, topic, name)


async def _everything_happens(
    bench: Bench, stream: Stream, other: Stream, topic: str, capability: str
) -> list[stream_pb2.ServerEvent]:
    """Delivers to the stream, refuses what it says, calls it, gives a call up, pings it."""
    await other.publish(topic, b"an event")
    await other.until_pong()
    await stream.publish("no topic", b"refused")
    event, wanted = event_pb2.Event(id="confirmed"), [agent_pb2.Subscription(topic=topic)]
    await stream.send(publish=event_pb2.Publish(topic=topic, event=event, confirm=True, pub_seq=1))
    await stream.send(subscribe=stream_pb2.Subscribe(ref=2, subscriptions=wanted))
    await stream.send(unsubscribe=stream_pb2.Unsubscribe(ref=3, subscriptions=wanted))
    seen = await stream.until_pong()
    caller = bench.peer("caller")
    for gives_up in (True, False):
        calling = caller.invoke(capability)
        seen.append(given := await stream.read())
        if gives_up:
            calling.cancel()
        else:
            await stream.answer(given.action_call)
        await calling.outcome()
    await stream.send(ping=stream_pb2.HeartbeatRequest(timestamp_ms=1))
    return seen + await stream.until_pong()


@check("BASE-2.3")
async def a_base_level_client_is_sent_base_level_messages(bench: Bench) -> None:
    """A client without features is delivered to, refused, called and superseded: it sees no extension."""
    kinds = [
        event.WhichOneof("msg") or "something unknown" for event in await _base_level_conversation(bench)
    ]
    expect.equal(BASE_MEMBERS - set(kinds), set(), "the messages of the base level that did not come at all")
    extensions = sorted(set(kinds) - BASE_MEMBERS)
    expect.equal(extensions, [], "the messages of extensions among what it was sent")


@check("BASE-2.4")
async def a_base_level_client_is_sent_base_level_fields(bench: Bench) -> None:
    """A client without features is sent all kinds of messages: none has a field of an extension."""
    base = [
        event for event in await _base_level_conversation(bench) if event.WhichOneof("msg") in BASE_MEMBERS
    ]
    expect.true(base, "what the client was sent", expected="messages", got="nothing")
    foreign = {field for event in base for field in foreign_fields(event)} - FREE
    expect.equal(sorted(foreign), [], "the fields of extensions in what it was sent")


@check("BASE-2.5")
async def full_and_base_level_clients_exchange_events(bench: Bench) -> None:
    """A client with every feature and one with none publish to each other."""
    to_base, to_full = bench.topic("base"), bench.topic("full")
    base = await bench.join(bench.id("base"), to_base)
    full = await bench.join(bench.id("full"), to_full, features=all_features(bench))
    await full.publish(to_base, b"to base", confirm=True, pub_seq=1)
    expect.equal((await full.receipt()).matched, 1, "the receivers of what the full client published")
    expect.equal(await payloads(base), [b"to base"], "what the base-level client receives")
    await base.publish(to_full, b"to full")
    await base.until_pong()
    expect.equal(await payloads(full), [b"to full"], "what the full client receives")


@check("BASE-2.6")
async def full_and_base_level_clients_call_each_other(bench: Bench) -> None:
    """A client with every feature and one with none each offer a capability, which the other calls."""
    for name, features in (("base", []), ("full", all_features(bench))):
        capability = bench.capability(f"capability.of.{name}")
        provider = await bench.join(bench.id(name), features=features, capabilities=[capability])
        await _answers(provider, bench, f"the caller of {name}", capability)


# BASE-3: agreeing on features.


@check("BASE-3.1")
async def only_named_features_are_agreed_on(bench: Bench) -> None:
    """Registers with no features and with each of the protocol's alone: no other is in the answer."""
    peer, agent_id = bench.peer("client"), bench.id("a")
    for named in [[], *([name] for name in EXTENSIONS)]:
        answer = await passes(peer, agent_id, features=named)
        beyond = sorted(set(answer.features) - set(named))
        expect.equal(beyond, [], f"features in the answer to {named} that were not named")


@check("BASE-3.2")
async def unknown_features_are_ignored(bench: Bench) -> None:
    """Registers with features that nobody knows, alone and among known ones."""
    peer, agent_id = bench.peer("client"), bench.id("a")
    strange = ["telepathy", "", "SESSION", "session ", "x" * 1000]
    answer = await passes(peer, agent_id, features=strange)
    expect.equal(list(answer.features), [], "the features agreed on")
    answer = await passes(peer, agent_id, features=[*strange, *all_features(bench)])
    expect.equal(
        sorted(answer.features), sorted(all_features(bench)), "the features agreed on among strange ones"
    )


@check("BASE-3.3")
async def features_stand_for_themselves(bench: Bench) -> None:
    """Registers with each feature that the bridge has, alone, and with all of them in another order."""
    peer, agent_id, names = bench.peer("client"), bench.id("a"), all_features(bench)
    for name in names:
        answer = await passes(peer, agent_id, features=[name])
        expect.equal(list(answer.features), [name], f"the features agreed on when {name} is named alone")
    answer = await passes(peer, agent_id, features=[*reversed(names), *names])
    expect.equal(sorted(answer.features), sorted(names), "the features agreed on when all are named, twice")


async def _confirms(stream: Stream, topic: str, pub_seq: int) -> str:
    """What a confirmed publish comes to on this stream: a receipt, or the code of an err."""
    await stream.publish(topic, b"x", confirm=True, pub_seq=pub_seq)
    event = await stream.read()
    return event.err.code if event.WhichOneof("msg") == "err" else str(event.WhichOneof("msg"))


@check("BASE-3.4")
async def features_wait_for_the_next_handshake(bench: Bench) -> None:
    """A base-level client with a stream registers with `confirm`: it holds on its next stream only."""
    peer, agent_id, topic = bench.peer("client"), bench.id("a"), bench.topic("t")
    stream = await peer.join(agent_id)
    await passes(peer, agent_id, features=["confirm"])
    expect.equal(
        await _confirms(stream, topic, 1), "FEATURE_REQUIRED", "a confirmed publish on the live stream"
    )
    stream = await peer.stream(agent_id)
    expect.equal(await _confirms(stream, topic, 1), "receipt", "a confirmed publish on the next stream")


@check("BASE-3.5")
async def features_of_an_earlier_registration_are_gone(bench: Bench) -> None:
    """A client with `confirm` registers again without features: its next stream has none."""
    peer, agent_id, topic = bench.peer("client"), bench.id("a"), bench.topic("t")
    await passes(peer, agent_id, features=["confirm"])
    stream = await peer.stream(agent_id)
    expect.equal(await _confirms(stream, topic, 1), "receipt", "a confirmed publish on the first stream")
    await passes(peer, agent_id)
    stream = await peer.stream(agent_id)
    expect.equal(
        await _confirms(stream, topic, 2), "FEATURE_REQUIRED", "a confirmed publish on the next stream"
    )


# BASE-4: what was not agreed on.


@check("BASE-4.1")
async def subscriptions_need_their_feature(bench: Bench) -> None:
    """Registers with `subscriptions` and without the feature, then with it."""
    peer, agent_id = bench.peer("client"), bench.id("a")
    wanted = [agent_pb2.Subscription(topic=bench.topic("t"), event_types=["x"])]
    others = [name for name in all_features(bench) if name != "subscriptions"]
    for features in ([], others):
        answer = await peer.register(agent_id, subscriptions=wanted, features=features)
        expect.refused(answer, f"with {features}", code="FEATURE_REQUIRED", names="subscriptions")
    await passes(peer, agent_id, subscriptions=wanted, features=["subscriptions"])


@check("BASE-4.2")
async def without_session_no_welcome_and_no_numbers(bench: Bench) -> None:
    """A client agrees on every feature but `session`: no Welcome comes, and deliveries have no number."""
    peer, agent_id, topic = bench.peer("client"), bench.id("a"), bench.topic("t")
    others = [name for name in all_features(bench) if name != "session"]
    await passes(peer, agent_id, topic, features=others)
    stream = await peer.stream(agent_id)
    expect.equal(await stream.until_pong(), [], "what comes first on the stream")
    await stream.publish(topic)
    numbers = [delivery.seq for delivery in await stream.deliveries()]
    expect.equal(numbers, [0], "the numbers of the deliveries")
