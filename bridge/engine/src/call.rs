//! A call as the engine knows it, and the results it keeps for repeats (ACT-8).

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::agent::AgentSlot;
use crate::messages::{ActionCall, ActionResult};
use crate::states::CallState;
use crate::text::utf8_size;

/// The caller and its own id of the call.
pub type CallKey = (String, String);

/// One caller waiting for a call; `token` is the shell's number of its RPC.
#[derive(Debug)]
pub struct Waiter {
    pub token: u64,
    pub own_id: String,
    pub deadline: u64,
}

/// One open call.
#[derive(Debug)]
pub struct Call {
    /// The bridge's own id, told to the provider (ACT-1).
    pub id: Arc<str>,
    pub request: ActionCall,
    pub key: Option<CallKey>,
    /// Who waits, by when they came.
    pub waiters: BTreeMap<u64, Waiter>,
    pub state: CallState,
    /// The agent it was given to.
    pub provider: Option<Provider>,
    /// How many bytes of payload and headers it carries.
    pub size: usize,
}

/// To whom a call was given.
#[derive(Clone, Debug)]
pub struct Provider {
    pub agent: AgentSlot,
    pub agent_id: Arc<str>,
    /// The stream it was given to.
    pub stream: u64,
    /// Its place among the agent's open calls.
    pub order: u64,
}

impl Call {
    /// A call that waits for a provider.
    pub fn new(id: Arc<str>, request: ActionCall, key: Option<CallKey>) -> Self {
        let headers = request.headers.iter().map(|(name, value)| utf8_size(name) + utf8_size(value));
        let size = request.payload.len() + headers.sum::<usize>();
        Self { id, request, key, waiters: BTreeMap::new(), state: CallState::Queued, provider: None, size }
    }

    /// When its last caller gives up; an open call has one.
    pub fn deadline(&self) -> u64 {
        self.waiters.values().map(|waiter| waiter.deadline).max().expect("an open call is waited for")
    }
}

/// A provider's own OK or ERROR, kept for repeats of the call.
#[derive(Debug)]
pub struct KeptResult {
    pub request: ActionCall,
    pub result: ActionResult,
    pub expires: u64,
    pub size: usize,
}

/// Whether two calls ask for the same: capability, version and payload.
pub fn same_content(one: &ActionCall, other: &ActionCall) -> bool {
    (&one.capability, &one.version, &one.payload) == (&other.capability, &other.version, &other.payload)
}
