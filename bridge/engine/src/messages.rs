//! The messages that cross the engine's border, as plain data.
//!
//! They mirror `loom.v1` field for field, so that a shell's codec only copies. What the engine merely
//! carries (an event, a payload, an answer) is [`Bytes`], and cheap to copy.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::names::union;
use crate::text::Text;
use crate::trace::{base64_bytes, is_default, optional_base64_bytes};

/// Metadata, headers, details: sorted by key.
pub type Map = BTreeMap<String, String>;

/// One subscription; `qos` is None where the client left it unset.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subscription {
    pub topic: String,
    #[serde(default, skip_serializing_if = "is_default")]
    pub event_types: Vec<String>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub qos: Option<i32>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub group: String,
    #[serde(default, skip_serializing_if = "is_default")]
    pub observer: bool,
}

/// One capability an agent offers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capability {
    pub name: String,
    #[serde(default, skip_serializing_if = "is_default")]
    pub version: String,
    #[serde(default, skip_serializing_if = "is_default")]
    pub provider: i32,
    #[serde(default, skip_serializing_if = "is_default")]
    pub metadata: Map,
}

/// Why a call failed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActionError {
    pub code: Text,
    #[serde(default, skip_serializing_if = "is_default")]
    pub message: Text,
    #[serde(default, skip_serializing_if = "is_default")]
    pub details: Map,
}

// What a client sends on its stream.

/// The handshake; later, what is done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ack {
    #[serde(default, skip_serializing_if = "is_default")]
    pub message_id: String,
    #[serde(default, skip_serializing_if = "is_default")]
    pub epoch: u64,
    #[serde(default, skip_serializing_if = "is_default")]
    pub seq: u64,
    #[serde(default, skip_serializing_if = "is_default")]
    pub done: Vec<(u64, u64)>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub registration: u64,
    #[serde(default, skip_serializing_if = "is_default")]
    pub producer: u64,
}

/// An event for a topic; `event` is None where the client sent none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Publish {
    pub topic: Arc<str>,
    #[serde(default, skip_serializing_if = "is_default", with = "optional_base64_bytes")]
    pub event: Option<Bytes>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub confirm: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    pub pub_seq: u64,
}

/// Asks for a pong.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ping {
    #[serde(default, skip_serializing_if = "is_default")]
    pub timestamp_ms: i64,
}

/// How a call ended: from a provider, and to a caller.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActionResult {
    pub id: String,
    #[serde(default, skip_serializing_if = "is_default")]
    pub status: i32,
    #[serde(default, skip_serializing_if = "is_default", with = "base64_bytes")]
    pub output: Bytes,
    #[serde(default, skip_serializing_if = "is_default")]
    pub error: Option<Box<ActionError>>,
}

/// Adds subscriptions to the live session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subscribe {
    #[serde(default, skip_serializing_if = "is_default")]
    pub r#ref: u64,
    #[serde(default, skip_serializing_if = "is_default")]
    pub subscriptions: Vec<Subscription>,
}

/// Takes subscriptions of the same topic and group back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unsubscribe {
    #[serde(default, skip_serializing_if = "is_default")]
    pub r#ref: u64,
    #[serde(default, skip_serializing_if = "is_default")]
    pub subscriptions: Vec<Subscription>,
}

/// The client leaves.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Goodbye {
    #[serde(default, skip_serializing_if = "is_default")]
    pub reason: String,
}

/// A message this engine does not know; `name` tells which where the shell can.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unknown {
    #[serde(default, skip_serializing_if = "is_default")]
    pub name: String,
}

union! {
    /// What a client sends on its stream.
    ClientMessage {
        Ack(Ack),
        Publish(Publish),
        Ping(Ping),
        ActionResult(ActionResult),
        Subscribe(Subscribe),
        Unsubscribe(Unsubscribe),
        Goodbye(Goodbye),
        Unknown(Unknown),
    }
}

// What a bridge sends on a stream.

/// An event for the agent; `seq` is 0 where the session has no `session` feature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delivery {
    pub topic: Arc<str>,
    #[serde(with = "base64_bytes")]
    pub event: Bytes,
    #[serde(default, skip_serializing_if = "is_default")]
    pub seq: u64,
}

/// The answer to a ping.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pong {
    #[serde(default, skip_serializing_if = "is_default")]
    pub timestamp_ms: i64,
    #[serde(default = "ok", skip_serializing_if = "is_ok")]
    pub status: Text,
}

/// Something was refused, or (fatal) the stream ends.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Err {
    pub code: Text,
    pub message: Text,
    #[serde(default, skip_serializing_if = "is_default")]
    pub r#ref: String,
    #[serde(default, skip_serializing_if = "is_default")]
    pub fatal: bool,
}

/// A call: from a caller, and to a provider.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActionCall {
    #[serde(default, skip_serializing_if = "is_default")]
    pub id: String,
    #[serde(default, skip_serializing_if = "is_default")]
    pub capability: Arc<str>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub version: String,
    #[serde(default, skip_serializing_if = "is_default", with = "base64_bytes")]
    pub payload: Bytes,
    #[serde(default, skip_serializing_if = "is_default")]
    pub headers: Map,
    #[serde(default, skip_serializing_if = "is_default")]
    pub timeout_ms: i64,
    #[serde(default, skip_serializing_if = "is_default")]
    pub correlation_id: String,
    #[serde(default, skip_serializing_if = "is_default")]
    pub qos: i32,
}

/// The first message of a session with the `session` feature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Welcome {
    pub epoch: u64,
    #[serde(default, skip_serializing_if = "is_default")]
    pub resumed: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    pub lost: u64,
    #[serde(default, skip_serializing_if = "is_default")]
    pub credit: u64,
}

/// The outcome of a confirmed publish or of a change of subscriptions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    pub r#ref: u64,
    #[serde(default, skip_serializing_if = "is_default")]
    pub matched: u64,
    #[serde(default, skip_serializing_if = "is_default")]
    pub code: Text,
}

/// Nobody waits for a call any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActionCancel {
    pub id: String,
    pub code: Text,
}

/// The bridge is about to stop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drain {
    pub grace_ms: u64,
}

union! {
    /// What a bridge sends on a stream.
    ServerMessage {
        Delivery(Delivery),
        Pong(Pong),
        Err(Err),
        ActionCall(Box<ActionCall>),
        Welcome(Welcome),
        Receipt(Receipt),
        ActionCancel(ActionCancel),
        Drain(Drain),
    }
}

impl Pong {
    /// The answer to a ping with this timestamp.
    pub fn to(timestamp_ms: i64) -> Self {
        Self { timestamp_ms, status: ok() }
    }
}

pub(crate) fn ok() -> Text {
    Text::Borrowed("ok")
}

pub(crate) fn is_ok(status: &Text) -> bool {
    status == "ok"
}
