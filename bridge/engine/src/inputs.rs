//! What can happen to an engine. A shell turns the world into these, and `Engine::handle` takes them.
//!
//! `stream` and `call` are numbers the shell chooses, unique while the stream or call is open; the engine only
//! hands them back. A shell never reuses one.

use serde::{Deserialize, Serialize};

use crate::messages::{ActionCall, Capability, ClientMessage, Map, Subscription};
use crate::names::union;
use crate::trace::{action_call, is_default};

/// RegisterAgent was called (REG). Answered by `RegisterReply`, at once.
///
/// `echo` is None where the client left it unset.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Register {
    pub call: u64,
    pub agent_id: String,
    #[serde(default, skip_serializing_if = "is_default")]
    pub subscribed_topics: Vec<String>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub capabilities: Vec<Capability>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub metadata: Map,
    #[serde(default, skip_serializing_if = "is_default")]
    pub subscriptions: Vec<Subscription>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub features: Vec<String>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub echo: Option<bool>,
}

/// EventStream was called; the handshake is awaited (SES-1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Open {
    pub stream: u64,
}

/// A message came in on a stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receive {
    pub stream: u64,
    pub message: ClientMessage,
}

/// The client will send nothing more, and left in order (SES-6).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HalfClose {
    pub stream: u64,
}

/// The stream was reset or its connection lost (SES-6).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Break {
    pub stream: u64,
}

/// The transport took `count` of the messages given out by `Send` (FLOW-1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Writable {
    pub stream: u64,
    pub count: u32,
}

/// ForwardAction or Invoke was called (ACT). Answered by one `Answer`, unless abandoned before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Invoke {
    pub call: u64,
    #[serde(with = "action_call")]
    pub request: ActionCall,
}

/// The caller of an open call left (ACT-3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Abandon {
    pub call: u64,
}

/// ListCapabilities was called (ACT-11). Answered by `CapabilitiesReply`, at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListCapabilities {
    pub call: u64,
}

/// The unary Heartbeat was called (HB-1). Answered by `HeartbeatReply`, at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Heartbeat {
    pub call: u64,
    pub timestamp_ms: i64,
}

/// Time has come to `next_deadline()`; nothing else happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tick {}

/// The bridge is about to stop (LIM-3). `Drained` follows when nothing is open any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DrainAll {
    pub grace_ms: u64,
}

/// A test looks inside (CTL-1). Answered by `SnapshotReply`, at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    pub call: u64,
}

/// A test breaks an agent's stream (CTL-4). No effect without one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disconnect {
    pub agent_id: String,
}

/// A test stops the writes to an agent (CTL-4): nothing is sent until `Release`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hold {
    pub agent_id: String,
}

/// A test lets the writes go on (CTL-4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    pub agent_id: String,
}

/// A test ends every session and call and forgets everything (CTL-4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reset {}

union! {
    /// What can happen to an engine.
    Input {
        Register(Box<Register>),
        Open(Open),
        Receive(Receive),
        HalfClose(HalfClose),
        Break(Break),
        Writable(Writable),
        Invoke(Box<Invoke>),
        Abandon(Abandon),
        ListCapabilities(ListCapabilities),
        Heartbeat(Heartbeat),
        Tick(Tick),
        DrainAll(DrainAll),
        Snapshot(Snapshot),
        Disconnect(Disconnect),
        Hold(Hold),
        Release(Release),
        Reset(Reset),
    }
}
