//! The testing control, and a bridge without it (CTL).

mod common;

use common::*;
use loom_bridge::config::Config;
use loom_bridge::wire::control as c;
use loom_bridge::wire::v1;
use tonic::{Code, Request};

#[tokio::test]
async fn without_testing_there_is_no_control() {
    let bridge = TestBridge::start(Config { testing: false, ..config() });
    let request = c::SnapshotRequest { namespace: NAMESPACE.into() };
    let status = bridge.control().await.snapshot(request).await.expect_err("refused");
    assert_eq!(status.code(), Code::Unimplemented);
}

#[tokio::test]
async fn a_namespace_is_made_once_with_limits_of_its_own() {
    let bridge = TestBridge::start(config());
    let mut control = bridge.stand_still_with(&[("queue_events", 3)]).await;
    let again = c::CreateNamespaceRequest { namespace: NAMESPACE.into(), ..Default::default() };
    assert_eq!(control.create_namespace(again).await.expect_err("there").code(), Code::AlreadyExists);
    for (limit, value) in [("nope", 1), ("queue_events", 0), ("namespaces", 5)] {
        let limits = [(limit.to_owned(), value)].into();
        let request = c::CreateNamespaceRequest { namespace: "other".into(), limits, ..Default::default() };
        let status = control.create_namespace(request).await.expect_err("refused");
        assert_eq!(status.code(), Code::InvalidArgument);
        assert!(status.message().contains(limit), "{status}");
    }
    let response = bridge.stub().await.register_agent(registration("a", &[])).await.expect("registered");
    assert_eq!(response.into_inner().limits.expect("told").queue_events, 3);
}

#[tokio::test]
async fn many_namespaces_are_made_all_or_none_and_reset_whatever_is_missing() {
    let bridge = TestBridge::start(config());
    let mut control = bridge.control().await;
    let names = |others: &[&str]| others.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let create = |others: &[&str]| c::CreateNamespaceRequest {
        namespace: "one".into(),
        virtual_clock: true,
        others: names(others),
        ..Default::default()
    };
    for (others, code, culprit) in [
        (&["two", "not a name"] as &[&str], Code::InvalidArgument, "\"not a name\""),
        (&["two", "one"], Code::InvalidArgument, "\"one\" is named twice"),
        (&["two"; 2], Code::InvalidArgument, "\"two\" is named twice"),
    ] {
        let status = control.create_namespace(create(others)).await.expect_err("refused");
        assert_eq!(status.code(), code);
        assert!(status.message().contains(culprit), "{status}");
    }
    let snapshot = |name: &str| c::SnapshotRequest { namespace: name.into() };
    for name in ["one", "two"] {
        assert_eq!(control.snapshot(snapshot(name)).await.expect_err("none").code(), Code::NotFound);
    }
    let made = control.create_namespace(create(&["two", "three"])).await.expect("made").into_inner();
    assert_eq!(made.made, 3);
    let status = control.create_namespace(create(&[])).await.expect_err("there");
    assert_eq!(status.code(), Code::AlreadyExists);
    let reset =
        |name: &str, others: &[&str]| c::ResetRequest { namespace: name.into(), others: names(others) };
    control.reset(reset("one", &["two"])).await.expect("reset");
    let status = control.reset(reset("two", &["three", "three"])).await.expect_err("gone");
    assert_eq!(status.code(), Code::NotFound);
    assert!(status.message().contains("\"two\""), "{status}");
    for name in ["one", "two", "three"] {
        assert_eq!(control.snapshot(snapshot(name)).await.expect_err("none").code(), Code::NotFound);
    }
}

#[tokio::test]
async fn namespaces_are_worlds_of_their_own() {
    let bridge = TestBridge::start(config());
    let mut stub = bridge.stub().await;
    let mut elsewhere = Request::new(provider("a", "cap"));
    elsewhere.metadata_mut().insert("loom-namespace", "elsewhere".parse().expect("ASCII"));
    stub.register_agent(elsewhere).await.expect("registered");
    let result = stub.forward_action(call("cap", 0)).await.expect("a result").into_inner();
    assert_eq!(code_of(&result), "NOT_FOUND");
    let mut malformed = Request::new(v1::HeartbeatRequest::default());
    malformed.metadata_mut().insert("loom-namespace", "a b".parse().expect("ASCII"));
    assert_eq!(stub.heartbeat(malformed).await.expect_err("refused").code(), Code::InvalidArgument);
}

