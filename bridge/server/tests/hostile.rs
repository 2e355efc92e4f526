//! Bad input: that call or session ends with its status, and the others do not notice (LIM).

mod common;

use bytes::{Buf, BufMut, Bytes};
use common::*;
use loom_bridge::wire::view::server_event;
use tokio_stream::StreamExt;
use tonic::client::Grpc;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::{Code, Request, Status};

/// Writes and reads bytes as they are.
#[derive(Clone, Copy, Default)]
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;
    fn encoder(&mut self) -> Self {
        *self
    }
    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;
    fn encode(&mut self, item: Bytes, into: &mut EncodeBuf<'_>) -> Result<(), Status> {
        into.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;
    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(from.copy_to_bytes(from.remaining())))
    }
}

async fn unary(bridge: &TestBridge, method: &'static str, message: Bytes) -> Result<Bytes, Status> {
    let mut grpc = Grpc::new(bridge.channel().await);
    grpc.ready().await.expect("ready");
    grpc.unary(Request::new(message), PathAndQuery::from_static(method), Raw)
        .await
        .map(tonic::Response::into_inner)
}

async fn stream(bridge: &TestBridge, messages: Vec<Bytes>) -> Code {
    let mut grpc = Grpc::new(bridge.channel().await);
    grpc.ready().await.expect("ready");
    let said = tokio_stream::iter(messages).chain(tokio_stream::pending());
    let path = PathAndQuery::from_static("/loom.v1.Bridge/EventStream");
    match grpc.streaming(Request::new(said), path, Raw).await {
        Err(status) => status.code(),
        Ok(response) => {
            let mut hear = response.into_inner();
            loop {
                match tokio::time::timeout(PATIENCE, hear.next()).await.expect("it ends") {
                    Some(Ok(_)) => {}
                    Some(Err(status)) => return status.code(),
                    None => return Code::Ok,
                }
            }
        }
    }
}

/// Bytes of every kind, the same in each run.
fn noise(seed: u64, length: usize) -> Bytes {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    (0..length)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state as u8
        })
        .collect()
}

/// Whether an agent that was there before still gets what it publishes.
async fn still_serves(agent: &mut Agent) {
    agent.publish("x", event("still"));
    assert_eq!(agent.next_event().await, "still");
}

#[tokio::test]
async fn malformed_messages_end_their_call_only() {
    let bridge = TestBridge::start(config());
    let mut agent = bridge.join(registration("witness", &["x"])).await;
    for method in
        ["/loom.v1.Bridge/RegisterAgent", "/loom.v1.Bridge/ForwardAction", "/loom.v1.Bridge/Heartbeat"]
    {
        let status = unary(&bridge, method, Bytes::from_static(b"\x0a\xff")).await.expect_err("refused");
        assert!(matches!(status.code(), Code::InvalidArgument | Code::Internal), "{method}: {status}");
    }
    assert_eq!(stream(&bridge, vec![Bytes::from_static(b"\x12\xff")]).await, Code::InvalidArgument);
    let handshake = Bytes::from_static(b"\x12\x09\x0a\x07witness");
    let broken = stream(&bridge, vec![handshake, Bytes::from_static(b"\x0a\x7f")]).await;
    assert_eq!(broken, Code::InvalidArgument);
    agent.end().await; // it was taken over by the stream above
    let mut agent = bridge.join(registration("witness", &["x"])).await;
    still_serves(&mut agent).await;
}

#[tokio::test]
async fn random_bytes_harm_nobody() {
    let bridge = TestBridge::start(config());
    let mut agent = bridge.join(registration("witness", &["x"])).await;
    for seed in 1..200 {
        _ = unary(&bridge, "/loom.v1.Bridge/RegisterAgent", noise(seed, (seed % 64) as usize)).await;
        let ended = stream(&bridge, vec![noise(seed, (seed % 48) as usize)]).await;
        assert!(matches!(ended, Code::InvalidArgument | Code::FailedPrecondition), "{seed}: {ended:?}");
    }
    still_serves(&mut agent).await;
}

