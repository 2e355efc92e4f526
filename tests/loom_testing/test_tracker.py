"""The tracker, fed by hand and by the engine itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from loom.v1.event_pb2 import Event
from loom_testing import tracker as tracker_module
from loom_testing.activity import (
    Activity,
    AgentChanged,
    AgentJoined,
    AgentLeft,
    AgentRefused,
    BridgeDraining,
    CallEnded,
    CallStarted,
    EventDelivered,
    EventPublished,
    NamespaceReset,
    PublisherResumed,
    PublisherSlowed,
    Refused,
)
from loom_testing.engine import inputs, messages, outputs
from loom_testing.engine.engine import Engine
from loom_testing.engine.trace import Step, decode_step, encode_step
from loom_testing.tracker import Tracker

if TYPE_CHECKING:
    from loom_testing.engine.inputs import Input
    from loom_testing.engine.outputs import Output


class Feed:
    """A tracker with a clock: each step takes a millisecond."""

    def __init__(self) -> None:
        self.tracker = Tracker()
        self.now = 1_000_000
        self.calls = 100

    def step(self, came: Input, *went: Output) -> list[Activity]:
        self.now += 1000
        return self.tracker.feed(Step(self.now, came, list(went)))

    def register(
        self, agent: str, *topics: str, offers: tuple[str, ...] = (), error: str = ""
    ) -> list[Activity]:
        self.calls += 1
        asked = inputs.Register(
            self.calls,
            agent,
            subscriptions=[messages.Subscription(topic) for topic in topics],
            capabilities=[
                messages.Capability(name, version)
                for name, _, version in (each.partition("@") for each in offers)
            ],
        )
        return self.step(asked, outputs.RegisterReply(self.calls, error, "why" if error else ""))

    def join(self, stream: int, agent: str, *topics: str, offers: tuple[str, ...] = ()) -> list[Activity]:
        assert self.register(agent, *topics, offers=offers) == []
        self.step(inputs.Open(stream))
        return self.step(inputs.Receive(stream, messages.Ack(agent)), outputs.Accept(stream))


@pytest.fixture
def feed() -> Feed:
    return Feed()


def event(event_id: str = "e1", **metadata: str) -> bytes:
    return Event(id=event_id, type="Paper", metadata=metadata, payload=b"{}").SerializeToString()


# Agents.


def test_an_agent_joins_with_what_it_hears_and_offers(feed: Feed) -> None:
    joined = feed.join(1, "reader", "paper.*", offers=("web.search@1.0", "sum"))
    assert joined == [
        AgentJoined(
            at=feed.now, agent="reader", subscriptions=("paper.*",), capabilities=("web.search@1.0", "sum")
        )
    ]
    assert feed.tracker.agents == ["reader"]


def test_base_level_topics_count_as_subscriptions(feed: Feed) -> None:
    feed.step(inputs.Register(1, "old", subscribed_topics=["a", "b"]), outputs.RegisterReply(1))
    (joined,) = feed.step(inputs.Receive(1, messages.Ack("old")), outputs.Accept(1))
    assert isinstance(joined, AgentJoined)
    assert joined.subscriptions == ("a", "b")


def test_a_registration_that_is_refused(feed: Feed) -> None:
    assert feed.register("bad..id", error="INVALID_AGENT_ID") == [
        AgentRefused(at=feed.now, agent="bad..id", code="INVALID_AGENT_ID", message="why")
    ]


def test_a_probe_is_not_told(feed: Feed) -> None:
    probe = inputs.Register(1, "", metadata={"loom.probe": "server-info"})
    assert feed.step(probe, outputs.RegisterReply(1, "INVALID_AGENT_ID", "it is empty")) == []


def test_a_live_agent_changes_only_when_something_changed(feed: Feed) -> None:
    feed.join(1, "reader", "a")
    assert feed.register("reader", "a") == []
    assert feed.register("reader", "b", offers=("sum",)) == [
        AgentChanged(at=feed.now, agent="reader", subscriptions=("b",), capabilities=("sum",))
    ]


@pytest.mark.parametrize(
    ("came", "reason", "orderly"),
    [
        (inputs.HalfClose(1), "said goodbye", True),
        (inputs.Receive(1, messages.Goodbye()), "said goodbye", True),
        (inputs.Receive(1, messages.Goodbye("done")), "said goodbye: done", True),
        (inputs.Break(1), "its connection was lost", False),
        (inputs.Disconnect("reader"), "a test broke its connection", False),
    ],
)
def test_an_agent_leaves_once(feed: Feed, came: Input, reason: str, orderly: bool) -> None:
    feed.join(1, "reader")
    assert feed.step(came) == [AgentLeft(at=feed.now, agent="reader", reason=reason, orderly=orderly)]
    assert feed.step(inputs.Tick(), outputs.End(1, "OK")) == []
    assert feed.tracker.agents == []


def test_a_stream_that_the_bridge_ends_says_why(feed: Feed) -> None:
    feed.join(1, "slow")
    cut = messages.Err("SLOW_CONSUMER", "took nothing", fatal=True)
    (left,) = feed.step(inputs.Tick(), outputs.Send(1, cut), outputs.End(1, "RESOURCE_EXHAUSTED"))
    assert left == AgentLeft(at=feed.now, agent="slow", reason="SLOW_CONSUMER: took nothing", orderly=False)
    feed.join(2, "other")
    (left,) = feed.step(inputs.Tick(), outputs.End(2, "UNAVAILABLE", "going away"))
    assert isinstance(left, AgentLeft)
    assert left.reason == "UNAVAILABLE going away"


@pytest.mark.parametrize("accept_first", [True, False])
def test_a_take_over_is_left_then_joined(feed: Feed, accept_first: bool) -> None:
    feed.join(1, "reader", "a")
    feed.register("reader", "a")
    ends: list[Output] = [
        outputs.Send(1, messages.Err("SUPERSEDED", "newer", fatal=True)),
        outputs.End(1, "ABORTED"),
    ]
    accept: list[Output] = [outputs.Accept(2)]
    went = accept + ends if accept_first else ends + accept
    left, joined = feed.step(inputs.Receive(2, messages.Ack("reader")), *went)
    assert isinstance(left, AgentLeft)
    assert isinstance(joined, AgentJoined)
    assert feed.tracker.agents == ["reader"]


def test_a_handshake_that_is_refused_brings_nothing(feed: Feed) -> None:
    assert feed.step(inputs.Receive(1, messages.Ack("x")), outputs.End(1, "FAILED_PRECONDITION")) == []


# Events.


def test_an_event_is_published_and_delivered(feed: Feed) -> None:
    feed.join(1, "a")
    feed.join(2, "b", "t")
    body = event()
    publish = messages.Publish("t", body, confirm=True, pub_seq=4)
    published, delivered = feed.step(
        inputs.Receive(1, publish),
        outputs.Send(2, messages.Delivery("t", body, 1)),
        outputs.Send(1, messages.Receipt(4, 1)),
    )
    assert published == EventPublished(
        at=feed.now, sender="a", topic="t", event_type="Paper", event_id="e1", matched=1, payload=b"{}"
    )
    assert delivered == EventDelivered(
        at=feed.now, sender="a", to="b", topic="t", event_type="Paper", event_id="e1", waited_us=0
    )


def test_a_queued_copy_says_how_long_it_waited(feed: Feed) -> None:
    feed.join(1, "a")
    feed.join(2, "b", "t")
    body = event()
    (published,) = feed.step(inputs.Receive(1, messages.Publish("t", body)))
    assert isinstance(published, EventPublished)
    assert published.matched is None
    (delivered,) = feed.step(inputs.Writable(2, 1), outputs.Send(2, messages.Delivery("t", body)))
    assert isinstance(delivered, EventDelivered)
    assert delivered.waited_us == 1000


def test_the_envelope_names_the_sender_and_a_reply_tells_the_round_trip(feed: Feed) -> None:
    feed.join(1, "a")
    feed.join(2, "b", "t")
    ask = {"loom.correlation_id": "c1", "loom.reply_to": "agent.a.replies", "loom.sender": "alice"}
    (asked,) = feed.step(inputs.Receive(1, messages.Publish("t", event(**ask))))
    assert isinstance(asked, EventPublished)
    assert (asked.sender, asked.answered_us) == ("alice", None)
    reply = event("e2", **{"loom.correlation_id": "c1"})
    (answer,) = feed.step(inputs.Receive(2, messages.Publish("agent.a.replies", reply)))
    assert isinstance(answer, EventPublished)
    assert answer.answered_us == 1000


def test_a_refused_publish_is_told_once_as_refused(feed: Feed) -> None:
    feed.join(1, "a")
    bad = messages.Publish("no..topic", event(), confirm=True, pub_seq=9)
    refused = feed.step(
        inputs.Receive(1, bad),
        outputs.Send(1, messages.Err("INVALID_TOPIC", "has an empty token", ref="9")),
        outputs.Send(1, messages.Receipt(9, 0, "INVALID_TOPIC")),
    )
    assert refused == [
        Refused(at=feed.now, agent="a", code="INVALID_TOPIC", message="has an empty token", ref="9")
    ]
    assert feed.step(inputs.Receive(1, messages.Publish("t", None))) == []


def test_an_event_from_before_the_watch_is_told_by_its_envelope(feed: Feed) -> None:
    body = event(**{"loom.sender": "early"})
    (delivered,) = feed.step(inputs.Writable(5, 1), outputs.Send(5, messages.Delivery("t", body)))
    assert isinstance(delivered, EventDelivered)
    assert (delivered.sender, delivered.to, delivered.waited_us) == ("early", "", None)


def test_bytes_that_are_no_event_do_no_harm(feed: Feed) -> None:
    (delivered,) = feed.step(inputs.Tick(), outputs.Send(5, messages.Delivery("t", b"\xff\xff")))
    assert isinstance(delivered, EventDelivered)
    assert delivered.event_id == ""


def test_what_is_remembered_is_bounded(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracker_module, "REMEMBERED", 2)
    feed.join(1, "a")
    bodies = [event(f"e{number}") for number in range(3)]
    for body in bodies:
        feed.step(inputs.Receive(1, messages.Publish("t", body)))
    oldest, newest = (
        feed.step(inputs.Tick(), outputs.Send(1, messages.Delivery("t", body)))[0]
        for body in (bodies[0], bodies[2])
    )
    assert isinstance(oldest, EventDelivered)
    assert isinstance(newest, EventDelivered)
    assert oldest.waited_us is None
    assert newest.waited_us is not None


# Calls.


def call(capability: str = "sum", payload: bytes = b"1") -> messages.ActionCall:
    return messages.ActionCall(
        id="mine", capability=capability, payload=payload, headers={"x-agent-id": "caller"}
    )


def test_a_call_from_start_to_end(feed: Feed) -> None:
    feed.join(1, "adder", offers=("sum",))
    asked = call()
    given = messages.ActionCall(id="b-1", capability="sum", payload=b"1")
    (started,) = feed.step(inputs.Invoke(9, asked), outputs.Send(1, given))
    assert started == CallStarted(at=feed.now, call=9, caller="caller", capability="sum", payload=b"1")
    assert feed.tracker.open_calls() == [started]
    result = messages.ActionResult("mine", 0, b"2")
    (ended,) = feed.step(inputs.Receive(1, messages.ActionResult("b-1", 0, b"2")), outputs.Answer(9, result))
    assert ended == CallEnded(
        at=feed.now,
        call=9,
        caller="caller",
        provider="adder",
        capability="sum",
        status="OK",
        took_us=1000,
        payload=b"2",
    )
    assert feed.tracker.open_calls() == []


def test_a_call_that_nobody_takes(feed: Feed) -> None:
    error = messages.ActionError("NOT_FOUND", "no agent offers sum")
    started, ended = feed.step(
        inputs.Invoke(1, call()), outputs.Answer(1, messages.ActionResult("mine", 1, error=error))
    )
    assert isinstance(started, CallStarted)
    assert isinstance(ended, CallEnded)
    assert (ended.status, ended.code, ended.provider, ended.took_us) == ("ERROR", "NOT_FOUND", "", 0)


def test_queued_calls_are_matched_in_order_and_by_what_they_carry(feed: Feed) -> None:
    feed.join(1, "one", offers=("sum",))
    feed.join(2, "two", offers=("sum",))
    for number, payload in ((1, b"x"), (2, b"y"), (3, b"x")):
        feed.step(inputs.Invoke(number, call(payload=payload)))
    for stream, payload in ((1, b"x"), (2, b"x"), (1, b"y")):
        feed.step(inputs.Tick(), outputs.Send(stream, messages.ActionCall("b", "sum", payload=payload)))
    providers = {}
    for number in (1, 2, 3):
        (ended,) = feed.step(inputs.Tick(), outputs.Answer(number, messages.ActionResult("", 0)))
        assert isinstance(ended, CallEnded)
        providers[number] = ended.provider
    assert providers == {1: "one", 2: "one", 3: "two"}


def test_a_call_that_its_caller_gave_up(feed: Feed) -> None:
    feed.step(inputs.Invoke(1, call()))
    (ended,) = feed.step(inputs.Abandon(1))
    assert isinstance(ended, CallEnded)
    assert ended.status == "CANCELLED"
    assert feed.step(inputs.Tick(), outputs.Answer(1, messages.ActionResult("", 0))) == []


# The bridge itself.


def test_slowed_and_resumed_publishers(feed: Feed) -> None:
    feed.join(1, "fast")
    assert feed.step(inputs.Tick(), outputs.PauseReading(1)) == [PublisherSlowed(at=feed.now, agent="fast")]
    assert feed.step(inputs.Tick(), outputs.ResumeReading(1)) == [PublisherResumed(at=feed.now, agent="fast")]
    assert feed.step(inputs.Tick(), outputs.ResumeReading(7)) == []


def test_drain_and_reset(feed: Feed) -> None:
    feed.join(1, "a")
    assert feed.step(inputs.DrainAll(1000)) == [BridgeDraining(at=feed.now)]
    assert feed.step(inputs.Reset(), outputs.End(1, "UNAVAILABLE")) == [NamespaceReset(at=feed.now)]
    assert feed.tracker.agents == []


@pytest.mark.parametrize(
    "came",
    [
        inputs.Heartbeat(1, 5),
        inputs.ListCapabilities(1),
        inputs.Receive(1, messages.Ping()),
        inputs.Receive(1, messages.ActionResult("x")),
        inputs.Hold("a"),
        inputs.Break(44),
        inputs.Disconnect("nobody"),
    ],
)
def test_what_is_not_worth_telling_is_not_told(feed: Feed, came: Input) -> None:
    assert feed.step(came, outputs.HeartbeatReply(1, 5), outputs.Send(3, messages.Pong())) == []


# The engine itself.


class World:
    """A tracker behind a real engine."""

    def __init__(self) -> None:
        self.now = 1_000_000
        self.engine = Engine(self.now)
        self.tracker = Tracker()

    def feed(self, came: Input, after_us: int = 1000) -> list[Activity]:
        self.now += after_us
        went = self.engine.handle(came, self.now)
        line = encode_step(self.now, came, went)
        for output in went:
            if isinstance(output, outputs.Send):
                went = [*went, *self.engine.handle(inputs.Writable(output.stream, 1), self.now)]
        return self.tracker.feed(decode_step(line))

    def join(self, stream: int, agent: str, *topics: str, offers: tuple[str, ...] = ()) -> list[Activity]:
        features = ["cancel", "confirm", "drain", "session", "subscriptions"]
        subscriptions = [messages.Subscription(topic) for topic in topics]
        capabilities = [messages.Capability(name) for name in offers]
        self.feed(
            inputs.Register(
                1000 + stream,
                agent,
                subscriptions=subscriptions,
                capabilities=capabilities,
                features=features,
            )
        )
        self.feed(inputs.Open(stream))
        return self.feed(inputs.Receive(stream, messages.Ack(agent)))


def test_the_engines_own_steps_are_told() -> None:
    world = World()
    (joined,) = world.join(1, "planner")
    assert isinstance(joined, AgentJoined)
    world.join(2, "reader", "paper.*", offers=("sum",))

    told = world.feed(inputs.Receive(1, messages.Publish("paper.new", event(), confirm=True, pub_seq=1)))
    assert [each.kind for each in told] == ["event.published", "event.delivered"]
    assert isinstance(told[0], EventPublished)
    assert told[0].matched == 1

    (refused,) = world.feed(inputs.Receive(1, messages.Publish("a..b", event(), confirm=True, pub_seq=2)))
    assert isinstance(refused, Refused)
    assert refused.code == "INVALID_TOPIC"

    (started,) = world.feed(inputs.Invoke(50, call()))
    assert isinstance(started, CallStarted)
    told = world.feed(inputs.Tick(), 31_000_000)  # nobody sends heartbeats here
    assert sorted(each.kind for each in told) == ["agent.left", "agent.left", "call.ended"]


def test_the_engine_says_who_took_over_who_left_and_who_was_lost() -> None:
    world = World()
    world.join(1, "a")
    left, joined = world.join(2, "a")
    assert isinstance(left, AgentLeft)
    assert not left.orderly
    assert isinstance(joined, AgentJoined)
    (left,) = world.feed(inputs.Receive(2, messages.Goodbye()))
    assert isinstance(left, AgentLeft)
    assert left.orderly
    world.join(3, "b", offers=("sum",))
    world.feed(inputs.Invoke(50, call()))
    left, ended = world.feed(inputs.Break(3))
    assert isinstance(left, AgentLeft)
    assert isinstance(ended, CallEnded)
    assert (ended.provider, ended.status, ended.code) == ("b", "RETRYABLE", "PROVIDER_LOST")


def test_a_silent_agent_is_told_with_the_reason() -> None:
    world = World()
    world.join(1, "frozen")
    (left,) = world.feed(inputs.Tick(), 10_000_000)
    assert isinstance(left, AgentLeft)
    assert left.reason.startswith("HEARTBEAT_TIMEOUT")
