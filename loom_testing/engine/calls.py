"""Calls: routed to a provider, ended exactly once, repeated without harm (ACT)."""

from __future__ import annotations

from collections import OrderedDict

from loom.codes import Code
from loom_testing.engine import flow, results
from loom_testing.engine.agent import Agent
from loom_testing.engine.call import Call, CallKey, Waiter, same_content
from loom_testing.engine.core import Core
from loom_testing.engine.counters import Counter
from loom_testing.engine.inputs import Invoke
from loom_testing.engine.limits import MICROS_PER_MS, micros
from loom_testing.engine.messages import ActionCall, ActionCancel, ActionError, ActionResult, Capability, Err
from loom_testing.engine.outbox import HandedCall
from loom_testing.engine.outputs import Answer
from loom_testing.engine.states import CALL, CallState, CallTrigger, step
from loom_testing.engine.stream import Stream
from loom_testing.engine.text import quote, utf8_size
from loom_testing.engine.timers import TimerKind

__all__ = [
    "abandon",
    "callable_now",
    "fail_all",
    "invoke",
    "lose_provider",
    "result",
    "settle",
    "waiter_over",
]

OK, ERROR, TIMEOUT, RETRYABLE = 0, 1, 2, 3
ID_BYTES = 255


def invoke(core: Core, request: Invoke) -> None:
    """Takes one call: answers it, joins it to an open one, gives it to a provider, or lets it wait."""
    core.count(Counter.CALLS_RECEIVED)
    call = request.request
    problem = _problem(call)
    if problem:
        _refuse(core, request, ERROR, Code.INVALID_INPUT, problem)
    elif core.draining:
        _refuse(core, request, RETRYABLE, Code.UNAVAILABLE, "the bridge is about to stop")
    else:
        key = _key(call)
        if not (key and _repeat(core, request, key)):
            _start(core, request, key)


def _problem(call: ActionCall) -> str | None:
    if call.timeout_ms < 0:
        return f"timeout_ms is {call.timeout_ms}; it must not be negative"
    for name, text in (("id", call.id), ("x-agent-id", call.headers.get("x-agent-id", ""))):
        size = utf8_size(text)
        if size > ID_BYTES:
            return f"{name} has {size} bytes; at most {ID_BYTES} are allowed"
    return None


def _key(call: ActionCall) -> CallKey | None:
    """The idempotency key, if the caller and the call have names (ACT-8)."""
    caller = call.headers.get("x-agent-id", "")
    return (caller, call.id) if caller and call.id else None


def _repeat(core: Core, request: Invoke, key: CallKey) -> bool:
    """Handles the repeat of a call that is open or was answered lately; says whether it was one (ACT-8)."""
    call = core.calls_by_key.get(key)
    kept = core.kept.get(key)
    known = call.request if call else kept.request if kept else None
    if known is None:
        return False
    if not same_content(known, request.request):
        message = f"call id {quote(request.request.id)} was used for a call with other content"
        _refuse(core, request, ERROR, Code.ID_REUSED, message)
    elif call:
        core.count(Counter.CALLS_JOINED)
        _add_waiter(core, call, request)
    elif kept:
        core.count(Counter.CALLS_REPLAYED)
        core.emit(Answer(request.call, kept.result))
    return True


def _start(core: Core, request: Invoke, key: CallKey | None) -> None:
    wanted = request.request
    refusal = _nobody(core, wanted)
    if refusal:
        _refuse(core, request, *refusal)
        return
    number = core.next_call()
    call = Call(number, core.call_id(number), wanted, key)
    provider = _choose(core, call)
    if provider is None and not _fits_queue(core, call):
        message = f"too many calls wait for capability {quote(wanted.capability)}"
        _refuse(core, request, RETRYABLE, Code.OVERLOADED, message)
        return
    core.calls[number] = core.calls_by_id[call.id] = call
    if key:
        core.calls_by_key[key] = call
    _add_waiter(core, call, request)
    if provider:
        _dispatch(core, call, provider)
    else:
        core.queues.setdefault(wanted.capability, OrderedDict())[number] = call
        core.queued_bytes[wanted.capability] = core.queued_bytes.get(wanted.capability, 0) + call.size


def _nobody(core: Core, wanted: ActionCall) -> tuple[int, Code, str] | None:
    """Why the call can go to no provider at all, now (ACT-2)."""
    offering = core.providers.get(wanted.capability)
    named = f"capability {quote(wanted.capability)}"
    if not offering:
        return ERROR, Code.NOT_FOUND, f"no agent offers {named}"
    fitting = [agent for agent in offering.values() if _fits_version(agent, wanted)]
    if not fitting:
        return ERROR, Code.NOT_FOUND, f"no agent offers {named} in version {quote(wanted.version)}"
    if all(agent.stream is None for agent in fitting):
        return RETRYABLE, Code.UNAVAILABLE, f"no provider of {named} has a live stream"
    return None


