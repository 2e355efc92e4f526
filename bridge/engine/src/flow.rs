//! Queues, and who is slowed when one is full (FLOW, PUB-7).
//!
//! Whatever goes out to an agent passes through here. The shell takes at most a window of messages and reports
//! what its transport took; the rest stays in the engine, where it is counted, expires, and can be taken back.
//! A copy that finds no room waits and is charged to its publisher, whose stream is read no further until it is
//! queued.

use std::sync::Arc;

use crate::codes::Code;
use crate::core::Core;
use crate::counters::Counter;
use crate::limits::{Feature, Limits, micros};
use crate::messages::{Delivery, Err, ServerMessage};
use crate::outbox::{Copy, Entry, HandedCall, Published, REALTIME, Reply};
use crate::outputs::{Output, PauseReading, ResumeReading, Send};
use crate::states::StreamState;
use crate::stream::{Stream, StreamSlot};
use crate::timers::TimerKind;

/// Queues a message of the bridge itself, behind what is queued already (HB-2).
pub fn reply(core: &mut Core, stream: StreamSlot, message: impl Into<ServerMessage>) {
    core.streams[stream].outbox.append(Entry::Reply(Reply { message: message.into() }));
    pump(core, stream);
}

/// Queues a call; that there is room was made sure of.
pub fn hand(core: &mut Core, stream: StreamSlot, call: HandedCall) {
    core.streams[stream].outbox.append(Entry::HandedCall(call));
    pump(core, stream);
}

/// Queues a copy; where there is no room, drops it or lets it wait, by its QoS (FLOW-1).
pub fn give(core: &mut Core, stream: StreamSlot, copy: Copy) {
    let outbox = &mut core.streams[stream].outbox;
    if copy.qos == REALTIME {
        give_realtime(core, stream, copy);
    } else if !outbox.waiting.is_empty() || !outbox.has_room(copy.published.event.len(), &core.limits) {
        let publisher = Arc::clone(&copy.published.publisher);
        outbox.wait(copy);
        charge(core, &publisher);
    } else {
        outbox.append(Entry::Copy(copy));
    }
    pump(core, stream);
}

fn give_realtime(core: &mut Core, stream: StreamSlot, copy: Copy) {
    let stream = &mut core.streams[stream];
    while !stream.outbox.has_room(copy.published.event.len(), &core.limits) {
        let dropped = stream.outbox.drop_realtime();
        core.counters.add(Counter::CopiesDropped);
        stream.dropped += 1;
        if !dropped {
            return;
        }
    }
    stream.outbox.append(Entry::Copy(copy));
}

/// Sends what the shell has room for, and sees to everything that follows from it.
pub fn pump(core: &mut Core, slot: StreamSlot) {
    loop {
        let stream = &mut core.streams[slot];
        if stream.credit <= 0 || stream.held {
            break;
        }
        if stream.dropped > 0 {
            let notice = dropped_notice(stream);
            send_now(&mut core.outputs, stream, notice);
            continue;
        }
        match stream.outbox.pop() {
            None => break,
            Some(Entry::Copy(copy)) => deliver(core, slot, &copy),
            Some(Entry::HandedCall(call)) => {
                send_now(&mut core.outputs, stream, ServerMessage::ActionCall(call.message));
            }
            Some(Entry::Reply(reply)) => send_now(&mut core.outputs, stream, reply.message),
        }
        admit(core, slot);
    }
    watch(core, slot);
}

/// Sends past the queue.
pub fn send_now(outputs: &mut Vec<Output>, stream: &mut Stream, message: impl Into<ServerMessage>) {
    stream.credit -= 1;
    outputs.push(Output::Send(Send { stream: stream.number, message: message.into() }));
}

fn deliver(core: &mut Core, slot: StreamSlot, copy: &Copy) {
    let stream = &mut core.streams[slot];
    let mut seq = 0;
    if stream.features.has(Feature::Session) {
        stream.seq += 1;
        seq = stream.seq;
    }
    core.counters.add(Counter::CopiesSent);
    let Published { topic, event, .. } = &*copy.published;
    send_now(&mut core.outputs, stream, Delivery { topic: Arc::clone(topic), event: event.clone(), seq });
}

fn dropped_notice(stream: &mut Stream) -> Err {
    let dropped = std::mem::take(&mut stream.dropped);
    let events = if dropped == 1 { "event was" } else { "events were" };
    let message = format!("{dropped} realtime {events} dropped because the queue was full");
    Err { code: Code::EventsDropped.into(), message: message.into(), ..Err::default() }
}

/// Lets waiting copies into the queue while there is room.
fn admit(core: &mut Core, slot: StreamSlot) {
    while let Some(published) = core.streams[slot].outbox.admit(&core.limits) {
        discharge(core, &published.publisher);
    }
}

fn charge(core: &mut Core, publisher: &Arc<str>) {
    *core.charges.entry(Arc::clone(publisher)).or_default() += 1;
    read_or_pause_agent(core, publisher);
}

