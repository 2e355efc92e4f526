"""What messages a fault is about."""

from __future__ import annotations

import pytest

from loom.v1 import action_pb2
from loom_testing.faults import FaultError, Which
from loom_testing.faults.message import KINDS, Direction
from tests.loom_testing.faults.messages import TO_AGENT, TO_BRIDGE, answer, call, delivery, down, publish, up


def fits(message, **given):
    return Which(**given).fits(message)


def test_nothing_given_fits_all():
    assert all(fits(message) for message in (publish(), delivery(), call(), answer(), up()))


@pytest.mark.parametrize(
    ("given", "other"),
    [
        ({"agent": "a"}, {"agent": "b"}),
        ({"direction": "to_bridge"}, {"direction": "to_agent"}),
        ({"kind": "publish"}, {"kind": "ack"}),
        ({"topic": "t"}, {"topic": "t.u"}),
        ({"topic": ">"}, {"topic": "*.u"}),
        ({"type": "e"}, {"type": "E"}),
        ({"rpc": "EventStream"}, {"rpc": "Heartbeat"}),
        ({"where": lambda message: message.topic == "t"}, {"where": lambda message: None}),
    ],
)
def test_each_name_limits(given, other):
    assert fits(publish(), **given)
    assert not fits(publish(), **other)


def test_all_that_is_given_must_fit():
    assert fits(publish("t", "e", "a"), agent="a", topic="*", type="e")
    assert not fits(publish("t", "e", "b"), agent="a", topic="*", type="e")


def test_what_has_no_topic_fits_no_pattern():
    assert not fits(up(), topic=">", where=lambda message: True)


# What is meant where half of it is said.


def test_a_topic_or_a_type_alone_means_what_is_published():
    for given in {"topic": "t"}, {"type": "e"}:
        assert Which(**given).kind == "publish"
        assert fits(publish(), **given)
        assert not fits(delivery(), **given)


def test_towards_agents_it_means_deliveries():
    assert Which(type="e", direction="to_agent").kind == "delivery"
    assert fits(delivery(), type="e", direction="to_agent")
    assert not fits(publish(), type="e", direction="to_agent")


def test_a_capability_alone_means_calls_on_their_way_to_the_bridge():
    given = down(action_call=action_pb2.ActionCall(capability="c"))
    assert Which(capability="c").kind == "call"
    assert fits(call("c"), capability="c")
    assert not fits(given, capability="c")
    assert fits(given, capability="c", direction="to_agent")


def test_a_capability_of_answers():
    assert fits(answer(call("c")), capability="c", kind="answer")
    assert not fits(answer(call("d")), capability="c", kind="answer")
    assert not fits(answer(), capability="c", kind="answer")


def test_with_a_function_both_ways_are_meant():
    which = Which(topic="t", where=lambda message: True)
    assert which.fits(publish())
    assert which.fits(delivery())


@pytest.mark.parametrize(
    "given",
    [
        {"direction": "to_agent"},
        {"kind": "ack"},
        {"topic": "t"},
        {"rpc": "Heartbeat"},
        {"nth": 1},
        {"where": id},
    ],
)
def test_what_names_messages_is_not_about_the_connection(given):
    assert Which(**given).names_messages


def test_an_agent_alone_is_about_its_connection():
    assert not Which().names_messages
    assert not Which(agent="a").names_messages


def test_as_it_was_written():
    assert str(Which()) == ""
    assert str(Which(kind="ack", agent="a")) == "agent='a', kind='ack'"
    assert str(Which(agent="a", topic="t.*", nth=2, where=fits)) == (
        "agent='a', topic='t.*', nth=2, where=fits"
    )


# What cannot be.


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"agent": 1}, "agent=1: give a text"),
        ({"kind": None}, "kind=None: give a text"),
        ({"direction": "up"}, "direction='up': write to_bridge or to_agent"),
        ({"kind": "letter"}, "kind='letter': there is register, registered, call"),
        ({"rpc": "Sing"}, "rpc='Sing': there is RegisterAgent"),
        ({"topic": "a..b"}, "topic='a..b': "),
        ({"capability": "x y"}, "capability='x y': "),
        ({"capability": "a.*"}, r"capability='a\.\*': "),
        ({"agent": "a b"}, "agent='a b': write dot-separated"),
        (
            {"rpc": "ForwardAction", "kind": "publish"},
            "rpc='ForwardAction' carries only answer, call: nothing fits kind='publish', rpc='ForwardAction'",
        ),
        ({"rpc": "EventStream", "capability": "c"}, "rpc='EventStream' carries only ack, action_call"),
        ({"rpc": "Heartbeat", "topic": "t"}, "rpc='Heartbeat' carries only heartbeat, heartbeat_answer"),
        (
            {"rpc": "Heartbeat", "direction": "to_bridge", "type": "t"},
            "rpc='Heartbeat' carries to_bridge only heartbeat: ",
        ),
        ({"rpc": "RegisterAgent", "capability": "c", "where": id}, "rpc='RegisterAgent' carries only"),
        ({"nth": -1}, "nth=-1: give a number from 1 on"),
        ({"nth": True}, "nth=True"),
        ({"nth": 1.0}, r"nth=1\.0"),
        ({"where": "topic"}, "where='topic': give a function"),
        ({"kind": "delivery", "direction": "to_bridge"}, "kind='delivery' goes to_agent, never to_bridge"),
        ({"kind": "publish", "direction": "to_agent"}, "kind='publish' goes to_bridge, never to_agent"),
        ({"topic": "t", "capability": "c"}, "topic and type are of events, capability of calls"),
        ({"topic": "t", "kind": "ack"}, "topic is of events, and kind='ack' is none"),
        ({"type": "t", "kind": "call"}, "type is of events, and kind='call' is none"),
        ({"capability": "c", "kind": "publish"}, "capability is of calls, and kind='publish' is none"),
    ],
)
def test_what_nothing_can_fit_is_refused(given, said):
    with pytest.raises(FaultError, match=said):
        Which(**given)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_goes_its_way(kind):
    ways = set(Direction) if KINDS[kind] is None else {KINDS[kind]}
    for direction in TO_BRIDGE, TO_AGENT:
        if direction in ways:
            assert Which(kind=kind, direction=direction).kind == kind
        else:
            with pytest.raises(FaultError):
                Which(kind=kind, direction=direction)


@pytest.mark.parametrize(
    "given",
    [
        {"rpc": "EventStream", "kind": "handshake"},
        {"rpc": "EventStream", "topic": "t"},
        {"rpc": "EventStream", "capability": "c", "direction": "to_agent"},
        {"rpc": "EventStream", "capability": "c", "where": id},
        {"rpc": "ForwardActionStream", "kind": "chunk"},
        {"rpc": "ForwardActionStream", "capability": "c"},
        {"rpc": "ForwardAction", "kind": "answer", "capability": "c"},
        {"rpc": "Heartbeat", "direction": "to_agent"},
    ],
)
def test_a_method_goes_with_what_it_carries(given):
    assert Which(**given).rpc == given["rpc"]


def test_the_same_is_equal():
    assert Which(topic="t") == Which(topic="t", kind="publish")
    assert Which(topic="t") != Which(topic="u")
