//! The state tables of the protocol, as data.
//!
//! Three things have a life of their own in an engine:
//!
//! * A **session** is what an agent is to the bridge. It begins with a registration, streams while the agent's
//!   event stream is accepted, and closes when the agent is gone. A second handshake for the same agent does
//!   not end the session's life: the newer stream takes it over (SES-4).
//! * A **stream** is one EventStream call. It awaits its handshake, is open, and ends. An agent that leaves in
//!   order is gone at once, while its stream goes on flushing what was queued (SES-6).
//! * A **call** waits in its capability's queue, is dispatched to one provider, and ends exactly once.
//!
//! Each table maps (state, trigger) to the next state. What is not in a table cannot happen: `step` refuses
//! it, so that a transition nobody wrote down shows at once. The twin in Python has the same tables, and the
//! diagrams in the documentation are drawn from those.

use std::fmt::Display;

use crate::names::names;

names! {
    /// What an agent is to the bridge.
    SessionState {
        New = "NEW",
        Registered = "REGISTERED",
        Streaming = "STREAMING",
        Closed = "CLOSED",
    }
}

names! {
    /// What moves a session.
    SessionTrigger {
        Register = "register",
        Handshake = "handshake",
        Lapse = "lapse",
        Leave = "leave",
        Lose = "lose",
        Reset = "reset",
    }
}

names! {
    /// Where one EventStream call stands.
    StreamState {
        Awaiting = "AWAITING",
        Open = "OPEN",
        Flushing = "FLUSHING",
        Ended = "ENDED",
    }
}

names! {
    /// What moves a stream.
    StreamTrigger {
        Accept = "accept",
        Refuse = "refuse",
        Leave = "leave",
        Supersede = "supersede",
        Cut = "cut",
        Break = "break",
        Flushed = "flushed",
    }
}

names! {
    /// Where a call stands.
    CallState {
        Queued = "QUEUED",
        Dispatched = "DISPATCHED",
        Completed = "COMPLETED",
        Failed = "FAILED",
        TimedOut = "TIMED_OUT",
        Cancelled = "CANCELLED",
    }
}

names! {
    /// What moves a call.
    CallTrigger {
        Dispatch = "dispatch",
        Result = "result",
        Lose = "lose",
        Timeout = "timeout",
        Abandon = "abandon",
    }
}

/// The state after a trigger.
pub type Transition<State, Trigger> = ((State, Trigger), State);

/// The life of a session.
pub const SESSION: &[Transition<SessionState, SessionTrigger>] = &[
    ((SessionState::New, SessionTrigger::Register), SessionState::Registered),
    ((SessionState::Registered, SessionTrigger::Register), SessionState::Registered),
    ((SessionState::Registered, SessionTrigger::Handshake), SessionState::Streaming),
    ((SessionState::Registered, SessionTrigger::Lapse), SessionState::Closed),
    ((SessionState::Registered, SessionTrigger::Reset), SessionState::Closed),
    ((SessionState::Streaming, SessionTrigger::Register), SessionState::Streaming),
    ((SessionState::Streaming, SessionTrigger::Handshake), SessionState::Streaming),
    ((SessionState::Streaming, SessionTrigger::Leave), SessionState::Closed),
    ((SessionState::Streaming, SessionTrigger::Lose), SessionState::Closed),
    ((SessionState::Streaming, SessionTrigger::Reset), SessionState::Closed),
];

/// The life of a stream.
pub const STREAM: &[Transition<StreamState, StreamTrigger>] = &[
    ((StreamState::Awaiting, StreamTrigger::Accept), StreamState::Open),
    ((StreamState::Awaiting, StreamTrigger::Refuse), StreamState::Ended),
    ((StreamState::Awaiting, StreamTrigger::Break), StreamState::Ended),
    ((StreamState::Open, StreamTrigger::Leave), StreamState::Flushing),
    ((StreamState::Open, StreamTrigger::Supersede), StreamState::Ended),
    ((StreamState::Open, StreamTrigger::Cut), StreamState::Ended),
    ((StreamState::Open, StreamTrigger::Break), StreamState::Ended),
    ((StreamState::Flushing, StreamTrigger::Flushed), StreamState::Ended),
    ((StreamState::Flushing, StreamTrigger::Cut), StreamState::Ended),
    ((StreamState::Flushing, StreamTrigger::Break), StreamState::Ended),
];

/// The life of a call.
pub const CALL: &[Transition<CallState, CallTrigger>] = &[
    ((CallState::Queued, CallTrigger::Dispatch), CallState::Dispatched),
    ((CallState::Queued, CallTrigger::Lose), CallState::Failed),
    ((CallState::Queued, CallTrigger::Timeout), CallState::TimedOut),
    ((CallState::Queued, CallTrigger::Abandon), CallState::Cancelled),
    ((CallState::Dispatched, CallTrigger::Result), CallState::Completed),
    ((CallState::Dispatched, CallTrigger::Lose), CallState::Failed),
    ((CallState::Dispatched, CallTrigger::Timeout), CallState::TimedOut),
    ((CallState::Dispatched, CallTrigger::Abandon), CallState::Cancelled),
];

/// The state after `trigger`.
///
/// # Panics
/// The table knows no such transition; the engine itself is wrong.
pub fn step<State, Trigger>(table: &[Transition<State, Trigger>], state: State, trigger: Trigger) -> State
where
    State: Copy + PartialEq + Display,
    Trigger: Copy + PartialEq + Display,
{
    table
        .iter()
        .find(|(from, _)| *from == (state, trigger))
        .map_or_else(|| panic!("no transition from {state} on {trigger}"), |(_, after)| *after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transition_of_the_table_is_taken() {
        assert_eq!(step(CALL, CallState::Queued, CallTrigger::Timeout), CallState::TimedOut);
    }

    #[test]
    #[should_panic(expected = "no transition from QUEUED on result")]
    fn no_other_is() {
        step(CALL, CallState::Queued, CallTrigger::Result);
    }
}