/// A copy waits no longer; its publisher is read again once none of its copies waits.
pub fn discharge(core: &mut Core, publisher: &Arc<str>) {
    let left = core.charges.get_mut(publisher).expect("a waiting copy is charged to its publisher");
    *left -= 1;
    if *left == 0 {
        core.charges.remove(publisher);
        read_or_pause_agent(core, publisher);
    }
}

fn read_or_pause_agent(core: &mut Core, agent_id: &str) {
    if let Some(stream) = core.live_stream(agent_id) {
        read_or_pause(core, stream);
    }
}

/// Stops reading while copies of this client's events wait, or while it does not take its replies.
pub fn read_or_pause(core: &mut Core, slot: StreamSlot) {
    let stream = &mut core.streams[slot];
    if stream.state != StreamState::Open {
        return;
    }
    let replies = stream.outbox.replies;
    let most = core.limits.stream_replies;
    let backlog = if stream.paused { replies > most / 2 } else { replies >= most };
    let pause = backlog || core.charges.contains_key(&stream.agent_id);
    if pause == stream.paused {
        return;
    }
    stream.paused = pause;
    let number = stream.number;
    if pause {
        core.timers.cancel(TimerKind::Liveness, number);
        core.emit(PauseReading { stream: number });
    } else {
        hear(core, slot);
        core.emit(ResumeReading { stream: number });
    }
}

/// The client was heard from. A running liveness timer is left: it looks again itself.
pub fn hear(core: &mut Core, slot: StreamSlot) {
    let stream = &mut core.streams[slot];
    stream.last_heard = core.now;
    let number = stream.number;
    if !core.timers.is_set(TimerKind::Liveness, number)
        && let Some(deadline) = liveness_deadline(core, slot)
    {
        core.timers.set(TimerKind::Liveness, number, deadline);
    }
}

/// When a silent client is taken for dead, or None where it never is (SES-7, CTL-2).
pub fn liveness_deadline(core: &Core, slot: StreamSlot) -> Option<u64> {
    let stream = &core.streams[slot];
    if !core.liveness || stream.paused || !stream.features.has(Feature::Session) {
        return None;
    }
    Some(stream.last_heard + micros(core.limits.heartbeat_interval_ms).saturating_mul(3))
}

/// Sets what follows from the state of the queue: reading, timers, calls that wait for room.
fn watch(core: &mut Core, slot: StreamSlot) {
    read_or_pause(core, slot);
    watch_expiry(core, slot);
    let stream = &core.streams[slot];
    let number = stream.number;
    if !(stream.state == StreamState::Open && is_pressed(stream, &core.limits)) {
        core.timers.cancel(TimerKind::Slow, number);
    } else if !core.timers.is_set(TimerKind::Slow, number) {
        core.timers.set(TimerKind::Slow, number, core.now + micros(core.limits.slow_consumer_ms));
    }
    if !core.queues.is_empty()
        && let Some(agent) = core.agent_named_by(&core.streams[slot])
    {
        for name in core.agents[agent].capabilities.keys() {
            if core.queues.contains_key(name) {
                core.freed.add(name);
            }
        }
    }
}

/// Whether the queue is full, so that a transport without progress is a slow consumer (FLOW-3).
fn is_pressed(stream: &Stream, limits: &Limits) -> bool {
    let outbox = &stream.outbox;
    !outbox.waiting.is_empty() || !outbox.has_room(1, limits) || outbox.replies >= limits.stream_replies
}

fn watch_expiry(core: &mut Core, slot: StreamSlot) {
    let stream = &mut core.streams[slot];
    let expiry = stream.outbox.next_expiry();
    if expiry == stream.expiry {
        return;
    }
    stream.expiry = expiry;
    match expiry {
        None => core.timers.cancel(TimerKind::Expiry, stream.number),
        Some(expiry) => core.timers.set(TimerKind::Expiry, stream.number, expiry),
    }
}

/// Takes out the copies whose time has passed (PUB-7).
pub fn expire(core: &mut Core, slot: StreamSlot) {
    core.streams[slot].expiry = None;
    while let Some((copy, waited)) = core.streams[slot].outbox.expire(core.now) {
        core.count(Counter::CopiesExpired);
        if waited {
            discharge(core, &copy.published.publisher);
        }
    }
    admit(core, slot);
    pump(core, slot);
}

/// The transport took messages: progress, and room for more.
pub fn wrote(core: &mut Core, slot: StreamSlot, count: u32) {
    let stream = &mut core.streams[slot];
    stream.credit += i64::from(count);
    core.timers.cancel(TimerKind::Slow, stream.number);
    pump(core, slot);
}

/// Writes nothing more (CTL-4).
pub fn hold(core: &mut Core, slot: StreamSlot) {
    core.streams[slot].held = true;
}

/// Writes again (CTL-4).
pub fn release(core: &mut Core, slot: StreamSlot) {
    core.streams[slot].held = false;
    pump(core, slot);
}
