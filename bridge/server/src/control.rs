//! loom.testing.v1.Control: how a test moves clocks, breaks sessions and looks inside (CTL).

use std::sync::Arc;

use loom_engine::inputs::{self, Input};
use loom_engine::outputs::{AgentSnapshot, CallSnapshot, SnapshotReply};
use loom_engine::text::quote;
use tokio::sync::oneshot;
use tokio_stream::{Stream, StreamExt};
use tonic::{Request, Response, Status};

use crate::config;
use crate::driver::{Command, Handle, MOST_DEADLINES};
use crate::namespaces::Namespaces;
use crate::watch::Watcher;
use crate::wire::control as c;

/// The furthest that one Advance goes: a year.
const MOST_ADVANCE_US: u64 = 366 * 24 * 60 * 60 * 1_000_000;
/// Limits that hold for the bridge as a whole; a namespace cannot have its own.
const BRIDGE_LIMITS: [&str; 3] = ["connection_streams", "message_bytes", "namespaces"];

/// Serves Control over the bridge's namespaces.
pub struct ControlService {
    namespaces: Arc<Namespaces>,
}

impl ControlService {
    /// Over these namespaces.
    pub fn new(namespaces: Arc<Namespaces>) -> Self {
        Self { namespaces }
    }

    async fn snapshot_of(&self, namespace: &str) -> Result<(Arc<Handle>, SnapshotReply), Status> {
        let handle = self.namespaces.find(namespace)?;
        let snapshot = handle.snapshot().await.ok_or_else(ended)?;
        Ok((handle, snapshot))
    }

    /// Feeds what is about an agent that is known in the namespace.
    async fn feed(&self, namespace: &str, agent_id: &str, came_in: Input) -> Result<(), Status> {
        let (handle, snapshot) = self.snapshot_of(namespace).await?;
        if !snapshot.agents.iter().any(|agent| agent.agent_id == agent_id) {
            return Err(Status::not_found(format!("namespace {namespace} has no agent {}", quote(agent_id))));
        }
        handle.give(Command::Feed(came_in));
        // A snapshot more: what was fed has taken effect when it is answered.
        handle.snapshot().await.map(drop).ok_or_else(ended)
    }
}

fn ended() -> Status {
    Status::unavailable("the namespace ended before the answer")
}

#[tonic::async_trait]
impl c::control_server::Control for ControlService {
    async fn create_namespace(
        &self,
        request: Request<c::CreateNamespaceRequest>,
    ) -> Result<Response<c::CreateNamespaceResponse>, Status> {
        let wanted = request.into_inner();
        if let Some(shared) = BRIDGE_LIMITS.iter().find(|name| wanted.limits.contains_key(**name)) {
            return Err(Status::invalid_argument(format!(
                "limit {shared} holds for the whole bridge; set it where it starts"
            )));
        }
        let limits = self
            .namespaces
            .limits
            .clone()
            .with_overrides(config::named(&wanted.limits))
            .map_err(Status::invalid_argument)?;
        let liveness = wanted.liveness || !wanted.virtual_clock;
        self.namespaces.create(&wanted.namespace, wanted.virtual_clock, liveness, limits)?;
        let (_, snapshot) = self.snapshot_of(&wanted.namespace).await?;
        Ok(Response::new(c::CreateNamespaceResponse { now_us: snapshot.now }))
    }

    async fn advance(
        &self,
        request: Request<c::AdvanceRequest>,
    ) -> Result<Response<c::AdvanceResponse>, Status> {
        let wanted = request.into_inner();
        let handle = self.namespaces.find(&wanted.namespace)?;
        if wanted.by_us > MOST_ADVANCE_US {
            return Err(Status::invalid_argument(format!(
                "by_us is {}; at most a year ({MOST_ADVANCE_US}) at once",
                wanted.by_us
            )));
        }
        if !handle.is_virtual {
            return Err(Status::failed_precondition(format!(
                "namespace {} runs on the real clock; make one with virtual_clock to move its time",
                wanted.namespace
            )));
        }
        let (reply, advanced) = oneshot::channel();
        handle.give(Command::Advance { by: wanted.by_us, reply });
        let advanced = advanced.await.map_err(|_| ended())?;
        if advanced.stopped {
            return Err(Status::resource_exhausted(format!(
                "{MOST_DEADLINES} deadlines fired and the clock stands at {} us; advance in smaller steps",
                advanced.now
            )));
        }
        Ok(Response::new(c::AdvanceResponse { now_us: advanced.now, fired: advanced.fired }))
    }