def _fits_version(agent: Agent, wanted: ActionCall) -> bool:
    return not wanted.version or agent.capabilities[wanted.capability].version == wanted.version


def _fits_queue(core: Core, call: Call) -> bool:
    name = call.request.capability
    waiting = core.queues.get(name)
    if not waiting:
        return True
    return (
        len(waiting) < core.limits.waiting_calls
        and core.queued_bytes[name] + call.size <= core.limits.queue_bytes
    )


def _choose(core: Core, call: Call) -> Agent | None:
    """Least open calls, then least recently dispatched, then lowest registration (ACT-6)."""
    name = call.request.capability
    chosen: Agent | None = None
    for agent in core.providers[name].values():
        stream = core.live_stream(agent)
        if (
            stream is None
            or not _fits_version(agent, call.request)
            or not agent.has_slot(name)
            or not stream.outbox.has_room(call.size, core.limits)
        ):
            continue
        if chosen is None or _turn(agent) < _turn(chosen):
            chosen = agent
    return chosen


def _turn(agent: Agent) -> tuple[int, int, int]:
    return len(agent.open_calls), agent.last_dispatch, agent.registration


def _add_waiter(core: Core, call: Call, request: Invoke) -> None:
    wanted = request.request
    timeout = wanted.timeout_ms or core.limits.default_call_timeout_ms
    deadline = core.now + micros(min(timeout, core.limits.call_timeout_ms))
    waiter = Waiter(request.call, call.number, wanted.id or call.id, deadline)
    core.waiters[request.call] = call.waiters[request.call] = waiter
    core.timers.set(TimerKind.WAITER, request.call, deadline)


