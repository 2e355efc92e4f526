"""Bugs in choosing providers, waiting, repeating and listing (ACT-6 to ACT-11)."""

from __future__ import annotations

from mutants.mutant import Mutant

__all__ = ["MUTANTS"]

AGENT = "loom_testing/engine/agent.py"
CALL = "loom_testing/engine/call.py"
CALLS = "loom_testing/engine/calls.py"
CODEC = "loom_testing/codec.py"
RESULTS = "loom_testing/engine/results.py"

TURN = "return len(agent.open_calls), agent.last_dispatch, agent.registration"

MUTANTS = [
    Mutant(
        clause="ACT-6.1",
        name="providers-by-turns-only",
        why="providers take turns, however busy they are",
        file=CALLS,
        old=TURN,
        new="return 0, agent.last_dispatch, agent.registration",
        killed_by="the only one with none open: expected 'two', got 'one'",
    ),
    Mutant(
        clause="ACT-6.2",
        name="no-turns",
        why="among idle providers always the first is chosen",
        file=CALLS,
        old=TURN,
        new="return len(agent.open_calls), 0, agent.registration",
        killed_by="who is given each of five calls: .*got \\['one', 'one'",
    ),
    Mutant(
        clause="ACT-6.3",
        name="the-last-registered-begins",
        why="among equals the one that registered last is chosen",
        file=CALLS,
        old=TURN,
        new="return len(agent.open_calls), agent.last_dispatch, -agent.registration",
        killed_by="who is given the first three calls: .*got \\['m'",
    ),
    Mutant(
        clause="ACT-6.4",
        name="open-calls-by-capability",
        why="only the open calls of the capability itself count",
        file=CALLS,
        old="if chosen is None or _turn(agent) < _turn(chosen):",
        new=(
            "if chosen is None or (agent.running.get(name, 0), *_turn(agent)[1:]) < "
            "(chosen.running.get(name, 0), *_turn(chosen)[1:]):"
        ),
        killed_by="who is given three calls that both offer: .*'busy'",
    ),
    Mutant(
        clause="ACT-7.1",
        name="one-too-many",
        why="one call more than loom.max_concurrency is given out",
        file=AGENT,
        old="self.running.get(name, 0) < most",
        new="self.running.get(name, 0) <= most",
        killed_by="how many of five calls are given out before any answer: expected 2, got 3",
    ),
    Mutant(
        clause="ACT-7.2",
        name="one-bound-for-the-agent",
        why="the calls of all capabilities count against each bound",
        file=AGENT,
        old="self.running.get(name, 0) < most",
        new="sum(self.running.values()) < most",
        killed_by="the call: expected an answer, or it to be given to provider, got nothing",
    ),
    Mutant(
        clause="ACT-7.3",
        name="last-come-first-served",
        why="of the waiting calls the last is given out first",
        file=CALLS,
        old="for call in list(core.queues.get(name, {}).values()):",
        new="for call in list(core.queues.get(name, {}).values())[::-1]:",
        killed_by="the order in which the calls are given out",
    ),
    Mutant(
        clause="ACT-7.4",
        name="who-left-is-still-served",
        why="a waiting call goes on although its caller left",
        file=CALLS,
        old="    _drop_waiter(core, call, waiter)\n    if not call.waiters:\n        core.count(",
        new=(
            "    if call.state is CallState.QUEUED:\n        return\n"
            "    _drop_waiter(core, call, waiter)\n    if not call.waiters:\n        core.count("
        ),
        killed_by="the open calls: expected 3 with 3 callers, got 4",
    ),
    Mutant(
        clause="ACT-7.5",
        name="one-more-may-wait",
        why="one call more may wait than the limit says",
        file=CALLS,
        old="len(waiting) < core.limits.waiting_calls",
        new="len(waiting) <= core.limits.waiting_calls",
        killed_by="ForwardAction by caller: expected a result, got nothing within",
    ),
    Mutant(
        clause="ACT-7.6",
        name="waiting-bytes-are-not-counted",
        why="any number of bytes may wait",
        file=CALLS,
        old="        and core.queued_bytes[name] + call.size <= core.limits.queue_bytes\n",
        new="",
        killed_by="ForwardAction by caller: expected a result, got nothing within",
    ),
    Mutant(
        clause="ACT-7.7",
        name="the-place-is-free-at-once",
        why="a call that timed out or was cancelled holds its place no longer",
        file=CALLS,
        old='if answered or capability is None or "loom.max_concurrency" not in capability.metadata:',
        new="if answered or call.number:",
        killed_by="calls given to provider, while it has not answered the one (that timed|whose caller)",
    ),
    Mutant(
        clause="ACT-7.8",
        name="a-bound-of-its-own",
        why="without loom.max_concurrency a provider is given 64 calls at the most",
        file=AGENT,
        old="return None if text is None else int(text)",
        new="return 64 if text is None else int(text)",
        killed_by="how many of a hundred calls are given out: expected 100, got 64",
    ),
    Mutant(
        clause="ACT-7.9",
        name="who-joins-is-not-asked",
        why="a provider that was given no call yet is given none of those that wait",
        file=CALLS,
        old="            if provider:\n                _unqueue",
        new="            if provider and provider.last_dispatch:\n                _unqueue",
        killed_by="the calls that the new provider is given: .*got \\[\\]",
    ),
    Mutant(
        clause="ACT-7.10",
        name="calls-into-a-full-queue",
        why="a provider is given calls however full its queue is",
        file=CALLS,
        old="            or not stream.outbox.has_room(call.size, core.limits)\n",
        new="",
        killed_by="the states of three calls: .*got \\['DISPATCHED', 'DISPATCHED', 'DISPATCHED'\\]",
    ),
    Mutant(
        clause="ACT-8.1",
        name="repeats-of-open-calls-run",
        why="a repeat of an open call is given out as a call of its own",
        file=CALLS,
        old="    call = core.calls_by_key.get(key)\n    kept",
        new="    call = None\n    kept",
        killed_by="the open calls: expected 1 with 3 callers, got 3 with 3",
    ),
    Mutant(
        clause="ACT-8.2",
        name="only-errors-are-kept",
        why="a result with ACTION_OK is not kept",
        file=CALLS,
        old="if call.key and message.status in (OK, ERROR):",
        new="if call.key and message.status == ERROR:",
        killed_by="expected an answer of the bridge's own, got provider being sent",
    ),
    Mutant(
        clause="ACT-8.3",
        name="only-successes-are-kept",
        why="a result with ACTION_ERROR is not kept",
        file=CALLS,
        old="if call.key and message.status in (OK, ERROR):",
        new="if call.key and message.status == OK:",
        killed_by="expected an answer of the bridge's own, got provider being sent",
    ),
    Mutant(
        clause="ACT-8.4",
        name="every-result-is-kept",
        why="results are kept whatever their status",
        file=CALLS,
        old="if call.key and message.status in (OK, ERROR):",
        new="if call.key:",
        killed_by="expected it to be given to provider, got an answer to its caller: .*ACTION_RETRYABLE",
    ),
    Mutant(
        clause="ACT-8.5",
        name="a-loss-is-kept",
        why="the answer that the provider was lost is kept for repeats",
        file=CALLS,
        old="    core.count(Counter.CALLS_FAILED)\n",
        new=(
            "    core.count(Counter.CALLS_FAILED)\n    if call.key:\n"
            "        lost = _failure(call.key[1], RETRYABLE, code, message)\n"
            "        results.keep(core, call.key, call.request, lost)\n"
        ),
        killed_by="expected it to be given to another, got an answer to its caller: .*PROVIDER_LOST",
    ),
    Mutant(
        clause="ACT-8.6",
        name="kept-for-twice-the-time",
        why="results are kept for twice as long as is told",
        file=RESULTS,
        old="expires = core.now + micros(core.limits.idempotency_ms)",
        new="expires = core.now + 2 * micros(core.limits.idempotency_ms)",
        killed_by="expected it to be given to provider, got an answer to its caller: .*once",
    ),
    Mutant(
        clause="ACT-8.7",
        name="other-content-joins",
        why="a call with other content joins the open call of its id",
        file=CALLS,
        old="    if not same_content(known, request.request):",
        new="    if not call and not same_content(known, request.request):",
        killed_by="expected an answer, or it to be given to provider, got nothing",
    ),
    Mutant(
        clause="ACT-8.8",
        name="other-content-gets-the-kept-result",
        why="a call with other content gets the result that is kept for its id",
        file=CALLS,
        old="    if not same_content(known, request.request):",
        new="    if call and not same_content(known, request.request):",
        killed_by="the id of an answered call with another payload: the result's status: .*got 'ACTION_OK'",
    ),
    Mutant(
        clause="ACT-8.9",
        name="headers-are-content",
        why="a repeat with other headers is taken for another call",
        file=CALL,
        old="(one.capability, one.version, one.payload) == (other.capability, other.version, other.payload)",
        new=(
            "(one.capability, one.version, one.payload, one.headers) == "
            "(other.capability, other.version, other.payload, other.headers)"
        ),
        killed_by="the open calls: expected 1 with 2 callers, got 1 with 1",
    ),
    Mutant(
        clause="ACT-8.10",
        name="one-leaves-and-all-are-answered",
        why="when one caller leaves, the call ends for the others too",
        file=CALLS,
        old="    if not call.waiters:\n        core.count(Counter.CALLS_CANCELLED)\n",
        new=(
            '    if call.waiters:\n        _fail(core, call, Code.CANCELLED, "a caller left")\n'
            "    else:\n        core.count(Counter.CALLS_CANCELLED)\n"
        ),
        killed_by="the open calls: expected 1 with 1 callers, got 0",
    ),
    Mutant(
        clause="ACT-8.11",
        name="the-first-to-leave-cancels",
        why="the provider is told that nobody waits as soon as one caller left",
        file=CALLS,
        old="    if not call.waiters:\n        core.count(Counter.CALLS_CANCELLED)\n",
        new=(
            "    if call.waiters and call.stream:\n"
            "        flow.reply(core, core.streams[call.stream], ActionCancel(call.id, Code.CANCELLED))\n"
            "    if not call.waiters:\n        core.count(Counter.CALLS_CANCELLED)\n"
        ),
        killed_by="what the provider is sent while one caller waits: expected nothing, got .*action_cancel",
    ),
    Mutant(
        clause="ACT-8.12",
        name="the-first-deadline-holds-for-all",
        why="a caller that joins has the deadline of the call that it joins",
        file=CALLS,
        old="    waiter = Waiter(request.call, call.number, wanted.id or call.id, deadline)\n",
        new=(
            "    deadline = call.deadline() if call.waiters else deadline\n"
            "    waiter = Waiter(request.call, call.number, wanted.id or call.id, deadline)\n"
        ),
        killed_by="the call of the patient one: the result's status: .*got 'ACTION_TIMEOUT'",
    ),
    Mutant(
        clause="ACT-8.13",
        name="ids-of-everybody",
        why="an id is a key for all callers together",
        file=CALLS,
        old="return (caller, call.id) if caller and call.id else None",
        new='return ("", call.id) if caller and call.id else None',
        killed_by="the open calls: expected 2 with 2 callers, got 1 with 2",
    ),
    Mutant(
        clause="ACT-8.14",
        name="the-anonymous-are-one-caller",
        why="calls without x-agent-id share their ids",
        file=CALLS,
        old="return (caller, call.id) if caller and call.id else None",
        new="return (caller, call.id) if call.id else None",
        killed_by="the open calls: expected 2 with 2 callers, got 1 with 2",
    ),
    Mutant(
        clause="ACT-8.15",
        name="an-empty-id-stays-empty",
        why="a call with an empty id is answered under an empty id",
        file=CALLS,
        old="wanted.id or call.id, deadline)",
        new="wanted.id, deadline)",
        killed_by="the ids of the results: expected ids, got \\['', ''\\]",
    ),
    Mutant(
        clause="ACT-8.16",
        name="any-number-is-kept",
        why="the number of kept results is not bounded",
        file=RESULTS,
        old="while len(core.kept) > core.limits.kept_results or core.kept_bytes",
        new="while core.kept_bytes",
        killed_by="expected it to be given to provider, got an answer to its caller",
    ),
    Mutant(
        clause="ACT-8.17",
        name="any-size-is-kept",
        why="the bytes of kept results are not bounded",
        file=RESULTS,
        old="core.limits.kept_results or core.kept_bytes > core.limits.kept_result_bytes:",
        new="core.limits.kept_results:",
        killed_by="expected it to be given to provider, got an answer to its caller",
    ),
    Mutant(
        clause="ACT-11.1",
        name="the-last-is-not-listed",
        why="the last capability of the list is left out",
        file=CALLS,
        old="for key in sorted(found)]",
        new="for key in sorted(found)[:-1]]",
        killed_by="what is listed of two agents",
    ),
    Mutant(
        clause="ACT-11.2",
        name="schemas-are-left-out",
        why="only the bridge's own keys of a descriptor's metadata are listed",
        file=CODEC,
        old="                metadata=item.metadata,\n",
        new='                metadata={k: v for k, v in item.metadata.items() if k.startswith("loom.")},\n',
        killed_by="what is listed: .*input_schema",
    ),
    Mutant(
        clause="ACT-11.3",
        name="the-absent-are-listed",
        why="capabilities are listed although their provider has no stream",
        file=CALLS,
        old="if agent.stream is not None and (known is None",
        new="if (known is None",
        killed_by="what is listed before the provider has a stream: expected nothing",
    ),
    Mutant(
        clause="ACT-11.4",
        name="listed-for-each-agent",
        why="a capability is listed once for each agent that offers it",
        file=CALLS,
        old=(
            "            known = found.get((name, capability.version))\n"
            "            if agent.stream is not None and (known is None or agent.registration < known[0]):\n"
            "                found[name, capability.version] = "
        ),
        new=(
            "            known = None\n"
            "            if agent.stream is not None:\n"
            "                found[name, capability.version + agent.agent_id] = "
        ),
        killed_by="what is listed: ",
    ),
    Mutant(
        clause="ACT-11.5",
        name="the-list-as-it-grew",
        why="the list is in the order of registration",
        file=CALLS,
        old="for key in sorted(found)]",
        new="for key in found]",
        killed_by="what is listed, in order",
    ),
    Mutant(
        clause="ACT-11.6",
        name="the-last-registered-speaks",
        why="the agent that registered last speaks for a capability",
        file=CALLS,
        old="agent.registration < known[0]",
        new="agent.registration > known[0]",
        killed_by="the descriptions that are listed: expected \\['z'\\], got \\['a'\\]",
    ),
]
