//! What an engine wants done. A shell carries these out in order, and does nothing else.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::messages::{ActionResult, Capability, ServerMessage, Subscription, is_ok, ok};
use crate::names::union;
use crate::text::Text;
use crate::trace::{action_result, is_default};

/// Answers `Register`. The shell adds server and limits, which are the bridge's own.
///
/// `error_code` is empty on success. `heartbeat_interval_ms` and `registration` are 0 on failure.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegisterReply {
    pub call: u64,
    #[serde(default, skip_serializing_if = "is_default")]
    pub error_code: Text,
    #[serde(default, skip_serializing_if = "is_default")]
    pub error_message: Text,
    #[serde(default, skip_serializing_if = "is_default")]
    pub features: Vec<Text>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub heartbeat_interval_ms: u64,
    #[serde(default, skip_serializing_if = "is_default")]
    pub registration: u64,
}

/// The handshake is accepted: send the response headers now (SES-3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accept {
    pub stream: u64,
}

/// Write this message; report it by `Writable` once the transport took it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Send {
    pub stream: u64,
    pub message: ServerMessage,
}

/// End the stream with a gRPC status (its name, such as `ABORTED`) after writing what was sent before.
///
/// `abrupt`: as a lost connection does, without writing what is still unwritten (CTL-4). The engine has
/// forgotten the stream; inputs about it are ignored from here on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct End {
    pub stream: u64,
    pub status: Text,
    #[serde(default, skip_serializing_if = "is_default")]
    pub message: Text,
    #[serde(default, skip_serializing_if = "is_default")]
    pub abrupt: bool,
}

/// Read no further message from this stream until `ResumeReading` (FLOW-2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PauseReading {
    pub stream: u64,
}

/// Read on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResumeReading {
    pub stream: u64,
}

/// The result of an `Invoke`, with the caller's own id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    pub call: u64,
    #[serde(with = "action_result")]
    pub result: ActionResult,
}

/// Answers `ListCapabilities`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CapabilitiesReply {
    pub call: u64,
    #[serde(default, skip_serializing_if = "is_default")]
    pub capabilities: Vec<Capability>,
}

/// Answers `Heartbeat`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeartbeatReply {
    pub call: u64,
    pub timestamp_ms: i64,
    #[serde(default = "ok", skip_serializing_if = "is_ok")]
    pub status: Text,
}

/// One agent in a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentSnapshot {
    pub agent_id: String,
    pub registration: u64,
    pub state: Text,
    pub epoch: u64,
    pub features: Vec<Text>,
    pub subscriptions: Vec<Subscription>,
    pub capabilities: Vec<String>,
    pub queued_events: u64,
    pub queued_bytes: u64,
    pub waiting_events: u64,
    pub open_calls: u64,
    pub paused: bool,
    pub held: bool,
}

/// One open call in a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallSnapshot {
    pub id: String,
    pub capability: String,
    pub state: Text,
    pub caller: String,
    pub provider: String,
    pub waiters: u64,
}

/// Answers `Snapshot`: what the engine holds. Counters that are 0 are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SnapshotReply {
    pub call: u64,
    pub now: u64,
    #[serde(default, skip_serializing_if = "is_default")]
    pub agents: Vec<AgentSnapshot>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub calls: Vec<CallSnapshot>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub counters: BTreeMap<Text, u64>,
}

/// After `DrainAll`: nothing is open any more, the bridge may stop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drained {}

union! {
    /// What an engine wants done.
    Output {
        RegisterReply(RegisterReply),
        Accept(Accept),
        Send(Send),
        End(End),
        PauseReading(PauseReading),
        ResumeReading(ResumeReading),
        Answer(Answer),
        CapabilitiesReply(CapabilitiesReply),
        HeartbeatReply(HeartbeatReply),
        SnapshotReply(Box<SnapshotReply>),
        Drained(Drained),
    }
}
