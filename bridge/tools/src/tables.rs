//! The engine's names and tables as JSON, for the test that compares the twins.

use std::fmt::Display;
use std::io::Write;

use loom_engine::Limits;
use loom_engine::codes::Code;
use loom_engine::counters::Counter;
use loom_engine::inputs::Input;
use loom_engine::limits::FEATURES;
use loom_engine::messages::{ClientMessage, ServerMessage};
use loom_engine::outputs::Output;
use loom_engine::states::{
    CALL, CallState, CallTrigger, SESSION, STREAM, SessionState, SessionTrigger, StreamState, StreamTrigger,
    Transition,
};
use loom_engine::timers::TimerKind;
use loom_engine::topics::{AGENT_ID_BYTES, TOPIC_BYTES};
use loom_engine::trace::VERSION;
use serde_json::{Map, Value, json};

use crate::Failure;

/// Prints the tables.
pub fn print(out: &mut impl Write) -> Result<(), Failure> {
    writeln!(out, "{:#}", tables())?;
    Ok(())
}

fn tables() -> Value {
    let codes = Code::ALL.iter().map(|code| (code.to_string(), code.meaning().into()));
    let limits = Limits::default().all().into_iter().map(|(name, value)| (name.to_owned(), value.into()));
    json!({
        "trace": VERSION,
        "states": {
            "SessionState": names(SessionState::ALL),
            "SessionTrigger": names(SessionTrigger::ALL),
            "StreamState": names(StreamState::ALL),
            "StreamTrigger": names(StreamTrigger::ALL),
            "CallState": names(CallState::ALL),
            "CallTrigger": names(CallTrigger::ALL),
        },
        "transitions": {
            "SESSION": transitions(SESSION),
            "STREAM": transitions(STREAM),
            "CALL": transitions(CALL),
        },
        "timers": names(TimerKind::ALL),
        "counters": names(Counter::ALL),
        "inputs": Input::KINDS,
        "outputs": Output::KINDS,
        "client_messages": ClientMessage::KINDS,
        "server_messages": ServerMessage::KINDS,
        "features": FEATURES,
        "limits": limits.collect::<Map<_, _>>(),
        "topics": {"TOPIC_BYTES": TOPIC_BYTES, "AGENT_ID_BYTES": AGENT_ID_BYTES},
        "codes": codes.collect::<Map<_, _>>(),
    })
}

fn names(members: &[impl Display]) -> Vec<String> {
    members.iter().map(ToString::to_string).collect()
}

fn transitions(table: &[Transition<impl Display, impl Display>]) -> Vec<[String; 3]> {
    table.iter().map(|((from, on), to)| [from.to_string(), on.to_string(), to.to_string()]).collect()
}
