//! One EventStream call as the engine knows it.

use std::sync::Arc;

use crate::agent::AgentSlot;
use crate::limits::Features;
use crate::outbox::Outbox;
use crate::slots::Slot;
use crate::states::StreamState;
use crate::text::Text;

/// Where a stream lives, from its opening to its end.
pub type StreamSlot = Slot<Stream>;

/// One stream, from its opening to its end.
#[derive(Debug)]
pub struct Stream {
    pub number: u64,
    /// How many streams were opened before it.
    pub opened: u64,
    /// How many more messages the shell takes before it reports (FLOW-1).
    pub credit: i64,
    pub state: StreamState,
    pub agent_id: Arc<str>,
    /// Its agent, while it is that agent's live stream.
    pub agent: Option<AgentSlot>,
    pub epoch: u64,
    pub features: Features,
    /// Under which key the outcomes of its producer are kept, if it has one.
    pub producer: Option<Arc<str>>,
    pub outbox: Outbox,
    /// The number of the last delivery (feature `session`).
    pub seq: u64,
    /// Realtime copies dropped since the client was last told (PUB-6).
    pub dropped: u64,
    pub paused: bool,
    pub held: bool,
    pub last_heard: u64,
    /// What the expiry timer is set to.
    pub expiry: Option<u64>,
    /// With what a flushing stream will end.
    pub end_status: &'static str,
    pub end_message: Text,
}

impl Stream {
    /// A stream whose handshake is awaited.
    pub fn new(number: u64, opened: u64, credit: u64, now: u64) -> Self {
        Self {
            number,
            opened,
            credit: i64::try_from(credit).unwrap_or(i64::MAX),
            state: StreamState::Awaiting,
            agent_id: Arc::from(""),
            agent: None,
            epoch: 0,
            features: Features::default(),
            producer: None,
            outbox: Outbox::default(),
            seq: 0,
            dropped: 0,
            paused: false,
            held: false,
            last_heard: now,
            expiry: None,
            end_status: "OK",
            end_message: Text::Borrowed(""),
        }
    }
}
