//! Handshakes, takeovers, goodbyes and losses over gRPC (SES).

mod common;

use common::*;
use loom_bridge::wire::v1;
use loom_bridge::wire::view::{client_event, server_event};
use tonic::Code;

#[tokio::test]
async fn headers_come_with_the_accepted_handshake() {
    let bridge = TestBridge::start(config());
    let mut stub = bridge.stub().await;
    stub.register_agent(registration("a", &["x"])).await.expect("registered");
    let (_say, mut hear) = open(stub, ack("a")).await.expect("headers before any event");
    let welcome = hear.message().await.expect("a message").and_then(|event| event.msg);
    assert!(matches!(welcome, Some(server_event::Msg::Welcome(_))));
}

#[tokio::test]
async fn what_is_no_handshake_ends_the_stream() {
    let bridge = TestBridge::start(config());
    let ping = client_event::Msg::Ping(v1::HeartbeatRequest { timestamp_ms: 1 });
    let status = open(bridge.stub().await, ping).await.expect_err("refused");
    assert_eq!(status.code(), Code::InvalidArgument);
    assert!(status.message().starts_with("HANDSHAKE_EXPECTED"), "{status}");
    let status = open(bridge.stub().await, ack("nobody")).await.expect_err("refused");
    assert_eq!(status.code(), Code::FailedPrecondition);
}

#[tokio::test]
async fn a_handshake_that_does_not_come_is_not_waited_for() {
    let bridge = TestBridge::start(config());
    let mut control = bridge.stand_still().await;
    let mut stub = bridge.stub().await;
    let silent = tokio::spawn(async move { stub.event_stream(tokio_stream::pending()).await });
    // The stream is open once a handshake timer is there to fire.
    let fired = async {
        loop {
            let request = loom_bridge::wire::control::AdvanceRequest {
                namespace: NAMESPACE.into(),
                by_us: 10_000_000,
                patience_ms: 0,
            };
            if control.advance(request).await.expect("advanced").into_inner().fired > 0 {
                break;
            }
        }
    };
    tokio::time::timeout(PATIENCE, fired).await.expect("the timer fires");
    let status = silent.await.expect("no panic").expect_err("refused");
    assert_eq!(status.code(), Code::DeadlineExceeded);
}

#[tokio::test]
async fn the_newest_stream_wins() {
    let bridge = TestBridge::start(config());
    let mut older = bridge.join(registration("a", &["x"])).await;
    let (_say, _hear) = open(older.stub.clone(), ack("a")).await.expect("accepted");
    match older.next().await {
        server_event::Msg::Err(error) => assert_eq!((error.code.as_str(), error.fatal), ("SUPERSEDED", true)),
        other => panic!("{other:?}"),
    }
    assert_eq!(older.end().await, Code::Aborted);
}

#[tokio::test]
async fn goodbye_and_half_close_end_ok_and_a_reset_breaks() {
    let bridge = TestBridge::start(config());
    let mut control = bridge.control().await;
    let mut polite = bridge.join(registration("polite", &[])).await;
    polite.send(client_event::Msg::Goodbye(v1::Goodbye::default()));
    assert_eq!(polite.end().await, Code::Ok);
    let mut brief = bridge.join(registration("brief", &["x"])).await;
    brief.publish("x", event("last"));
    brief.half_close();
    assert_eq!(brief.next_event().await, "last");
    assert_eq!(brief.end().await, Code::Ok);
    let rude = bridge.join(registration("rude", &[])).await;
    drop(rude);
    until(&mut control, |snapshot| snapshot.agents.is_empty()).await;
}

#[tokio::test]
async fn a_base_level_client_is_served() {
    let bridge = TestBridge::start(config());
    let base = v1::AgentRegisterRequest { features: vec![], ..registration("base", &["x"]) };
    let mut agent = bridge.join(base).await;
    agent.publish("x", event("e1"));
    match agent.next().await {
        server_event::Msg::Delivery(delivery) => assert_eq!(delivery.seq, 0),
        other => panic!("{other:?}"),
    }
    agent.send(client_event::Msg::Ping(v1::HeartbeatRequest { timestamp_ms: 7 }));
    match agent.next().await {
        server_event::Msg::Pong(pong) => assert_eq!((pong.timestamp_ms, pong.status.as_str()), (7, "ok")),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_refused_registration_says_why() {
    let bridge = TestBridge::start(config());
    let mut stub = bridge.stub().await;
    let response = stub.register_agent(registration("a b", &[])).await.expect("an answer").into_inner();
    assert!(!response.success);
    assert_eq!(response.error_code, "INVALID_AGENT_ID");
    assert!(response.error_message.contains("\"a b\""), "{}", response.error_message);
    let response = stub.register_agent(registration("a", &[])).await.expect("an answer").into_inner();
    assert_eq!(response.server.expect("told").name, "loom-bridge");
    assert_eq!(response.limits.expect("told").queue_events, 10_000);
}
