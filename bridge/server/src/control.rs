//! loom.testing.v1.Control: how a test moves clocks, breaks sessions and looks inside (CTL).

use std::sync::Arc;
use std::time::Duration;

use loom_engine::inputs::{self, Input};
use loom_engine::outputs::{AgentSnapshot, CallSnapshot, SnapshotReply};
use loom_engine::text::quote;
use tokio::sync::oneshot;
use tokio_stream::{Stream, StreamExt};
use tonic::{Request, Response, Status};

use crate::advance::{PATIENCE, Stopped};
use crate::config;
use crate::handle::{Command, Handle};
use crate::namespaces::Namespaces;
use crate::participate::{self, Told};
use crate::watch::Watcher;
use crate::wire::control as c;

/// The furthest that one Advance goes: a year.
const MOST_ADVANCE_US: u64 = 366 * 24 * 60 * 60 * 1_000_000;
/// The longest that an Advance waits for participants at each deadline, real time.
const MOST_PATIENCE_MS: u32 = 600_000;
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

/// Tells the driver, at the end of a jump, that nobody may wait for it any more.
struct Reconsideration<'a>(&'a Handle);

impl Drop for Reconsideration<'_> {
    fn drop(&mut self) {
        self.0.give(Command::Reconsider);
    }
}

fn stopped(stopped: Stopped) -> Status {
    match stopped {
        Stopped::TooManyDeadlines { fired, now } => Status::resource_exhausted(format!(
            "{fired} deadlines fired and the clock stands at {now} us; advance in smaller steps"
        )),
        Stopped::NotSettled(problem) => {
            Status::deadline_exceeded(format!("the clock waits for what is not idle: {problem}"))
        }
        Stopped::Bystanders(apart) => Status::failed_precondition(format!(
            "nobody knows whether {apart} is idle: it takes no part in the clock of this namespace; \
             use Advance, or connect it with an SDK that takes part (CTL-3)"
        )),
    }
}

/// The namespaces of a request that may name several.
fn named<'a>(namespace: &'a str, others: &'a [String]) -> Vec<&'a str> {
    std::iter::once(namespace).chain(others.iter().map(String::as_str)).collect()
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
        let names = named(&wanted.namespace, &wanted.others);
        self.namespaces.create(&names, wanted.virtual_clock, liveness, &limits, true)?;
        let (_, snapshot) = self.snapshot_of(&wanted.namespace).await?;
        let made = names.len() as u32;
        Ok(Response::new(c::CreateNamespaceResponse { now_us: snapshot.now, made }))
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
        if wanted.patience_ms > MOST_PATIENCE_MS {
            return Err(Status::invalid_argument(format!(
                "patience_ms is {}; at most {MOST_PATIENCE_MS}",
                wanted.patience_ms
            )));
        }
        handle.check_virtual()?;
        let patience = match wanted.patience_ms {
            0 => PATIENCE,
            milliseconds => Duration::from_millis(milliseconds.into()),
        };
        let (reply, advanced) = oneshot::channel();
        handle.give(Command::Advance { by: wanted.by_us, patience, reply });
        let advanced = advanced.await.map_err(|_| ended())?.map_err(stopped)?;
        Ok(Response::new(c::AdvanceResponse { now_us: advanced.now, fired: advanced.fired }))
    }

    async fn jump(&self, request: Request<c::JumpRequest>) -> Result<Response<c::JumpResponse>, Status> {
        let handle = self.namespaces.find(&request.get_ref().namespace)?;
        handle.check_virtual()?;
        let (reply, jumped) = oneshot::channel();
        handle.give(Command::Jump { reply });
        // Dropped after `jumped`, so that the driver sees that nobody waits.
        let _left = Reconsideration(&handle);
        let now_us = jumped.await.map_err(|_| ended())?.map_err(stopped)?;
        Ok(Response::new(c::JumpResponse { now_us }))
    }

    type ParticipateStream = Told;

    async fn participate(
        &self,
        request: Request<tonic::Streaming<c::ParticipateRequest>>,
    ) -> Result<Response<Told>, Status> {
        participate::participate(&self.namespaces, request.into_inner()).await.map(Response::new)
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
        let c::ResetRequest { namespace, others } = request.get_ref();
        self.namespaces.reset(&named(namespace, others))?;
        Ok(Response::new(c::ResetResponse {}))
    }

    type WatchStream = std::pin::Pin<Box<dyn Stream<Item = Result<c::WatchResponse, Status>> + Send>>;

    async fn watch(&self, request: Request<c::WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let c::WatchRequest { namespace, kept } = request.into_inner();
        let (watcher, lines) = Watcher::new(namespace, kept);
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
