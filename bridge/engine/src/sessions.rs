//! Handshakes, takeovers, goodbyes and losses: the life of sessions and streams (SES).

use std::sync::Arc;

use crate::agent::AgentSlot;
use crate::calls;
use crate::codes::Code;
use crate::core::{Core, ProducerKey};
use crate::counters::Counter;
use crate::flow;
use crate::limits::{Feature, micros};
use crate::messages::{Ack, ClientMessage, Err, Welcome};
use crate::outputs::{Accept, End, PauseReading};
use crate::publish;
use crate::registration::{remove_routes, withdraw};
use crate::states::{SESSION, STREAM, SessionTrigger, StreamState, StreamTrigger, step};
use crate::stream::{Stream, StreamSlot};
use crate::text::quote;
use crate::timers::TimerKind;

/// A stream was opened; its handshake is awaited (SES-1).
pub fn open_stream(core: &mut Core, number: u64) {
    let stream = Stream::new(number, core.next_opened(), core.limits.stream_window, core.now);
    let slot = core.streams.insert(stream);
    core.streams_by_number.insert(number, slot);
    if core.draining {
        refuse(core, slot, "UNAVAILABLE", Code::Draining, "");
        return;
    }
    core.timers.set(TimerKind::Handshake, number, core.now + micros(core.limits.handshake_ms));
}

/// Takes the first message of a stream (SES-1 to SES-4).
pub fn handshake(core: &mut Core, slot: StreamSlot, message: ClientMessage) {
    let ack = match message {
        ClientMessage::Ack(ack) if !ack.message_id.is_empty() => ack,
        _ => return refuse(core, slot, "INVALID_ARGUMENT", Code::HandshakeExpected, ""),
    };
    let Some(agent) = core.agents_by_id.get(ack.message_id.as_str()).copied() else {
        let named = format!("agent {} is not registered", quote(&ack.message_id));
        return refuse(core, slot, "FAILED_PRECONDITION", Code::NotRegistered, &named);
    };
    if ack.registration != 0 && ack.registration != core.agents[agent].registration {
        return refuse(core, slot, "FAILED_PRECONDITION", Code::StaleRegistration, "");
    }
    accept(core, slot, agent, &ack);
}

fn accept(core: &mut Core, slot: StreamSlot, agent_slot: AgentSlot, ack: &Ack) {
    let epoch = core.next_epoch();
    let agent = &mut core.agents[agent_slot];
    let stream = &mut core.streams[slot];
    let number = stream.number;
    core.timers.cancel(TimerKind::Handshake, number);
    core.timers.cancel(TimerKind::Lapse, &agent.agent_id);
    let older = agent.stream;
    stream.state = step(STREAM, stream.state, StreamTrigger::Accept);
    agent.state = step(SESSION, agent.state, SessionTrigger::Handshake);
    stream.agent_id = Arc::clone(&agent.agent_id);
    stream.agent = Some(agent_slot);
    stream.epoch = epoch;
    stream.features = agent.features;
    core.count(Counter::StreamsAccepted);
    let older = older.map(|older| supersede(core, agent_slot, older));
    core.agents[agent_slot].stream = Some(slot);
    adopt_producer(core, slot, ack.producer);
    core.emit(Accept { stream: number });
    let stream = &mut core.streams[slot];
    if stream.features.has(Feature::Session) {
        let welcome = Welcome { epoch, resumed: false, lost: 0, credit: 0 };
        flow::send_now(&mut core.outputs, stream, welcome);
    }
    if let Some(older) = older {
        stream.outbox.take_copies_of(older.outbox);
    }
    if core.charges.contains_key(&stream.agent_id) {
        stream.paused = true;
        core.emit(PauseReading { stream: number });
    } else {
        flow::hear(core, slot);
    }
    flow::pump(core, slot);
    for name in core.agents[agent_slot].capabilities.keys() {
        core.freed.add(name);
    }
}

/// Ends the stream that a newer one takes over; what is queued for the agent stays with the agent.
fn supersede(core: &mut Core, agent: AgentSlot, older: StreamSlot) -> Box<Stream> {
    core.count(Counter::StreamsSuperseded);
    calls::lose_provider(core, agent);
    let mut older = forget_stream(core, older, StreamTrigger::Supersede);
    say_fatal(core, &mut older, Code::Superseded);
    end(core, &older, "ABORTED", Code::Superseded, "");
    older
}

