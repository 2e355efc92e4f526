"""Recording: cheap, bounded, from any thread."""

from __future__ import annotations

import threading

from loom.v1 import stream_pb2
from loom_testing.transcript import Kind, Recorder, Way

PING = stream_pb2.ClientEvent(ping=stream_pb2.HeartbeatRequest(timestamp_ms=-1))


def test_what_is_recorded_comes_out_in_order_with_its_times():
    times = iter([100, 103, 110])
    recorder = Recorder(clock=lambda: next(times))
    recorder.sent("a", "EventStream", PING)
    recorder.received("a", "EventStream", stream_pb2.ServerEvent(pong=stream_pb2.HeartbeatResponse()))
    first, second = recorder.transcript(causal=False).entries
    assert (first.at, first.way, first.name) == (3, Way.SENT, "ping")
    assert (second.at, second.way, second.name) == (10, Way.RECEIVED, "pong")


def test_bytes_are_read_when_the_transcript_is_asked_for():
    recorder = Recorder()
    recorder.sent("a", "/loom.v1.Bridge/EventStream", PING.SerializeToString())
    recorder.sent("a", "/loom.v1.Bridge/EventStream", b"\xff\xff")
    good, bad = recorder.transcript().entries
    assert (good.kind, good.name, good.rpc) == (Kind.MESSAGE, "ping", "EventStream")
    assert (bad.kind, bad.body) == (Kind.BYTES, {"bytes": 2, "$base64": "//8="})


def test_bytes_of_an_unknown_method_are_kept_as_bytes():
    recorder = Recorder()
    recorder.sent("a", "/other.Service/Method", b"hello")
    assert recorder.transcript().entries[0].kind is Kind.BYTES


def test_a_full_recorder_keeps_both_ends_and_says_what_is_missing():
    recorder = Recorder(most_entries=10)
    for number in range(100):
        recorder.note(f"note {number}")
    transcript = recorder.transcript()
    assert [entry.name for entry in transcript.entries] == [
        *(f"note {number}" for number in range(5)),
        "90 entries were left out here: the recorder was full",
        *(f"note {number}" for number in range(95, 100)),
    ]
    assert transcript.left_out == 90
    assert len(recorder) == 100


def test_a_recorder_is_bounded_in_bytes_as_well():
    recorder = Recorder(most_bytes=10_000)
    for _ in range(100):
        recorder.sent("a", "EventStream", b"x" * 1000)
    transcript = recorder.transcript()
    assert transcript.left_out > 90
    assert len(transcript.entries) + transcript.left_out == 101


def test_one_entry_larger_than_all_that_is_kept_is_kept_nevertheless():
    recorder = Recorder(most_bytes=10)
    recorder.note("small")
    recorder.sent("a", "EventStream", b"\xff" * 1000)
    assert recorder.transcript().entries[-1].body["bytes"] == 1000


def test_threads_lose_nothing():
    recorder = Recorder()

    def record() -> None:
        for _ in range(500):
            recorder.sent("a", "EventStream", PING)

    threads = [threading.Thread(target=record) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(recorder.transcript().entries) == 2000


def test_the_size_of_the_message_of_a_fault_counts():
    recorder = Recorder(most_bytes=10_000)
    for _ in range(100):
        recorder.fault("dropped", "a", way=Way.SENT, rpc="EventStream", message=b"x" * 1000)
    assert recorder.transcript().left_out > 90


def test_numbers_of_calls_are_new():
    recorder = Recorder()
    assert recorder.new_call() != recorder.new_call()


def test_recording_goes_on_after_a_transcript_was_taken():
    recorder = Recorder()
    recorder.note("one")
    assert len(recorder.transcript().entries) == 1
    recorder.note("two")
    assert [entry.name for entry in recorder.transcript().entries] == ["one", "two"]
