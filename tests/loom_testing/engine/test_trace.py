"""Traces: written, read, replayed, and refused when they are none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom_testing.engine import inputs as i
from loom_testing.engine import messages as m
from loom_testing.engine import outputs as o
from loom_testing.engine import trace
from loom_testing.engine.trace import (
    Header,
    TraceError,
    decode_header,
    decode_step,
    encode_header,
    encode_step,
    read_trace,
)
from tests.loom_testing.engine.conftest import TRACES, replay


@pytest.fixture(autouse=True)
def nothing_learned() -> None:
    """What was found out about the messages' types is found out anew in each test."""
    trace._defaults_of.clear()
    trace._decoders_of.clear()


TEXT = st.text(max_size=5)
INPUTS = st.one_of(
    st.builds(
        i.Register,
        call=st.integers(0),
        agent_id=TEXT,
        subscribed_topics=st.lists(TEXT, max_size=2),
        capabilities=st.lists(
            st.builds(m.Capability, name=TEXT, metadata=st.dictionaries(TEXT, TEXT)), max_size=2
        ),
        subscriptions=st.lists(
            st.builds(m.Subscription, topic=TEXT, qos=st.one_of(st.none(), st.integers(0, 2))), max_size=2
        ),
        echo=st.sampled_from([None, True, False]),
    ),
    st.builds(
        i.Receive,
        stream=st.integers(0),
        message=st.one_of(
            st.builds(
                m.Ack, message_id=TEXT, done=st.lists(st.tuples(st.integers(), st.integers()), max_size=2)
            ),
            st.builds(m.Publish, topic=TEXT, event=st.one_of(st.none(), st.binary(max_size=5))),
            st.builds(
                m.ActionResult,
                id=TEXT,
                output=st.binary(max_size=5),
                error=st.one_of(st.none(), st.builds(m.ActionError, code=TEXT)),
            ),
            st.builds(m.Unknown, name=TEXT),
        ),
    ),
)
OUTPUTS = st.one_of(
    st.builds(o.Send, stream=st.integers(0), message=st.builds(m.Err, code=TEXT, message=TEXT)),
    st.builds(o.End, stream=st.integers(0), status=TEXT, abrupt=st.booleans()),
    st.builds(o.Drained),
)


@given(st.integers(0), INPUTS, st.lists(OUTPUTS, max_size=3))
def test_round_trip(at: int, came_in: i.Input, went_out: list[Any]) -> None:
    line = encode_step(at, came_in, went_out)
    assert "\n" not in line
    step = decode_step(line)
    assert (step.at, step.input, step.outputs) == (at, came_in, went_out)
    assert encode_step(step.at, step.input, step.outputs) == line


def test_defaults_are_left_out() -> None:
    line = encode_step(5, i.Receive(1, m.Publish("x", b"ab")), [o.Send(1, m.Pong(3))])
    assert json.loads(line) == {
        "at": 5,
        "in": {"kind": "receive", "stream": 1, "message": {"kind": "publish", "topic": "x", "event": "YWI="}},
        "out": [{"kind": "send", "stream": 1, "message": {"kind": "pong", "timestamp_ms": 3}}],
    }


def test_kinds_are_named_after_their_classes() -> None:
    assert trace._members(o.Output)["heartbeat_reply"] is o.HeartbeatReply
    assert trace._members(i.Input) == trace._INPUTS


def test_header_round_trip() -> None:
    header = Header(17, {"queue_events": 3}, False, "about it")
    assert decode_header(encode_header(header)) == header
    assert header.engine_limits().queue_events == 3


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("", "not JSON"),
        ("[]", "^not a JSON object$"),
        ('{"trace": 2}', "version 2 is not 1"),
        ("{}", "version None"),
        ('{"trace": 1, "nope": 1}', "bad header"),
    ],
)
def test_bad_headers(line: str, reason: str) -> None:
    with pytest.raises(TraceError, match=reason):
        decode_header(line)


@pytest.mark.parametrize(
    "line",
    [
        "{}",
        '{"at":1,"in":{"kind":"nope"},"out":[]}',
        '{"at":1,"in":{"kind":"open","stream":1,"extra":2},"out":[]}',
        '{"at":1,"in":{"kind":"open"},"out":[]}',
        '{"at":1,"in":{"kind":"receive","stream":1,"message":{"kind":"publish","topic":"x","event":"*"}},"out":[]}',
    ],
)
def test_bad_steps(line: str) -> None:
    with pytest.raises(TraceError, match="not a step"):
        decode_step(line)


def test_an_unknown_kind_is_named() -> None:
    with pytest.raises(TraceError, match=r"unknown kind 'nope'"):
        decode_step('{"at":1,"in":{"kind":"nope"},"out":[]}')


def test_a_long_line_is_shown_by_its_beginning() -> None:
    line = '{"at":1,"out":[],"about":"' + "x" * 200 + '"}'
    with pytest.raises(TraceError) as refused:
        decode_step(line)
    assert str(refused.value) == f"not a step: KeyError('in') in {line[:120]!r}"


def test_an_empty_file_is_no_trace() -> None:
    with pytest.raises(TraceError, match=r"^the trace is empty$"):
        read_trace([])


def test_an_unknown_field_is_named() -> None:
    with pytest.raises(TraceError, match=r"open has no \['extra', 'more'\]"):
        decode_step('{"at":1,"in":{"kind":"open","stream":1,"more":3,"extra":2},"out":[]}')


def test_nothing_may_be_said_outright() -> None:
    message = '{"kind":"publish","topic":"x","event":null}'
    step = decode_step(f'{{"at":1,"in":{{"kind":"receive","stream":1,"message":{message}}},"out":[]}}')
    assert step.input == i.Receive(1, m.Publish("x", None))


@pytest.mark.parametrize("path", sorted(TRACES.glob("*.jsonl")), ids=lambda path: path.stem)
def test_replays(path: Path) -> None:
    """Every kept trace, also one that no test writes any more."""
    replay(path.read_text(encoding="utf-8").splitlines())


def test_a_difference_is_noticed() -> None:
    lines = (TRACES / "registration--accepts_and_numbers.jsonl").read_text(encoding="utf-8").splitlines()
    with pytest.raises(AssertionError, match="step 1"):
        replay([lines[0], lines[1].replace("3000", "3001")])
