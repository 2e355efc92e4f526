//! Calls: routed to a provider, ended exactly once, repeated without harm (ACT).

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use crate::agent::{Agent, AgentSlot};
use crate::call::{Call, CallKey, Provider, Waiter, same_content};
use crate::codes::Code;
use crate::core::Core;
use crate::counters::Counter;
use crate::flow;
use crate::inputs::Invoke;
use crate::limits::{Feature, MICROS_PER_MS, micros};
use crate::messages::{ActionCall, ActionCancel, ActionError, ActionResult, Capability, Err};
use crate::outbox::HandedCall;
use crate::outputs::Answer;
use crate::results;
use crate::states::{CALL, CallState, CallTrigger, step};
use crate::stream::StreamSlot;
use crate::text::{quote, utf8_size};
use crate::timers::TimerKind;

const OK: i32 = 0;
const ERROR: i32 = 1;
const TIMEOUT: i32 = 2;
const RETRYABLE: i32 = 3;
const ID_BYTES: usize = 255;

/// Why a call is answered at once: a status, a code and a sentence.
type Refusal = (i32, Code, String);

/// Takes one call: answers it, joins it to an open one, gives it to a provider, or lets it wait.
pub fn invoke(core: &mut Core, request: Invoke) {
    core.count(Counter::CallsReceived);
    let Invoke { call: token, request: wanted } = request;
    if let Some(problem) = problem(&wanted) {
        refuse(core, token, wanted.id, (ERROR, Code::InvalidInput, problem));
    } else if core.draining {
        let message = "the bridge is about to stop".to_owned();
        refuse(core, token, wanted.id, (RETRYABLE, Code::Unavailable, message));
    } else {
        let key = key(&wanted);
        if !key.as_ref().is_some_and(|key| repeat(core, token, &wanted, key)) {
            start(core, token, wanted, key);
        }
    }
}

fn problem(call: &ActionCall) -> Option<String> {
    if call.timeout_ms < 0 {
        return Some(format!("timeout_ms is {}; it must not be negative", call.timeout_ms));
    }
    for (name, text) in [("id", call.id.as_str()), ("x-agent-id", caller(call))] {
        let size = utf8_size(text);
        if size > ID_BYTES {
            return Some(format!("{name} has {size} bytes; at most {ID_BYTES} are allowed"));
        }
    }
    None
}

/// Who calls; empty for the anonymous.
pub(crate) fn caller(call: &ActionCall) -> &str {
    call.headers.get("x-agent-id").map_or("", String::as_str)
}

/// The idempotency key, if the caller and the call have names (ACT-8).
fn key(call: &ActionCall) -> Option<CallKey> {
    let caller = caller(call);
    (!caller.is_empty() && !call.id.is_empty()).then(|| (caller.to_owned(), call.id.clone()))
}

/// Handles the repeat of a call that is open or was answered lately; says whether it was one (ACT-8).
fn repeat(core: &mut Core, token: u64, wanted: &ActionCall, key: &CallKey) -> bool {
    let open = core.calls_by_key.get(key).copied();
    let kept = core.kept.get(key);
    let same = match (open, kept) {
        (Some(number), _) => same_content(&core.calls[&number].request, wanted),
        (None, Some(kept)) => same_content(&kept.request, wanted),
        (None, None) => return false,
    };
    if !same {
        let message = format!("call id {} was used for a call with other content", quote(&wanted.id));
        refuse(core, token, wanted.id.clone(), (ERROR, Code::IdReused, message));
    } else if let Some(number) = open {
        core.count(Counter::CallsJoined);
        add_waiter(core, number, token, wanted.id.clone(), wanted.timeout_ms);
    } else if let Some(kept) = kept {
        let result = kept.result.clone();
        core.count(Counter::CallsReplayed);
        core.emit(Answer { call: token, result });
    }
    true
}

fn start(core: &mut Core, token: u64, wanted: ActionCall, key: Option<CallKey>) {
    if let Some(refusal) = nobody(core, &wanted) {
        refuse(core, token, wanted.id, refusal);
        return;
    }
    let number = core.next_call();
    let call = Call::new(core.call_id(number), wanted, key);
    let provider = choose(core, &call);
    if provider.is_none() && !fits_queue(core, &call) {
        let message = format!("too many calls wait for capability {}", quote(&call.request.capability));
        refuse(core, token, call.request.id, (RETRYABLE, Code::Overloaded, message));
        return;
    }
    core.calls_by_id.insert(Arc::clone(&call.id), number);
    if let Some(key) = &call.key {
        core.calls_by_key.insert(key.clone(), number);
    }
    let (name, size) = (Arc::clone(&call.request.capability), call.size);
    let (own_id, timeout_ms) = (call.request.id.clone(), call.request.timeout_ms);
    core.calls.insert(number, call);
    add_waiter(core, number, token, own_id, timeout_ms);
    if let Some(provider) = provider {
        dispatch(core, number, provider);
    } else {
        let queue = core.queues.entry(name).or_default();
        queue.calls.insert(number);
        queue.bytes += size;
    }
}

