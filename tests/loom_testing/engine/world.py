"""A small world around one engine: clients as plain lists of what they were sent, time as a number.

Every step is recorded as a trace, so that what a test did can be replayed through either engine.
"""

from __future__ import annotations

from typing import Any

from loom.v1.event_pb2 import Event
from loom_testing.engine import Engine, Limits
from loom_testing.engine import inputs as i
from loom_testing.engine import messages as m
from loom_testing.engine import outputs as o
from loom_testing.engine.trace import Header, encode_header, encode_step

START = 1_700_000_000_000_000
FEATURES = ["session", "confirm", "subscriptions", "cancel", "drain"]


def event(event_id: str = "e", *, type: str = "t", payload: bytes = b"", **metadata: str) -> bytes:
    """An encoded event; metadata keys are written with `__` for the dot."""
    named = {key.replace("__", "."): value for key, value in metadata.items()}
    return Event(id=event_id, type=type, payload=payload, metadata=named).SerializeToString()


class Client:
    """One stream as its client sees it."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.received: list[Any] = []
        self.accepted = False
        self.ended: o.End | None = None
        self.paused = False

    def take(self, kind: type) -> list[Any]:
        """What of a kind came in since the last time, removed."""
        taken = [message for message in self.received if isinstance(message, kind)]
        self.received = [message for message in self.received if not isinstance(message, kind)]
        return taken

    def event_ids(self) -> list[str]:
        """The ids of the events delivered since the last time."""
        return [Event.FromString(delivery.event).id for delivery in self.take(m.Delivery)]


class World:
    """An engine with its shell played by the test."""

    def __init__(
        self, *, liveness: bool = False, writes: bool = True, about: str = "", **limits: int
    ) -> None:
        header = Header(START, limits, liveness, about)
        self.engine = Engine(START, Limits().with_overrides(limits), liveness=liveness)
        self.now = START
        self.writes = writes
        self.clients: dict[int, Client] = {}
        self.replies: dict[int, Any] = {}
        self.drained = False
        self.trace = [encode_header(header)]
        self._last = 0

    def do(self, came_in: i.Input) -> list[o.Output]:
        """Feeds one input now, carries the outputs out, and reports the writes if the world writes."""
        outputs = self.engine.handle(came_in, self.now)
        self.trace.append(encode_step(self.now, came_in, outputs))
        sent: dict[int, int] = {}
        for output in outputs:
            self._carry_out(output, sent)
        if self.writes:
            for number, count in sent.items():
                if self.clients[number].ended is None:
                    self.do(i.Writable(number, count))
        return outputs

    def _carry_out(self, output: o.Output, sent: dict[int, int]) -> None:
        match output:
            case o.Accept(stream):
                self.clients[stream].accepted = True
            case o.Send(stream, message):
                assert self.clients[stream].ended is None
                self.clients[stream].received.append(message)
                sent[stream] = sent.get(stream, 0) + 1
            case o.End(stream):
                assert self.clients[stream].ended is None
                self.clients[stream].ended = output
            case o.PauseReading(stream):
                assert not self.clients[stream].paused
                self.clients[stream].paused = True
            case o.ResumeReading(stream):
                assert self.clients[stream].paused
                self.clients[stream].paused = False
            case o.Drained():
                self.drained = True
            case _:
                assert output.call not in self.replies, "answered twice"
                self.replies[output.call] = output

    def wait(self, seconds: float) -> None:
        """Moves time, deadline by deadline."""
        target = self.now + round(seconds * 1_000_000)
        while (deadline := self.engine.next_deadline()) is not None and deadline <= target:
            self.now = max(self.now, deadline)
            self.do(i.Tick())
        self.now = target

    def number(self) -> int:
        """A fresh number for a stream or a call."""
        self._last += 1
        return self._last

    def register(self, agent_id: str, *topics: str, **fields: Any) -> o.RegisterReply:
        call = self.number()
        fields.setdefault("features", FEATURES)
        self.do(i.Register(call, agent_id, list(topics), **fields))
        return self.replies[call]

    def open(self, agent_id: str, **ack: Any) -> Client:
        client = self.open_stream()
        self.say(client, m.Ack(agent_id, **ack))
        return client

    def open_stream(self) -> Client:
        number = self.number()
        client = self.clients[number] = Client(number)
        self.do(i.Open(number))
        return client

    def join(self, agent_id: str, *topics: str, **fields: Any) -> Client:
        """Registers and opens a stream; what the handshake brought is taken."""
        reply = self.register(agent_id, *topics, **fields)
        assert not reply.error_code, reply
        client = self.open(agent_id)
        assert client.accepted
        client.take(m.Welcome)
        return client

    def say(self, client: Client, message: m.ClientMessage) -> None:
        self.do(i.Receive(client.number, message))

    def publish(self, client: Client, topic: str, event_id: str = "e", **options: Any) -> None:
        self.say(client, m.Publish(topic, event(event_id, **options)))

    def confirm(self, client: Client, pub_seq: int, topic: str, event_id: str = "e", **options: Any) -> None:
        self.say(client, m.Publish(topic, event(event_id, **options), confirm=True, pub_seq=pub_seq))

    def wrote(self, client: Client, count: int) -> None:
        self.do(i.Writable(client.number, count))

    def invoke(self, capability: str, call_id: str = "", caller: str = "", **fields: Any) -> int:
        call = self.number()
        headers = {"x-agent-id": caller} if caller else {}
        self.do(i.Invoke(call, m.ActionCall(call_id, capability, headers=headers, **fields)))
        return call

    def answer(self, call: int) -> m.ActionResult | None:
        """The result of a call, or None while it is open."""
        reply = self.replies.get(call)
        return reply.result if reply else None

    def code(self, call: int) -> str:
        """The error code a call ended with; empty for none."""
        result = self.answer(call)
        assert result is not None, "the call is still open"
        return result.error.code if result.error else ""

    def snapshot(self) -> o.SnapshotReply:
        call = self.number()
        self.do(i.Snapshot(call))
        return self.replies[call]
