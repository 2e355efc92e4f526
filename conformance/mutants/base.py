"""Bugs in the wire and in what clients and bridge agree on (BASE)."""

from __future__ import annotations

from mutants.mutant import Mutant

__all__ = ["MUTANTS"]

BRIDGE = "loom_testing/bridge.py"
CALLS = "loom_testing/engine/calls.py"
CODEC = "loom_testing/codec.py"
FLOW = "loom_testing/engine/flow.py"
HEALTH = "loom_testing/health.py"
PUBLISH = "loom_testing/engine/publish.py"
REGISTRATION = "loom_testing/engine/registration.py"
SERVER = "loom_testing/server.py"
SESSIONS = "loom_testing/engine/sessions.py"
SUBSCRIPTIONS = "loom_testing/engine/subscriptions.py"

AGREED = "frozenset(FEATURES).intersection(request.features)"
FIELDS = "the fields of the ServerEvent: expected"
LIVE = "        if agent.stream is None or not route.takes(published.type):\n"
PARSED = "def parse(kind: type[M], data: bytes) -> M:\n"
NO_STREAM = "            stream is None\n            or not _fits_version"
WELCOME = '    if "session" in stream.features:\n        flow.send_now(core, stream, Welcome'
REFUSING_NEWS = """def parse(kind: type[M], data: bytes) -> M:
    from google.protobuf.unknown_fields import UnknownFieldSet

    message = _parse(kind, data)
    if kind is ClientEvent and len(UnknownFieldSet(kind.FromString(data))):
        raise Malformed("there are fields that are not known")
    return message


def _parse(kind: type[M], data: bytes) -> M:
"""
"""A parser that takes what it does not know for malformed."""

