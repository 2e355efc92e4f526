//! The state that the modules of an engine share, and the few things all of them do to it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;

use crate::agent::{Agent, AgentSlot};
use crate::call::{Call, CallKey, KeptResult};
use crate::counters::{Counter, Counters};
use crate::limits::Limits;
use crate::outputs::Output;
use crate::router::Router;
use crate::slots::Slots;
use crate::states::StreamState;
use crate::stream::{Stream, StreamSlot};
use crate::text::Text;
use crate::timers::{TimerKind, Timers};

/// What a confirmed publish came to: receivers matched, and a code where it was refused.
pub type Outcome = (u64, Text);

/// An agent's id and its producer number, joined by a slash.
pub type ProducerKey = Arc<str>;

/// What one producer published, by `pub_seq`; the oldest make room.
#[derive(Debug, Default)]
pub struct Outcomes {
    known: BTreeMap<u64, Outcome>,
    order: VecDeque<u64>,
}

impl Outcomes {
    /// What a publish came to, if it is still known.
    pub fn get(&self, pub_seq: u64) -> Option<&Outcome> {
        self.known.get(&pub_seq)
    }

    /// Remembers what a publish came to; at most `most` are kept.
    pub fn keep(&mut self, pub_seq: u64, outcome: Outcome, most: u64) {
        self.known.insert(pub_seq, outcome);
        self.order.push_back(pub_seq);
        if self.order.len() as u64 > most
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }
}

/// The producers whose outcomes are known, in the order in which they came.
#[derive(Debug, Default)]
pub struct Producers {
    known: BTreeMap<ProducerKey, (u64, Outcomes)>,
    order: BTreeMap<u64, ProducerKey>,
    last: u64,
}

impl Producers {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Whether the producer is known.
    pub fn contains(&self, key: &str) -> bool {
        self.known.contains_key(key)
    }

    /// What a producer published.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Outcomes> {
        self.known.get_mut(key).map(|(_, outcomes)| outcomes)
    }

    /// A producer of which nothing is known yet.
    pub fn add(&mut self, key: ProducerKey) {
        self.last += 1;
        self.order.insert(self.last, Arc::clone(&key));
        self.known.insert(key, (self.last, Outcomes::default()));
    }

    /// Forgets a producer.
    pub fn remove(&mut self, key: &str) {
        if let Some((place, _)) = self.known.remove(key) {
            self.order.remove(&place);
        }
    }

    /// Every key, in order.
    pub fn keys(&self) -> impl Iterator<Item = &ProducerKey> {
        self.order.values()
    }
}

/// Calls that wait for a provider of one capability, in order (ACT-7).
#[derive(Debug, Default)]
pub struct Queue {
    pub calls: BTreeSet<u64>,
    pub bytes: usize,
}

/// Everything one engine knows.
#[derive(Debug)]
pub struct Core {
    pub created: u64,
    pub now: u64,
    pub limits: Limits,
    pub liveness: bool,
    pub agents: Slots<Agent>,
    pub agents_by_id: BTreeMap<Arc<str>, AgentSlot>,
    pub streams: Slots<Stream>,
    pub streams_by_number: IndexMap<u64, StreamSlot, FxBuildHasher>,
    pub router: Router,
    pub timers: Timers,
    /// Who offers a capability, by its name, live or not; no empty ones.
    pub providers: BTreeMap<Arc<str>, Vec<AgentSlot>>,
    pub calls: BTreeMap<u64, Call>,
    pub calls_by_id: BTreeMap<Arc<str>, u64>,
    pub calls_by_key: BTreeMap<CallKey, u64>,
    /// Who waits for a call, by the shell's number: the call, and the place among its waiters.
    pub waiters: IndexMap<u64, (u64, u64), FxBuildHasher>,
    /// Calls waiting for a provider, by capability; no empty ones (ACT-7).
    pub queues: BTreeMap<Arc<str>, Queue>,
    pub kept: BTreeMap<CallKey, KeptResult>,
    /// The keys of what is kept, oldest first.
    pub kept_order: VecDeque<CallKey>,
    pub kept_bytes: usize,
    pub producers: Producers,
    /// Copies that wait for a full subscriber, by publisher; no zeros (FLOW-2).
    pub charges: BTreeMap<Arc<str>, u64>,
    /// Capabilities whose waiting calls are to be looked at again before the step ends.
    pub freed: Freed,
    pub counters: Counters,
    pub draining: bool,
    pub drained: bool,
    pub outputs: Vec<Output>,
    last_epoch: u64,
    last_registration: u64,
    last_call: u64,
    last_serial: u64,
    last_opened: u64,
    last_waiter: u64,
}

