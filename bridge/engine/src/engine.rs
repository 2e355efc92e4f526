//! The engine: one namespace as a state machine.
//!
//! `handle(input, now)` is all there is: an input comes in with the time, outputs go out, and
//! `next_deadline()` says when to come again with a `Tick`. Each step first fires the timers that are due, then
//! takes the input, then looks again at calls that may go on. Nothing here does I/O, reads a clock or draws a
//! random number.

use crate::calls;
use crate::codes::Code;
use crate::core::Core;
use crate::drain;
use crate::flow;
use crate::inputs::{Input, Receive, Writable};
use crate::limits::Limits;
use crate::messages::{ClientMessage, Err, Pong, Unknown};
use crate::outputs::{CapabilitiesReply, HeartbeatReply, Output};
use crate::publish;
use crate::registration;
use crate::results;
use crate::sessions::{self, Cut};
use crate::snapshot;
use crate::states::StreamState;
use crate::stream::StreamSlot;
use crate::subscriptions;
use crate::timers::{Of, TimerKey, TimerKind};

/// One namespace.
#[derive(Debug)]
pub struct Engine {
    core: Core,
}

impl Engine {
    /// A namespace in which nobody is yet.
    ///
    /// `created`: when it began, microseconds since the Unix epoch; epochs and call ids count from it.
    /// `limits`: what it takes at the most.
    /// `liveness`: whether silent sessions are taken for dead (SES-7); off on a virtual clock unless asked for.
    pub fn new(created: u64, limits: Limits, liveness: bool) -> Self {
        Self { core: Core::new(created, limits, liveness) }
    }

    /// What it takes at the most.
    pub fn limits(&self) -> &Limits {
        &self.core.limits
    }

    /// The time of the last step, microseconds.
    pub fn now(&self) -> u64 {
        self.core.now
    }

    /// Whether nothing is left that anyone could come back to: the namespace may be forgotten.
    pub fn is_idle(&self) -> bool {
        let core = &self.core;
        core.agents.is_empty()
            && core.streams.is_empty()
            && core.calls.is_empty()
            && core.kept.is_empty()
            && core.producers.is_empty()
    }

    /// Takes one input at a time not before the last one's; answers what is to be done, in order.
    pub fn handle(&mut self, came_in: impl Into<Input>, now: u64) -> Vec<Output> {
        let core = &mut self.core;
        core.now = core.now.max(now);
        while let Some(key) = core.timers.pop_due(core.now) {
            fire(core, &key);
            calls::settle(core);
        }
        take(core, came_in.into());
        calls::settle(core);
        drain::proceed(core);
        std::mem::take(&mut core.outputs)
    }

    /// When `handle` is to be called with a `Tick` if nothing happens before; None for never.
    pub fn next_deadline(&self) -> Option<u64> {
        self.core.timers.next_deadline()
    }
}

fn take(core: &mut Core, came_in: Input) {
    match came_in {
        Input::Register(request) => registration::register(core, *request),
        Input::Open(it) => sessions::open_stream(core, it.stream),
        Input::Receive(it) => receive(core, it),
        Input::HalfClose(it) => on_stream(core, it.stream, sessions::half_closed),
        Input::Break(it) => on_stream(core, it.stream, sessions::broken),
        Input::Writable(it) => writable(core, &it),
        Input::Invoke(request) => calls::invoke(core, *request),
        Input::Abandon(it) => calls::abandon(core, it.call),
        Input::ListCapabilities(it) => {
            let capabilities = calls::callable_now(core);
            core.emit(CapabilitiesReply { call: it.call, capabilities });
        }
        Input::Heartbeat(it) => {
            core.emit(HeartbeatReply { call: it.call, timestamp_ms: it.timestamp_ms, status: "ok".into() })
        }
        Input::Tick(_) => {}
        Input::DrainAll(it) => drain::begin(core, it.grace_ms),
        Input::Snapshot(it) => {
            let reply = snapshot::take(core, it.call);
            core.emit(reply);
        }
        Input::Disconnect(it) => of_agent(core, &it.agent_id, disconnect),
        Input::Hold(it) => of_agent(core, &it.agent_id, flow::hold),
        Input::Release(it) => of_agent(core, &it.agent_id, flow::release),
        Input::Reset(_) => reset(core),
    }
}

fn receive(core: &mut Core, Receive { stream, message }: Receive) {
    let Some(slot) = core.streams_by_number.get(&stream).copied() else { return };
    match core.streams[slot].state {
        StreamState::Awaiting => sessions::handshake(core, slot, message),
        StreamState::Open => {
            flow::hear(core, slot);
            take_message(core, slot, message);
        }
        StreamState::Flushing | StreamState::Ended => {}
    }
}