def _dispatch(core: Core, call: Call, provider: Agent) -> None:
    """Gives the call to a provider, under the bridge's own id, with what is left of its time (ACT-1)."""
    stream = core.live_stream(provider)
    assert stream is not None
    name = call.request.capability
    call.state = step(CALL, call.state, CallTrigger.DISPATCH)
    call.provider, call.stream = provider.agent_id, stream.number
    provider.open_calls[call.number] = None
    provider.running[name] = provider.running.get(name, 0) + 1
    provider.last_dispatch = core.next_serial()
    wanted = call.request
    message = ActionCall(
        call.id,
        name,
        wanted.version,
        wanted.payload,
        wanted.headers,
        -(-(call.deadline() - core.now) // MICROS_PER_MS),
        wanted.correlation_id,
        wanted.qos,
    )
    flow.hand(core, stream, HandedCall(call.number, message, call.size))


def result(core: Core, stream: Stream, message: ActionResult) -> None:
    """Takes a provider's answer (ACT-1, ACT-5)."""
    agent = core.agents[stream.agent_id]
    call = core.calls_by_id.get(message.id)
    if call is None or call.state is not CallState.DISPATCHED or call.stream != stream.number:
        late = agent.unanswered.pop(message.id, None)
        if late is not None:
            _free_slot(core, agent, late)
        core.count(Counter.RESULTS_UNKNOWN)
        text = f"call {quote(message.id)} is not open with this session"
        flow.reply(core, stream, Err(Code.UNKNOWN_CALL, text, message.id))
        return
    core.count(Counter.CALLS_COMPLETED)
    _take_from_provider(core, call, agent, answered=True)
    if call.key and message.status in (OK, ERROR):
        own = next(iter(call.waiters.values())).own_id
        results.keep(core, call.key, call.request, _with_id(message, own))
    _end(core, call, CallTrigger.RESULT, message)


def abandon(core: Core, token: int) -> None:
    """A caller left; with the last one the call is cancelled (ACT-3, ACT-8)."""
    waiter = core.waiters.get(token)
    if waiter is None:
        return
    call = core.calls[waiter.call]
    _drop_waiter(core, call, waiter)
    if not call.waiters:
        core.count(Counter.CALLS_CANCELLED)
        _give_up(core, call, CallTrigger.ABANDON, Code.CANCELLED)


def waiter_over(core: Core, token: int) -> None:
    """A caller's deadline passed (ACT-3)."""
    waiter = core.waiters[token]
    call = core.calls[waiter.call]
    _drop_waiter(core, call, waiter)
    message = f"capability {quote(call.request.capability)} did not answer in time"
    core.emit(Answer(token, _failure(waiter.own_id, TIMEOUT, Code.TIMEOUT, message)))
    if not call.waiters:
        core.count(Counter.CALLS_TIMED_OUT)
        _give_up(core, call, CallTrigger.TIMEOUT, Code.TIMEOUT)


def _give_up(core: Core, call: Call, trigger: CallTrigger, code: Code) -> None:
    """Nobody waits for the call any more; its provider is told, if it has it already."""
    if call.state is CallState.DISPATCHED:
        agent = core.agents[call.provider]
        stream = core.streams[call.stream]
        unseen = stream.outbox.remove_call(call.number)
        _take_from_provider(core, call, agent, answered=unseen)
        if unseen:
            flow.pump(core, stream)
        elif "cancel" in stream.features:
            flow.reply(core, stream, ActionCancel(call.id, code))
    _end(core, call, trigger, None)


def lose_provider(core: Core, agent: Agent) -> None:
    """The provider's stream is gone or was taken over: its callers are told at once (ACT-4)."""
    stream = core.live_stream(agent)
    lost = list(agent.open_calls)
    agent.open_calls.clear()
    agent.running.clear()
    agent.unanswered.clear()
    for number in lost:
        call = core.calls[number]
        if stream:
            stream.outbox.remove_call(number)
        message = f"agent {quote(agent.agent_id)} was lost while it worked on the call"
        _fail(core, call, Code.PROVIDER_LOST, message)
    for name in agent.capabilities:
        core.freed[name] = None


def fail_all(core: Core, code: Code, message: str) -> None:
    """Ends every call."""
    for agent in core.agents.values():
        agent.open_calls.clear()
        agent.running.clear()
        agent.unanswered.clear()
    for call in list(core.calls.values()):
        _fail(core, call, code, message)


def settle(core: Core) -> None:
    """Looks again at the calls that wait for capabilities where something changed, in order."""
    while core.freed:
        name = next(iter(core.freed))
        del core.freed[name]
        for call in list(core.queues.get(name, {}).values()):
            refusal = _nobody(core, call.request)
            if refusal:
                _fail(core, call, Code.UNAVAILABLE, f"the last provider of capability {quote(name)} is gone")
                continue
            provider = _choose(core, call)
            if provider:
                _unqueue(core, call)
                _dispatch(core, call, provider)


def _fail(core: Core, call: Call, code: Code, message: str) -> None:
    """Ends a call for a reason that is not its own; the caller may try again."""
    core.count(Counter.CALLS_FAILED)
    _end(core, call, CallTrigger.LOSE, _failure("", RETRYABLE, code, message))


def _end(core: Core, call: Call, trigger: CallTrigger, outcome: ActionResult | None) -> None:
    """The call ends, once; whoever still waits is answered under its own id."""
    if call.state is CallState.QUEUED:
        _unqueue(core, call)
    call.state = step(CALL, call.state, trigger)
    del core.calls[call.number]
    del core.calls_by_id[call.id]
    if call.key:
        del core.calls_by_key[call.key]
    for waiter in list(call.waiters.values()):
        _drop_waiter(core, call, waiter)
        assert outcome is not None
        core.emit(Answer(waiter.token, _with_id(outcome, waiter.own_id)))


def _drop_waiter(core: Core, call: Call, waiter: Waiter) -> None:
    core.timers.cancel(TimerKind.WAITER, waiter.token)
    del core.waiters[waiter.token]
    del call.waiters[waiter.token]


def _unqueue(core: Core, call: Call) -> None:
    name = call.request.capability
    del core.queues[name][call.number]
    core.queued_bytes[name] -= call.size
    if not core.queues[name]:
        del core.queues[name], core.queued_bytes[name]


def _take_from_provider(core: Core, call: Call, agent: Agent, *, answered: bool) -> None:
    """The call is no longer open with its provider; its place is free once that has answered (ACT-7)."""
    del agent.open_calls[call.number]
    name = call.request.capability
    capability = agent.capabilities.get(name)
    if answered or capability is None or "loom.max_concurrency" not in capability.metadata:
        _free_slot(core, agent, name)
    else:
        agent.unanswered[call.id] = name


def _free_slot(core: Core, agent: Agent, name: str) -> None:
    left = agent.running[name] - 1
    if left:
        agent.running[name] = left
    else:
        del agent.running[name]
    if name in core.queues:
        core.freed[name] = None


def _refuse(core: Core, request: Invoke, status: int, code: Code, message: str) -> None:
    core.count(Counter.CALLS_REFUSED)
    core.emit(Answer(request.call, _failure(request.request.id, status, code, message)))


def _failure(own_id: str, status: int, code: Code, message: str) -> ActionResult:
    return ActionResult(own_id, status, b"", ActionError(code, message))


def _with_id(outcome: ActionResult, own_id: str) -> ActionResult:
    return ActionResult(own_id, outcome.status, outcome.output, outcome.error)


def callable_now(core: Core) -> list[Capability]:
    """One entry per name and version with a live provider; the lowest registration speaks for it (ACT-11)."""
    found: dict[tuple[str, str], tuple[int, Capability]] = {}
    for name, offering in core.providers.items():
        for agent in offering.values():
            capability = agent.capabilities[name]
            known = found.get((name, capability.version))
            if agent.stream is not None and (known is None or agent.registration < known[0]):
                found[name, capability.version] = (agent.registration, capability)
    return [found[key][1] for key in sorted(found)]
