"""PUB-8: queue groups: who of a group gets an event, and what becomes of it when a member is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from loom_conformance import Bench, check, expect
from loom_conformance.backlog import Backlog
from loom_conformance.hearing import heard, payloads, subscription

if TYPE_CHECKING:
    from loom_conformance.stream import Stream

TTL = "loom.ttl_ms"
FEATURES = ["subscriptions"]


@check("PUB-8.4")
async def each_event_goes_to_one_member(bench: Bench) -> None:
    """Nine events come for a group of three: each of them is heard by one member, and none is heard twice."""
    members = [await _member(bench, f"member{number}") for number in range(3)]
    publisher = await bench.join(bench.id("publisher"))
    sent = await _publish(bench, publisher, 9)
    events = [event for some in await heard(publisher, *members) for event in some]
    expect.equal(sorted(events), sent, "what the members of the group heard, all together")


@check("PUB-8.5")
async def one_group_under_several_patterns(bench: Bench) -> None:
    """Members of one group subscribe by different patterns, one by two: each event goes to one member."""
    members = [
        await _member(bench, "exact", pattern="work.new"),
        await _member(bench, "star", pattern="work.*"),
        await _member(bench, "rest", pattern=">"),
        await _agent(
            bench,
            "both",
            subscription(bench.topic("work.new"), group="g"),
            subscription(bench.topic("*.new"), group="g"),
        ),
    ]
    publisher = await bench.join(bench.id("publisher"))
    sent = await _publish(bench, publisher, 8, topic="work.new")
    events = [event for some in await heard(publisher, *members) for event in some]
    expect.equal(sorted(events), sent, "what the members under different patterns heard, all together")


@check("PUB-8.6")
async def groups_and_plain_subscribers_each_get_it(bench: Bench) -> None:
    """Two groups of two and two plain subscribers: each group and each plain one gets each event."""
    groups = [[await _member(bench, f"{group}{number}", group) for number in (1, 2)] for group in ("g", "h")]
    plain = [await bench.join(bench.id(f"plain{number}"), bench.topic("work")) for number in (1, 2)]
    publisher = await bench.join(bench.id("publisher"))
    sent = await _publish(bench, publisher, 4)
    await publisher.until_pong()
    for name, members in zip("gh", groups, strict=True):
        events = [event for member in members for event in await payloads(member)]
        expect.equal(sorted(events), sent, f"what the group {name} heard")
    for subscriber in plain:
        expect.equal(await payloads(subscriber), sent, f"what {subscriber.who} heard")


@check("PUB-8.7")
async def a_member_of_several_groups_gets_it_once(bench: Bench) -> None:
    """The only member of three groups gets each event once."""
    wanted = [subscription(bench.topic("work"), group=group) for group in ("g", "h", "i")]
    member = await _agent(bench, "member", *wanted)
    publisher = await bench.join(bench.id("publisher"))
    sent = await _publish(bench, publisher, 3)
    (events,) = await heard(publisher, member)
    expect.equal(events, sent, "what the only member of three groups heard")


@check("PUB-8.8")
async def a_plain_receiver_satisfies_its_group(bench: Bench) -> None:
    """One of three members also hears the topic plainly: it gets every event, the other members none."""
    first = await _member(bench, "first")
    both = await bench.join(
        bench.id("both"),
        bench.topic("work"),
        features=FEATURES,
        subscriptions=[subscription(bench.topic("work"), group="g")],
    )
    last = await _member(bench, "last")
    publisher = await bench.join(bench.id("publisher"))
    sent = await _publish(bench, publisher, 3)
    others = [event for some in await heard(publisher, first, last) for event in some]
    expect.equal(await payloads(both), sent, "what the member heard that also hears the topic plainly")
    expect.nothing(others, "what the other members heard")


@check("PUB-8.9")
async def members_take_turns(bench: Bench) -> None:
    """Events come for a group of three, one by one and on two topics: the members are served in turn."""
    patterns = (bench.topic("work"), bench.topic("more"))
    members = [
        await _agent(bench, f"member{number}", *(subscription(topic, group="g") for topic in patterns))
        for number in range(3)
    ]
    publisher = await bench.join(bench.id("publisher"))
    for number in range(9):
        await publisher.publish(patterns[number % 2], b"%d" % number)
    got = await heard(publisher, *members)
    expect.equal(got, [[b"0", b"3", b"6"], [b"1", b"4", b"7"], [b"2", b"5", b"8"]], "what each member heard")


@check("PUB-8.9")
async def who_was_left_out_is_next(bench: Bench) -> None:
    """A member that hears less than the others falls behind: it is next when an event comes that it hears."""
    often = [await _member(bench, f"often{number}", pattern="*") for number in (1, 2)]
    seldom = await _member(bench, "seldom", pattern="seldom")
    publisher = await bench.join(bench.id("publisher"))
    for number, topic in enumerate(("seldom", "seldom", "seldom", "often", "often", "often", "seldom")):
        await publisher.publish(bench.topic(topic), b"%d" % number)
    first, second, third = await heard(publisher, *often, seldom)
    expect.equal(third, [b"2", b"6"], "what the member that hears one topic heard")
    expect.equal([first, second], [[b"0", b"3", b"5"], [b"1", b"4"]], "what the others heard")


@check("PUB-8.9")
async def who_joins_later_is_next_once(bench: Bench) -> None:
    """A member joins when two have taken turns for a while: it is next, and then the turns go on."""
    members = [await _member(bench, f"member{number}") for number in (1, 2)]
    publisher = await bench.join(bench.id("publisher"))
    for number in range(8):
        if number == 4:
            await publisher.until_pong()
            members.append(await _member(bench, "later"))
        await publisher.publish(bench.topic("work"), b"%d" % number)
    got = await heard(publisher, *members)
    expect.equal(
        got, [[b"0", b"2", b"5"], [b"1", b"3", b"6"], [b"4", b"7"]], "what the two and the later one heard"
    )


@check("PUB-8.10")
async def the_lowest_registration_begins(bench: Bench) -> None:
    """Members none of whom was served yet are served in the order of their registrations, the newest last."""
    names = ("alice", "charlie", "bob")
    members = [await _member(bench, name) for name in names]
    again = await bench.peer("again").register(
        bench.id("alice"), features=FEATURES, subscriptions=[subscription(bench.topic("work"), group="g")]
    )
    newest = max(member.registration.registration for member in members)
    expect.true(
        again.registration > newest, "the number of the second registration", got=str(again.registration)
    )
    publisher = await bench.join(bench.id("publisher"))
    await _publish(bench, publisher, 3)
    got = await heard(publisher, *members)
    expect.equal(got, [[b"2"], [b"0"], [b"1"]], f"what {', '.join(names)} heard; the first registered again")


@check("PUB-8.11")
async def only_a_member_that_matches_is_chosen(bench: Bench) -> None:
    """Members hear other topics or other event types, and one hears the event: it gets all of them."""
    elsewhere = await _member(bench, "elsewhere", pattern="play")
    picky = await _agent(bench, "picky", subscription(bench.topic("work"), "other.type", group="g"))
    member = await _member(bench, "member")
    publisher = await bench.join(bench.id("publisher"))
    sent = await _publish(bench, publisher, 3, type="some.type")
    others = [event for some in await heard(publisher, elsewhere, picky) for event in some]
    expect.nothing(others, "what the members heard that do not match")
    expect.equal(await payloads(member), sent, "what the member heard that matches")


@check("PUB-8.12")
async def only_a_live_member_is_chosen(bench: Bench) -> None:
    """One member registered and never opened its stream, another has left: the live one gets all events."""
    wanted = [subscription(bench.topic("work"), group="g")]
    for name in ("absent", "gone"):
        response = await bench.peer(name).register(bench.id(name), features=FEATURES, subscriptions=wanted)
        expect.true(response.success, f"the registration of {name}", got=response.error_message)
    gone = await bench.peer("gone").stream(bench.id("gone"))
    await gone.half_close()
    await gone.end()
    member = await _member(bench, "member")
    publisher = await bench.join(bench.id("publisher"))
    sent = await _publish(bench, publisher, 3)
    (events,) = await heard(publisher, member)
    expect.equal(events, sent, "what the only live member heard")


@check("PUB-8.13")
async def without_echo_another_member_is_chosen(bench: Bench) -> None:
    """A member with `echo=false` publishes: the other member gets it all; what others publish is shared."""
    silent = await _member(bench, "silent", echo=False)
    other = await _member(bench, "other")
    sent = await _publish(bench, silent, 3)
    own, events = await heard(silent, silent, other)
    expect.nothing(own, "what the publisher with echo=false heard of its own events")
    expect.equal(events, sent, "what the other member heard")
    publisher = await bench.join(bench.id("publisher"))
    await _publish(bench, publisher, 2)
    expect.equal(
        await heard(publisher, silent, other), [[b"0"], [b"1"]], "what each heard of another's events"
    )


# What becomes of an event when a member is gone.


@check("PUB-8.14")
async def what_a_gone_member_was_not_sent_goes_to_another(bench: Bench) -> None:
    """A member is lost with three events queued for it: the other member gets them, in order."""
    lost = await _behind(bench, "lost", subscription(bench.topic("work"), group="g"))
    publisher = await bench.join(bench.id("publisher"))
    sent = await _publish(bench, publisher, 3)
    await publisher.until_pong()
    heir = await _member(bench, "heir")
    got = await _inherited(bench, lost, heir, len(sent))
    expect.equal(got, sent, "what the other member got of the lost one")


@check("PUB-8.14")
async def an_observer_in_a_group_leaves_its_share(bench: Bench) -> None:
    """A member that also observes the topic is lost with two events of the group: another gets them."""
    watching = subscription(bench.topic("work"), observer=True)
    lost = await _behind(bench, "lost", subscription(bench.topic("work"), group="g"), watching)
    publisher = await bench.join(bench.id("publisher"))
    sent = await _publish(bench, publisher, 2)
    await publisher.until_pong()
    heir = await _member(bench, "heir")
    got = await _inherited(bench, lost, heir, len(sent))
    expect.equal(got, sent, "what the other member got of the lost one that also observed")


@check("PUB-8.15", needs=["control"])
async def what_goes_to_another_keeps_its_time(bench: Bench) -> None:
    """An event with a second to live goes to another member half-way: when that is over, it is gone."""
    lost = await _behind(bench, "lost", subscription(bench.topic("work"), group="g"))
    publisher = await bench.join(bench.id("publisher"))
    await publisher.publish(bench.topic("work"), b"short", metadata={TTL: "1000"})
    await publisher.publish(bench.topic("work"), b"long", metadata={TTL: "60000"})
    await publisher.until_pong()
    heir = await _member(bench, "heir")
    await bench.control.hold(heir.agent_id)
    await bench.pass_time(0.5)
    await bench.control.disconnect(lost.agent_id)
    await bench.pass_time(0.6)
    await bench.control.release(heir.agent_id)
    expect.equal(
        await payloads(heir), [b"long"], "what the other member got when the short one's time was over"
    )


@check("PUB-8.16", needs=["control"])
async def what_came_plainly_goes_to_nobody_else(bench: Bench) -> None:
    """A member that heard the event plainly is lost with it queued: no member gets it."""
    lost = await _behind(
        bench, "lost", subscription(bench.topic("work")), subscription(bench.topic("work"), group="g")
    )
    publisher = await bench.join(bench.id("publisher"))
    await _publish(bench, publisher, 1)
    await publisher.until_pong()
    member = await _member(bench, "member")
    await bench.control.disconnect(lost.agent_id)
    await publisher.publish(bench.topic("work"), b"next")
    (events,) = await heard(publisher, member)
    expect.equal(events, [b"next"], "what the other member got of an event that the lost one heard plainly")


async def _agent(bench: Bench, who: str, *wanted: Any, **fields: Any) -> Stream:
    return await bench.join(bench.id(who), features=FEATURES, subscriptions=wanted, **fields)


async def _member(
    bench: Bench, who: str, group: str = "g", *, pattern: str = "work", **fields: Any
) -> Stream:
    return await _agent(bench, who, subscription(bench.topic(pattern), group=group), **fields)


async def _behind(bench: Bench, who: str, *wanted: Any) -> Stream:
    """An agent whose events stay in the bridge's queue."""
    filling = bench.topic("ballast")
    agent = await bench.peer(who, narrow=True).join(
        bench.id(who), features=FEATURES, subscriptions=[subscription(filling), *wanted]
    )
    await Backlog(bench, agent, await bench.join(bench.id("filler")), filling).begin()
    return agent


async def _inherited(bench: Bench, lost: Stream, heir: Stream, count: int) -> list[bytes]:
    """Breaks the stream of one agent: what another gets because of it."""
    if "control" in bench.declared.features:
        await bench.control.disconnect(lost.agent_id)
        return await payloads(heir)
    lost.reset()
    return [(await heir.delivery()).event.payload for _ in range(count)]


async def _publish(
    bench: Bench, publisher: Stream, count: int, *, topic: str = "work", **fields: Any
) -> list[bytes]:
    """Publishes so many events, numbered; gives their payloads."""
    sent = [b"%d" % number for number in range(count)]
    for payload in sent:
        await publisher.publish(bench.topic(topic), payload, **fields)
    return sent