/// Names, each once, in the order in which they came.
#[derive(Debug, Default)]
pub struct Freed {
    order: VecDeque<Arc<str>>,
    held: BTreeSet<Arc<str>>,
}

impl Freed {
    /// Adds a name, behind the others if it is not there yet.
    pub fn add(&mut self, name: &Arc<str>) {
        if self.held.insert(Arc::clone(name)) {
            self.order.push_back(Arc::clone(name));
        }
    }

    /// Takes the first name, if there is one.
    pub fn pop(&mut self) -> Option<Arc<str>> {
        let name = self.order.pop_front()?;
        self.held.remove(&name);
        Some(name)
    }
}

impl Core {
    /// An engine that knows nothing yet.
    pub fn new(created: u64, limits: Limits, liveness: bool) -> Self {
        Self {
            created,
            now: created,
            limits,
            liveness,
            agents: Slots::default(),
            agents_by_id: BTreeMap::new(),
            streams: Slots::default(),
            streams_by_number: IndexMap::default(),
            router: Router::default(),
            timers: Timers::default(),
            providers: BTreeMap::new(),
            calls: BTreeMap::new(),
            calls_by_id: BTreeMap::new(),
            calls_by_key: BTreeMap::new(),
            waiters: IndexMap::default(),
            queues: BTreeMap::new(),
            kept: BTreeMap::new(),
            kept_order: VecDeque::new(),
            kept_bytes: 0,
            producers: Producers::default(),
            charges: BTreeMap::new(),
            freed: Freed::default(),
            counters: Counters::default(),
            draining: false,
            drained: false,
            outputs: Vec::new(),
            last_epoch: created,
            last_registration: created,
            last_call: 0,
            last_serial: 0,
            last_opened: 0,
            last_waiter: 0,
        }
    }

    /// Adds to what the step answers.
    pub fn emit(&mut self, output: impl Into<Output>) {
        self.outputs.push(output.into());
    }

    /// Counts.
    pub fn count(&mut self, counter: Counter) {
        self.counters.add(counter);
    }

    /// The open stream of the agent of this id, if it has one.
    pub fn live_stream(&self, agent_id: &str) -> Option<StreamSlot> {
        self.agents[*self.agents_by_id.get(agent_id)?].stream
    }

    /// The agent that goes by the stream's agent id now: not the one that left while the stream flushes.
    pub fn agent_named_by(&self, stream: &Stream) -> Option<AgentSlot> {
        match stream.state {
            StreamState::Open => stream.agent,
            _ => self.agents_by_id.get(&stream.agent_id).copied(),
        }
    }

    /// The agent whose live stream this open stream is.
    pub fn agent_of(&self, stream: StreamSlot) -> AgentSlot {
        self.streams[stream].agent.expect("an open stream is its agent's live stream")
    }

    /// Every stream, in the order in which they were opened.
    pub fn streams_in_order(&self) -> Vec<StreamSlot> {
        let mut streams: Vec<_> = self.streams.iter().map(|(slot, stream)| (stream.opened, slot)).collect();
        streams.sort_unstable_by_key(|(opened, _)| *opened);
        streams.into_iter().map(|(_, slot)| slot).collect()
    }

    /// How many streams were opened, this one included.
    pub fn next_opened(&mut self) -> u64 {
        next(&mut self.last_opened)
    }

    /// A session number that was never used, also not before a restart of the bridge (SES-4).
    pub fn next_epoch(&mut self) -> u64 {
        next(&mut self.last_epoch)
    }

    /// A registration number, larger than all before it.
    pub fn next_registration(&mut self) -> u64 {
        next(&mut self.last_registration)
    }

    /// The number of a new call.
    pub fn next_call(&mut self) -> u64 {
        next(&mut self.last_call)
    }

    /// The bridge's own id of a call: unique in the namespace, also across restarts (ACT-1).
    pub fn call_id(&self, number: u64) -> Arc<str> {
        format!("{:x}-{number}", self.created).into()
    }

    /// A caller's place among those that wait.
    pub fn next_waiter(&mut self) -> u64 {
        next(&mut self.last_waiter)
    }

    /// A number larger than all before it, for 'served longest ago'.
    pub fn next_serial(&mut self) -> u64 {
        next(&mut self.last_serial)
    }

    /// Forgets what outlives agents and calls, and starts counting anew (CTL-4).
    pub fn forget_everything(&mut self) {
        for key in self.producers.keys() {
            self.timers.cancel(TimerKind::Producer, key);
        }
        self.timers.cancel(TimerKind::Kept, 0);
        self.producers = Producers::default();
        self.kept.clear();
        self.kept_order.clear();
        self.kept_bytes = 0;
        self.counters = Counters::default();
    }
}

fn next(last: &mut u64) -> u64 {
    *last += 1;
    *last
}
