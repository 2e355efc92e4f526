"""The tap: a transcript from the bridge's own trace, as Control.Watch tells it. Nobody stands in between.

It sees what reached the bridge and what the bridge sent: messages, handshakes, ends. It does not see metadata
of calls, nor bytes that are no message, nor what was lost on the way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from loom.v1 import action_pb2, agent_pb2
from loom_testing.codec import encode_answer, encode_server_message
from loom_testing.engine import inputs, messages, outputs
from loom_testing.engine.trace import TraceError, decode_step, read_trace
from loom_testing.transcript.entry import TranscriptError, Way
from loom_testing.transcript.recorder import Recorder
from loom_testing.transcript.retold import retold_call, retold_capability, retold_message, retold_registration

if TYPE_CHECKING:
    from collections.abc import Callable

    from loom_testing.engine.trace import Step
    from loom_testing.transcript.entry import Transcript
    from loom_testing.transcript.redaction import Redaction

__all__ = ["ANONYMOUS", "Tap", "read_trace_text"]

ANONYMOUS = "caller"
"""The lane of calls that name no agent."""
STRANGER = "stranger"
"""The lane of a stream that has not said whose it is."""

STREAM = "EventStream"
REGISTER = "RegisterAgent"
FORWARD = "ForwardAction"
LIST = "ListCapabilities"
PROBE = "loom.probe"
"""Metadata of a registration that only asks which bridge it is; it is refused, and not worth telling."""

MICROS = 1_000_000


class Tap:
    """Turns the steps of one namespace into a recording. Feed it every line in order.

    Attributes:
        recorder: what was recorded.
        heard: told of each unary Heartbeat, which says nothing of any agent and is not recorded: by its
            number whoever sent it knows how far the trace has come.

    Args:
        about: what is recorded, for people.
        bridge: name and version of the bridge.
        virtual: whether the namespace's clock is a virtual one.
        redaction: what is secret.
        names: more generated values, as for `Recorder`.
    """

    def __init__(
        self,
        about: str = "",
        *,
        bridge: str = "",
        virtual: bool = True,
        redaction: Redaction | None = None,
        names: dict[str, str] | None = None,
    ) -> None:
        self._now: int | None = None
        self.heard: Callable[[int], None] | None = None
        self.recorder = Recorder(
            about=about, bridge=bridge, virtual=virtual, names=names or {}, clock=lambda: self._now or 0
        )
        if redaction is not None:
            self.recorder.redaction = redaction
        self._streams: dict[int, str] = {}
        self._ended: set[int] = set()
        self._registering: dict[int, str] = {}
        self._calls: dict[int, str] = {}
        self._listing: set[int] = set()

    def feed(self, line: str) -> None:
        """One step, as a line of the trace.

        Raises:
            TraceError: it is none.
        """
        self.take(decode_step(line))

    def take(self, step: Step) -> None:
        """One step."""
        self._pass_time(step.at)
        self._came_in(step.input, step.outputs)
        for output in step.outputs:
            self._went_out(output)

    def _pass_time(self, at: int) -> None:
        if self._now is None:
            self._now = at
            self.recorder.begin()
        elif self.recorder.virtual and at > self._now:
            passed = (at - self._now) / MICROS
            self._now = at
            self.recorder.advanced(passed)
        self._now = at

    # What came in.

    def _came_in(self, came: inputs.Input, went: list[outputs.Output]) -> None:
        recorder = self.recorder
        if getattr(came, "stream", None) in self._ended:
            return  # a shell may still tell of a stream that the engine has forgotten
        match came:
            case inputs.Register() if PROBE not in came.metadata:
                who = self._registering[came.call] = came.agent_id or STRANGER
                recorder.sent(who, REGISTER, retold_registration(came), call=came.call)
            case inputs.Receive():
                self._received(came.stream, came.message)
            case inputs.HalfClose():
                recorder.half_close(self._who(came.stream), STREAM, call=came.stream)
            case inputs.Break():
                recorder.reset(self._who(came.stream), STREAM, call=came.stream)
                self._forget(came.stream)
            case inputs.Invoke():
                who = came.request.headers.get("x-agent-id", "") or ANONYMOUS
                self._calls[came.call] = who
                recorder.sent(who, FORWARD, retold_call(came.request), call=came.call)
            case inputs.Abandon() if came.call in self._calls:
                recorder.reset(self._calls.pop(came.call), FORWARD, call=came.call)
            case inputs.ListCapabilities():
                self._listing.add(came.call)
                recorder.sent(ANONYMOUS, LIST, action_pb2.ListCapabilitiesRequest(), call=came.call)
            case inputs.Heartbeat() if self.heard is not None:
                self.heard(came.timestamp_ms)
            case inputs.Disconnect():
                recorder.fault("disconnected", came.agent_id)
            case inputs.Hold():
                recorder.fault("held", came.agent_id)
            case inputs.Release():
                recorder.fault("released", came.agent_id)
            case inputs.DrainAll():
                recorder.note("the bridge is about to stop", body={"grace_ms": came.grace_ms})
            case _:
                pass

    def _received(self, stream: int, message: messages.ClientMessage) -> None:
        if isinstance(message, messages.Ack) and stream not in self._streams:
            self._streams[stream] = message.message_id or STRANGER
        self.recorder.sent(self._who(stream), STREAM, retold_message(message), call=stream)

    # What went out.

    def _went_out(self, output: outputs.Output) -> None:
        recorder = self.recorder
        match output:
            case outputs.RegisterReply() if output.call in self._registering:
                who = self._registering.pop(output.call)
                recorder.received(who, REGISTER, _register_reply(output), call=output.call)
            case outputs.Accept():
                recorder.headers(self._who(output.stream), STREAM, way=Way.RECEIVED, call=output.stream)
            case outputs.Send():
                data = encode_server_message(output.message)
                recorder.received(self._who(output.stream), STREAM, data, call=output.stream)
            case outputs.End():
                self._end(output)
            case outputs.Answer() if output.call in self._calls:
                who = self._calls.pop(output.call)
                recorder.received(who, FORWARD, encode_answer(output), call=output.call)
            case outputs.CapabilitiesReply() if output.call in self._listing:
                self._listing.discard(output.call)
                capabilities = [retold_capability(item) for item in output.capabilities]
                listed = action_pb2.ListCapabilitiesResponse(capabilities=capabilities)
                recorder.received(ANONYMOUS, LIST, listed, call=output.call)
            case _:
                pass

    def _end(self, end: outputs.End) -> None:
        who = self._who(end.stream)
        if end.abrupt:
            self.recorder.reset(who, STREAM, way=Way.RECEIVED, call=end.stream)
        else:
            self.recorder.status(who, STREAM, end.status, end.message, call=end.stream)
        self._forget(end.stream)

    def _who(self, stream: int) -> str:
        return self._streams.get(stream, STRANGER)

    def _forget(self, stream: int) -> None:
        self._streams.pop(stream, None)
        self._ended.add(stream)


def read_trace_text(text: str, name: str) -> Transcript:
    """The transcript of a trace that was kept in a file.

    Raises:
        TranscriptError: it is none of this version.
    """
    try:
        header, steps = read_trace(text.splitlines())
        tap = Tap(header.about or name)
        for step in steps:
            tap.take(step)
    except TraceError as error:
        raise TranscriptError(f"{name} is no trace that this Loom can read: {error}") from None
    return tap.recorder.transcript()


def _register_reply(reply: outputs.RegisterReply) -> agent_pb2.AgentRegisterResponse:
    return agent_pb2.AgentRegisterResponse(
        success=not reply.error_code,
        error_message=reply.error_message,
        error_code=reply.error_code,
        features=reply.features,
        heartbeat_interval_ms=reply.heartbeat_interval_ms,
        registration=reply.registration,
    )
