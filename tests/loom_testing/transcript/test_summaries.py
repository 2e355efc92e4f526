"""What belongs together is told as one; what went wrong is never hidden."""

from __future__ import annotations

from loom.v1 import action_pb2, agent_pb2, stream_pb2
from loom_testing.transcript import Entry, Kind, Way
from loom_testing.transcript.summaries import MATCHED, summarized
from tests.loom_testing.transcript.story import STREAM, Story, order


def told(story: Story) -> list[Entry]:
    return summarized(story.transcript().entries)


def names(story: Story) -> list[str]:
    return [entry.name or entry.kind.value for entry in told(story)]


def test_an_order_in_a_few_rows():
    assert names(order()) == [
        *("joins", "joins", "joins"),
        *(
            "publish",
            "delivery",
            "request",
            "action_call",
            "action_result",
            "response",
            "publish",
            "delivery",
        ),
        *("30", "leaves"),
    ]


def test_a_publish_tells_how_many_receive_it():
    (publish,) = [entry for entry in told(order()) if entry.name == "publish" and "pub_seq" in entry.body]
    assert publish.body[MATCHED] == 1


def test_a_receipt_that_refuses_is_shown():
    story = Story()
    story.join("a")
    story.publish("a", "t", story.event("a"), confirm=True, pub_seq=1)
    story.receipt("a", 1, 0, "INVALID_TOPIC")
    assert names(story) == ["joins", "publish", "receipt"]


def test_a_registration_that_is_refused_is_shown():
    story = Story()
    story.recorder.sent("a", "RegisterAgent", agent_pb2.AgentRegisterRequest(agent_id="a"))
    story.recorder.received("a", "RegisterAgent", agent_pb2.AgentRegisterResponse(error_code="X"))
    assert names(story) == ["request", "response"]


def test_barriers_are_dull_and_signs_of_life_are_shown():
    entries = [
        Entry("a", Way.SENT, Kind.MESSAGE, "ping", STREAM, 1, {"timestamp_ms": number})
        for number in (-1, "${time:1}", 7)
    ]
    assert summarized(entries) == entries[1:]


def test_a_clock_that_moves_on_is_one_row():
    times = [
        Entry("", Way.BESIDE, Kind.TIME, seconds, at=at)
        for seconds, at in (("0.1", 100_000), ("10", 10_100_000), ("0.2", 10_300_000))
    ]
    note = Entry("", Way.BESIDE, Kind.NOTE, "done")
    told = summarized([*times, note, times[0]])
    assert [(entry.name, entry.at) for entry in told] == [
        ("10.3", 10_300_000),
        ("done", None),
        ("0.1", 100_000),
    ]


def test_who_comes_back_joins_again():
    story = Story()
    for _ in range(2):
        story.join("a", "t")
        story.recorder.sent("a", "RegisterAgent", agent_pb2.AgentRegisterRequest(agent_id="a"))
        story.recorder.received("a", "RegisterAgent", agent_pb2.AgentRegisterResponse(success=True))
        story.send("a", goodbye=stream_pb2.Goodbye())
        story.recorder.status("a", STREAM, "OK")
    assert names(story) == ["joins", "leaves", "joins", "leaves"]


def test_a_registration_that_no_handshake_follows_is_shown():
    story = Story()
    story.recorder.sent("a", "RegisterAgent", agent_pb2.AgentRegisterRequest(agent_id="a"))
    story.recorder.received("a", "RegisterAgent", agent_pb2.AgentRegisterResponse(success=True))
    assert names(story) == ["request", "response"]


def test_registering_again_while_live_is_shown():
    story = Story()
    story.join("a")
    story.recorder.sent("a", "RegisterAgent", agent_pb2.AgentRegisterRequest(agent_id="a"))
    story.recorder.received("a", "RegisterAgent", agent_pb2.AgentRegisterResponse(success=True))
    assert names(story) == ["joins", "request", "response"]


def test_a_handshake_that_is_refused_is_shown():
    story = Story()
    story.recorder.sent("a", "RegisterAgent", agent_pb2.AgentRegisterRequest(agent_id="a"))
    story.recorder.received("a", "RegisterAgent", agent_pb2.AgentRegisterResponse(success=True))
    story.send("a", ack=stream_pb2.Ack(message_id="a"))
    story.recorder.status("a", STREAM, "FAILED_PRECONDITION", "why")
    assert names(story)[-1] == "FAILED_PRECONDITION"


def test_a_stream_that_ends_badly_is_shown():
    story = Story()
    story.join("a")
    story.send("a", goodbye=stream_pb2.Goodbye())
    story.recorder.status("a", STREAM, "UNAVAILABLE")
    assert names(story) == ["joins", "goodbye", "UNAVAILABLE"]


def test_a_half_close_that_ends_well_is_a_leaving():
    story = Story()
    story.join("a")
    story.recorder.half_close("a", STREAM)
    story.recorder.status("a", STREAM, "OK")
    assert names(story) == ["joins", "leaves"]


def test_metadata_and_good_ends_of_calls_are_left_out():
    story = Story()
    story.recorder.headers("a", "RegisterAgent", [("loom-namespace", "n")], way=Way.SENT)
    story.recorder.status("a", "RegisterAgent", "OK")
    story.recorder.status("a", "RegisterAgent", "UNAVAILABLE")
    assert names(story) == ["UNAVAILABLE"]


def call(story: Story, who: str, call_id: str) -> None:
    story.receive(who, action_call=action_pb2.ActionCall(id=call_id, capability="c"))


def answer(story: Story, who: str, call_id: str) -> None:
    story.send(who, action_result=action_pb2.ActionResult(id=call_id))


def ids(story: Story) -> list[str]:
    entries = summarized(story.transcript(causal=False).entries)
    return [entry.body.get("id", "") for entry in entries if entry.name.startswith("action_")]


def test_calls_one_after_the_other_need_no_numbers():
    story = Story()
    for number in ("c-1", "c-2"):
        call(story, "a", number)
        answer(story, "a", number)
    assert ids(story) == ["", "", "", ""]


def test_an_answer_that_is_lost_needs_none_either():
    story = Story()
    call(story, "a", "c-1")
    lost = stream_pb2.ClientEvent(action_result=action_pb2.ActionResult(id="c-1", output=b"5"))
    story.recorder.fault("dropped", "a", way=Way.SENT, rpc=STREAM, message=lost)
    (fault,) = [entry for entry in told(story) if entry.kind is Kind.FAULT]
    assert fault.body == {"message": {"action_result": {"output": 5}}}
    call(story, "a", "c-2")
    (fault,) = [entry for entry in told(story) if entry.kind is Kind.FAULT]
    assert fault.body["message"]["action_result"]["id"] == "c-1"


def test_calls_at_the_same_time_keep_theirs():
    story = Story()
    call(story, "a", "c-1")
    call(story, "a", "c-2")
    answer(story, "a", "c-2")
    call(story, "b", "c-3")
    assert ids(story) == ["c-1", "c-2", "c-2", ""]


def test_what_follows_a_call_that_was_taken_back_is_no_news():
    story = Story()
    call(story, "a", "c-1")
    story.receive("a", action_cancel=action_pb2.ActionCancel(id="c-1", code="TIMEOUT"))
    answer(story, "a", "c-1")
    story.receive("a", err=stream_pb2.Error(code="UNKNOWN_CALL", ref="c-1"))
    story.receive("a", err=stream_pb2.Error(code="UNKNOWN_CALL", ref="c-2"))
    assert names(story) == ["action_call", "action_cancel", "action_result", "err"]
