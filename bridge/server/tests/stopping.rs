//! SIGTERM's half of the work: in order, and always to an end (LIM-3).

mod common;

use std::time::Duration;

use common::*;
use loom_bridge::config::Config;
use loom_bridge::wire::view::server_event;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

#[tokio::test]
async fn an_open_call_finishes_and_nothing_new_begins() {
    let mut bridge = TestBridge::start(config());
    let mut agent = bridge.join(provider("a", "cap")).await;
    let mut stub = bridge.stub().await;
    let mut health = HealthClient::new(bridge.channel().await);
    let mut caller = stub.clone();
    let calling = tokio::spawn(async move { caller.forward_action(call("cap", 0)).await });
    let given = agent.next_call().await;
    bridge.begin_stop();
    assert!(matches!(agent.next().await, server_event::Msg::Drain(drain) if drain.grace_ms == 5000));
    let status = health.check(HealthCheckRequest::default()).await.expect("an answer").into_inner().status();
    assert_eq!(status, ServingStatus::NotServing);
    let refused = stub.register_agent(registration("late", &[])).await.expect_err("refused");
    assert_eq!(refused.code(), Code::Unavailable);
    agent.answer(&given.id, b"done");
    let result = calling.await.expect("no panic").expect("a result").into_inner();
    assert_eq!(&result.output[..], b"done");
    assert_eq!(agent.end().await, Code::Unavailable);
    bridge.stopped().await;
}

#[tokio::test]
async fn idle_streams_and_hung_calls_do_not_hold_it_up() {
    let mut bridge = TestBridge::start(Config { grace: Duration::from_millis(200), ..config() });
    let mut agent = bridge.join(provider("a", "cap")).await;
    let idle = bridge.join(registration("idle", &["x"])).await;
    let mut stub = bridge.stub().await;
    let calling = tokio::spawn(async move { stub.forward_action(call("cap", 0)).await });
    agent.next_call().await;
    bridge.begin_stop();
    bridge.stopped().await;
    assert!(
        calling.await.expect("no panic").is_ok_and(|result| code_of(result.get_ref()) == "PROVIDER_LOST")
    );
    drop(idle);
}