#[tokio::test]
async fn deep_nesting_is_refused() {
    let bridge = TestBridge::start(config());
    let mut nested = Vec::new();
    for _ in 0..200 {
        // ClientEvent.batch { items { ... } } around what was there
        let mut outer = vec![0x0a];
        prost::encoding::encode_varint(nested.len() as u64, &mut outer);
        outer.extend_from_slice(&nested);
        let mut batch = vec![0xa2, 0x06];
        prost::encoding::encode_varint(outer.len() as u64, &mut batch);
        batch.extend_from_slice(&outer);
        nested = batch;
    }
    assert_eq!(stream(&bridge, vec![nested.into()]).await, Code::InvalidArgument);
}

#[tokio::test]
async fn oversize_messages_are_refused() {
    let bridge = TestBridge::start(config());
    let mut agent = bridge.join(registration("witness", &["x"])).await;
    let large = Bytes::from(vec![0; 5 * 1024 * 1024]);
    let status = unary(&bridge, "/loom.v1.Bridge/ForwardAction", large.clone()).await.expect_err("refused");
    assert!(matches!(status.code(), Code::OutOfRange | Code::ResourceExhausted), "{status}");
    let ended = stream(&bridge, vec![large]).await;
    assert!(matches!(ended, Code::OutOfRange | Code::ResourceExhausted), "{ended:?}");
    still_serves(&mut agent).await;
}

#[tokio::test]
async fn unknown_methods_are_unimplemented() {
    let bridge = TestBridge::start(config());
    let status = unary(&bridge, "/loom.v1.Bridge/Nope", Bytes::new()).await.expect_err("refused");
    assert_eq!(status.code(), Code::Unimplemented);
    let status =
        unary(&bridge, "/loom.v1.Bridge/ForwardActionStream", Bytes::new()).await.expect_err("refused");
    assert_eq!(status.code(), Code::Unimplemented);
}

#[tokio::test]
async fn a_thousand_cancels_harm_nobody() {
    let bridge = TestBridge::start(config());
    let mut control = bridge.control().await;
    let mut agent = bridge.join(provider("p", "cap")).await;
    let stub = bridge.stub().await;
    for _ in 0..1000 {
        let mut stub = stub.clone();
        let calling = tokio::spawn(async move { stub.forward_action(call("cap", 0)).await });
        tokio::task::yield_now().await;
        calling.abort();
    }
    until(&mut control, |snapshot| snapshot.calls.is_empty()).await;
    let mut stub = stub;
    let calling = tokio::spawn(async move { stub.forward_action(call("cap", 0)).await });
    let answered = async {
        loop {
            if let server_event::Msg::ActionCall(call) = agent.next().await {
                agent.answer(&call.id, b"out");
            }
            if calling.is_finished() {
                return calling.await.expect("no panic").expect("a result").into_inner();
            }
        }
    };
    // Late answers to cancelled calls come back as UNKNOWN_CALL, which keeps the loop going.
    let result = tokio::time::timeout(PATIENCE, answered).await.expect("the connection still serves");
    assert_eq!(&result.output[..], b"out");
}

#[tokio::test]
async fn a_client_that_never_reads_slows_only_who_publishes_to_it() {
    let bridge = TestBridge::start(config());
    let mut control = bridge.stand_still_with(&[("queue_events", 8), ("stream_window", 4)]).await;
    let mut deaf = bridge.join(registration("deaf", &["flood"])).await;
    let mut witness = bridge.join(registration("witness", &["x"])).await;
    let loud = bridge.join(registration("loud", &[])).await;
    let heavy = || event_with("e", &[("filling", &"x".repeat(60_000))]);
    for _ in 0..64 {
        loud.publish("flood", heavy());
    }
    until(&mut control, |snapshot| {
        snapshot.agents.iter().any(|agent| agent.agent_id == "loud" && agent.paused)
    })
    .await;
    still_serves(&mut witness).await;
    advance(&mut control, 10_000).await;
    assert_eq!(deaf.end().await, Code::ResourceExhausted);
    still_serves(&mut witness).await;
}
