from loom.v1 import stream_pb2
from loom_conformance import tape as taping
from loom_conformance.tape import Tape


def test_what_crosses_is_kept_in_order():
    tape = Tape()
    message = stream_pb2.ClientEvent()
    tape.sent("a", "EventStream", message)
    tape.received("a", "EventStream", "end: OK")
    tape.note("time", "3 s pass")
    assert [(item.who, item.direction, item.rpc, item.what) for item in tape.crossings] == [
        ("a", "sent", "EventStream", message),
        ("a", "received", "EventStream", "end: OK"),
        ("time", "note", "", "3 s pass"),
    ]
    assert [item.at for item in tape.crossings] == sorted(item.at for item in tape.crossings)


def test_what_is_too_much_is_counted(monkeypatch):
    monkeypatch.setattr(taping, "MOST", 2)
    tape = Tape()
    for number in range(5):
        tape.note("a", str(number))
    assert [item.what for item in tape.crossings] == ["0", "1"]
    assert tape.left_out == 3


def test_what_comes_after_the_check_is_not_kept():
    tape = Tape()
    tape.seal()
    tape.note("a", "clearing up")
    assert (tape.crossings, tape.left_out) == ([], 0)
