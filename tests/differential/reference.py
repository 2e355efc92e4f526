"""What a bridge with an ideal shell would do: the Python engine and a transport that takes everything at
once.

It leads the lane over gRPC. The machine asks it what is there, and it is the third of those that are
compared: where two agree and one does not, the report shows who.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from loom.codes import CODES
from loom.v1 import action_pb2, agent_pb2
from loom_testing import codec
from loom_testing.control import _snapshot_response as snapshot_response
from loom_testing.engine import Engine
from loom_testing.engine import inputs as i
from loom_testing.engine import outputs as o
from loom_testing.engine.trace import Header
from tests.differential.normal import Beginning
from tests.differential.observed import ANSWER, Observed
from tests.differential.operations import Burst, RawCall, RawMessage, Step

__all__ = ["RacyError", "Reference"]

DECODE: dict[str, Any] = {
    "RegisterAgent": codec.decode_register,
    "ForwardAction": codec.decode_invoke,
    "Heartbeat": codec.decode_heartbeat,
    "ListCapabilities": codec.decode_list_capabilities,
}


class RacyError(Exception):
    """What the step does would be a race on a real bridge: two outcomes would both be right."""


class Reference:
    """One namespace.

    Attributes:
        engine: its engine.
        outputs: what the engine answered in the last step.
    """

    def __init__(self, header: Header) -> None:
        self.limits = header.engine_limits()
        self.engine = Engine(header.created, self.limits, liveness=header.liveness)
        self.outputs: list[o.Output] = []
        self._now = header.created
        self._start = Beginning(header.created, header.created)
        self._seen = Observed()
        self._paused: set[int] = set()
        self._left: set[int] = set()
        """Streams whose client broke them: what comes on them is seen by nobody."""
        self._unread: dict[int, deque[i.Input | RawMessage]] = {}
        """What clients said on streams that are read no further for now."""
        self._silent: set[int] = set()
        """Streams whose client said that there will be no more."""

    def can_do(self, step: Step) -> bool:
        """Whether it can be done at all: a case that is being made smaller may lack what came before."""
        match step.does:
            case i.Receive(stream) | i.HalfClose(stream) | Burst(stream) | RawMessage(stream):
                return self._knows(stream) and stream not in self._silent
            case i.Break(stream):
                return self._knows(stream)
            case i.Abandon(call):
                return call in self.engine._core.waiters
            case i.DrainAll() | i.Writable():
                return False
            case _:
                return True

    def unread(self) -> list[int]:
        """The streams on which something waits to be read."""
        return list(self._unread)

    def play(self, step: Step) -> Observed:
        """Plays a step; what was to be observed.

        Raises:
            RacyError: the step would be a race.
        """
        self._seen, self.outputs = Observed(), []
        if step.at > self._now or isinstance(step.does, i.Tick):
            self._advance(step.at)
        match step.does:
            case i.Tick():
                pass
            case RawCall(call, method, data):
                self._raw_call(call, method, data)
            case Burst(stream, messages):
                for message in messages:
                    self._say(stream, i.Receive(stream, message))
            case RawMessage(stream):
                self._say(stream, step.does)
            case i.Receive(stream):
                self._say(stream, step.does)
            case i.HalfClose(stream):
                self._silent.add(stream)
                self._say(stream, step.does)
            case i.Break(stream):
                self._unread.pop(stream, None)
                self._left.add(stream)
                self._feed(step.does)
            case i.Hold(agent_id) | i.Release(agent_id) | i.Disconnect(agent_id):
                self._control(agent_id, step.does)
            case _:
                self._feed(step.does)
        return self._seen

    # Time.

    def _advance(self, to: int) -> None:
        fired = 0
        while (deadline := self.engine.next_deadline()) is not None and deadline <= to:
            if self._unread and deadline < to:
                raise RacyError
            self._now = deadline
            self._feed(i.Tick())
            fired += 1
        self._now = to
        self._seen.add(ANSWER, "Advance", to, f"fired {fired}")

    # What comes in.

    def _say(self, stream: int, what: i.Input | RawMessage) -> None:
        if stream not in self._paused:
            self._hear(stream, what)
            return
        if any(other != stream for other in self._unread):
            raise RacyError
        self._unread.setdefault(stream, deque()).append(what)

    def _hear(self, stream: int, what: i.Input | RawMessage) -> None:
        if not isinstance(what, RawMessage):
            self._feed(what)
            return
        try:
            if len(what.data) > self.limits.message_bytes:
                self._refuse(stream, "OVERSIZE")
            else:
                self._feed(i.Receive(stream, codec.decode_client_event(what.data)))
        except codec.Malformed:
            self._refuse(stream, "INVALID_ARGUMENT")

    def _refuse(self, stream: int, status: str) -> None:
        self._seen.add(f"stream {stream}", "end", status, "")
        self._feed(i.Break(stream))

    def _raw_call(self, call: int, method: str, data: bytes) -> None:
        place = f"call {call}" if method == "ForwardAction" else ANSWER
        try:
            if len(data) > self.limits.message_bytes:
                self._seen.add(place, "refused", "OVERSIZE", "")
            else:
                self._feed(DECODE[method](call, data))
        except codec.Malformed:
            self._seen.add(place, "refused", "INVALID_ARGUMENT", "")

    def _control(self, agent_id: str, does: i.Input) -> None:
        if agent_id in self.engine._core.agents:
            self._seen.add(ANSWER, "done")
            self._feed(does)
        else:
            self._seen.add(ANSWER, "refused", "NOT_FOUND", "")

    # The engine.

    def _feed(self, came_in: i.Input) -> None:
        waiting: deque[i.Input] = deque([came_in])
        while waiting:
            outputs = self.engine.handle(waiting.popleft(), self._now)
            self.outputs += outputs
            for output in outputs:
                match output:
                    case o.Send(stream):
                        waiting.append(i.Writable(stream, 1))
                    case o.ResumeReading(stream):
                        self._paused.discard(stream)
                    case o.PauseReading(stream):
                        self._paused.add(stream)
                    case _:
                        pass
                self._see(output)
            if not waiting:
                self._read_on()

    def _read_on(self) -> None:
        """Hears what was said on a stream that is read again."""
        for stream in list(self._unread):
            while self._knows(stream) and stream not in self._paused and self._unread.get(stream):
                self._hear(stream, self._unread[stream].popleft())
            if not self._unread.get(stream) or not self._knows(stream):
                self._unread.pop(stream, None)

    def _see(self, output: o.Output) -> None:
        match output:
            case o.Accept(stream):
                self._on(stream, "headers")
            case o.Send(stream, message):
                encoded = codec.encode_server_message(message)
                self._on(stream, "message", self._start.server_event(encoded))
            case o.End(stream, status, message):
                self._paused.discard(stream)
                self._unread.pop(stream, None)
                sentence = message if message.partition(":")[0] in CODES else ""
                self._on(stream, "end", status, sentence)
            case o.Answer(call):
                result = action_pb2.ActionResult.FromString(codec.encode_answer(output))
                self._seen.add(f"call {call}", "ForwardAction", self._start.result(result))
            case o.RegisterReply():
                encoded = codec.encode_register_reply(output, self.limits, virtual_clock=True)
                response = agent_pb2.AgentRegisterResponse.FromString(encoded)
                self._seen.add(ANSWER, "RegisterAgent", self._start.registered(response))
            case o.HeartbeatReply():
                self._seen.add(ANSWER, "Heartbeat", codec.encode_heartbeat(output))
            case o.CapabilitiesReply():
                listed = action_pb2.ListCapabilitiesResponse.FromString(codec.encode_capabilities(output))
                self._seen.add(ANSWER, "ListCapabilities", self._start.plain(listed))
            case o.SnapshotReply():
                self._seen.add(ANSWER, "Snapshot", self._start.snapshot(snapshot_response(output)))
            case _:
                pass

    def _knows(self, stream: int) -> bool:
        return stream in self.engine._core.streams

    def _on(self, stream: int, *what: Any) -> None:
        if stream not in self._left:
            self._seen.add(f"stream {stream}", *what)