/// Why the call can go to no provider at all, now (ACT-2).
fn nobody(core: &Core, wanted: &ActionCall) -> Option<Refusal> {
    let named = || format!("capability {}", quote(&wanted.capability));
    let Some(offering) = core.providers.get(&wanted.capability) else {
        return Some((ERROR, Code::NotFound, format!("no agent offers {}", named())));
    };
    let mut fitting = offering
        .iter()
        .map(|slot| &core.agents[*slot])
        .filter(|agent| fits_version(agent, wanted))
        .peekable();
    if fitting.peek().is_none() {
        let message = format!("no agent offers {} in version {}", named(), quote(&wanted.version));
        return Some((ERROR, Code::NotFound, message));
    }
    if fitting.all(|agent| agent.stream.is_none()) {
        let message = format!("no provider of {} has a live stream", named());
        return Some((RETRYABLE, Code::Unavailable, message));
    }
    None
}

fn fits_version(agent: &Agent, wanted: &ActionCall) -> bool {
    wanted.version.is_empty() || agent.capabilities[&wanted.capability].capability.version == wanted.version
}

fn fits_queue(core: &Core, call: &Call) -> bool {
    let Some(queue) = core.queues.get(&call.request.capability) else { return true };
    (queue.calls.len() as u64) < core.limits.waiting_calls
        && (queue.bytes + call.size) as u64 <= core.limits.queue_bytes
}

/// Least open calls, then least recently dispatched, then lowest registration (ACT-6).
fn choose(core: &Core, call: &Call) -> Option<AgentSlot> {
    let name = &call.request.capability;
    let ready = |agent: &Agent| {
        let Some(stream) = agent.stream else { return false };
        fits_version(agent, &call.request)
            && agent.has_slot(name)
            && core.streams[stream].outbox.has_room(call.size, &core.limits)
    };
    let offering = core.providers.get(name)?.iter().copied();
    offering.filter(|slot| ready(&core.agents[*slot])).min_by_key(|slot| turn(&core.agents[*slot]))
}

fn turn(agent: &Agent) -> (usize, u64, u64) {
    (agent.open_calls.len(), agent.last_dispatch, agent.registration)
}

/// Lets a caller wait for an open call, under its own id or, where it gave none, the bridge's.
fn add_waiter(core: &mut Core, number: u64, token: u64, own_id: String, timeout_ms: i64) {
    let timeout = u64::try_from(timeout_ms).ok().filter(|timeout| *timeout > 0);
    let timeout = timeout.unwrap_or(core.limits.default_call_timeout_ms).min(core.limits.call_timeout_ms);
    let deadline = core.now + micros(timeout);
    let place = core.next_waiter();
    let call = core.calls.get_mut(&number).expect("a call that is joined is open");
    let own_id = if own_id.is_empty() { call.id.to_string() } else { own_id };
    call.waiters.insert(place, Waiter { token, own_id, deadline });
    core.waiters.insert(token, (number, place));
    core.timers.set(TimerKind::Waiter, token, deadline);
}

/// Gives the call to a provider, under the bridge's own id, with what is left of its time (ACT-1).
fn dispatch(core: &mut Core, number: u64, slot: AgentSlot) {
    let order = core.next_serial();
    let provider = &mut core.agents[slot];
    let stream = provider.stream.expect("a chosen provider has a live stream");
    let call = core.calls.get_mut(&number).expect("a call that is dispatched is open");
    let name = &call.request.capability;
    call.state = step(CALL, call.state, CallTrigger::Dispatch);
    call.provider = Some(Provider {
        agent: slot,
        agent_id: Arc::clone(&provider.agent_id),
        stream: core.streams[stream].number,
        order,
    });
    provider.open_calls.insert(order, number);
    *provider.running.entry(Arc::clone(name)).or_default() += 1;
    provider.last_dispatch = order;
    // Where the deadline has passed already, its timer fires in this very step and takes the call back unseen.
    let left = call.deadline().saturating_sub(core.now).div_ceil(MICROS_PER_MS);
    let message = Box::new(ActionCall {
        id: call.id.to_string(),
        timeout_ms: i64::try_from(left).unwrap_or(i64::MAX),
        ..call.request.clone()
    });
    let size = call.size;
    flow::hand(core, stream, HandedCall { number, message, size });
}