#[tokio::test]
async fn a_real_clock_does_not_advance() {
    let bridge = TestBridge::start(config());
    let mut control = bridge.control().await;
    bridge.stub().await.heartbeat(v1::HeartbeatRequest::default()).await.expect("an answer");
    let request = c::AdvanceRequest { namespace: NAMESPACE.into(), by_us: 1, patience_ms: 0 };
    assert_eq!(control.advance(request).await.expect_err("real").code(), Code::FailedPrecondition);
    let request = c::AdvanceRequest { namespace: "nowhere".into(), by_us: 1, patience_ms: 0 };
    assert_eq!(control.advance(request).await.expect_err("none").code(), Code::NotFound);
}

#[tokio::test]
async fn disconnect_looks_like_a_lost_connection() {
    let bridge = TestBridge::start(config());
    let mut control = bridge.control().await;
    let mut agent = bridge.join(registration("a", &[])).await;
    let request = c::DisconnectRequest { namespace: NAMESPACE.into(), agent_id: "a".into() };
    control.disconnect(request.clone()).await.expect("cut");
    assert_eq!(agent.end().await, Code::Unavailable);
    assert_eq!(control.disconnect(request).await.expect_err("gone").code(), Code::NotFound);
}

#[tokio::test]
async fn reset_ends_what_is_open_and_forgets() {
    let bridge = TestBridge::start(config());
    let mut control = bridge.control().await;
    let mut agent = bridge.join(registration("a", &[])).await;
    control.reset(c::ResetRequest { namespace: NAMESPACE.into(), others: Vec::new() }).await.expect("reset");
    assert_eq!(agent.end().await, Code::Unavailable);
    let request = c::SnapshotRequest { namespace: NAMESPACE.into() };
    assert_eq!(control.snapshot(request).await.expect_err("forgotten").code(), Code::NotFound);
    drop(bridge.join(registration("a", &[])).await);
}

#[tokio::test]
async fn watch_tells_every_step_as_a_line_of_a_trace() {
    let bridge = TestBridge::start(config());
    let mut control = bridge.control().await;
    let mut lines = control.watch(c::WatchRequest::default()).await.expect("watching").into_inner();
    bridge.stub().await.heartbeat(v1::HeartbeatRequest { timestamp_ms: 5 }).await.expect("an answer");
    let step = tokio::time::timeout(PATIENCE, lines.message()).await.expect("in time").expect("a line");
    let step = step.expect("a line");
    assert_eq!(step.namespace, NAMESPACE);
    let read = loom_engine::trace::decode_step(&step.line).expect("a step");
    assert_eq!(read.outputs.len(), 1);
}

#[tokio::test]
async fn a_later_watch_is_told_what_was_kept_if_it_asks() {
    let bridge = TestBridge::start(config());
    let mut control = bridge.stand_still_with(&[]).await;
    for timestamp_ms in [5, 6] {
        bridge.stub().await.heartbeat(v1::HeartbeatRequest { timestamp_ms }).await.expect("an answer");
    }
    let watch = c::WatchRequest { namespace: NAMESPACE.into(), kept: true };
    let mut lines = control.watch(watch).await.expect("watching").into_inner();
    // Making the namespace asks it for its time, which is a step as well.
    for input in ["\"kind\":\"snapshot\"", "\"timestamp_ms\":5", "\"timestamp_ms\":6"] {
        let step = tokio::time::timeout(PATIENCE, lines.message()).await.expect("in time").expect("a line");
        let line = step.expect("a line").line;
        assert!(line.contains(input), "{line}");
    }
}

#[tokio::test]
async fn a_watch_of_one_namespace_ends_with_it() {
    let bridge = TestBridge::start(config());
    let mut control = bridge.stand_still_with(&[]).await;
    let watch = c::WatchRequest { namespace: NAMESPACE.into(), kept: false };
    let mut lines = control.watch(watch).await.expect("watching").into_inner();
    control.reset(c::ResetRequest { namespace: NAMESPACE.into(), others: Vec::new() }).await.expect("reset");
    let ended = tokio::time::timeout(PATIENCE, async { while let Ok(Some(_)) = lines.message().await {} });
    ended.await.expect("the watch ends");
}
