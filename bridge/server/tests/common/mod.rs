//! A whole bridge over in-memory connections, and clients made of generated stubs.

#![allow(dead_code)] // each test file uses its part of it

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use hyper_util::rt::TokioIo;
use loom_bridge::config::{Config, LogLevel};
use loom_bridge::server::serve_on;
use loom_bridge::wire::control as c;
use loom_bridge::wire::control::control_client::ControlClient;
use loom_bridge::wire::v1::bridge_client::BridgeClient;
use loom_bridge::wire::view::{client_event, server_event};
use loom_bridge::wire::{v1, view};
use loom_engine::limits::Limits;
use prost::Message;
use tokio::io::DuplexStream;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status, Streaming};

/// Nothing in these tests takes long; what hangs is cut here.
pub const PATIENCE: Duration = Duration::from_secs(20);
pub const FEATURES: [&str; 5] = ["session", "confirm", "subscriptions", "cancel", "drain"];
pub const NAMESPACE: &str = "default";

pub struct TestBridge {
    connections: mpsc::UnboundedSender<std::io::Result<DuplexStream>>,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<Result<(), String>>,
}

pub fn config() -> Config {
    Config {
        listen: String::new(),
        testing: true,
        log_level: LogLevel::Error,
        json_log: false,
        limits: Limits::default(),
        metrics: None,
        grace: Duration::from_secs(5),
    }
}

impl TestBridge {
    pub fn start(config: Config) -> Self {
        let (connections, incoming) = mpsc::unbounded_channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(serve_on(config, UnboundedReceiverStream::new(incoming), async {
            _ = stopped.await;
        }));
        Self { connections, stop: Some(stop), serving }
    }

    /// A connection of its own.
    pub async fn channel(&self) -> Channel {
        let connections = self.connections.clone();
        let connector = tower::service_fn(move |_| {
            let (client, server) = tokio::io::duplex(64 * 1024);
            _ = connections.send(Ok(server));
            async move { Ok::<_, std::io::Error>(TokioIo::new(client)) }
        });
        Endpoint::from_static("http://in.memory")
            .connect_with_connector(connector)
            .await
            .expect("a connection")
    }

    pub async fn stub(&self) -> BridgeClient<Channel> {
        BridgeClient::new(self.channel().await)
    }

    pub async fn control(&self) -> ControlClient<Channel> {
        ControlClient::new(self.channel().await)
    }

    /// A namespace of the standard name whose clock only moves when told.
    pub async fn stand_still(&self) -> ControlClient<Channel> {
        self.stand_still_with(&[]).await
    }

    pub async fn stand_still_with(&self, limits: &[(&str, u64)]) -> ControlClient<Channel> {
        let mut control = self.control().await;
        let limits = limits.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
        let request = c::CreateNamespaceRequest {
            namespace: NAMESPACE.into(),
            virtual_clock: true,
            limits,
            ..Default::default()
        };
        control.create_namespace(request).await.expect("a namespace");
        control
    }

    pub async fn join(&self, request: v1::AgentRegisterRequest) -> Agent {
        Agent::join(self.stub().await, request).await
    }

    /// Asks the bridge to stop and waits until it has.
    pub async fn stop(mut self) {
        drop(self.stop.take());
        tokio::time::timeout(PATIENCE, self.serving)
            .await
            .expect("it stops")
            .expect("no panic")
            .expect("in order");
    }

    pub fn begin_stop(&mut self) {
        drop(self.stop.take());
    }

    pub async fn stopped(self) {
        tokio::time::timeout(PATIENCE, self.serving)
            .await
            .expect("it stops")
            .expect("no panic")
            .expect("in order");
    }
}

pub fn registration(agent_id: &str, topics: &[&str]) -> v1::AgentRegisterRequest {
    v1::AgentRegisterRequest {
        agent_id: agent_id.into(),
        subscribed_topics: topics.iter().map(|topic| (*topic).to_owned()).collect(),
        features: FEATURES.iter().map(|feature| (*feature).to_owned()).collect(),
        ..Default::default()
    }
}

pub fn provider(agent_id: &str, capability: &str) -> v1::AgentRegisterRequest {
    let capability = v1::CapabilityDescriptor { name: capability.into(), ..Default::default() };
    v1::AgentRegisterRequest { capabilities: vec![capability], ..registration(agent_id, &[]) }
}

/// One agent's stream.
pub struct Agent {
    pub stub: BridgeClient<Channel>,
    pub say: Option<mpsc::UnboundedSender<view::ClientEvent>>,
    pub hear: Streaming<view::ServerEvent>,
}

/// Opens a stream with this first message; the answer comes when the headers do.
pub async fn open(
    mut stub: BridgeClient<Channel>,
    first: client_event::Msg,
) -> Result<(mpsc::UnboundedSender<view::ClientEvent>, Streaming<view::ServerEvent>), Status> {
    let (say, said) = mpsc::unbounded_channel();
    say.send(view::ClientEvent { msg: Some(first) }).expect("open");
    let hear = tokio::time::timeout(PATIENCE, stub.event_stream(UnboundedReceiverStream::new(said)))
        .await
        .expect("headers or a status in time")?;
    Ok((say, hear.into_inner()))
}

