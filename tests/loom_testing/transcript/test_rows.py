"""The rows of a picture."""

from __future__ import annotations

from dataclasses import replace

from loom.v1 import action_pb2, stream_pb2
from loom_testing.transcript import Entry, Kind, Transcript, Way
from loom_testing.transcript.rows import BRIDGE, Shape, Tone, picture_of
from tests.loom_testing.transcript.story import STREAM, Story, order


def test_the_bridge_stands_in_the_middle_of_its_agents():
    picture = picture_of(order().transcript(), most_rows=100)
    assert picture.lanes == ("probe", "shop:1", BRIDGE, "prices")
    assert picture.title == "an order"


def test_arrows_go_to_the_bridge_and_from_it():
    rows = picture_of(order().transcript(), most_rows=100).rows
    assert [(row.shape, row.who, row.label) for row in rows[3:6]] == [
        (Shape.TO_BRIDGE, "probe", "publish orders.new → 1"),
        (Shape.FROM_BRIDGE, "shop:1", "orders.new"),
        (Shape.TO_BRIDGE, "shop:1", "call price.quote"),
    ]


def test_every_entry_by_itself():
    transcript = order().transcript()
    assert len(picture_of(transcript, most_rows=100, full=True).rows) == len(transcript.entries)


def tones(story: Story) -> list[Tone]:
    return [row.tone for row in picture_of(story.transcript(causal=False), most_rows=100, full=True).rows]


def test_what_is_wrong_is_toned_so():
    story = Story()
    story.receive("a", err=stream_pb2.Error(code="X"))
    story.receipt("a", 1, code="X")
    story.recorder.status("a", STREAM, "ABORTED")
    story.recorder.reset("a", STREAM)
    story.recorder.sent("a", STREAM, b"\xff")
    for status in (1, 77):
        story.send("a", action_result=action_pb2.ActionResult(status=status))
    assert set(tones(story)) == {Tone.BAD}


def test_what_is_right_is_not():
    story = Story()
    story.receipt("a", 1)
    story.recorder.status("a", STREAM, "OK")
    story.recorder.note("n")
    story.recorder.fault("held")
    assert tones(story) == [Tone.PROTOCOL, Tone.PROTOCOL, Tone.PLAIN, Tone.FAULT]
    assert Tone.BAD not in tones(order())


def test_a_message_that_was_dropped_does_not_arrive():
    story = Story()
    ping = stream_pb2.ClientEvent(ping=stream_pb2.HeartbeatRequest())
    for text in ("dropped", "delayed by 2 s"):
        story.recorder.fault(text, "a", way=Way.SENT, rpc=STREAM, message=ping)
    story.recorder.fault("dropped everything", "a")
    rows = picture_of(story.transcript(), most_rows=10).rows
    assert [row.lost for row in rows] == [True, False, False]


def notes(count: int) -> Transcript:
    return Transcript(tuple(Entry("a", Way.BESIDE, Kind.NOTE, str(number)) for number in range(count)))


def test_the_middle_of_a_long_one_is_left_out_and_said():
    labels = [row.label for row in picture_of(notes(100), most_rows=9).rows]
    assert labels == ["0", "1", "2", "91 rows not shown", "94", "95", "96", "97", "98", "99"]
    assert len(picture_of(notes(9), most_rows=9).rows) == 9


def test_what_stood_before_a_tail_is_said():
    picture = picture_of(notes(100).tail(2), most_rows=9)
    assert [row.label for row in picture.rows] == ["98 entries before this", "98", "99"]


def test_a_gap_that_the_recording_tells_of_is_not_told_twice():
    told = Entry("", Way.BESIDE, Kind.NOTE, "5 entries were left out here: the recorder was full")
    picture = picture_of(replace(notes(1), entries=(told,), left_out=5), most_rows=9)
    assert len(picture.rows) == 1


def test_an_agent_without_a_name_has_a_lane():
    picture = picture_of(Transcript((Entry("", Way.SENT, Kind.RESET, rpc=STREAM, call=1),)), most_rows=9)
    assert picture.lanes == ("(nameless)", BRIDGE)


def test_nothing_at_all():
    assert picture_of(Transcript(), most_rows=9).lanes == (BRIDGE,)
