//! loom.v1.Bridge and loom.v1.ActionBroker over the namespaces.

use std::sync::Arc;

use loom_engine::codes::Code;
use loom_engine::inputs::{self, Input};
use loom_engine::outputs::Output;
use tokio_stream::Empty;
use tonic::metadata::MetadataMap;
use tonic::{Request, Response, Status, Streaming};

use crate::codec;
use crate::driver::Handle;
use crate::ending::Ending;
use crate::event_stream;
use crate::namespaces::Namespaces;
use crate::sink::Outgoing;
use crate::wire::v1::action_broker_server::ActionBroker;
use crate::wire::v1::bridge_server::Bridge;
use crate::wire::{v1, view};

/// The metadata key that names the namespace.
pub const NAMESPACE_KEY: &str = "loom-namespace";
const DEFAULT_NAMESPACE: &str = "default";

/// Serves both services.
#[derive(Clone)]
pub struct BridgeService {
    namespaces: Arc<Namespaces>,
}

impl BridgeService {
    /// Over these namespaces.
    pub fn new(namespaces: Arc<Namespaces>) -> Self {
        Self { namespaces }
    }

    /// The namespace a call is about: what its metadata says.
    fn namespace(&self, metadata: &MetadataMap) -> Result<Arc<Handle>, Status> {
        let mut named = metadata.get_all(NAMESPACE_KEY).iter();
        let Some(first) = named.next() else { return self.namespaces.get(DEFAULT_NAMESPACE) };
        if named.next().is_some() {
            return Err(Status::invalid_argument(format!(
                "the metadata has {NAMESPACE_KEY} more than once; give it once"
            )));
        }
        let name =
            first.to_str().map_err(|_| Status::invalid_argument(format!("{NAMESPACE_KEY} is not ASCII")))?;
        self.namespaces.get(name)
    }

    async fn invoke_action(
        &self,
        request: Request<v1::ActionCall>,
    ) -> Result<Response<v1::ActionResult>, Status> {
        let handle = self.namespace(request.metadata())?;
        let wanted = request.into_inner();
        match ask(&handle, |call| codec::invoke(call, wanted).into()).await? {
            Output::Answer(answer) => Ok(Response::new(codec::answer(answer))),
            other => Err(unexpected(&other)),
        }
    }
}

async fn ask(handle: &Arc<Handle>, make: impl FnOnce(u64) -> Input) -> Result<Output, Status> {
    handle.ask(make).await.ok_or_else(|| Status::unavailable("the namespace ended before the answer"))
}

fn unexpected(output: &Output) -> Status {
    tracing::error!(?output, "the engine gave an answer of the wrong kind");
    Status::internal("the bridge failed; its log says how")
}

#[tonic::async_trait]
impl Bridge for BridgeService {
    async fn register_agent(
        &self,
        request: Request<v1::AgentRegisterRequest>,
    ) -> Result<Response<v1::AgentRegisterResponse>, Status> {
        let handle = self.namespace(request.metadata())?;
        let wanted = request.into_inner();
        match ask(&handle, |call| codec::register(call, wanted).into()).await? {
            Output::RegisterReply(reply) if reply.error_code == Code::Draining.as_str() => {
                Err(Status::unavailable(reply.error_message))
            }
            Output::RegisterReply(reply) => Ok(Response::new(codec::register_reply(reply, &handle.limits))),
            other => Err(unexpected(&other)),
        }
    }

    type EventStreamStream = Outgoing;

    async fn event_stream(
        &self,
        request: Request<Streaming<view::ClientEvent>>,
    ) -> Result<Response<Outgoing>, Status> {
        let handle = self.namespace(request.metadata())?;
        let ending = request.extensions().get::<Ending>().cloned().unwrap_or_default();
        event_stream::serve(handle, request.into_inner(), ending).await.map(Response::new)
    }

    async fn forward_action(
        &self,
        request: Request<v1::ActionCall>,
    ) -> Result<Response<v1::ActionResult>, Status> {
        self.invoke_action(request).await
    }

    async fn heartbeat(
        &self,
        request: Request<v1::HeartbeatRequest>,
    ) -> Result<Response<v1::HeartbeatResponse>, Status> {
        let handle = self.namespace(request.metadata())?;
        match ask(&handle, |call| codec::heartbeat(call, request.get_ref()).into()).await? {
            Output::HeartbeatReply(reply) => Ok(Response::new(v1::HeartbeatResponse {
                timestamp_ms: reply.timestamp_ms,
                status: reply.status.into_owned(),
            })),
            other => Err(unexpected(&other)),
        }
    }

    type ForwardActionStreamStream = Empty<Result<v1::ActionStreamItem, Status>>;

    async fn forward_action_stream(
        &self,
        _request: Request<v1::ActionCall>,
    ) -> Result<Response<Self::ForwardActionStreamStream>, Status> {
        Err(Status::unimplemented("this bridge does not have the feature stream; use ForwardAction"))
    }
}

#[tonic::async_trait]
impl ActionBroker for BridgeService {
    async fn list_capabilities(
        &self,
        request: Request<v1::ListCapabilitiesRequest>,
    ) -> Result<Response<v1::ListCapabilitiesResponse>, Status> {
        let handle = self.namespace(request.metadata())?;
        match ask(&handle, |call| inputs::ListCapabilities { call }.into()).await? {
            Output::CapabilitiesReply(reply) => Ok(Response::new(codec::capabilities(reply))),
            other => Err(unexpected(&other)),
        }
    }

    async fn invoke(&self, request: Request<v1::ActionCall>) -> Result<Response<v1::ActionResult>, Status> {
        self.invoke_action(request).await
    }
}
