"""Bugs in registrations (REG)."""

from __future__ import annotations

from mutants.mutant import Mutant

__all__ = ["MUTANTS"]

CODEC = "loom_testing/codec.py"
REGISTRATION = "loom_testing/engine/registration.py"
TOPICS = "loom_testing/engine/topics.py"

AGENT_ID = "    return _length_problem(agent_id, AGENT_ID_BYTES) or topic_problem(agent_id)\n"
REFUSED = "    if problem:\n        core.count(Counter.AGENTS_REFUSED)\n"
LAPSE = """    if agent.stream is None:
        lapse = core.now + micros(core.limits.registration_lapse_ms)
        core.timers.set(TimerKind.LAPSE, agent.agent_id, lapse)
"""
SUCCESS = "success: expected False, got True"

MUTANTS = [
    # REG-1
    Mutant(
        clause="REG-1.1",
        name="agent-ids-of-127-bytes",
        why="the longest agent id is refused",
        file=TOPICS,
        old="AGENT_ID_BYTES = 128\n",
        new="AGENT_ID_BYTES = 127\n",
        killed_by="the registration of xxx.*: expected success=true, got success=false",
    ),
    Mutant(
        clause="REG-1.2",
        name="an-agent-without-an-id",
        why="an empty agent id is not looked at",
        file=REGISTRATION,
        old="    problem = agent_id_problem(request.agent_id)\n",
        new="    problem = agent_id_problem(request.agent_id) if request.agent_id else None\n",
        killed_by=f"a registration without an agent id: {SUCCESS}",
    ),
    Mutant(
        clause="REG-1.3",
        name="agent-ids-as-long-as-topics",
        why="an agent id may be as long as a topic",
        file=TOPICS,
        old="AGENT_ID_BYTES = 128\n",
        new="AGENT_ID_BYTES = TOPIC_BYTES\n",
        killed_by=f"an agent id of 129 bytes: {SUCCESS}",
    ),
    Mutant(
        clause="REG-1.4",
        name="agent-ids-are-patterns",
        why="an agent id is held to the rules of patterns",
        file=TOPICS,
        old=AGENT_ID,
        new=AGENT_ID.replace("topic_problem", "pattern_problem"),
        killed_by=rf"the agent id \*: {SUCCESS}",
    ),
    Mutant(
        clause="REG-1.5",
        name="agent-ids-of-any-text",
        why="of an agent id only length and wildcards are looked at",
        file=TOPICS,
        old=AGENT_ID,
        new="""    problem = _length_problem(agent_id, AGENT_ID_BYTES)
    return problem or ("has a wildcard" if STAR in agent_id or REST in agent_id else None)
""",
        killed_by=f"the agent id 'a..b': {SUCCESS}",
    ),
    Mutant(
        clause="REG-1.6",
        name="noted-before-it-is-checked",
        why="an agent is noted before its registration is checked, and stays when that is refused",
        file=REGISTRATION,
        old=REFUSED,
        new="""    if problem:
        if request.agent_id not in core.agents:
            agent = core.agents[request.agent_id] = Agent(request.agent_id)
            agent.state = step(SESSION, agent.state, SessionTrigger.REGISTER)
        core.count(Counter.AGENTS_REFUSED)
""",
        killed_by="a handshake for the id that was refused: expected that the bridge ends the stream",
    ),
    # REG-2
    Mutant(
        clause="REG-2.1",
        name="only-the-first-topic-is-checked",
        why="only the first of the topics is checked",
        file=REGISTRATION,
        old="    for topic in request.subscribed_topics:\n",
        new="    for topic in request.subscribed_topics[:1]:\n",
        killed_by=f"the topic .*: {SUCCESS}",
    ),
    Mutant(
        clause="REG-2.2",
        name="topics-of-subscriptions-are-not-checked",
        why="the topic of a subscription with options is not checked",
        file=REGISTRATION,
        old="    problem = pattern_problem(subscription.topic)\n",
        new="    problem = None\n",
        killed_by=f"the subscription .*: {SUCCESS}",
    ),
    Mutant(
        clause="REG-2.3",
        name="a-qos-below-zero",
        why="the QoS of a subscription has an upper bound only",
        file=REGISTRATION,
        old="not 0 <= subscription.qos <= 2:",
        new="subscription.qos > 2:",
        killed_by=f"the subscription .*qos: -1.*: {SUCCESS}",
    ),
    Mutant(
        clause="REG-2.4",
        name="an-empty-type-among-others",
        why="an empty event type is refused only where it is the only one",
        file=REGISTRATION,
        old='    if "" in subscription.event_types:\n',
        new='    if subscription.event_types == [""]:\n',
        killed_by=f"the subscription .*event_types.*: {SUCCESS}",
    ),
    Mutant(
        clause="REG-2.5",
        name="groups-are-patterns",
        why="the name of a group is held to the rules of patterns",
        file=REGISTRATION,
        old="        problem = topic_problem(subscription.group)\n",
        new="        problem = pattern_problem(subscription.group)\n",
        killed_by=f"the subscription .*group: .a\\.\\*.*: {SUCCESS}",
    ),
    Mutant(
        clause="REG-2.6",
        name="observers-in-groups",
        why="a subscription with a group may be an observer",
        file=REGISTRATION,
        old="        if subscription.observer:\n",
        new="        if subscription.observer and subscription.event_types:\n",
        killed_by=f"the subscription .*observer.*: {SUCCESS}",
    ),
    Mutant(
        clause="REG-2.7",
        name="capabilities-are-patterns",
        why="the name of a capability is held to the rules of patterns",
        file=REGISTRATION,
        old="    problem = topic_problem(capability.name)\n",
        new="    problem = pattern_problem(capability.name)\n",
        killed_by=rf"the capability a\.\*: {SUCCESS}",
    ),
    Mutant(
        clause="REG-2.8",
        name="versions-are-counted-in-characters",
        why="a version may have 128 characters, whatever their bytes",
        file=REGISTRATION,
        old="    if utf8_size(capability.version) > VERSION_BYTES:\n",
        new="    if len(capability.version) > VERSION_BYTES:\n",
        killed_by=f"a version of 129 bytes: {SUCCESS}",
    ),
    Mutant(
        clause="REG-2.8",
        name="versions-of-256-bytes",
        why="a version may have twice the bytes",
        file=REGISTRATION,
        old="VERSION_BYTES = 128\n",
        new="VERSION_BYTES = 256\n",
        killed_by=f"a version of 129 bytes: {SUCCESS}",
    ),
    Mutant(
        clause="REG-2.9",
        name="a-concurrency-of-zero",
        why="any digits are a concurrency, also 0",
        file=REGISTRATION,
        old='re.compile(r"[1-9][0-9]{0,5}")',
        new='re.compile(r"[0-9]{1,6}")',
        killed_by=f"loom.max_concurrency '0': {SUCCESS}",
    ),
    Mutant(
        clause="REG-2.9",
        name="a-concurrency-in-any-digits",
        why="digits of other scripts are taken for a concurrency",
        file=REGISTRATION,
        old='re.compile(r"[1-9][0-9]{0,5}")',
        new=r're.compile(r"[^\W0_a-zA-Z][0-9]{0,5}")',
        killed_by=f"loom.max_concurrency '\uff11': {SUCCESS}",
    ),
    Mutant(
        clause="REG-2.10",
        name="registered-without-what-is-malformed",
        why="a new agent whose capabilities are malformed is registered without them",
        file=REGISTRATION,
        old=REFUSED,
        new="""    if problem:
        if problem[0] is Code.INVALID_CAPABILITY and request.agent_id not in core.agents:
            request.capabilities = []
            core.agents[request.agent_id] = Agent(request.agent_id)
            _apply(core, core.agents[request.agent_id], request)
        core.count(Counter.AGENTS_REFUSED)
""",
        killed_by="a handshake of the agent that was refused: expected that the bridge ends the stream",
    ),
    Mutant(
        clause="REG-2.11",
        name="the-good-topics-of-a-refused-change",
        why="an agent is subscribed to the new topics although its new capabilities are refused",
        file=REGISTRATION,
        old=REFUSED,
        new="""    if problem:
        if problem[0] is Code.INVALID_CAPABILITY and request.agent_id in core.agents:
            topics = [Subscription(topic) for topic in request.subscribed_topics]
            add_routes(core, core.agents[request.agent_id], topics)
        core.count(Counter.AGENTS_REFUSED)
""",
        killed_by="what the agent receives after the refused change: expected .*old.*, got .*old.*new",
    ),
    Mutant(
        clause="REG-2.12",
        name="a-refused-change-withdraws",
        why="an agent's capabilities are withdrawn before the new registration is checked",
        file=REGISTRATION,
        old=REFUSED,
        new="""    if problem:
        if request.agent_id in core.agents:
            withdraw(core, core.agents[request.agent_id])
        core.count(Counter.AGENTS_REFUSED)
""",
        killed_by="what is callable after the refused change: expected .*old.*, got set",
    ),
    # REG-3
    Mutant(
        clause="REG-3.1",
        name="old-subscriptions-stay",
        why="the new subscriptions are added to the old ones",
        file=REGISTRATION,
        old="    remove_routes(core, agent, agent.routes)\n",
        new="",
        killed_by="what the agent receives after it registered again: expected .*, got .*old",
    ),
    Mutant(
        clause="REG-3.2",
        name="old-capabilities-stay",
        why="the new capabilities are added to the old ones",
        file=REGISTRATION,
        old="""    withdraw(core, agent)
    agent.capabilities = {capability.name: capability for capability in request.capabilities}
""",
        new="    agent.capabilities.update({item.name: item for item in request.capabilities})\n",
        killed_by="a call of the old capability: expected an answer without a",
    ),
    Mutant(
        clause="REG-3.3",
        name="a-new-registration-ends-the-stream",
        why="an agent that registers again has to open its stream again",
        file=REGISTRATION,
        old=LAPSE,
        new="""    if agent.stream is not None:
        from loom_testing.engine import sessions

        sessions.cut(core, core.streams[agent.stream], "UNAVAILABLE", Code.STALE_REGISTRATION)
"""
        + LAPSE,
        killed_by="the stream of a: expected a message, got its end|STALE_REGISTRATION",
    ),
    Mutant(
        clause="REG-3.4",
        name="a-new-registration-empties-the-queue",
        why="what was queued under the old subscriptions is thrown away",
        file=REGISTRATION,
        old="    agent.forget_left_groups()\n",
        new="""    agent.forget_left_groups()
    if agent.stream is not None:
        core.streams[agent.stream].outbox.clear()
""",
        killed_by=r"the events that were queued before the new registration: expected .*1.*2.*, got \[\]",
    ),
    # REG-4
    Mutant(
        clause="REG-4.1",
        name="a-lapse-after-ten-times-its-time",
        why="a registration lapses after ten times its time",
        file=REGISTRATION,
        old=LAPSE,
        new=LAPSE.replace("+ micros(", "+ 10 * micros("),
        killed_by="a handshake after the time for it: expected that the bridge ends the stream",
    ),
    Mutant(
        clause="REG-4.2",
        name="registrations-lapse-early",
        why="a registration lapses after the time that a handshake has",
        file=REGISTRATION,
        old=LAPSE,
        new=LAPSE.replace("registration_lapse_ms", "handshake_ms"),
        killed_by="FAILED_PRECONDITION .*NOT_REGISTERED",
    ),
    Mutant(
        clause="REG-4.3",
        name="the-first-lapse-counts",
        why="registering again does not move the lapse",
        file=REGISTRATION,
        old=LAPSE,
        new=LAPSE.replace(
            "        core.timers.set(",
            "        is_set = core.timers.is_set(TimerKind.LAPSE, agent.agent_id)\n"
            "        is_set or core.timers.set(",
        ),
        killed_by="FAILED_PRECONDITION .*NOT_REGISTERED",
    ),
    Mutant(
        clause="REG-4.4",
        name="who-streams-lapses",
        why="an agent that registers again under its stream is cut when the time for opening one is over",
        file=REGISTRATION,
        old=LAPSE,
        new="""    lapse = core.now + micros(core.limits.registration_lapse_ms)
    if agent.stream is None:
        core.timers.set(TimerKind.LAPSE, agent.agent_id, lapse)
    else:
        core.timers.set(TimerKind.SLOW, agent.stream, lapse)
""",
        killed_by="what two receives after the time for streams|the stream of two: expected .*, got its end",
    ),
    # REG-5
    Mutant(
        clause="REG-5.1",
        name="one-capability-in-two-versions",
        why="a capability may be named twice if the versions differ",
        file=REGISTRATION,
        old="""        if problem is None and capability.name in seen:
            problem = "is named twice"
        if problem:
            return Code.INVALID_CAPABILITY, f"capability {quote(capability.name)} {problem}"
        seen.add(capability.name)
""",
        new="""        if problem is None and (capability.name, capability.version) in seen:
            problem = "is named twice"
        if problem:
            return Code.INVALID_CAPABILITY, f"capability {quote(capability.name)} {problem}"
        seen.add((capability.name, capability.version))
""",
        killed_by=f"one capability in the versions .*1.*2.*: {SUCCESS}",
    ),
    Mutant(
        clause="REG-5.2",
        name="withdrawn-for-all",
        why="who leaves withdraws a capability for all who offer it",
        file=REGISTRATION,
        old="""        del offering[agent.agent_id]
        if not offering:
            del core.providers[name]
""",
        new="""        offering.clear()
        del core.providers[name]
""",
        killed_by="a call after the other provider left: expected .* is given the call, got the answer",
    ),
    # REG-6
    Mutant(
        clause="REG-6.1",
        name="one-number-for-each-agent",
        why="registering again keeps the number of the first registration",
        file=REGISTRATION,
        old="    agent.registration = core.next_registration()\n",
        new="    agent.registration = agent.registration or core.next_registration()\n",
        killed_by="the number of a's registration: expected more than",
    ),
    Mutant(
        clause="REG-6.2",
        name="a-protocol-without-a-minor-version",
        why="the protocol's version is told as one number",
        file=CODEC,
        old='PROTOCOL = "1.0"\n',
        new='PROTOCOL = "1"\n',
        killed_by="the version of the protocol: expected as 1.0, got '1'",
    ),
    Mutant(
        clause="REG-6.3",
        name="no-heartbeat-is-told",
        why="the answer does not tell the heartbeat interval",
        file=REGISTRATION,
        old="            heartbeat_interval_ms=core.limits.heartbeat_interval_ms,\n",
        new="",
        killed_by="heartbeat_interval_ms: expected more than 0, got 0",
    ),
    Mutant(
        clause="REG-6.4",
        name="a-group-is-a-topic",
        why="a malformed group is refused with the code of topics",
        file=REGISTRATION,
        old='return Code.INVALID_SUBSCRIPTION, f"{named}: group',
        new='return Code.INVALID_TOPIC, f"{named}: group',
        killed_by="a malformed subscription: error_code: expected .*, got 'INVALID_TOPIC'",
    ),
    Mutant(
        clause="REG-6.5",
        name="refusals-are-numbered",
        why="a refused registration is given a number too",
        file=REGISTRATION,
        old="core.emit(RegisterReply(request.call, *problem))",
        new="core.emit(RegisterReply(request.call, *problem, registration=core.next_registration()))",
        killed_by="the number of the refused registration: expected 0",
    ),
]