pub fn ack(agent_id: &str) -> client_event::Msg {
    client_event::Msg::Ack(v1::Ack { message_id: agent_id.into(), ..Default::default() })
}

impl Agent {
    pub async fn join(mut stub: BridgeClient<Channel>, request: v1::AgentRegisterRequest) -> Self {
        let agent_id = request.agent_id.clone();
        let session = request.features.iter().any(|feature| feature == "session");
        let response = stub.register_agent(request).await.expect("an answer").into_inner();
        assert!(response.success, "{}", response.error_message);
        let (say, hear) = open(stub.clone(), ack(&agent_id)).await.expect("accepted");
        let mut agent = Self { stub, say: Some(say), hear };
        if session {
            assert!(matches!(agent.next().await, server_event::Msg::Welcome(_)));
        }
        agent
    }

    pub fn send(&self, msg: client_event::Msg) {
        let say = self.say.as_ref().expect("not left yet");
        say.send(view::ClientEvent { msg: Some(msg) }).expect("open");
    }

    pub fn publish(&self, topic: &str, event: Bytes) {
        self.send(client_event::Msg::Publish(view::Publish {
            topic: topic.into(),
            event: Some(event),
            ..Default::default()
        }));
    }

    /// Publishes, and waits for the receipt, which must be the next message; answers how many receive it.
    pub async fn confirm(&mut self, pub_seq: u64, topic: &str, event: Bytes) -> u64 {
        let publish = view::Publish { topic: topic.into(), event: Some(event), confirm: true, pub_seq };
        self.send(client_event::Msg::Publish(publish));
        match self.next().await {
            server_event::Msg::Receipt(receipt) => {
                assert_eq!((receipt.r#ref, receipt.code.as_str()), (pub_seq, ""));
                receipt.matched
            }
            other => panic!("{other:?} instead of a receipt"),
        }
    }

    pub async fn next(&mut self) -> server_event::Msg {
        self.next_or_end().await.expect("a message, not the end").expect("a message, not the end")
    }

    pub async fn next_or_end(&mut self) -> Result<Option<server_event::Msg>, Status> {
        let next = tokio::time::timeout(PATIENCE, self.hear.next()).await.expect("in time");
        next.transpose().map(|event| event.and_then(|event| event.msg))
    }

    /// The id of the event delivered next.
    pub async fn next_event(&mut self) -> String {
        match self.next().await {
            server_event::Msg::Delivery(delivery) => event_id(&delivery),
            other => panic!("{other:?} instead of a delivery"),
        }
    }

    pub async fn next_call(&mut self) -> v1::ActionCall {
        match self.next().await {
            server_event::Msg::ActionCall(call) => call,
            other => panic!("{other:?} instead of a call"),
        }
    }

    pub fn answer(&self, id: &str, output: &'static [u8]) {
        self.send(client_event::Msg::ActionResult(v1::ActionResult {
            id: id.into(),
            output: Bytes::from_static(output),
            ..Default::default()
        }));
    }

    /// With which status the stream ends, whatever comes before.
    pub async fn end(&mut self) -> Code {
        loop {
            match self.next_or_end().await {
                Ok(Some(_)) => {}
                Ok(None) => return Code::Ok,
                Err(status) => return status.code(),
            }
        }
    }

    /// Sends nothing more.
    pub fn half_close(&mut self) {
        drop(self.say.take());
    }
}

pub fn event(id: &str) -> Bytes {
    event_with(id, &[])
}

pub fn event_with(id: &str, metadata: &[(&str, &str)]) -> Bytes {
    let metadata: BTreeMap<String, String> =
        metadata.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    v1::Event { id: id.into(), metadata, ..Default::default() }.encode_to_vec().into()
}

pub fn event_id(delivery: &view::Delivery) -> String {
    let event = delivery.event.clone().unwrap_or_default();
    v1::Event::decode(event).expect("a well-formed event").id
}

pub fn call(capability: &str, timeout_ms: i64) -> v1::ActionCall {
    v1::ActionCall { id: "own".into(), capability: capability.into(), timeout_ms, ..Default::default() }
}

pub fn code_of(result: &v1::ActionResult) -> &str {
    result.error.as_ref().map_or("", |error| error.code.as_str())
}

pub async fn advance(control: &mut ControlClient<Channel>, millis: u64) {
    let request = c::AdvanceRequest { namespace: NAMESPACE.into(), by_us: millis * 1000, patience_ms: 0 };
    control.advance(request).await.expect("advanced");
}

pub async fn snapshot(control: &mut ControlClient<Channel>) -> c::SnapshotResponse {
    control
        .snapshot(c::SnapshotRequest { namespace: NAMESPACE.into() })
        .await
        .expect("a snapshot")
        .into_inner()
}

/// Looks until the namespace is as it should be: for what the bridge learns by itself, such as a lost connection.
pub async fn until(control: &mut ControlClient<Channel>, holds: impl Fn(&c::SnapshotResponse) -> bool) {
    let looked = async {
        while !holds(&snapshot(control).await) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, looked).await.expect("it comes to hold");
}
