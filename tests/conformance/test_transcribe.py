"""A check's tape as a transcript: everything that crossed, in the order in which the check saw it."""

from __future__ import annotations

from loom.testing.v1 import control_pb2
from loom.v1 import stream_pb2
from loom_conformance import expect
from loom_conformance.declared import ask
from loom_conformance.judge import trial
from loom_conformance.report.transcripts import as_svg, as_text
from loom_conformance.tape import Tape
from loom_conformance.target import Target
from loom_conformance.transcribe import transcribe
from loom_testing import FakeBridge
from tests.conformance.benches import a_check


def test_everything_on_a_tape_is_in_the_transcript():
    tape = Tape()
    tape.sent("shop", "EventStream", stream_pb2.ClientEvent(ack=stream_pb2.Ack(message_id="shop")))
    tape.received("shop", "EventStream", "response headers")
    tape.sent("shop", "EventStream", "random bytes (12 bytes)")
    tape.sent("control", "Hold", control_pb2.HoldRequest(namespace="n", agent_id="shop"))
    tape.received("control", "Hold", control_pb2.HoldResponse())
    tape.note("time", "30 s pass")
    tape.sent("caller", "ForwardAction", "cancel")
    tape.sent("shop", "EventStream", "half-close")
    tape.received("shop", "EventStream", "end: FAILED_PRECONDITION no such\nagent")
    tape.sent("other", "EventStream", "reset")
    tape.left_out = 3
    header, *lines = transcribe(tape)
    assert header["entries"] == len(lines) == 10
    marks = ("sent", "received", "fault", "note")
    assert [next(mark for mark in marks if mark in line) for line in lines] == [
        *("sent", "received", "fault", "note", "note"),
        *("sent", "sent", "received", "sent", "note"),
    ]
    assert lines[1]["received"] == "headers"
    assert lines[2]["fault"] == "random bytes (12 bytes)"
    assert (lines[3]["note"], lines[3]["body"]) == ("control: Hold", {"agent_id": "shop"})
    assert lines[4]["note"] == "30 s pass"
    assert (lines[5]["sent"], lines[5]["who"]) == ("reset", "caller")
    assert (lines[7]["received"], lines[7]["code"]) == ("status", "FAILED_PRECONDITION")
    assert lines[9]["note"] == "3 more were not kept"


async def overhears(bench):
    """Wrong on purpose."""
    stream = await bench.join("shop", "orders.new")
    await stream.publish("orders.new", b"tea")
    expect.equal(len(await stream.deliveries()), 2, "the deliveries")


async def test_a_failed_check_of_a_real_bridge_can_be_drawn():
    async with FakeBridge(testing=True) as bridge:
        target = Target(bridge.address)
        result = await trial(target, await ask(target), a_check(overhears), transcribe)
    assert result.message == "the deliveries: expected 2, got 1"
    assert result.transcript is not None
    drawn = as_text(result.transcript)
    places = [drawn.index(word) for word in ("register", "handshake", "publish", "ping", "pong")]
    assert places == sorted(places)
    assert "orders.new" in as_svg(result.transcript)