/// Takes a provider's answer (ACT-1, ACT-5).
pub fn result(core: &mut Core, stream: StreamSlot, message: ActionResult) {
    let agent = core.agent_of(stream);
    let stream_number = core.streams[stream].number;
    let given_to_it = |number: &u64| {
        let call = &core.calls[number];
        call.state == CallState::Dispatched
            && call.provider.as_ref().is_some_and(|provider| provider.stream == stream_number)
    };
    let Some(number) = core.calls_by_id.get(message.id.as_str()).copied().filter(given_to_it) else {
        if let Some(late) = core.agents[agent].unanswered.remove(message.id.as_str()) {
            free_slot(core, agent, &late);
        }
        core.count(Counter::ResultsUnknown);
        let text = format!("call {} is not open with this session", quote(&message.id));
        let code = Code::UnknownCall.into();
        flow::reply(core, stream, Err { code, message: text.into(), r#ref: message.id, fatal: false });
        return;
    };
    core.count(Counter::CallsCompleted);
    take_from_provider(core, number, true);
    let call = &core.calls[&number];
    if let Some(key) = &call.key
        && matches!(message.status, OK | ERROR)
        && let Some(first) = call.waiters.values().next()
    {
        let (kept, content) = (with_id(&message, &first.own_id), results::content(&call.request));
        results::keep(core, key.clone(), content, kept);
    }
    end(core, number, CallTrigger::Result, Some(message));
}

/// A caller left; with the last one the call is cancelled (ACT-3, ACT-8).
pub fn abandon(core: &mut Core, token: u64) {
    let Some((number, place)) = core.waiters.get(&token).copied() else { return };
    drop_waiter(core, number, place);
    if core.calls[&number].waiters.is_empty() {
        core.count(Counter::CallsCancelled);
        give_up(core, number, CallTrigger::Abandon, Code::Cancelled);
    }
}

/// A caller's deadline passed (ACT-3).
pub fn waiter_over(core: &mut Core, token: u64) {
    let (number, place) = *core.waiters.get(&token).expect("a waiter's timer goes with it");
    let waiter = drop_waiter(core, number, place);
    let call = &core.calls[&number];
    let message = format!("capability {} did not answer in time", quote(&call.request.capability));
    let last = call.waiters.is_empty();
    core.emit(Answer { call: token, result: failure(waiter.own_id, TIMEOUT, Code::Timeout, message) });
    if last {
        core.count(Counter::CallsTimedOut);
        give_up(core, number, CallTrigger::Timeout, Code::Timeout);
    }
}

/// Nobody waits for the call any more; its provider is told, if it has it already.
fn give_up(core: &mut Core, number: u64, trigger: CallTrigger, code: Code) {
    let call = &core.calls[&number];
    if call.state == CallState::Dispatched {
        let id = call.id.to_string();
        let agent = provider_of(call).agent;
        let stream = core.agents[agent].stream.expect("a call is lost with its provider's stream");
        let unseen = core.streams[stream].outbox.remove_call(number);
        take_from_provider(core, number, unseen);
        if unseen {
            flow::pump(core, stream);
        } else if core.streams[stream].features.has(Feature::Cancel) {
            flow::reply(core, stream, ActionCancel { id, code: code.into() });
        }
    }
    end(core, number, trigger, None);
}

/// The provider's stream is gone or was taken over: its callers are told at once (ACT-4).
pub fn lose_provider(core: &mut Core, slot: AgentSlot) {
    let agent = &mut core.agents[slot];
    let stream = agent.stream;
    let lost = std::mem::take(&mut agent.open_calls);
    agent.running.clear();
    agent.unanswered.clear();
    let message = format!("agent {} was lost while it worked on the call", quote(&agent.agent_id));
    for number in lost.into_values() {
        if let Some(stream) = stream {
            core.streams[stream].outbox.remove_call(number);
        }
        fail(core, number, Code::ProviderLost, message.clone());
    }
    for name in core.agents[slot].capabilities.keys() {
        core.freed.add(name);
    }
}

/// Ends every call.
pub fn fail_all(core: &mut Core, code: Code, message: &str) {
    for agent in core.agents.values_mut() {
        agent.open_calls.clear();
        agent.running.clear();
        agent.unanswered.clear();
    }
    let open: Vec<u64> = core.calls.keys().copied().collect();
    for number in open {
        fail(core, number, code, message.to_owned());
    }
}

/// Looks again at the calls that wait for capabilities where something changed, in order.
pub fn settle(core: &mut Core) {
    while let Some(name) = core.freed.pop() {
        let Some(queue) = core.queues.get(&name) else { continue };
        let waiting: Vec<u64> = queue.calls.iter().copied().collect();
        for number in waiting {
            let call = &core.calls[&number];
            if nobody(core, &call.request).is_some() {
                let message = format!("the last provider of capability {} is gone", quote(&name));
                fail(core, number, Code::Unavailable, message);
            } else if let Some(provider) = choose(core, call) {
                unqueue(core, number);
                dispatch(core, number, provider);
            }
        }
    }
}

/// Ends a call for a reason that is not its own; the caller may try again.
fn fail(core: &mut Core, number: u64, code: Code, message: String) {
    core.count(Counter::CallsFailed);
    end(core, number, CallTrigger::Lose, Some(failure(String::new(), RETRYABLE, code, message)));
}

/// The call ends, once; whoever still waits is answered under its own id.
fn end(core: &mut Core, number: u64, trigger: CallTrigger, outcome: Option<ActionResult>) {
    if core.calls[&number].state == CallState::Queued {
        unqueue(core, number);
    }
    let mut call = core.calls.remove(&number).expect("a call ends once");
    call.state = step(CALL, call.state, trigger);
    core.calls_by_id.remove(&call.id);
    if let Some(key) = &call.key {
        core.calls_by_key.remove(key);
    }
    for waiter in call.waiters.into_values() {
        core.timers.cancel(TimerKind::Waiter, waiter.token);
        core.waiters.swap_remove(&waiter.token);
        let outcome = outcome.as_ref().expect("a call that is given up has no waiter left");
        core.emit(Answer { call: waiter.token, result: with_id(outcome, &waiter.own_id) });
    }
}

fn drop_waiter(core: &mut Core, number: u64, place: u64) -> Waiter {
    let call = core.calls.get_mut(&number).expect("who waits, waits for an open call");
    let waiter = call.waiters.remove(&place).expect("a waiter is dropped once");
    core.timers.cancel(TimerKind::Waiter, waiter.token);
    core.waiters.swap_remove(&waiter.token);
    waiter
}

fn unqueue(core: &mut Core, number: u64) {
    let call = &core.calls[&number];
    let name = &call.request.capability;
    let queue = core.queues.get_mut(name).expect("a queued call stands in its capability's queue");
    queue.calls.remove(&number);
    queue.bytes -= call.size;
    if queue.calls.is_empty() {
        core.queues.remove(name);
    }
}

/// The call is no longer open with its provider; its place is free once that has answered (ACT-7).
fn take_from_provider(core: &mut Core, number: u64, answered: bool) {
    let call = &core.calls[&number];
    let provider = provider_of(call).clone();
    let name = Arc::clone(&call.request.capability);
    let agent = &mut core.agents[provider.agent];
    agent.open_calls.remove(&provider.order);
    let bounded = agent.capabilities.get(&name).is_some_and(|offer| offer.max_concurrency.is_some());
    if answered || !bounded {
        free_slot(core, provider.agent, &name);
    } else {
        agent.unanswered.insert(Arc::clone(&call.id), name);
    }
}

fn provider_of(call: &Call) -> &Provider {
    call.provider.as_ref().expect("a dispatched call has a provider")
}

fn free_slot(core: &mut Core, slot: AgentSlot, name: &Arc<str>) {
    let running = &mut core.agents[slot].running;
    let left = running.get_mut(name).expect("a call that holds a place is counted");
    *left -= 1;
    if *left == 0 {
        running.remove(name);
    }
    if core.queues.contains_key(name) {
        core.freed.add(name);
    }
}

fn refuse(core: &mut Core, token: u64, own_id: String, (status, code, message): Refusal) {
    core.count(Counter::CallsRefused);
    core.emit(Answer { call: token, result: failure(own_id, status, code, message) });
}

fn failure(own_id: String, status: i32, code: Code, message: String) -> ActionResult {
    let error = ActionError { code: code.into(), message: message.into(), ..ActionError::default() };
    ActionResult { id: own_id, status, output: Bytes::new(), error: Some(Box::new(error)) }
}

fn with_id(outcome: &ActionResult, own_id: &str) -> ActionResult {
    ActionResult {
        id: own_id.to_owned(),
        status: outcome.status,
        output: outcome.output.clone(),
        error: outcome.error.clone(),
    }
}

/// One entry per name and version with a live provider; the lowest registration speaks for it (ACT-11).
pub fn callable_now(core: &Core) -> Vec<Capability> {
    let mut found = BTreeMap::new();
    for (name, offering) in &core.providers {
        let mut live: Vec<&Agent> = offering.iter().map(|slot| &core.agents[*slot]).collect();
        live.retain(|agent| agent.stream.is_some());
        live.sort_unstable_by_key(|agent| Reverse(agent.registration));
        for agent in live {
            let capability = &agent.capabilities[name].capability;
            found.insert((name, &capability.version), capability);
        }
    }
    found.into_values().cloned().collect()
}
