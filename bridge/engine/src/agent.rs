//! An agent as the engine knows it, from its registration until it is gone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;

use crate::limits::Features;
use crate::messages::Capability;
use crate::router::Route;
use crate::slots::Slot;
use crate::states::SessionState;
use crate::stream::StreamSlot;

/// Where an agent lives, from its registration until it is gone.
pub type AgentSlot = Slot<Agent>;

/// What an agent offers, by name, in the order of its registration.
pub type Capabilities = IndexMap<Arc<str>, Offer, FxBuildHasher>;

/// A capability, and how many calls of it may run at once.
#[derive(Debug)]
pub struct Offer {
    pub capability: Capability,
    pub max_concurrency: Option<u64>,
}

/// One registered agent.
#[derive(Debug)]
pub struct Agent {
    pub agent_id: Arc<str>,
    pub registration: u64,
    pub state: SessionState,
    /// What its newest registration agreed on; a stream keeps what held at its handshake.
    pub features: Features,
    pub echo: bool,
    pub routes: Vec<Arc<Route>>,
    pub capabilities: Capabilities,
    /// Its live stream.
    pub stream: Option<StreamSlot>,
    /// When it was last given a call, counted in calls (ACT-6).
    pub last_dispatch: u64,
    /// When it was last given an event of a queue group, counted in such events (PUB-8).
    pub served: BTreeMap<Arc<str>, u64>,
    /// The calls it works on, in order: their numbers by when they were given to it.
    pub open_calls: BTreeMap<u64, u64>,
    /// How many calls of a capability it has not answered yet, ended ones included (ACT-7).
    pub running: BTreeMap<Arc<str>, u64>,
    /// Calls that ended before it answered: their id, and the capability whose place they still hold.
    pub unanswered: BTreeMap<Arc<str>, Arc<str>>,
}

impl Agent {
    /// An agent that nothing is known of but its id.
    pub fn new(agent_id: Arc<str>) -> Self {
        Self {
            agent_id,
            registration: 0,
            state: SessionState::New,
            features: Features::default(),
            echo: true,
            routes: Vec::new(),
            capabilities: Capabilities::default(),
            stream: None,
            last_dispatch: 0,
            served: BTreeMap::new(),
            open_calls: BTreeMap::new(),
            running: BTreeMap::new(),
            unanswered: BTreeMap::new(),
        }
    }

    /// Forgets when it was served in queue groups that it is in no more, so that they do not pile up.
    pub fn forget_left_groups(&mut self) {
        let groups: BTreeSet<&str> =
            self.routes.iter().map(|route| route.subscription.group.as_str()).collect();
        self.served.retain(|group, _| groups.contains(&**group));
    }

    /// Whether it may be given one more call of this capability (ACT-7).
    pub fn has_slot(&self, name: &str) -> bool {
        let most = self.capabilities[name].max_concurrency;
        most.is_none_or(|most| self.running.get(name).copied().unwrap_or(0) < most)
    }
}

/// The capability's `loom.max_concurrency`, or None; it was checked at registration.
pub fn max_concurrency(capability: &Capability) -> Option<u64> {
    let text = capability.metadata.get("loom.max_concurrency")?;
    Some(text.parse().expect("the registration's check let only whole numbers through"))
}
