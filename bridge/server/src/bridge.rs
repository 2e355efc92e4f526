//! loom.v1.Bridge and loom.v1.ActionBroker over the namespaces.

use std::sync::Arc;

use loom_engine::codes::Code;
use loom_engine::inputs::{self, Input};
use loom_engine::outputs::Output;
use tokio_stream::Empty;
use tonic::metadata::MetadataMap;
use tonic::{Request, Response, Status, Streaming};

use crate::codec;
use crate::ending::Ending;
use crate::event_stream;
use crate::handle::Handle;
use crate::namespaces::Namespaces;
use crate::participants::Tag;
use crate::sink::Outgoing;
use crate::wire::v1::action_broker_server::ActionBroker;
use crate::wire::v1::bridge_server::Bridge;
use crate::wire::{v1, view};

/// The metadata key that names the namespace.
pub const NAMESPACE_KEY: &str = "loom-namespace";
/// The metadata key that names the participant of a virtual clock, and the call.
const PARTICIPANT_KEY: &str = "loom-participant";
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

    /// The namespace a call is about, and whose call it is there: what its metadata says.
    fn namespace(&self, metadata: &MetadataMap) -> Result<(Arc<Handle>, Option<Tag>), Status> {
        let name = value(metadata, NAMESPACE_KEY)?.unwrap_or(DEFAULT_NAMESPACE);
        let handle = self.namespaces.get(name)?;
        let tag = if handle.is_virtual { value(metadata, PARTICIPANT_KEY)? } else { None };
        let tag = tag.map(Tag::read).transpose().map_err(Status::invalid_argument)?;
        Ok((handle, tag))
    }

    async fn invoke_action(
        &self,
        request: Request<v1::ActionCall>,
    ) -> Result<Response<v1::ActionResult>, Status> {
        let (handle, tag) = self.namespace(request.metadata())?;
        let wanted = request.into_inner();
        match ask(&handle, tag, |call| codec::invoke(call, wanted).into()).await? {
            Output::Answer(answer) => Ok(Response::new(codec::answer(answer))),
            other => Err(unexpected(&other)),
        }
    }
}

/// What a key of the metadata says.
fn value<'a>(metadata: &'a MetadataMap, key: &str) -> Result<Option<&'a str>, Status> {
    let mut named = metadata.get_all(key).iter();
    let Some(first) = named.next() else { return Ok(None) };
    if named.next().is_some() {
        return Err(Status::invalid_argument(format!("the metadata has {key} more than once; give it once")));
    }
    first.to_str().map(Some).map_err(|_| Status::invalid_argument(format!("{key} is not ASCII")))
}

async fn ask(
    handle: &Arc<Handle>,
    tag: Option<Tag>,
    make: impl FnOnce(u64) -> Input,
) -> Result<Output, Status> {
    handle.ask(tag, make).await.ok_or_else(|| Status::unavailable("the namespace ended before the answer"))
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
        let (handle, tag) = self.namespace(request.metadata())?;
        let wanted = request.into_inner();
        match ask(&handle, tag, |call| codec::register(call, wanted).into()).await? {
            Output::RegisterReply(reply) if reply.error_code == Code::Draining.as_str() => {
                Err(Status::unavailable(reply.error_message))
            }
            Output::RegisterReply(reply) => {
                Ok(Response::new(codec::register_reply(reply, &handle.limits, handle.is_virtual)))
            }
            other => Err(unexpected(&other)),
        }
    }

    type EventStreamStream = Outgoing;

    async fn event_stream(
        &self,
        request: Request<Streaming<view::ClientEvent>>,
    ) -> Result<Response<Outgoing>, Status> {
        let (handle, tag) = self.namespace(request.metadata())?;
        let ending = request.extensions().get::<Ending>().cloned().unwrap_or_default();
        event_stream::serve(handle, request.into_inner(), ending, tag).await.map(Response::new)
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
        let (handle, tag) = self.namespace(request.metadata())?;
        match ask(&handle, tag, |call| codec::heartbeat(call, request.get_ref()).into()).await? {
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
        let (handle, tag) = self.namespace(request.metadata())?;
        match ask(&handle, tag, |call| inputs::ListCapabilities { call }.into()).await? {
            Output::CapabilitiesReply(reply) => Ok(Response::new(codec::capabilities(reply))),
            other => Err(unexpected(&other)),
        }
    }

    async fn invoke(&self, request: Request<v1::ActionCall>) -> Result<Response<v1::ActionResult>, Status> {
        self.invoke_action(request).await
    }
}
