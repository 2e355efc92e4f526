"""What may happen to a bridge over gRPC: also bytes that are no message, and messages that are too large."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, multiple, rule

from loom_testing.engine import inputs as i
from loom_testing.engine import messages as m
from tests.differential import values
from tests.differential.drawing import among, made_of, short
from tests.differential.machine import BridgeMachine, there_is
from tests.differential.normal import Beginning
from tests.differential.operations import Burst, Operation, RawCall, RawMessage
from tests.differential.requests import Requests

__all__ = ["MESSAGE_BYTES", "GrpcMachine"]

MESSAGE_BYTES = 64 * 1024
"""The limit on messages that both bridges are started with: small, so that it is reached at little cost."""
LIMITS = {name: choices for name, choices in values.SMALL.items() if name != "stream_window"}
"""With a small window it would depend on the transport's pace what is sent when."""

_requests = Requests(Beginning(values.START, values.START))
_FOREIGN = [
    b"\xff",
    b"\x00",
    b"\x80",
    b"\x07",  # a wire type that there is not
    b"\x0b",  # the beginning of a group
    b"\x0c",  # the end of one
    b"\xf8\x7f\x01",  # a field that nobody knows
    b"\xfb\x7f\x08\x01\xfc\x7f",  # the same as a group
    b"\x08\x01",  # field 1 as a number
    b"\x0a\x01\xff",  # field 1 as a text that is no UTF-8
    b"\x0a\xff\xff\xff\xff\x0f",  # a length beyond the end
    b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01",  # a number of more than ten bytes
    b"\x82\x80\x80\x80\x80\x00\x00",  # a tag of six
    b"\x0a" * 150,
    b"\x0b" * 150 + b"\x0c" * 150,
]
_WAYS = ["insert", "insert", "replace", "cut", "alone", "append"]


def _spoil(data: bytes, way: str, place: int, foreign: bytes) -> bytes:
    place = place % (len(data) + 1)
    match way:
        case "insert":
            return data[:place] + foreign + data[place:]
        case "replace":
            return data[:place] + foreign + data[place + len(foreign) :]
        case "cut":
            return data[:place]
        case "alone":
            return foreign
        case _:
            return data + foreign


spoiling: st.SearchStrategy[tuple[Any, ...]] = made_of(
    lambda *parts: parts, _WAYS, [0, 1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 30, 50, 100], _FOREIGN
)
_REGISTRATIONS = values.registrations(st.sampled_from(values.AGENTS))
_SAYINGS = short(
    st.one_of(values.published, values.confirmed, values.changes, values.pings, values.odd_messages)
)
_NEAR = [0, 1, -1, -40, 40, 5_000]


class GrpcMachine(BridgeMachine):
    """The rules of the lane over gRPC."""

    @initialize(
        target=BridgeMachine.streams,
        header=values.headers(LIMITS, {"message_bytes": MESSAGE_BYTES}),
        joining=st.lists(
            values.registrations(st.sampled_from(values.AGENTS)),
            min_size=1,
            max_size=4,
            unique_by=lambda one: one.agent_id,
        ),
    )
    def begin(self, header, joining):
        return multiple(*self.begin_with(header, joining))

    def teardown(self) -> None:
        try:
            if self.case is not None and not self.failed:
                self.do(i.Snapshot(self.number()))
                self.do(i.Reset())
        finally:
            super().teardown()

    def do(self, does: Operation, after: int = 0) -> None:
        """As the shared one, but what would be a race is left out."""
        unread = self.lane.unread()
        if unread and isinstance(does, Burst) and does.stream not in unread:
            does = i.Receive(does.stream, does.messages[0])
        super().do(does, after)
        unread = self.lane.unread()
        if unread:
            self.world.keep_from_racing(unread)

    def pass_time(self, by: int) -> None:
        """While something waits to be read, no further than to the next deadline."""
        deadline = self.world.engine.next_deadline()
        if self.lane.unread() and deadline is not None:
            by = min(by, max(0, deadline - self.world.now))
        super().pass_time(by)

    @there_is("heard")
    @rule(stream=among("heard"), message=_SAYINGS, spoiling=spoiling)
    def raw_message(self, stream, message, spoiling):
        """Bytes on a stream that may be no message."""
        self.do(RawMessage(stream, _spoil(_requests.message(message), *spoiling)))

    @rule(registration=_REGISTRATIONS, spoiling=spoiling)
    def raw_registration(self, registration, spoiling):
        self.do(RawCall(self.number(), "RegisterAgent", _spoil(_requests.unary(registration), *spoiling)))

    @rule(request=values.calls, spoiling=spoiling)
    def raw_call(self, request, spoiling):
        call = self.number()
        self.world.callers.append(call)
        self.do(RawCall(call, "ForwardAction", _spoil(_requests.call(request), *spoiling)))

    @rule(method=st.sampled_from(["Heartbeat", "ListCapabilities"]), spoiling=spoiling)
    def raw_question(self, method, spoiling):
        self.do(RawCall(self.number(), method, _spoil(b"\x08\x05", *spoiling)))

    @there_is("read")
    @rule(stream=among("read"), near=st.sampled_from(_NEAR), limit=st.sampled_from(["event", "message"]))
    def large_event(self, stream, near, limit):
        """An event about as large as it may be, or a message with one."""
        most = min(self.world.engine.limits.event_bytes, MESSAGE_BYTES)
        if limit == "event" and most < MESSAGE_BYTES:
            self.do(i.Receive(stream, m.Publish("a", values.event_of(most + near))))
        else:
            self.do(RawMessage(stream, _filled(MESSAGE_BYTES + near)))

    @rule(near=st.sampled_from(_NEAR), name=st.sampled_from(values.CAPABILITIES))
    def large_call(self, near, name):
        call = self.number()
        self.world.callers.append(call)
        head = _requests.call(m.ActionCall("", name))
        size = MESSAGE_BYTES + near - len(head) - 4
        self.do(RawCall(call, "ForwardAction", _requests.call(m.ActionCall("", name, payload=b"x" * size))))


def _filled(size: int) -> bytes:
    """A message of a stream of exactly so many bytes."""
    for event in range(size - 20, size):
        data = _requests.message(m.Publish("a", values.event_of(event)))
        if len(data) == size:
            return data
    raise AssertionError(f"no message has {size} bytes")
