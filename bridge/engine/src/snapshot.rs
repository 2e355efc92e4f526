//! What a namespace holds, for tests to look at (CTL-1).

use crate::agent::Agent;
use crate::call::Call;
use crate::calls::caller;
use crate::core::Core;
use crate::messages::{Capability, Subscription};
use crate::outputs::{AgentSnapshot, CallSnapshot, SnapshotReply};
use crate::publish::BATCHED;

/// The snapshot: agents by registration, calls by arrival, counters by name.
pub fn take(core: &Core, call: u64) -> SnapshotReply {
    let mut agents: Vec<&Agent> = core.agents.iter().map(|(_, agent)| agent).collect();
    agents.sort_unstable_by_key(|agent| agent.registration);
    SnapshotReply {
        call,
        now: core.now,
        agents: agents.into_iter().map(|agent| agent_snapshot(core, agent)).collect(),
        calls: core.calls.values().map(call_snapshot).collect(),
        counters: core.counters.counted().map(|(name, count)| (name.into(), count)).collect(),
    }
}

fn call_snapshot(call: &Call) -> CallSnapshot {
    CallSnapshot {
        id: call.id.to_string(),
        capability: call.request.capability.to_string(),
        state: call.state.into(),
        caller: caller(&call.request).to_owned(),
        provider: call.provider.as_ref().map(|provider| provider.agent_id.to_string()).unwrap_or_default(),
        waiters: call.waiters.len() as u64,
    }
}

fn agent_snapshot(core: &Core, agent: &Agent) -> AgentSnapshot {
    let stream = agent.stream.map(|slot| &core.streams[slot]);
    let outbox = stream.map(|stream| &stream.outbox);
    let declared = agent.routes.iter().filter(|route| !route.implicit);
    AgentSnapshot {
        agent_id: agent.agent_id.to_string(),
        registration: agent.registration,
        state: agent.state.into(),
        epoch: stream.map_or(0, |stream| stream.epoch),
        features: stream.map_or(agent.features, |stream| stream.features).names(),
        subscriptions: declared
            .map(|route| Subscription {
                qos: route.subscription.qos.or(Some(BATCHED)),
                ..route.subscription.clone()
            })
            .collect(),
        capabilities: agent.capabilities.values().map(|offer| named(&offer.capability)).collect(),
        queued_events: outbox.map_or(0, |outbox| outbox.events),
        queued_bytes: outbox.map_or(0, |outbox| outbox.bytes),
        waiting_events: outbox.map_or(0, |outbox| outbox.waiting.len() as u64),
        open_calls: agent.open_calls.len() as u64,
        paused: stream.is_some_and(|stream| stream.paused),
        held: stream.is_some_and(|stream| stream.held),
    }
}

fn named(capability: &Capability) -> String {
    let Capability { name, version, .. } = capability;
    if version.is_empty() { name.clone() } else { format!("{name}@{version}") }
}
