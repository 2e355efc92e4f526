"""Bugs in keeping limits, in bearing what is malformed, and in stopping (LIM)."""

from __future__ import annotations

from mutants.mutant import Mutant

__all__ = ["MUTANTS"]

BRIDGE = "loom_testing/bridge.py"
CODEC = "loom_testing/codec.py"
DRAIN = "loom_testing/engine/drain.py"
DRIVER = "loom_testing/driver.py"
EVENT_STREAM = "loom_testing/event_stream.py"
NAMESPACES = "loom_testing/namespaces.py"
PUBLISH = "loom_testing/engine/publish.py"
REGISTRATION = "loom_testing/engine/registration.py"
SERVE = "loom_testing/serve.py"
SERVER = "loom_testing/server.py"
UNARY = "loom_testing/unary.py"

MALFORMED_ON_A_STREAM = '            self.end("INVALID_ARGUMENT", str(problem))\n'
MALFORMED_REQUEST = "        await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(problem))\n"
MESSAGE_BYTES = '("grpc.max_receive_message_length", limits.message_bytes)'

PINGS = (
    '        ("grpc.http2.max_ping_strikes", 0),\n'
    '        ("grpc.http2.min_ping_interval_without_data_ms", 0),\n'
)

MUTANTS = [
    Mutant(
        clause="LIM-1.1",
        name="no-limits-are-told",
        why="the answer to a registration leaves the limits out",
        file=CODEC,
        old="limits=agent_pb2.Limits(**{name: getattr(limits, name) for name in names}),",
        new="limits=agent_pb2.Limits(),",
        killed_by="the limits that are not told: expected nothing, got .*event_bytes",
    ),
    Mutant(
        clause="LIM-1.2",
        name="events-of-any-size",
        why="an event may be as large as a message",
        file=PUBLISH,
        old="if len(message.event) > core.limits.event_bytes:",
        new="if len(message.event) > core.limits.message_bytes:",
        killed_by="how many messages the publisher is sent: expected 1, got 0",
    ),
    Mutant(
        clause="LIM-1.3",
        name="events-below-the-limit-only",
        why="an event of exactly as many bytes as are allowed is refused",
        file=PUBLISH,
        old="if len(message.event) > core.limits.event_bytes:",
        new="if len(message.event) >= core.limits.event_bytes:",
        killed_by="what the publisher is sent: expected nothing, got .*LIMIT_EXCEEDED",
    ),
    Mutant(
        clause="LIM-1.4",
        name="requests-of-twice-the-size",
        why="messages of twice the limit are taken",
        file=SERVER,
        old=MESSAGE_BYTES,
        new='("grpc.max_receive_message_length", 2 * limits.message_bytes)',
        killed_by="too large: expected a gRPC status, got a result|a call that its client made|RPC|nothing",
    ),
    Mutant(
        clause="LIM-1.5",
        name="messages-of-any-size",
        why="messages of any size are taken",
        file=SERVER,
        old=MESSAGE_BYTES,
        new='("grpc.max_receive_message_length", -1)',
        killed_by="the stream: the gRPC status: expected RESOURCE_EXHAUSTED or .*, got INVALID_ARGUMENT",
    ),
    Mutant(
        clause="LIM-1.6",
        name="plain-topics-do-not-count",
        why="only subscriptions with options count against the limit",
        file=REGISTRATION,
        old="    count = len(request.subscribed_topics) + len(request.subscriptions)\n",
        new="    count = len(request.subscriptions)\n",
        killed_by="the registration: success: expected False, got True",
    ),
    Mutant(
        clause="LIM-1.7",
        name="one-capability-too-many",
        why="one capability more than the limit is taken",
        file=REGISTRATION,
        old="    if count > core.limits.capabilities:\n",
        new="    if count > core.limits.capabilities + 1:\n",
        killed_by="the registration: success: expected False, got True",
    ),
    Mutant(
        clause="LIM-1.8",
        name="streams-are-not-announced",
        why="gRPC's own default holds for the streams of a connection",
        file=SERVER,
        old='        ("grpc.max_concurrent_streams", limits.connection_streams),\n',
        new="",
        killed_by="SETTINGS_MAX_CONCURRENT_STREAMS: expected 1000",
    ),
    Mutant(
        clause="LIM-1.9",
        name="one-namespace-too-many",
        why="one namespace more than the limit is made",
        file=NAMESPACES,
        old="if len(self._drivers) + len(names) > self.limits.namespaces:",
        new="if len(self._drivers) + len(names) > self.limits.namespaces + 1:",
        killed_by="one namespace too many: expected a gRPC status, got an answer",
    ),
    Mutant(
        clause="LIM-1.10",
        name="lengths-are-believed",
        why="the bridge waits for a message of any length that is announced",
        file=SERVER,
        old=MESSAGE_BYTES,
        new='("grpc.max_receive_message_length", -1)',
        killed_by="the connection of raw: expected a frame, got nothing in time",
    ),
    Mutant(
        clause="LIM-2.1",
        name="malformed-requests-fail-otherwise",
        why="a malformed request is answered as one that comes at the wrong time",
        file=SERVER,
        old=MALFORMED_REQUEST,
        new="        await context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(problem))\n",
        killed_by="with a tag that breaks off: the gRPC status: .*got FAILED_PRECONDITION",
    ),
    Mutant(
        clause="LIM-2.2",
        name="malformed-streams-end-in-order",
        why="a malformed message is taken for a goodbye",
        file=EVENT_STREAM,
        old=MALFORMED_ON_A_STREAM,
        new='            self.end("OK", "")\n',
        killed_by="a stream on which came a tag that breaks off: the gRPC status: .*got OK",
    ),
    Mutant(
        clause="LIM-2.3",
        name="messages-take-their-time",
        why="a message takes effect a moment after it was read, unless its stream has ended by then",
        file=EVENT_STREAM,
        old="        self._driver.feed(Receive(self._number, message))\n",
        new="        self._loop.call_later(0.01, self._driver.feed, Receive(self._number, message))\n",
        killed_by="what is delivered of five who published first: expected .*, got \\[\\]",
    ),
    Mutant(
        clause="LIM-2.4",
        name="a-malformed-message-ends-its-namespace",
        why="a malformed message takes down all sessions of its namespace",
        file=EVENT_STREAM,
        old=MALFORMED_ON_A_STREAM,
        new=MALFORMED_ON_A_STREAM + '            self._driver.close("a message was malformed")\n',
        killed_by="got its end with UNAVAILABLE .a message was malformed",
    ),
    Mutant(
        clause="LIM-2.5",
        name="what-is-too-deep-is-empty",
        why="a message that cannot be read for its depth is taken for an empty one",
        file=CODEC,
        old="    except (DecodeError, NotStrict):\n",
        new="    except (DecodeError, NotStrict):\n        if len(data) > 1000:\n            return kind()\n",
        killed_by="with a message nested 1000 deep: expected INVALID_ARGUMENT .*got an answer",
    ),
    Mutant(
        clause="LIM-2.6",
        name="ends-of-streams-are-overlooked",
        why="that a client sends no more is not noticed",
        file=EVENT_STREAM,
        old="            self._driver.feed(HalfClose(self._number))\n",
        new="",
        killed_by="the connection of raw: expected a frame, got nothing in time",
    ),
    Mutant(
        clause="LIM-2.7",
        name="a-malformed-request-ends-its-namespace",
        why="a malformed request takes down all sessions of its namespace",
        file=SERVER,
        old=MALFORMED_REQUEST,
        new='        driver.close("a request was malformed")\n' + MALFORMED_REQUEST,
        killed_by="the stream of \\w+: expected a message, got its end with UNAVAILABLE",
    ),
    Mutant(
        clause="LIM-2.8",
        name="lost-connections-are-overlooked",
        why="an agent stays although its connection is lost",
        file=EVENT_STREAM,
        old="            writer.cancel()\n            self._driver.leave(self._number)\n",
        new="            writer.cancel()\n",
        killed_by="that the agent which broke off is gone: expected it to become true",
    ),
    Mutant(
        clause="LIM-2.9",
        name="every-method-is-a-heartbeat",
        why="a method that is not there is answered as a heartbeat",
        file=SERVER,
        old="            grpc.method_handlers_generic_handler(ACTION_BROKER, broker),\n",
        new=(
            "            grpc.method_handlers_generic_handler(ACTION_BROKER, broker),\n"
            '            type("Any", (grpc.GenericRpcHandler,), '
            '{"service": lambda _, call: unary(self._heartbeat) '
            'if call.method.startswith("/loom.v1.Bridge/") else None})(),\n'
        ),
        killed_by="a call of /loom.v1.Bridge/Nothing: expected UNIMPLEMENTED, got an answer",
    ),
    Mutant(
        clause="LIM-2.10",
        name="cancelled-calls-stay-open",
        why="the engine is not told that a caller left",
        file=DRIVER,
        old="                self.feed(Abandon(call))\n",
        new="                pass\n",
        killed_by="the open calls: expected 0 with 0 callers, got \\d+ with",
    ),
    Mutant(
        clause="LIM-2.11",
        name="unknown-messages-are-passed-over",
        why="a message of an unknown kind is passed over in silence",
        file="loom_testing/engine/engine.py",
        old="    flow.reply(core, stream, m.Err(Code.INVALID_MESSAGE, ",
        new="    len(str(Code.INVALID_MESSAGE) and str(",
        killed_by="how many messages come for an empty message: expected 1, got 0",
    ),
    Mutant(
        clause="LIM-2.12",
        name="many-pings-are-an-attack",
        why="gRPC's own defaults hold for pings",
        file=SERVER,
        old=PINGS,
        new="",
        killed_by="1000 pings on one connection: expected all of them answered, got the bridge hung up",
    ),
    Mutant(
        clause="LIM-2.13",
        name="half-a-request-is-never-answered",
        why="requests are read by gRPC itself, which never answers half a one",
        file=UNARY,
        old="return grpc.stream_unary_rpc_method_handler(serve)",
        new="return grpc.unary_unary_rpc_method_handler(handle)",
        killed_by="the connection of raw: expected a frame, got nothing in time",
    ),
    Mutant(
        clause="LIM-3.1",
        name="serving-to-the-end",
        why="health says SERVING until the bridge is gone",
        file=BRIDGE,
        old="        self._health.stop()\n",
        new="",
        killed_by="the health of the bridge after SIGTERM",
    ),
    Mutant(
        clause="LIM-3.2",
        name="everybody-is-told-to-drain",
        why="Drain goes to every session, whatever it agreed on",
        file=DRAIN,
        old='elif stream.state is StreamState.OPEN and "drain" in stream.features:',
        new="elif stream.state is StreamState.OPEN:",
        killed_by="what a session without `drain` is sent: expected nothing, got .*drain",
    ),
    Mutant(
        clause="LIM-3.2",
        name="nobody-is-told-to-drain",
        why="sessions are not told that the bridge is about to stop",
        file=DRAIN,
        old="            flow.reply(core, stream, Drain(grace_ms))\n",
        new="            pass\n",
        killed_by="how many times a session with `drain` is told: expected 1, got 0",
    ),
    Mutant(
        clause="LIM-3.3",
        name="draining-is-no-status",
        why="a registration while the bridge stops is refused without a gRPC status",
        file=SERVER,
        old="        if reply.error_code == Code.DRAINING:\n",
        new="        if reply.error_code == Code.INTERNAL:\n",
        killed_by="the registration of fresh after SIGTERM: expected a gRPC status, got an answer",
    ),
    Mutant(
        clause="LIM-3.4",
        name="late-streams-are-misunderstood",
        why="a stream that is opened while the bridge stops ends with FAILED_PRECONDITION",
        file="loom_testing/engine/sessions.py",
        old='        refuse(core, stream, "UNAVAILABLE", Code.DRAINING)\n',
        new='        refuse(core, stream, "FAILED_PRECONDITION", Code.DRAINING)\n',
        killed_by="that was opened after SIGTERM: expected UNAVAILABLE, got FAILED_PRECONDITION",
    ),
    Mutant(
        clause="LIM-3.5",
        name="late-calls-are-not-found",
        why="a call that comes while the bridge stops is answered as one that nobody offers",
        file="loom_testing/engine/calls.py",
        old='_refuse(core, request, RETRYABLE, Code.UNAVAILABLE, "the bridge is about to stop")',
        new='_refuse(core, request, ERROR, Code.NOT_FOUND, "the bridge is about to stop")',
        killed_by="a call of c after SIGTERM: the result's status: .*got 'ACTION_ERROR'",
    ),
    Mutant(
        clause="LIM-3.6",
        name="open-calls-are-not-waited-for",
        why="the streams are ended at once, whatever calls are open",
        file=DRAIN,
        old="    if not core.draining or core.calls:\n",
        new="    if not core.draining:\n",
        killed_by="the call that was given out: the result's status: .*got 'ACTION_RETRYABLE'",
    ),
    Mutant(
        clause="LIM-3.7",
        name="no-events-while-it-stops",
        why="publishes are passed over while the bridge stops",
        file=PUBLISH,
        old='    if message.confirm and "confirm" in stream.features and message.pub_seq:\n',
        new=(
            "    if core.draining:\n        return\n"
            '    if message.confirm and "confirm" in stream.features and message.pub_seq:\n'
        ),
        killed_by="what is delivered while the bridge stops: expected .*, got \\[\\]",
    ),
    Mutant(
        clause="LIM-3.8",
        name="the-grace-ends-nothing",
        why="when the grace is over, open calls end with the connection",
        file=DRAIN,
        old='        sessions.cut(core, stream, "UNAVAILABLE", Code.DRAINING)\n',
        new="        pass\n",
        killed_by="open when the grace is over: expected a result, got UNAVAILABLE",
    ),
    Mutant(
        clause="LIM-3.9",
        name="a-stop-looks-like-a-goodbye",
        why="the streams end with OK when the bridge stops",
        file=DRAIN,
        old='sessions.leave(core, stream, "UNAVAILABLE", Code.DRAINING)',
        new='sessions.leave(core, stream, "OK", Code.DRAINING)',
        killed_by="the subscriber's stream: the gRPC status: expected UNAVAILABLE, got OK",
    ),
    Mutant(
        clause="LIM-3.10",
        name="the-grace-has-no-end",
        why="the bridge waits for open work for ten times the grace",
        file=BRIDGE,
        old="await self._namespaces.drain(grace)",
        new="await self._namespaces.drain(10 * grace)",
        killed_by="the process after SIGTERM: expected to have ended within 15 s, got it lives on",
    ),
    Mutant(
        clause="LIM-3.11",
        name="stopping-is-a-failure",
        why="the process exits with 1 when it is told to stop",
        file=SERVE,
        old='        _say({"event": "stopped"})\n',
        new='        _say({"event": "stopped"})\n        sys.exit(1)\n',
        killed_by="the exit code: expected 0, got 1",
    ),
    Mutant(
        clause="LIM-3.12",
        name="the-whole-grace-always",
        why="the process waits for the whole grace, also where nothing is open",
        file=DRIVER,
        old="await asyncio.wait([self._drained], timeout=grace + GRACE_SLACK)",
        new="await asyncio.sleep(grace)",
        killed_by="with nothing open: expected to have ended within 4 s, got it lives on",
    ),
]
