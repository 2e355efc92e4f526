//! Calls through the bridge (ACT).

mod common;

use std::time::Duration;

use common::*;
use loom_bridge::wire::v1;
use loom_bridge::wire::v1::action_broker_client::ActionBrokerClient;
use loom_bridge::wire::view::server_event;

#[tokio::test]
async fn a_call_goes_to_its_provider_and_back() {
    let bridge = TestBridge::start(config());
    let mut agent = bridge.join(provider("a", "cap")).await;
    let mut broker = ActionBrokerClient::new(bridge.channel().await);
    let listed = broker.list_capabilities(v1::ListCapabilitiesRequest {}).await.expect("listed").into_inner();
    assert_eq!(listed.capabilities[0].name, "cap");
    let calling = tokio::spawn(async move { broker.invoke(call("cap", 0)).await });
    let given = agent.next_call().await;
    assert_ne!(given.id, "own");
    assert_eq!(given.timeout_ms, 30_000);
    agent.answer(&given.id, b"out");
    let result = calling.await.expect("no panic").expect("a result").into_inner();
    assert_eq!((result.id.as_str(), &result.output[..]), ("own", &b"out"[..]));
    agent.answer(&given.id, b"twice");
    assert!(matches!(agent.next().await, server_event::Msg::Err(error) if error.code == "UNKNOWN_CALL"));
}

#[tokio::test]
async fn nobody_there_is_an_answer() {
    let bridge = TestBridge::start(config());
    let mut stub = bridge.stub().await;
    let result = stub.forward_action(call("nope", 0)).await.expect("a result").into_inner();
    assert_eq!(code_of(&result), "NOT_FOUND");
    stub.register_agent(provider("a", "cap")).await.expect("registered");
    let result = stub.forward_action(call("cap", 0)).await.expect("a result").into_inner();
    assert_eq!(code_of(&result), "UNAVAILABLE");
}

#[tokio::test]
async fn thirty_minutes_pass_at_once_on_a_virtual_clock() {
    let bridge = TestBridge::start(config());
    let mut control = bridge.stand_still().await;
    let mut agent = bridge.join(provider("a", "cap")).await;
    let mut stub = bridge.stub().await;
    let calling = tokio::spawn(async move { stub.forward_action(call("cap", 1_800_000)).await });
    let given = agent.next_call().await;
    advance(&mut control, 1_800_000).await;
    let result = calling.await.expect("no panic").expect("a result").into_inner();
    assert_eq!(code_of(&result), "TIMEOUT");
    assert!(matches!(agent.next().await, server_event::Msg::ActionCancel(cancel) if cancel.id == given.id));
}

#[tokio::test]
async fn a_lost_provider_is_told_at_once() {
    let bridge = TestBridge::start(config());
    let mut agent = bridge.join(provider("a", "cap")).await;
    let mut stub = bridge.stub().await;
    let calling = tokio::spawn(async move { stub.forward_action(call("cap", 0)).await });
    agent.next_call().await;
    drop(agent);
    let answer = tokio::time::timeout(PATIENCE, calling).await.expect("at once").expect("no panic");
    assert_eq!(code_of(answer.expect("a result").get_ref()), "PROVIDER_LOST");
}

#[tokio::test]
async fn a_caller_that_leaves_cancels() {
    let bridge = TestBridge::start(config());
    let mut agent = bridge.join(provider("a", "cap")).await;
    let mut stub = bridge.stub().await;
    let calling = tokio::spawn(async move { stub.forward_action(call("cap", 0)).await });
    let given = agent.next_call().await;
    calling.abort();
    match agent.next().await {
        server_event::Msg::ActionCancel(cancel) => {
            assert_eq!((cancel.id, cancel.code.as_str()), (given.id, "CANCELLED"));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_deadline_of_grpc_s_own_cancels_too() {
    let bridge = TestBridge::start(config());
    let mut agent = bridge.join(provider("a", "cap")).await;
    let mut stub = bridge.stub().await;
    let mut request = tonic::Request::new(call("cap", 0));
    request.set_timeout(Duration::from_millis(50));
    assert!(stub.forward_action(request).await.is_err());
    agent.next_call().await;
    assert!(matches!(agent.next().await, server_event::Msg::ActionCancel(_)));
}