    async fn snapshot(
        &self,
        request: Request<c::SnapshotRequest>,
    ) -> Result<Response<c::SnapshotResponse>, Status> {
        let (_, snapshot) = self.snapshot_of(&request.get_ref().namespace).await?;
        Ok(Response::new(c::SnapshotResponse {
            now_us: snapshot.now,
            agents: snapshot.agents.into_iter().map(agent).collect(),
            calls: snapshot.calls.into_iter().map(call).collect(),
            counters: snapshot.counters.into_iter().map(|(name, count)| (name.into_owned(), count)).collect(),
        }))
    }

    async fn disconnect(
        &self,
        request: Request<c::DisconnectRequest>,
    ) -> Result<Response<c::DisconnectResponse>, Status> {
        let c::DisconnectRequest { namespace, agent_id } = request.into_inner();
        let came_in = inputs::Disconnect { agent_id: agent_id.clone() }.into();
        self.feed(&namespace, &agent_id, came_in).await?;
        Ok(Response::new(c::DisconnectResponse {}))
    }

    async fn hold(&self, request: Request<c::HoldRequest>) -> Result<Response<c::HoldResponse>, Status> {
        let c::HoldRequest { namespace, agent_id } = request.into_inner();
        let came_in = inputs::Hold { agent_id: agent_id.clone() }.into();
        self.feed(&namespace, &agent_id, came_in).await?;
        Ok(Response::new(c::HoldResponse {}))
    }

    async fn release(
        &self,
        request: Request<c::ReleaseRequest>,
    ) -> Result<Response<c::ReleaseResponse>, Status> {
        let c::ReleaseRequest { namespace, agent_id } = request.into_inner();
        let came_in = inputs::Release { agent_id: agent_id.clone() }.into();
        self.feed(&namespace, &agent_id, came_in).await?;
        Ok(Response::new(c::ReleaseResponse {}))
    }

    async fn reset(&self, request: Request<c::ResetRequest>) -> Result<Response<c::ResetResponse>, Status> {
        self.namespaces.reset(&request.get_ref().namespace)?;
        Ok(Response::new(c::ResetResponse {}))
    }

    type WatchStream = std::pin::Pin<Box<dyn Stream<Item = Result<c::WatchResponse, Status>> + Send>>;

    async fn watch(&self, request: Request<c::WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let (watcher, lines) = Watcher::new(request.into_inner().namespace);
        self.namespaces.watch(watcher)?;
        Ok(Response::new(Box::pin(lines.map(Ok))))
    }
}

fn agent(agent: AgentSnapshot) -> c::AgentSnapshot {
    c::AgentSnapshot {
        agent_id: agent.agent_id,
        registration: agent.registration,
        state: agent.state.into_owned(),
        epoch: agent.epoch,
        features: agent.features.into_iter().map(Into::into).collect(),
        subscriptions: agent
            .subscriptions
            .into_iter()
            .map(|subscription| c::SubscriptionSnapshot {
                topic: subscription.topic,
                event_types: subscription.event_types,
                qos: qos(subscription.qos),
                group: subscription.group,
                observer: subscription.observer,
            })
            .collect(),
        capabilities: agent.capabilities,
        queued_events: agent.queued_events,
        queued_bytes: agent.queued_bytes,
        waiting_events: agent.waiting_events,
        open_calls: agent.open_calls,
        paused: agent.paused,
        held: agent.held,
    }
}

fn qos(qos: Option<i32>) -> String {
    match qos {
        Some(0) => "REALTIME".to_owned(),
        None | Some(1) => "BATCHED".to_owned(),
        Some(2) => "BACKGROUND".to_owned(),
        Some(other) => other.to_string(),
    }
}

fn call(call: CallSnapshot) -> c::CallSnapshot {
    c::CallSnapshot {
        id: call.id,
        capability: call.capability,
        state: call.state.into_owned(),
        caller: call.caller,
        provider: call.provider,
        waiters: call.waiters,
    }
}