/// Finds or makes the list of what this producer published (PUB-9).
fn adopt_producer(core: &mut Core, slot: StreamSlot, producer: u64) {
    let stream = &mut core.streams[slot];
    if producer == 0 || !stream.features.has(Feature::Confirm) {
        return;
    }
    let key = publish::producer_key(&stream.agent_id, producer);
    stream.producer = Some(Arc::clone(&key));
    core.timers.cancel(TimerKind::Producer, &key);
    if !core.producers.contains(&key) {
        make_room_for_producer(core);
        core.producers.add(key);
    }
}

fn make_room_for_producer(core: &mut Core) {
    if (core.producers.len() as u64) < core.limits.producers {
        return;
    }
    let is_idle = |key: &&ProducerKey| core.timers.is_set(TimerKind::Producer, *key);
    let idle = core.producers.keys().find(is_idle).cloned();
    if let Some(key) = idle {
        core.timers.cancel(TimerKind::Producer, &key);
        core.producers.remove(&key);
    }
}

/// Ends a stream whose handshake was not accepted.
pub fn refuse(core: &mut Core, slot: StreamSlot, status: &'static str, code: Code, message: &str) {
    let stream = forget_stream(core, slot, StreamTrigger::Refuse);
    end(core, &stream, status, code, message);
}

/// The time for the handshake has passed (SES-1).
pub fn handshake_over(core: &mut Core, slot: StreamSlot) {
    refuse(core, slot, "DEADLINE_EXCEEDED", Code::HandshakeTimeout, "");
}

/// The client sends nothing more (SES-6).
pub fn half_closed(core: &mut Core, slot: StreamSlot) {
    match core.streams[slot].state {
        StreamState::Awaiting => refuse(core, slot, "INVALID_ARGUMENT", Code::HandshakeExpected, ""),
        StreamState::Open => leave(core, slot, "OK", None),
        StreamState::Flushing | StreamState::Ended => {}
    }
}

/// The agent is gone; its stream flushes what was queued, then ends with `status` (SES-6).
pub fn leave(core: &mut Core, slot: StreamSlot, status: &'static str, code: Option<Code>) {
    gone(core, core.agent_of(slot), SessionTrigger::Leave);
    let stream = &mut core.streams[slot];
    stream.state = step(STREAM, stream.state, StreamTrigger::Leave);
    stream.agent = None;
    stream.end_status = status;
    stream.end_message = code.map(|code| sentence(code, "").into()).unwrap_or_default();
    let number = stream.number;
    core.timers.cancel(TimerKind::Liveness, number);
    core.timers.cancel(TimerKind::Slow, number);
    core.timers.set(TimerKind::Flush, number, core.now + micros(core.limits.goodbye_flush_ms));
    finish_flush(core, slot);
}

/// Ends a flushing stream once everything is written.
pub fn finish_flush(core: &mut Core, slot: StreamSlot) {
    let stream = &core.streams[slot];
    let unwritten = i128::from(core.limits.stream_window) > i128::from(stream.credit);
    if stream.outbox.queue.is_empty() && stream.outbox.waiting.is_empty() && !unwritten {
        end_flush(core, slot, StreamTrigger::Flushed);
    }
}

/// The time for flushing has passed; what is left is discarded.
pub fn flush_over(core: &mut Core, slot: StreamSlot) {
    end_flush(core, slot, StreamTrigger::Cut);
}

fn end_flush(core: &mut Core, slot: StreamSlot, trigger: StreamTrigger) {
    let stream = forget_stream(core, slot, trigger);
    let Stream { number, end_status, end_message, outbox, .. } = *stream;
    core.emit(End { stream: number, status: end_status.into(), message: end_message, abrupt: false });
    publish::discard(core, outbox);
}

/// The stream is lost: the agent is gone at once (SES-6).
pub fn broken(core: &mut Core, slot: StreamSlot) {
    if core.streams[slot].state == StreamState::Open {
        gone(core, core.agent_of(slot), SessionTrigger::Lose);
    }
    let stream = forget_stream(core, slot, StreamTrigger::Break);
    publish::discard(core, stream.outbox);
}

/// How a bridge ends a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// The client is told why.
    Told,
    /// The same, its namespace being reset.
    Reset,
    /// As a lost connection does.
    Abrupt,
}