fn take_message(core: &mut Core, stream: StreamSlot, message: ClientMessage) {
    match message {
        // Later Acks of a base-level client are ignored (SES-1).
        ClientMessage::Ack(_) => {}
        ClientMessage::Publish(message) => publish::publish(core, stream, message),
        ClientMessage::Ping(ping) => flow::reply(core, stream, Pong::to(ping.timestamp_ms)),
        ClientMessage::ActionResult(message) => calls::result(core, stream, message),
        ClientMessage::Subscribe(message) => subscriptions::subscribe(core, stream, message),
        ClientMessage::Unsubscribe(message) => subscriptions::unsubscribe(core, stream, message),
        ClientMessage::Goodbye(_) => sessions::leave(core, stream, "OK", None),
        ClientMessage::Unknown(message) => unknown(core, stream, &message),
    }
}

fn unknown(core: &mut Core, stream: StreamSlot, message: &Unknown) {
    let name = &message.name;
    let named = if name.is_empty() { "the message".to_owned() } else { format!("message {name}") };
    let text = format!("{named} is empty or not known to this bridge");
    let err = Err { code: Code::InvalidMessage.into(), message: text.into(), ..Err::default() };
    flow::reply(core, stream, err);
}

fn writable(core: &mut Core, it: &Writable) {
    let Some(slot) = core.streams_by_number.get(&it.stream).copied() else { return };
    flow::wrote(core, slot, it.count);
    if core.streams[slot].state == StreamState::Flushing {
        sessions::finish_flush(core, slot);
    }
}

fn reset(core: &mut Core) {
    calls::fail_all(core, Code::NamespaceReset, "the namespace was reset");
    for slot in core.streams_in_order() {
        if core.streams[slot].state == StreamState::Awaiting {
            sessions::refuse(core, slot, "UNAVAILABLE", Code::NamespaceReset, "");
        } else {
            sessions::cut(core, slot, "UNAVAILABLE", Code::NamespaceReset, Cut::Reset);
        }
    }
    let agents: Vec<_> = core.agents_by_id.values().copied().collect();
    for agent in agents {
        sessions::reset(core, agent);
    }
    core.forget_everything();
}

fn disconnect(core: &mut Core, stream: StreamSlot) {
    sessions::cut(core, stream, "UNAVAILABLE", Code::Unavailable, Cut::Abrupt);
}

/// For the control of a session by its agent's id; without a live stream there is nothing to do.
fn of_agent(core: &mut Core, agent_id: &str, act: impl FnOnce(&mut Core, StreamSlot)) {
    if let Some(stream) = core.live_stream(agent_id) {
        act(core, stream);
    }
}

/// For what belongs to a stream by the shell's number; one that is not there is forgotten already.
fn on_stream(core: &mut Core, number: u64, act: impl FnOnce(&mut Core, StreamSlot)) {
    if let Some(slot) = core.streams_by_number.get(&number).copied() {
        act(core, slot);
    }
}

fn fire(core: &mut Core, key: &TimerKey) {
    match (key.kind, &key.of) {
        (TimerKind::Handshake, Of::Number(stream)) => on_stream(core, *stream, sessions::handshake_over),
        (TimerKind::Liveness, Of::Number(stream)) => on_stream(core, *stream, sessions::liveness_over),
        (TimerKind::Flush, Of::Number(stream)) => on_stream(core, *stream, sessions::flush_over),
        (TimerKind::Slow, Of::Number(stream)) => on_stream(core, *stream, sessions::slow_over),
        (TimerKind::Expiry, Of::Number(stream)) => on_stream(core, *stream, expire),
        (TimerKind::Waiter, Of::Number(token)) => calls::waiter_over(core, *token),
        (TimerKind::Kept, Of::Number(_)) => results::forget_due(core),
        (TimerKind::Drain, Of::Number(_)) => drain::grace_over(core),
        (TimerKind::Lapse, Of::Name(agent_id)) => {
            let agent = core.agents_by_id.get(agent_id).copied();
            sessions::lapse(core, agent.expect("an agent that goes takes its timer with it"));
        }
        (TimerKind::Producer, Of::Name(producer)) => core.producers.remove(producer),
        (kind, of) => unreachable!("no {kind} timer belongs to {of:?}"),
    }
}

fn expire(core: &mut Core, stream: StreamSlot) {
    flow::expire(core, stream);
    if core.streams[stream].state == StreamState::Flushing {
        sessions::finish_flush(core, stream);
    }
}
