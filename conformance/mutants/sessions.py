"""Bugs in handshakes and takeovers (SES-1 to SES-5, SES-10)."""

from __future__ import annotations

from mutants.mutant import Mutant

__all__ = ["MUTANTS"]

CORE = "loom_testing/engine/core.py"
ENGINE = "loom_testing/engine/engine.py"
EVENT_STREAM = "loom_testing/event_stream.py"
PUBLISH = "loom_testing/engine/publish.py"
SESSIONS = "loom_testing/engine/sessions.py"

FIRST = """    if not isinstance(message, Ack) or not message.message_id:
        refuse(core, stream, "INVALID_ARGUMENT", Code.HANDSHAKE_EXPECTED)
"""
STALE = """    if message.registration not in (0, agent.registration):
        refuse(core, stream, "FAILED_PRECONDITION", Code.STALE_REGISTRATION)
"""
HANDSHAKE_TIMER = "core.now + micros(core.limits.handshake_ms))"
FORGET_OLDER = "    _forget_stream(core, older, StreamTrigger.SUPERSEDE)\n"

MUTANTS = [
    # SES-1
    Mutant(
        clause="SES-1.1",
        name="a-ping-may-come-first",
        why="a ping before the handshake is passed over",
        file=SESSIONS,
        old=FIRST,
        new="""    if type(message).__name__ == "Ping":
        return
"""
        + FIRST,
        killed_by="a stream that begins with a ping: expected that the bridge ends the stream",
    ),
    Mutant(
        clause="SES-1.1",
        name="no-handshake-no-precondition",
        why="a first message that is no Ack ends with the status for unknown agents",
        file=SESSIONS,
        old=FIRST,
        new="""    if not isinstance(message, Ack):
        refuse(core, stream, "FAILED_PRECONDITION", Code.HANDSHAKE_EXPECTED)
        return
"""
        + FIRST,
        killed_by="the gRPC status: expected INVALID_ARGUMENT, got FAILED_PRECONDITION",
    ),
    Mutant(
        clause="SES-1.2",
        name="published-before-the-handshake",
        why="a first message that is a publish is published before the stream is refused",
        file=SESSIONS,
        old=FIRST,
        new="""    if type(message).__name__ == "Publish":
        publish.publish(core, stream, message)
"""
        + FIRST,
        killed_by=r"what was delivered of it: expected \[\], got .*too early",
    ),
    Mutant(
        clause="SES-1.3",
        name="an-empty-id-is-looked-up",
        why="an Ack without an agent id is taken for that of an unknown agent",
        file=SESSIONS,
        old=FIRST,
        new=FIRST.replace(" or not message.message_id", ""),
        killed_by="the gRPC status: expected INVALID_ARGUMENT, got FAILED_PRECONDITION",
    ),
    Mutant(
        clause="SES-1.4",
        name="a-half-close-is-always-in-order",
        why="a half-close before the handshake ends the stream OK",
        file=SESSIONS,
        old="""    if stream.state is StreamState.AWAITING:
        refuse(core, stream, "INVALID_ARGUMENT", Code.HANDSHAKE_EXPECTED)
""",
        new="""    if stream.state is StreamState.AWAITING:
        refuse(core, stream, "OK", Code.HANDSHAKE_EXPECTED)
""",
        killed_by="half-closed before its handshake: the gRPC status: expected INVALID_ARGUMENT, got OK",
    ),
    Mutant(
        clause="SES-1.5",
        name="handshakes-may-take-long",
        why="a stream may wait for its handshake as long as a registration for its stream",
        file=SESSIONS,
        old=HANDSHAKE_TIMER,
        new="core.now + micros(core.limits.registration_lapse_ms))",
        killed_by="a stream that says nothing: expected that the bridge ends the stream",
    ),
    Mutant(
        clause="SES-1.5",
        name="a-late-handshake-is-invalid",
        why="a stream without a handshake ends as one with another first message",
        file=SESSIONS,
        old='    refuse(core, stream, "DEADLINE_EXCEEDED", Code.HANDSHAKE_TIMEOUT)\n',
        new='    refuse(core, stream, "INVALID_ARGUMENT", Code.HANDSHAKE_TIMEOUT)\n',
        killed_by="the gRPC status: expected DEADLINE_EXCEEDED, got INVALID_ARGUMENT",
    ),
    Mutant(
        clause="SES-1.6",
        name="handshakes-must-be-quick",
        why="a stream has half the time for its handshake",
        file=SESSIONS,
        old=HANDSHAKE_TIMER,
        new="core.now + micros(core.limits.handshake_ms) // 2)",
        killed_by="the handshake of client: expected .*, got DEADLINE_EXCEEDED|HANDSHAKE_TIMEOUT",
    ),
    Mutant(
        clause="SES-1.7",
        name="later-acks-are-refused",
        why="an Ack after the handshake is answered with an err",
        file=ENGINE,
        old='    """Later Acks of a base-level client are ignored (SES-1)."""\n',
        new='    flow.reply(core, stream, m.Err(Code.INVALID_MESSAGE, "the handshake is over"))\n',
        killed_by="what comes after Ack",
    ),
    # SES-2
    Mutant(
        clause="SES-2.1",
        name="nobody-is-not-found",
        why="the handshake of an agent that is not registered ends with another status",
        file=SESSIONS,
        old='refuse(core, stream, "FAILED_PRECONDITION", Code.NOT_REGISTERED, named)',
        new='refuse(core, stream, "NOT_FOUND", Code.NOT_REGISTERED, named)',
        killed_by="the gRPC status: expected FAILED_PRECONDITION, got NOT_FOUND",
    ),
    Mutant(
        clause="SES-2.2",
        name="older-registrations-will-do",
        why="a handshake may name an older registration, only not a later one",
        file=SESSIONS,
        old=STALE,
        new=STALE.replace(
            "message.registration not in (0, agent.registration)", "message.registration > agent.registration"
        ),
        killed_by="a handshake that names registration .*: expected that the bridge ends the stream",
    ),
    Mutant(
        clause="SES-2.3",
        name="the-registration-must-be-named",
        why="a handshake that names no registration is out of date",
        file=SESSIONS,
        old=STALE,
        new=STALE.replace("not in (0, agent.registration)", "!= agent.registration"),
        killed_by="STALE_REGISTRATION",
    ),
    Mutant(
        clause="SES-2.4",
        name="taken-over-before-it-is-checked",
        why="a handshake that is out of date ends the agent's stream before it is refused",
        file=SESSIONS,
        old=STALE,
        new="""    if message.registration not in (0, agent.registration):
        older = core.live_stream(agent)
        if older:
            _supersede(core, agent, older)
            agent.stream = None
        refuse(core, stream, "FAILED_PRECONDITION", Code.STALE_REGISTRATION)
""",
        killed_by="the stream of client: expected a message, got its end|what client received.*SUPERSEDED",
    ),
    # SES-3
    Mutant(
        clause="SES-3.1",
        name="headers-with-the-first-message",
        why="the response headers wait for the first message",
        file=EVENT_STREAM,
        old='joined", self._driver.name, self.agent)\n        self._put(None)\n',
        new='joined", self._driver.name, self.agent)\n',
        killed_by="the handshake of client: expected response headers, got nothing in time",
    ),
    Mutant(
        clause="SES-3.2",
        name="headers-with-the-opening",
        why="the response headers leave when the stream is opened",
        file=EVENT_STREAM,
        old="        reader = asyncio.create_task(self._read())\n",
        new="        await self._context.send_initial_metadata(())\n"
        "        reader = asyncio.create_task(self._read())\n",
        killed_by="the stream before its handshake: expected no headers, got headers",
    ),
    Mutant(
        clause="SES-3.3",
        name="a-handshake-is-not-noticed",
        why="who hears a topic is remembered, and not looked up again after a handshake",
        file=PUBLISH,
        old="    for route in core.router.match(published.topic):\n",
        new="""    matching = core.router.match(published.topic)
    live = [route for route in matching if core.agents[route.agent_id].stream is not None]
    for route in core.__dict__.setdefault("heard_by", {}).setdefault(published.topic, live):
""",
        killed_by="receives after its headers: expected",
    ),
    Mutant(
        clause="SES-3.4",
        name="queued-before-the-handshake",
        why="events are queued for agents without a stream",
        file=PUBLISH,
        old="""        target = core.live_stream(receiver.agent)
        assert target is not None
        flow.give(core, target, Copy(published, receiver.qos, tuple(receiver.groups)))
    matched = sum(1 for receiver in ordered if receiver.plain or receiver.groups)
    if not matched:
        core.count(Counter.EVENTS_UNMATCHED)
    return matched


def _live_routes(core: Core, published: Published) -> list[Route]:
    \"\"\"The matching subscriptions of live agents, the publisher's own only if it wants its echo.\"\"\"
    found = []
    for route in core.router.match(published.topic):
        agent = core.agents[route.agent_id]
        if agent.stream is None or not route.takes(published.type):
""",
        new="""        target = core.live_stream(receiver.agent)
        early = core.__dict__.setdefault("early", {})
        copies = [*early.pop(receiver.agent.agent_id, []), Copy(published, receiver.qos)]
        for copy in copies:
            if target is None:
                early.setdefault(receiver.agent.agent_id, []).append(copy)
            else:
                flow.give(core, target, copy)
    matched = sum(1 for receiver in ordered if receiver.plain or receiver.groups)
    if not matched:
        core.count(Counter.EVENTS_UNMATCHED)
    return matched


def _live_routes(core: Core, published: Published) -> list[Route]:
    found = []
    for route in core.router.match(published.topic):
        agent = core.agents[route.agent_id]
        if not route.takes(published.type):
""",
        killed_by="what the agent receives on its stream: expected .*after.*, got .*before.*after",
    ),
    # SES-4
    Mutant(
        clause="SES-4.1",
        name="a-takeover-keeps-the-epoch",
        why="a stream that takes another over goes on with its epoch",
        file=SESSIONS,
        old="    stream.epoch = core.next_epoch()\n",
        new="    stream.epoch = older.epoch if older else core.next_epoch()\n",
        killed_by="the epoch of a: expected more than",
    ),
    Mutant(
        clause="SES-4.2",
        name="epochs-from-one",
        why="the epochs of each namespace are counted from 1",
        file=CORE,
        old="        self._last_epoch = created\n",
        new="        self._last_epoch = 0\n",
        killed_by="the first epoch (of the later namespace|afterwards): expected more than",
    ),
    Mutant(
        clause="SES-4.3",
        name="superseded-without-a-word",
        why="the older stream is not told why it ends",
        file=SESSIONS,
        old="    _say_fatal(core, older, Code.SUPERSEDED)\n",
        new="",
        killed_by="how many messages come on the older stream: expected 1, got 0",
    ),
    Mutant(
        clause="SES-4.3",
        name="superseded-but-not-fatal",
        why="the err that a stream ends with is not marked fatal",
        file=SESSIONS,
        old="flow.send_now(core, stream, Err(code, CODES[code].meaning, fatal=True))",
        new="flow.send_now(core, stream, Err(code, CODES[code].meaning))",
        killed_by="the last message on the older stream: whether the err is fatal: expected True, got False",
    ),
    Mutant(
        clause="SES-4.4",
        name="superseded-is-cancelled",
        why="the older stream ends with another status",
        file=SESSIONS,
        old='    _end(core, older, "ABORTED", Code.SUPERSEDED)\n',
        new='    _end(core, older, "CANCELLED", Code.SUPERSEDED)\n',
        killed_by="the end of the older stream: the gRPC status: expected ABORTED, got CANCELLED",
    ),
    Mutant(
        clause="SES-4.5",
        name="the-oldest-wins",
        why="a handshake is refused while the agent has a stream",
        file=SESSIONS,
        old="    _accept(core, stream, agent, message)\n",
        new="""    if core.live_stream(agent):
        refuse(core, stream, "ALREADY_EXISTS", Code.SUPERSEDED)
        return
    _accept(core, stream, agent, message)
""",
        killed_by="the handshake of newer: expected .*, got ALREADY_EXISTS|SUPERSEDED",
    ),
    Mutant(
        clause="SES-4.6",
        name="a-takeover-empties-the-queue",
        why="what was queued on the older stream is thrown away",
        file=SESSIONS,
        old="        stream.outbox.take_copies_of(older.outbox)\n",
        new="        publish.discard(core, older.outbox)\n",
        killed_by="what the newer stream receives: expected .*1.*2.*3.*4.*, got .*b'4'",
    ),
    # SES-5
    Mutant(
        clause="SES-5.1",
        name="a-superseded-stream-can-leave",
        why="a superseded stream is still known, and its half-close takes the agent with it",
        file=SESSIONS,
        old=FORGET_OLDER,
        new="",
        killed_by="the newer session after the older one's half-close",
    ),
    Mutant(
        clause="SES-5.2",
        name="a-lost-call-takes-the-agent-with-it",
        why="when a call is over its agent is taken for lost, whichever stream it has by now",
        file=EVENT_STREAM,
        old="            self._driver.leave(self._number)\n            self._log_end()\n",
        new="""            self._driver.leave(self._number)
            from loom_testing.engine.inputs import Disconnect

            self._driver.feed(Disconnect(self._claimed))
            self._log_end()
""",
        killed_by="the newer session after|the stream of newer: expected a message, got its end",
    ),
    Mutant(
        clause="SES-5.3",
        name="a-superseded-stream-is-heard",
        why="a superseded stream is still known, and what comes on it is taken",
        file=SESSIONS,
        old=FORGET_OLDER,
        new="",
        killed_by="what is delivered after the takeover: expected .*, got .*too late",
    ),
    Mutant(
        clause="SES-5.4",
        name="the-producer-of-an-older-stream-ages",
        why="a producer that comes back on a newer stream still ages since the end of the older one",
        file=SESSIONS,
        old="    core.timers.cancel(TimerKind.PRODUCER, key)\n    if key not in core.producers:\n",
        new="    if key not in core.producers:\n",
        killed_by="what is delivered of the publish and its repeat: expected .*once.*, got .*once.*once",
    ),
    # SES-10
    Mutant(
        clause="SES-10.1",
        name="numbers-go-on",
        why="the numbers of deliveries go on after a takeover",
        file=SESSIONS,
        old="    stream.epoch = core.next_epoch()\n",
        new="    stream.epoch = core.next_epoch()\n    stream.seq = older.seq if older else 0\n",
        killed_by="the number of the newer stream's first delivery: expected 1, got 3",
    ),
]
