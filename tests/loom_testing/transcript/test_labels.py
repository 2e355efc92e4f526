"""What rows say."""

from __future__ import annotations

import pytest

from loom_testing.transcript import Entry, Kind, Way
from loom_testing.transcript.labels import label_of

STREAM = "EventStream"


def message(name: str, body: dict, rpc: str = STREAM) -> tuple[str, str]:
    return label_of(Entry("a", Way.SENT, Kind.MESSAGE, name, rpc, 1, body))


def other(kind: Kind, name: str = "", body: object = None, rpc: str = STREAM) -> tuple[str, str]:
    return label_of(Entry("a", Way.RECEIVED, kind, name, rpc, 1, body))


EVENT = {"type": "t", "payload": {"id": 7}}
RESULT = {"id": "${call:2}", "output": 5}
FAILED = {"status": "ACTION_TIMEOUT", "error": {"code": "TIMEOUT", "message": "too late"}}


@pytest.mark.parametrize(
    ("said", "label", "detail"),
    [
        (message("publish", {"topic": "a.b", "event": {**EVENT, "type": "a.b"}}), "publish a.b", "{id: 7}"),
        (
            message("publish", {"topic": "a", "event": EVENT, "$matched": 2}),
            "publish a → 2",
            "type t  {id: 7}",
        ),
        (message("publish", {"topic": "a", "event": {}, "$matched": 0}), "publish a → nobody", ""),
        (message("publish", {}), "publish (no topic)", ""),
        (
            message("delivery", {"topic": "a", "event": {"metadata": {"loom.reply_to": "x"}}}),
            "a",
            "asks for a reply",
        ),
        (
            message(
                "delivery", {"topic": "a", "event": {"metadata": {"loom.correlation_id": "${correlation:1}"}}}
            ),
            "a",
            "correlation <correlation 1>",
        ),
        (
            message("delivery", {"topic": "a", "event": {"metadata": {"loom.thread_id": "x"}}}),
            "a",
            "thread x",
        ),
        (message("action_call", {"id": "${call:1}", "capability": "c"}), "call c <call 1>", ""),
        (message("action_call", {"capability": "c", "payload": []}), "call c", "[]"),
        (
            message("request", {"capability": "c", "version": "2", "payload": {}}, "ForwardAction"),
            "call c@2",
            "",
        ),
        (message("action_result", RESULT), "answer <call 2>", "5"),
        (message("response", FAILED, "ForwardAction"), "answer: timeout", "too late"),
        (
            message("request", {"agent_id": "a", "subscribed_topics": ["t"]}, "RegisterAgent"),
            "register a",
            "hears t",
        ),
        (
            message(
                "joins",
                {
                    "subscriptions": [
                        {"topic": "x", "observer": True},
                        {"topic": "y", "group": "g"},
                        {"topic": "z"},
                    ],
                    "capabilities": [{"name": "c"}],
                },
            ),
            "joins",
            "hears x (observes), y (group g), z; offers c",
        ),
        (message("response", {"success": True, "features": ["b"]}, "RegisterAgent"), "registered", "b"),
        (
            message("response", {"error_code": "X", "error_message": "why"}, "RegisterAgent"),
            "not registered X",
            "why",
        ),
        (message("ack", {"message_id": "a"}), "handshake", "a"),
        (message("ack", {"seq": 5}), "ack", ""),
        (message("receipt", {"ref": 1}), "receipt 1", "matched 0"),
        (message("receipt", {"ref": 1, "code": "X"}), "receipt 1: X", ""),
        (message("err", {"code": "X", "message": "why", "fatal": True}), "err X (fatal)", "why"),
        (message("ping", {"timestamp_ms": -1}), "ping", "-1"),
        (message("goodbye", {"reason": "r"}), "goodbye", "r"),
        (message("leaves", {"reason": "r"}), "leaves", "r"),
        (message("action_cancel", {"id": "${call:1}", "code": "TIMEOUT"}), "cancel <call 1>", "TIMEOUT"),
        (message("welcome", {"epoch": "${epoch:1}"}), "welcome", "epoch <epoch 1>"),
        (message("drain", {"grace_ms": 5}), "drain", "grace_ms 5"),
        (message("request", {"x": 1}, "Other"), "Other request", "{x: 1}"),
        (message("empty", {}), "EventStream empty", ""),
        (other(Kind.BYTES, body={"bytes": 3}), "3 bytes that are no message", STREAM),
        (other(Kind.HEADERS, body={}), "headers", ""),
        (other(Kind.HEADERS, body={"x": "y"}, rpc="RegisterAgent"), "RegisterAgent headers", "x y"),
        (other(Kind.HALF_CLOSE), "half-close", "nothing more will be sent"),
        (other(Kind.RESET), "reset", "the connection is broken"),
        (other(Kind.RESET, rpc="ForwardAction"), "ForwardAction given up", ""),
        (other(Kind.STATUS, "ABORTED", {"details": "why"}), "EventStream ends: ABORTED", "why"),
        (other(Kind.NOTE, "note", {"a": 1}), "note", "{a: 1}"),
        (other(Kind.FAULT, "held"), "held", ""),
        (other(Kind.FAULT, "cut", {"a": 1}), "cut", "{a: 1}"),
        (other(Kind.FAULT, "dropped", {"message": {"goodbye": {"reason": "r"}}}), "dropped: goodbye", "r"),
    ],
)
def test_labels(said: tuple[str, str], label: str, detail: str):
    assert said == (label, detail)


@pytest.mark.parametrize(
    ("seconds", "label"),
    [
        ("30", "clock +30 s"),
        ("0.25", "clock +250 ms"),
        ("1800", "clock +30 min"),
        ("90", "clock +1 min 30 s"),
        ("0", "clock +0 s"),
    ],
)
def test_moved_clocks(seconds: str, label: str):
    assert other(Kind.TIME, seconds)[0] == label