MUTANTS = [
    # BASE-1
    Mutant(
        clause="BASE-1.1",
        name="the-reason-in-an-extension",
        why="why a registration is refused stands in the extension's field only",
        file=CODEC,
        old="        error_message=reply.error_message,\n",
        new='        error_message="",\n',
        killed_by="field 2 of a refusal .*: expected the culprit's name",
    ),
    Mutant(
        clause="BASE-1.2",
        name="a-delivery-at-another-number",
        why="a delivery stands at another number of ServerEvent",
        file=CODEC,
        old="    return event.SerializeToString()\n",
        new="""    data = event.SerializeToString()
    return b"\\x52" + data[1:] if event.HasField("delivery") else data
""",
        killed_by=rf"a delivery: {FIELDS} \[1\], got \[10\]",
    ),
    Mutant(
        clause="BASE-1.3",
        name="a-handshake-at-another-number",
        why="the handshake is expected at another number of ClientEvent",
        file=CODEC,
        old="    event = parse(ClientEvent, data)\n",
        new="""    moved = {b"\\x12": b"\\x2a", b"\\x2a": b"\\x12"}
    event = parse(ClientEvent, moved.get(data[:1], data[:1]) + data[1:])
""",
        killed_by="the handshake of client: expected .*, got INVALID_ARGUMENT|HANDSHAKE_EXPECTED",
    ),
    Mutant(
        clause="BASE-1.4",
        name="a-pong-without-a-status",
        why="a pong on a stream has no status",
        file=CODEC,
        old="    event.pong.status = message.status\n",
        new="",
        killed_by="the fields of the pong: expected",
    ),
    Mutant(
        clause="BASE-1.5",
        name="code-and-message-change-places",
        why="an err has its message where the code belongs",
        file=CODEC,
        old="    err.code, err.message, err.ref, err.fatal = message.code, message.message,",
        new="    err.message, err.code, err.ref, err.fatal = message.code, message.message,",
        killed_by="field 1 of the err .*: expected b'INVALID_EVENT'",
    ),
    Mutant(
        clause="BASE-1.6",
        name="a-call-without-qos",
        why="a call's QoS does not reach the provider",
        file=CODEC,
        old="    call.qos = _open_enum(message.qos)\n",
        new="",
        killed_by="field 8 of the call .*: expected 2, got None",
    ),
    Mutant(
        clause="BASE-1.6",
        name="a-call-without-a-version",
        why="a call's version does not reach the provider",
        file=CODEC,
        old="    call.id, call.capability, call.version = message.id, message.capability, message.version\n",
        new="    call.id, call.capability = message.id, message.capability\n",
        killed_by="field 3 of the call .*: expected b'1', got None",
    ),
    Mutant(
        clause="BASE-1.7",
        name="an-error-without-details",
        why="the details of a provider's error are lost",
        file=CODEC,
        old="messages.ActionError(result.error.code, result.error.message, dict(result.error.details))",
        new="messages.ActionError(result.error.code, result.error.message)",
        killed_by="fields 1 to 3 of the error .*: expected",
    ),
    Mutant(
        clause="BASE-1.8",
        name="a-listing-without-metadata",
        why="capabilities are listed without their metadata",
        file=CODEC,
        old="                metadata=item.metadata,\n",
        new="",
        killed_by="fields 2 to 4 of it .*: expected",
    ),
    Mutant(
        clause="BASE-1.9",
        name="statuses-change-places",
        why="the bridge's own statuses for time-outs and for passing failures change places",
        file=CALLS,
        old="OK, ERROR, TIMEOUT, RETRYABLE = 0, 1, 2, 3\n",
        new="OK, ERROR, TIMEOUT, RETRYABLE = 0, 1, 3, 2\n",
        killed_by="the status of a call that nobody can take now .*: expected 3, got 2",
    ),
    # BASE-2
    Mutant(
        clause="BASE-2.1",
        name="publishing-needs-a-feature",
        why="a publish is refused on a session without features",
        file=PUBLISH,
        old="    if not message.confirm:\n        return\n",
        new="    if not message.confirm and stream.features:\n        return\n",
        killed_by="what the second receives: expected",
    ),
    Mutant(
        clause="BASE-2.2",
        name="providing-needs-a-feature",
        why="a call is not given to a provider without features",
        file=CALLS,
        old=NO_STREAM,
        new=NO_STREAM.replace("or not", "or not stream.features or not"),
        killed_by="the stream of one: expected a message or its end, got nothing within 10 s",
    ),
    Mutant(
        clause="BASE-2.3",
        name="a-receipt-for-a-stranger",
        why="a client without `subscriptions` gets a receipt for the change that is refused",
        file=SUBSCRIPTIONS,
        old="    return True\n",
        new="""    if ref:
        flow.reply(core, stream, Receipt(ref, code=Code.FEATURE_REQUIRED))
    return True
""",
        killed_by="the messages of extensions among what it was sent: .*got .*receipt",
    ),
    Mutant(
        clause="BASE-2.4",
        name="numbers-for-everybody",
        why="deliveries are numbered on every session",
        file=FLOW,
        old='    if "session" in stream.features:\n        stream.seq += 1\n',
        new="    if True:\n        stream.seq += 1\n",
        killed_by="the fields of extensions in what it was sent: .*got .*Delivery.100",
    ),
    Mutant(
        clause="BASE-2.5",
        name="full-clients-among-themselves",
        why="what a client with features publishes reaches only those with features",
        file=PUBLISH,
        old=LIVE,
        new="""        full = core.agents[published.publisher].features
        if agent.stream is None or (full and not agent.features) or not route.takes(published.type):
""",
        killed_by="the receivers of what the full client published: expected 1, got 0",
    ),
    Mutant(
        clause="BASE-2.6",
        name="full-clients-are-not-called",
        why="a call is not given to a provider with `session`",
        file=CALLS,
        old=NO_STREAM,
        new=NO_STREAM.replace("or not", 'or "session" in stream.features or not'),
        killed_by="the stream of full: expected a message or its end, got nothing within 10 s",
    ),
    # BASE-3
    Mutant(
        clause="BASE-3.1",
        name="every-feature-for-everybody",
        why="all features are agreed on, whoever named them",
        file=REGISTRATION,
        old=AGREED,
        new="frozenset(FEATURES)",
        killed_by=r"features in the answer to \[\] that were not named: expected \[\], got",
    ),
    Mutant(
        clause="BASE-3.2",
        name="unknown-features-are-refused",
        why="a registration that names an unknown feature is refused",
        file=REGISTRATION,
        old="    if core.draining:\n",
        new="""    for feature in request.features:
        if feature not in FEATURES:
            return Code.FEATURE_REQUIRED, f"there is no feature {quote(feature)}"
    if core.draining:
""",
        killed_by="expected success=true, got success=false .there is no feature",
    ),
    Mutant(
        clause="BASE-3.3",
        name="no-feature-without-session",
        why="features are agreed on only together with `session`",
        file=REGISTRATION,
        old=AGREED,
        new=f'{AGREED} if "session" in request.features else frozenset()',
        killed_by="the features agreed on when cancel is named alone: expected .*cancel.*, got",
    ),
    Mutant(
        clause="BASE-3.4",
        name="features-hold-at-once",
        why="what a registration agrees on holds on the stream that is live",
        file=REGISTRATION,
        old="    agent.echo = request.echo is not False\n",
        new="""    agent.echo = request.echo is not False
    if agent.stream is not None:
        core.streams[agent.stream].features = agent.features
""",
        killed_by="a confirmed publish on the live stream: expected 'FEATURE_REQUIRED', got 'receipt'",
    ),
    Mutant(
        clause="BASE-3.5",
        name="features-are-inherited",
        why="a stream that takes another over keeps its features",
        file=SESSIONS,
        old="    stream.features = agent.features\n",
        new="    stream.features = agent.features | (older.features if older else frozenset())\n",
        killed_by="a confirmed publish on the next stream: expected 'FEATURE_REQUIRED', got 'receipt'",
    ),
    # BASE-4
    Mutant(
        clause="BASE-4.1",
        name="any-feature-will-do",
        why="subscriptions with options need some feature, whichever",
        file=REGISTRATION,
        old='    if request.subscriptions and "subscriptions" not in request.features:\n',
        new="    if request.subscriptions and not request.features:\n",
        killed_by="with .*confirm.*: success: expected False, got True",
    ),
    Mutant(
        clause="BASE-4.2",
        name="a-welcome-for-any-feature",
        why="a session is welcomed if it agreed on anything",
        file=SESSIONS,
        old=WELCOME,
        new=WELCOME.replace('"session" in stream.features', "stream.features"),
        killed_by=r"what comes first on the stream: expected \[\], got .*welcome",
    ),
    # BASE-5
    Mutant(
        clause="BASE-5.1",
        name="unknown-fields-are-malformed",
        why="a unary request with an unknown field is taken for malformed",
        file=CODEC,
        old=PARSED,
        new=REFUSING_NEWS.replace("kind is", "kind is not"),
        killed_by="RegisterAgent by client: expected an answer, got INVALID_ARGUMENT",
    ),
    Mutant(
        clause="BASE-5.2",
        name="unknown-fields-end-the-stream",
        why="a message on a stream with an unknown field is taken for malformed",
        file=CODEC,
        old=PARSED,
        new=REFUSING_NEWS,
        killed_by="the handshake of client: expected .*, got INVALID_ARGUMENT|not known",
    ),
    Mutant(
        clause="BASE-5.3",
        name="unknown-providers-are-native",
        why="a provider kind that is not known is listed as the first one",
        file=CODEC,
        old="                provider=_open_enum(item.provider),\n",
        new="                provider=_open_enum(item.provider if item.provider < 4 else 0),\n",
        killed_by=r"the provider kind of the listed capability: expected \[17\], got \[0\]",
    ),
    Mutant(
        clause="BASE-5.4",
        name="unknown-metadata-is-refused",
        why="a metadata key of ours that is not known is refused",
        file=SERVER,
        old="    return DEFAULT_NAMESPACE if named is None else named\n",
        new="""    for key, _ in context.invocation_metadata() or ():
        if key.startswith("loom-") and key not in (NAMESPACE_KEY, PARTICIPANT_KEY):
            raise Refused("INVALID_ARGUMENT", f"there is no metadata {key}")
    return DEFAULT_NAMESPACE if named is None else named
""",
        killed_by="RegisterAgent by client: expected an answer, got INVALID_ARGUMENT",
    ),
    # BASE-6
    Mutant(
        clause="BASE-6.1",
        name="the-broker-calls-for-itself",
        why="calls through the broker are made under the broker's own name",
        file=SERVER,
        old="        return [\n            grpc.method_handlers_generic_handler(BRIDGE, bridge),\n",
        new="""        caller = b"\\x2a\\x14\\x0a\\x0ax-agent-id\\x12\\x06broker"

        async def invoke(data: bytes, context: Context) -> bytes:
            return await self._invoke(data + caller, context)

        broker["Invoke"] = unary(invoke)
        return [
            grpc.method_handlers_generic_handler(BRIDGE, bridge),
""",
        killed_by="the repeat by the other name: expected an answer without a",
    ),
    # BASE-7
    Mutant(
        clause="BASE-7.1",
        name="no-health-of-the-whole",
        why="the health of the bridge as a whole is not known",
        file=HEALTH,
        old='frozenset(["", *services])',
        new="frozenset(services)",
        killed_by="Health/Check by probe: expected an answer, got NOT_FOUND",
    ),
    Mutant(
        clause="BASE-7.2",
        name="strangers-are-unknown-but-answered",
        why="the health of a service that is not there is answered",
        file=HEALTH,
        old="        if service not in self._services:\n            await context.abort(",
        new="        if not service.isascii():\n            await context.abort(",
        killed_by="a service that is not there: expected NOT_FOUND, got an answer",
    ),
    Mutant(
        clause="BASE-7.3",
        name="reflection-without-the-protocol",
        why="reflection lists what is foreign only",
        file=BRIDGE,
        old="enable_server_reflection([*services, HEALTH,",
        new="enable_server_reflection([HEALTH,",
        killed_by=r"services of the protocol that reflection does not list: expected \[\], got",
    ),
]