/// The bridge ends an open or flushing stream, saying why unless it is to look like a lost connection.
pub fn cut(core: &mut Core, slot: StreamSlot, status: &'static str, code: Code, how: Cut) {
    if core.streams[slot].state == StreamState::Open {
        let trigger = if how == Cut::Reset { SessionTrigger::Reset } else { SessionTrigger::Lose };
        gone(core, core.agent_of(slot), trigger);
    }
    let mut stream = forget_stream(core, slot, StreamTrigger::Cut);
    core.count(Counter::StreamsCut);
    if how == Cut::Abrupt {
        let message = "the connection was cut".into();
        core.emit(End { stream: stream.number, status: status.into(), message, abrupt: true });
    } else {
        say_fatal(core, &mut stream, code);
        end(core, &stream, status, code, "");
    }
    publish::discard(core, stream.outbox);
}

/// A silent client is taken for dead, unless it was heard from since the timer was set (SES-7).
pub fn liveness_over(core: &mut Core, slot: StreamSlot) {
    match flow::liveness_deadline(core, slot) {
        None => {}
        Some(deadline) if deadline > core.now => {
            core.timers.set(TimerKind::Liveness, core.streams[slot].number, deadline);
        }
        Some(_) => cut(core, slot, "UNAVAILABLE", Code::HeartbeatTimeout, Cut::Told),
    }
}

/// A full subscriber's transport made no progress for too long (FLOW-3).
pub fn slow_over(core: &mut Core, slot: StreamSlot) {
    cut(core, slot, "RESOURCE_EXHAUSTED", Code::SlowConsumer, Cut::Told);
}

/// A registration whose stream was not opened in time is forgotten (REG-4).
pub fn lapse(core: &mut Core, agent: AgentSlot) {
    gone(core, agent, SessionTrigger::Lapse);
}

/// An agent without a stream goes with its namespace (CTL-4).
pub fn reset(core: &mut Core, agent: AgentSlot) {
    gone(core, agent, SessionTrigger::Reset);
}

/// The agent is gone: nobody hears of it, its calls are lost, what it offered is withdrawn.
fn gone(core: &mut Core, slot: AgentSlot, trigger: SessionTrigger) {
    let agent = &mut core.agents[slot];
    agent.state = step(SESSION, agent.state, trigger);
    core.timers.cancel(TimerKind::Lapse, &agent.agent_id);
    core.agents_by_id.remove(&agent.agent_id);
    core.count(Counter::AgentsGone);
    remove_routes(core, slot, |_| true);
    withdraw(core, slot);
    calls::lose_provider(core, slot);
    core.agents.remove(slot);
}

fn forget_stream(core: &mut Core, slot: StreamSlot, trigger: StreamTrigger) -> Box<Stream> {
    let adopted = is_adopted(core, slot);
    let mut stream = core.streams.remove(slot);
    stream.state = step(STREAM, stream.state, trigger);
    let number = stream.number;
    core.streams_by_number.swap_remove(&number);
    for kind in
        [TimerKind::Handshake, TimerKind::Liveness, TimerKind::Flush, TimerKind::Slow, TimerKind::Expiry]
    {
        core.timers.cancel(kind, number);
    }
    if let Some(key) = &stream.producer
        && !adopted
        && core.producers.contains(key)
    {
        core.timers.set(TimerKind::Producer, key, core.now + micros(core.limits.producer_ms));
    }
    stream
}

/// Whether a newer stream of the agent goes on with the producer of this one (SES-5).
fn is_adopted(core: &Core, slot: StreamSlot) -> bool {
    let stream = &core.streams[slot];
    let newer = core.live_stream(&stream.agent_id).filter(|newer| *newer != slot);
    newer.is_some_and(|newer| core.streams[newer].producer == stream.producer)
}

fn say_fatal(core: &mut Core, stream: &mut Stream, code: Code) {
    let err = Err { code: code.into(), message: code.meaning().into(), fatal: true, ..Err::default() };
    flow::send_now(&mut core.outputs, stream, err);
}

fn end(core: &mut Core, stream: &Stream, status: &'static str, code: Code, message: &str) {
    let message = sentence(code, message).into();
    core.emit(End { stream: stream.number, status: status.into(), message, abrupt: false });
}

fn sentence(code: Code, message: &str) -> String {
    let message = if message.is_empty() { code.meaning() } else { message };
    format!("{code}: {message}")
}
