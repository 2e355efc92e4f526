"""Bugs in how calls are routed, timed and ended (ACT-1 to ACT-5)."""

from __future__ import annotations

from mutants.mutant import Mutant

__all__ = ["MUTANTS"]

CALLS = "loom_testing/engine/calls.py"
CODEC = "loom_testing/codec.py"
CORE = "loom_testing/engine/core.py"
SERVER = "loom_testing/server.py"
SESSIONS = "loom_testing/engine/sessions.py"

MUTANTS = [
    Mutant(
        clause="ACT-1.1",
        name="any-absent-provider-makes-it-unavailable",
        why="a call is refused as soon as one of its providers has no stream",
        file=CALLS,
        old="if all(agent.stream is None for agent in fitting):",
        new="if any(agent.stream is None for agent in fitting):",
        killed_by="expected it to be given to provider, got an answer to its caller: .*UNAVAILABLE",
    ),
    Mutant(
        clause="ACT-1.2",
        name="calls-under-the-callers-id",
        why="the provider is given the call under the caller's id, where it has one",
        file=CALLS,
        old="call = Call(number, core.call_id(number), wanted, key)",
        new="call = Call(number, wanted.id or core.call_id(number), wanted, key)",
        killed_by="expected ids of the bridge's own, got .*mine",
    ),
    Mutant(
        clause="ACT-1.3",
        name="call-numbers-of-ended-calls-again",
        why="a call's number is how many are open, so that it comes again once others have ended",
        file=CORE,
        old="self._last_call += 1",
        new="self._last_call = len(self.calls) + 1",
        killed_by="how many different ids six calls have .*expected 6, got 2",
    ),
    Mutant(
        clause="ACT-1.4",
        name="call-ids-from-one",
        why="ids are counted from one in each namespace, whenever it began",
        file=CORE,
        old='return f"{self.created:x}-{number}"',
        new='return f"call-{number}"',
        killed_by="before and after: expected two ids",
    ),
    Mutant(
        clause="ACT-1.5",
        name="payloads-are-trimmed",
        why="zero bytes at the ends of a payload are cut off",
        file=CALLS,
        old="        wanted.payload,\n",
        new='        wanted.payload.strip(b"\\0"),\n',
        killed_by="the payload that the provider is given",
    ),
    Mutant(
        clause="ACT-1.6",
        name="no-correlation-id",
        why="the correlation id is not passed on",
        file=CALLS,
        old="        wanted.correlation_id,\n",
        new='        "",\n',
        killed_by="correlation_id of the call that the provider is given",
    ),
    Mutant(
        clause="ACT-1.7",
        name="results-under-the-bridges-id",
        why="the caller gets the result under the bridge's id",
        file=CALLS,
        old="core.emit(Answer(waiter.token, _with_id(outcome, waiter.own_id)))",
        new="core.emit(Answer(waiter.token, outcome))",
        killed_by="id and output for first",
    ),
    Mutant(
        clause="ACT-1.8",
        name="unknown-statuses-are-errors",
        why="a status without a name becomes ACTION_ERROR",
        file=CODEC,
        old="status=_open_enum(result.status), output=",
        new="status=_open_enum(result.status if result.status in (0, 1, 2, 3) else 1), output=",
        killed_by="the status that the caller gets: expected 7, got 1",
    ),
    Mutant(
        clause="ACT-1.9",
        name="outputs-are-trimmed",
        why="zero bytes at the end of an output are cut off",
        file=CODEC,
        old="output=result.output)",
        new='output=result.output.rstrip(b"\\0"))',
        killed_by="the output that the caller gets",
    ),
    Mutant(
        clause="ACT-1.10",
        name="error-details-are-lost",
        why="the details of an error are not passed on",
        file=CODEC,
        old="        error.details.update(result.error.details)\n",
        new="",
        killed_by="the error that the caller gets: .*details.*got ActionError.*went wrong",
    ),
    Mutant(
        clause="ACT-1.11",
        name="invoke-is-misspelt",
        why="the broker's method goes by another name",
        file=SERVER,
        old='"Invoke": unary(self._invoke)',
        new='"invoke": unary(self._invoke)',
        killed_by="expected it to be given to provider, got .*UNIMPLEMENTED",
    ),
    Mutant(
        clause="ACT-1.12",
        name="names-of-calls-count-characters",
        why="an id is measured in characters, not in bytes",
        file=CALLS,
        old="        size = utf8_size(text)\n",
        new="        size = len(text)\n",
        killed_by="expected an answer of the bridge's own, got provider being sent",
    ),
    Mutant(
        clause="ACT-2.1",
        name="nobody-is-retryable",
        why="a capability that nobody offers is answered as one whose provider is away",
        file=CALLS,
        old='        return ERROR, Code.NOT_FOUND, f"no agent offers {named}"\n',
        new='        return RETRYABLE, Code.UNAVAILABLE, f"no agent offers {named}"\n',
        killed_by="a call of what nobody offers: the result's status: .*got 'ACTION_RETRYABLE'",
    ),
    Mutant(
        clause="ACT-2.2",
        name="another-version-is-retryable",
        why="a version that nobody offers is answered as one whose provider is away",
        file=CALLS,
        old='return ERROR, Code.NOT_FOUND, f"no agent offers {named} in version',
        new='return RETRYABLE, Code.UNAVAILABLE, f"no agent offers {named} in version',
        killed_by="a call of a version that nobody offers: the result's status",
    ),
    Mutant(
        clause="ACT-2.3",
        name="versions-by-prefix",
        why="a call for version 1 goes to a provider of 1.0",
        file=CALLS,
        old="agent.capabilities[wanted.capability].version == wanted.version",
        new="agent.capabilities[wanted.capability].version.startswith(wanted.version)",
        killed_by="expected an answer of the bridge's own, got provider being sent",
    ),
    Mutant(
        clause="ACT-2.4",
        name="no-version-means-unversioned",
        why="a call without a version goes only to providers without one",
        file=CALLS,
        old="return not wanted.version or agent.",
        new="return agent.",
        killed_by="expected it to be given to provider, got an answer to its caller: .*NOT_FOUND",
    ),
    Mutant(
        clause="ACT-2.5",
        name="an-absent-provider-is-not-found",
        why="a capability whose provider is away is answered as one that nobody offers",
        file=CALLS,
        old='return RETRYABLE, Code.UNAVAILABLE, f"no provider of',
        new='return ERROR, Code.NOT_FOUND, f"no provider of',
        killed_by="a call without a live provider: the result's status",
    ),
    Mutant(
        clause="ACT-2.6",
        name="refusals-without-an-id",
        why="the bridge's own answers carry no id",
        file=CALLS,
        old="_failure(request.request.id, status, code, message)",
        new='_failure("", status, code, message)',
        killed_by="the id of the answer .NOT_FOUND.: expected 'nobody', got ''",
    ),
    Mutant(
        clause="ACT-3.1",
        name="half-the-time",
        why="a call times out after half its time",
        file=CALLS,
        old="deadline = core.now + micros(min(timeout, core.limits.call_timeout_ms))",
        new="deadline = core.now + micros(min(timeout, core.limits.call_timeout_ms)) // 2",
        killed_by="the call that is answered after 1.5 s: the result's status: .*ACTION_TIMEOUT",
    ),
    Mutant(
        clause="ACT-3.1",
        name="a-timeout-is-an-error",
        why="a call without an answer ends with ACTION_ERROR",
        file=CALLS,
        old="_failure(waiter.own_id, TIMEOUT, Code.TIMEOUT, message)",
        new="_failure(waiter.own_id, ERROR, Code.TIMEOUT, message)",
        killed_by="not answered within its 2 s: the result's status: .*got 'ACTION_ERROR'",
    ),
    Mutant(
        clause="ACT-3.2",
        name="no-timeout-means-the-most",
        why="a call that names no time has a day",
        file=CALLS,
        old="timeout = wanted.timeout_ms or core.limits.default_call_timeout_ms",
        new="timeout = wanted.timeout_ms or core.limits.call_timeout_ms",
        killed_by="the time that the provider is given, ms: expected at most 30000, got 86400000",
    ),
    Mutant(
        clause="ACT-3.3",
        name="the-time-begins-when-given-out",
        why="what a call spends waiting does not count",
        file=CALLS,
        old="    provider.last_dispatch = core.next_serial()\n    wanted = call.request\n",
        new=(
            "    provider.last_dispatch = core.next_serial()\n    wanted = call.request\n"
            "    for waiter in call.waiters.values():\n"
            "        waiter.deadline = core.now + micros(wanted.timeout_ms)\n"
            "        core.timers.set(TimerKind.WAITER, waiter.token, waiter.deadline)\n"
        ),
        killed_by="that waited 3 s and was given out 2 s ago: the result's status: .*got 'ACTION_OK'",
    ),
    Mutant(
        clause="ACT-3.4",
        name="a-negative-time-is-passed-on",
        why="a call with a negative timeout_ms is given to its provider",
        file=CALLS,
        old="    if call.timeout_ms < 0:\n",
        new="    if call.timeout_ms < -(2**63):\n",
        killed_by="expected an answer of the bridge's own, got provider being sent .*timeout_ms: -1",
    ),
    Mutant(
        clause="ACT-3.5",
        name="no-cap",
        why="a call may take as long as it says",
        file=CALLS,
        old="micros(min(timeout, core.limits.call_timeout_ms))",
        new="micros(timeout)",
        killed_by="the time that the provider is given for 1000000000000 ms",
    ),
    Mutant(
        clause="ACT-3.6",
        name="the-whole-time-is-told",
        why="the provider is told the time that the caller gave, not what is left of it",
        file=CALLS,
        old="        -(-(call.deadline() - core.now) // MICROS_PER_MS),\n",
        new="        wanted.timeout_ms or core.limits.default_call_timeout_ms,\n",
        killed_by="that waited 2.0005 s, ms: expected at most 3000, got 5000",
    ),
    Mutant(
        clause="ACT-3.6",
        name="the-time-is-rounded-down",
        why="what is left of the time is rounded down",
        file=CALLS,
        old="        -(-(call.deadline() - core.now) // MICROS_PER_MS),\n",
        new="        (call.deadline() - core.now) // MICROS_PER_MS,\n",
        killed_by="that has 2.9995 s left, ms: expected 3000, got 2999",
    ),
    Mutant(
        clause="ACT-3.7",
        name="late-results-vanish",
        why="a late result frees its place and is passed over in silence",
        file=CALLS,
        old="            _free_slot(core, agent, late)\n",
        new="            _free_slot(core, agent, late)\n            return\n",
        killed_by="the answer to a late result: how many messages came: expected 1, got 0",
    ),
    Mutant(
        clause="ACT-3.8",
        name="timeouts-are-not-told",
        why="providers hear only of callers that left",
        file=CALLS,
        old='elif "cancel" in stream.features:',
        new='elif "cancel" in stream.features and code is Code.CANCELLED:',
        killed_by="the cancels that the provider is sent: .*TIMEOUT.*, got \\[\\]",
    ),
    Mutant(
        clause="ACT-3.9",
        name="leaving-is-not-told",
        why="providers hear only of time-outs",
        file=CALLS,
        old='elif "cancel" in stream.features:',
        new='elif "cancel" in stream.features and code is Code.TIMEOUT:',
        killed_by="the cancels that the provider is sent: .*CANCELLED.*, got \\[\\]",
    ),
    Mutant(
        clause="ACT-3.10",
        name="everybody-is-told",
        why="action_cancel goes to every provider, whatever it agreed on",
        file=CALLS,
        old='        elif "cancel" in stream.features:\n',
        new="        else:\n",
        killed_by="what a provider without `cancel` is sent: expected nothing, got .*action_cancel",
    ),
    Mutant(
        clause="ACT-3.11",
        name="ended-calls-are-written",
        why="a call that ended stays in its provider's queue",
        file=CALLS,
        old="        unseen = stream.outbox.remove_call(call.number)\n",
        new="        unseen = False\n",
        killed_by="once it is written to again: expected \\[b'2'\\], got",
    ),
    Mutant(
        clause="ACT-4.1",
        name="a-broken-stream-is-unavailable",
        why="the calls of a lost stream are answered as though they had never begun",
        file=SESSIONS,
        old="    del core.agents[agent.agent_id]\n",
        new=(
            "    if trigger is SessionTrigger.LOSE:\n"
            '        calls.fail_all(core, Code.UNAVAILABLE, "the provider is gone")\n'
            "    del core.agents[agent.agent_id]\n"
        ),
        killed_by="whose provider (reset|lost) its \\w+: the result's error code: expected 'PROVIDER_LOST'",
    ),
    Mutant(
        clause="ACT-4.2",
        name="a-takeover-is-unavailable",
        why="the calls of a superseded stream are answered as though they had never begun",
        file=CALLS,
        old="_fail(core, call, Code.PROVIDER_LOST, message)",
        new="_fail(core, call, Code.UNAVAILABLE if stream else Code.PROVIDER_LOST, message)",
        killed_by="whose provider was taken over: the result's error code: expected 'PROVIDER_LOST'",
    ),
    Mutant(
        clause="ACT-4.3",
        name="a-goodbye-is-unavailable",
        why="the calls of one who leaves are answered as though they had never begun",
        file=SESSIONS,
        old="    del core.agents[agent.agent_id]\n",
        new=(
            "    if trigger is SessionTrigger.LEAVE:\n"
            '        calls.fail_all(core, Code.UNAVAILABLE, "the provider left")\n'
            "    del core.agents[agent.agent_id]\n"
        ),
        killed_by="whose provider (said goodbye|half-closed its stream): the result's error code",
    ),
    Mutant(
        clause="ACT-4.4",
        name="waiting-calls-are-lost-too",
        why="a lost provider takes along the calls that only wait",
        file=CALLS,
        old="    lost = list(agent.open_calls)\n",
        new="    lost = [*agent.open_calls, *(call for queue in core.queues.values() for call in queue)]\n",
        killed_by="expected it to be given to two, got an answer to its caller: .*PROVIDER_LOST",
    ),
    Mutant(
        clause="ACT-4.5",
        name="waiting-calls-are-lost-with-the-last",
        why="the calls that wait for the last provider are answered as though it had begun them",
        file=CALLS,
        old='_fail(core, call, Code.UNAVAILABLE, f"the last provider',
        new='_fail(core, call, Code.PROVIDER_LOST, f"the last provider',
        killed_by="the call that waited: the result's error code: .*got 'PROVIDER_LOST'",
    ),
    Mutant(
        clause="ACT-4.6",
        name="waiting-for-what-is-withdrawn",
        why="calls wait on for a capability that was withdrawn",
        file="loom_testing/engine/registration.py",
        old="    withdraw(core, agent)\n    agent.capabilities = {",
        new="    withdraw(core, agent)\n    core.freed.clear()\n    agent.capabilities = {",
        killed_by="ForwardAction by caller: expected a result, got nothing within",
    ),
    Mutant(
        clause="ACT-4.7",
        name="withdrawn-calls-are-unknown",
        why="a result is refused once its provider no longer offers the capability",
        file=CALLS,
        old="call.state is not CallState.DISPATCHED or call.stream != stream.number:",
        new=(
            "call.state is not CallState.DISPATCHED or call.stream != stream.number"
            " or call.request.capability not in agent.capabilities:"
        ),
        killed_by="what the provider is sent for its result: expected nothing, got .*UNKNOWN_CALL",
    ),
    Mutant(
        clause="ACT-5.1",
        name="anybody-may-answer",
        why="a result counts whoever sends it",
        file=CALLS,
        old=(
            "    agent = core.agents[stream.agent_id]\n    call = core.calls_by_id.get(message.id)\n"
            "    if call is None or call.state is not CallState.DISPATCHED or call.stream != stream.number:\n"
        ),
        new=(
            "    call = core.calls_by_id.get(message.id)\n"
            "    agent = core.agents[call.provider if call and call.provider else stream.agent_id]\n"
            "    if call is None or call.state is not CallState.DISPATCHED:\n"
        ),
        killed_by="the answer to a result for another's call: how many messages came: expected 1, got 0",
    ),
    Mutant(
        clause="ACT-5.2",
        name="unknown-results-vanish",
        why="a result for a call that nobody knows is passed over in silence",
        file=CALLS,
        old="        flow.reply(core, stream, Err(Code.UNKNOWN_CALL, text, message.id))\n",
        new=(
            "        if call is not None or late is not None:\n"
            "            flow.reply(core, stream, Err(Code.UNKNOWN_CALL, text, message.id))\n"
        ),
        killed_by="the answer to a (second result|result for 'nothing'): how many messages came: .*got 0",
    ),
    Mutant(
        clause="ACT-5.3",
        name="unknown-calls-without-a-ref",
        why="the err for a refused result does not say which one it is about",
        file=CALLS,
        old="Err(Code.UNKNOWN_CALL, text, message.id)",
        new="Err(Code.UNKNOWN_CALL, text)",
        killed_by="what the err is about .ref.: expected 'nothing', got ''",
    ),
]
