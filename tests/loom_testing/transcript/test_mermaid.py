"""The picture in Mermaid."""

from __future__ import annotations

import re

from loom.v1 import stream_pb2
from loom_testing.transcript import Transcript, Way, draw
from tests.loom_testing.transcript.story import STREAM, Story, order


def test_an_order_in_mermaid():
    lines = draw(order().transcript(), "mermaid").splitlines()
    assert lines[:6] == [
        "sequenceDiagram",
        "    accTitle: an order",
        "    participant p0 as probe",
        "    participant p1 as shop:1",
        "    participant p2 as bridge",
        "    participant p3 as prices",
    ]
    assert "    p0->>p2: publish orders.new → 1<br/>#123;id: 7, sku: #34;A-1#34;#125;" in lines
    assert "    p2-->>p1: orders.new<br/>#123;id: 7, sku: #34;A-1#34;#125;" in lines
    assert "    Note over p0,p3: clock +30 s" in lines


def test_notes_and_lost_messages():
    story = Story()
    story.join("a")
    story.recorder.note("one; two <b>", "a")
    story.recorder.fault("dropped", "a", way=Way.RECEIVED, rpc=STREAM, message=stream_pb2.ServerEvent())
    story.recorder.fault("dropped", "a", way=Way.SENT, rpc=STREAM, message=stream_pb2.ClientEvent())
    *_, note, received, sent = draw(story.transcript(), "mermaid").splitlines()
    assert note == "    Note over p0: one#59; two #60;b#62;"
    assert received.startswith("    p1--xp0: dropped")
    assert sent.startswith("    p0-xp1: dropped")


def test_no_text_breaks_out_of_its_line():
    story = Story()
    story.join("end")
    story.recorder.note("a\nend\nparticipant x %% # `y` \\n", "end")
    text = draw(story.transcript(), "mermaid")
    assert len(text.splitlines()) == 5
    assert not re.search(r"[{}\[\]|`%\\;](?<!\d;)", text)


def test_nothing_at_all():
    assert draw(Transcript(), "mermaid") == "sequenceDiagram\n    participant p0 as bridge\n"
