"""What `loom dev` shows for each activity."""

from __future__ import annotations

import click
import pytest

from loom.cli.render import Renderer, duration, summary
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
from loom_testing.totals import Totals

AT = 1_700_000_000_250_000


def plain(*activities: Activity, payloads: bool = False, namespace: str = "default") -> list[str]:
    """The lines without style and time."""
    lines = Renderer(payloads=payloads).lines(activities, namespace)
    return [click.unstyle(line)[14:] for line in lines]


def published(
    matched: int | None = 1, answered_us: int | None = None, payload: bytes = b""
) -> EventPublished:
    return EventPublished(
        at=AT,
        sender="planner",
        topic="paper.new",
        event_type="Paper",
        event_id="e1",
        matched=matched,
        answered_us=answered_us,
        payload=payload,
    )


def delivered(to: str, waited_us: int | None = 0) -> EventDelivered:
    return EventDelivered(
        at=AT,
        sender="planner",
        to=to,
        topic="paper.new",
        event_type="paper.new",
        event_id="e1",
        waited_us=waited_us,
    )


def ended(
    status: str = "OK",
    code: str = "",
    message: str = "",
    caller: str = "planner",
    provider: str = "reader",
    capability: str = "web.search",
) -> CallEnded:
    return CallEnded(
        at=AT,
        call=1,
        caller=caller,
        provider=provider,
        capability=capability,
        status=status,
        code=code,
        message=message,
        took_us=12_345,
    )


@pytest.mark.parametrize(
    ("activity", "line"),
    [
        (AgentJoined(at=AT, agent="reader"), "joined   reader        hears and offers nothing"),
        (
            AgentJoined(at=AT, agent="reader", subscriptions=("a", "b.>"), capabilities=("sum@1.0",)),
            "joined   reader        hears a, b.>  offers sum@1.0",
        ),
        (
            AgentJoined(at=AT, agent="reader", subscriptions=tuple("abcdefghi")),
            "joined   reader        hears a, b, c, d, e, f and 3 more",
        ),
        (AgentChanged(at=AT, agent="reader", subscriptions=("c",)), "changed  reader        hears c"),
        (
            AgentLeft(at=AT, agent="reader", reason="said goodbye", orderly=True),
            "left     reader        said goodbye",
        ),
        (
            AgentRefused(at=AT, agent="a..b", code="INVALID_AGENT_ID", message="has an empty token"),
            "refused  a..b          INVALID_AGENT_ID  has an empty token",
        ),
        (
            Refused(at=AT, agent="reader", code="INVALID_TOPIC", message="is empty"),
            "refused  reader        INVALID_TOPIC  is empty",
        ),
        (ended(), "call     planner → reader  web.search  ok 12 ms"),
        (ended(caller="", provider=""), "call     anonymous → nobody  web.search  ok 12 ms"),
        (
            ended("TIMEOUT", "TIMEOUT", "too slow"),
            "call     planner → reader  web.search  TIMEOUT 12 ms  too slow",
        ),
        (ended("CANCELLED"), "call     planner → reader  web.search  CANCELLED 12 ms"),
        (
            PublisherSlowed(at=AT, agent="fast"),
            "slowed   fast          its subscribers do not keep up; it waits",
        ),
        (PublisherResumed(at=AT, agent="fast"), "resumed  fast          its subscribers caught up"),
        (BridgeDraining(at=AT), "bridge                 is stopping: it finishes what is open"),
        (NamespaceReset(at=AT), "bridge                 a test reset the namespace"),
        (delivered("reader", 120_000), "event    planner → reader  paper.new  waited 120 ms"),
        (delivered("reader", None), "event    planner → reader  paper.new"),
    ],
)
def test_one_line_for_each(activity: Activity, line: str) -> None:
    assert [text.replace("  " * 9, "  ") for text in plain(activity)] == [line]


def test_an_event_and_its_deliveries_are_one_line() -> None:
    assert plain(published(), delivered("a"), delivered("b")) == ["event    planner → a, b  paper.new Paper"]
    many = [delivered(name) for name in "abcdef"]
    assert plain(published(), *many) == ["event    planner → a, b, c and 3 more  paper.new Paper"]


@pytest.mark.parametrize(("matched", "to"), [(0, "nobody"), (None, "nobody yet"), (2, "queued")])
def test_an_event_that_nobody_has_yet(matched: int | None, to: str) -> None:
    assert plain(published(matched)) == [f"event    planner → {to}  paper.new Paper"]


def test_a_reply_says_how_long_its_request_waited() -> None:
    (line,) = plain(published(answered_us=2500), delivered("a"))
    assert line == "reply    planner → a   paper.new Paper  after 2.50 ms"


def test_a_started_call_is_shown_only_when_it_takes_long() -> None:
    call = CallStarted(at=AT, call=1, caller="planner", capability="web.search")
    assert plain(call) == []
    line = click.unstyle(Renderer().running(call, AT + 4_200_000))
    assert line[14:] == "call     planner → …   web.search  still open after 4.2 s"


def test_payloads_only_when_asked_for() -> None:
    event = published(payload=b'{"n":\n 1}')
    assert len(plain(event)) == 1
    assert plain(event, payloads=True)[1] == '{"n": 1}'
    (_, cut) = plain(published(payload=b"x" * 500), payloads=True)
    assert cut == "x" * 160 + "… (500 bytes)"


def test_other_namespaces_are_named() -> None:
    assert plain(published(), namespace="test-1")[0].endswith("  [test-1]")


def test_columns_stay_aligned_as_names_grow() -> None:
    renderer = Renderer()
    names = ("a-rather-long-name", "short")
    lines = [renderer.lines([AgentJoined(at=AT, agent=name)])[0] for name in names]
    places = {click.unstyle(line).index("hears") for line in lines}
    assert len(places) == 1


def test_no_control_character_of_an_agent_reaches_the_terminal() -> None:
    evil = "\x1b[2J\x07\r\n"
    lines = plain(
        ended("ERROR", code=evil, message=evil, capability=evil, provider=evil),
        AgentLeft(at=AT, agent=evil, reason=evil, orderly=False),
        published(payload=evil.encode()),
        payloads=True,
    )
    assert all(line.isprintable() for line in lines)


@pytest.mark.parametrize(
    ("micros", "text"),
    [
        (0, "0.00 ms"),
        (420, "0.42 ms"),
        (9_994, "9.99 ms"),
        (10_000, "10 ms"),
        (999_400, "999 ms"),
        (1_000_000, "1.0 s"),
        (59_940_000, "59.9 s"),
        (125_000_000, "2 min 5 s"),
    ],
)
def test_durations(micros: int, text: str) -> None:
    assert duration(micros) == text


def test_summary() -> None:
    totals = Totals()
    assert click.unstyle(summary(totals)) == "0 agents, 0 events, 0 calls"
    totals.add([AgentJoined(at=AT, agent="a"), published(), ended(), ended("ERROR", "X")])
    totals.add([Refused(at=AT, agent="a", code="X", message="")])
    assert (
        click.unstyle(summary(totals))
        == "1 agent, 1 event, 2 calls (p50 12 ms, p99 12 ms), 1 call failed, 1 refused"
    )
