//! Events through the bridge: byte for byte, confirmed, refused, expired (PUB).

mod common;

use bytes::Bytes;
use common::*;
use loom_bridge::wire::v1;
use loom_bridge::wire::view::{self, client_event, server_event};

#[tokio::test]
async fn an_event_arrives_byte_for_byte() {
    let bridge = TestBridge::start(config());
    let mut agent = bridge.join(registration("a", &["x.*"])).await;
    let mut carried = event("e1").to_vec();
    carried.extend_from_slice(b"\xa2\x06\x03abc"); // a field nobody knows
    agent.publish("x.y", carried.clone().into());
    match agent.next().await {
        server_event::Msg::Delivery(delivery) => {
            assert_eq!((delivery.topic.as_str(), delivery.seq), ("x.y", 1));
            assert_eq!(delivery.event.as_deref(), Some(&carried[..]));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_empty_event_is_an_event() {
    let bridge = TestBridge::start(config());
    let mut agent = bridge.join(registration("a", &["x"])).await;
    agent.publish("x", Bytes::new());
    match agent.next().await {
        server_event::Msg::Delivery(delivery) => assert_eq!(delivery.event.as_deref(), Some(&b""[..])),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_confirmed_publish_is_answered_and_a_repeat_recognised() {
    let bridge = TestBridge::start(config());
    let mut listener = bridge.join(registration("listener", &["x"])).await;
    let mut publisher = bridge.join(registration("publisher", &[])).await;
    assert_eq!(publisher.confirm(1, "x", event("e1")).await, 1);
    assert_eq!(publisher.confirm(2, "nobody", event("e2")).await, 0);
    assert_eq!(listener.next_event().await, "e1");
}

#[tokio::test]
async fn what_is_refused_leaves_the_stream_alive() {
    let bridge = TestBridge::start(config());
    let mut agent = bridge.join(registration("a", &[">"])).await;
    let refused = [
        ("x.*", Some(event("e1")), "INVALID_TOPIC"),
        ("x", None, "INVALID_EVENT"),
        ("x", Some(Bytes::from_static(b"\x0a\x05ab")), "INVALID_EVENT"),
        ("x", Some(event_with("e1", &[("loom.ttl_ms", "0")])), "INVALID_TTL"),
    ];
    for (topic, carried, code) in refused {
        agent.send(client_event::Msg::Publish(view::Publish {
            topic: topic.into(),
            event: carried,
            ..Default::default()
        }));
        match agent.next().await {
            server_event::Msg::Err(error) => assert_eq!((error.code.as_str(), error.fatal), (code, false)),
            other => panic!("{other:?}"),
        }
    }
    agent.publish("x", event("good"));
    assert_eq!(agent.next_event().await, "good");
}

#[tokio::test]
async fn a_held_event_expires_by_the_virtual_clock() {
    let bridge = TestBridge::start(config());
    let mut control = bridge.stand_still().await;
    let mut slow = bridge.join(registration("slow", &["x"])).await;
    let mut publisher = bridge.join(registration("p", &[])).await;
    let named =
        || loom_bridge::wire::control::HoldRequest { namespace: NAMESPACE.into(), agent_id: "slow".into() };
    control.hold(named()).await.expect("held");
    publisher.confirm(1, "x", event_with("short", &[("loom.ttl_ms", "1000")])).await;
    publisher.confirm(2, "x", event("lasting")).await;
    advance(&mut control, 1000).await;
    let release =
        loom_bridge::wire::control::ReleaseRequest { namespace: NAMESPACE.into(), agent_id: "slow".into() };
    control.release(release).await.expect("released");
    assert_eq!(slow.next_event().await, "lasting");
    assert_eq!(snapshot(&mut control).await.counters["copies_expired"], 1);
}

#[tokio::test]
async fn groups_filters_and_changes_while_live() {
    let bridge = TestBridge::start(config());
    let member = |name| v1::AgentRegisterRequest {
        subscriptions: vec![v1::Subscription {
            topic: "work".into(),
            group: "g".into(),
            ..Default::default()
        }],
        ..registration(name, &[])
    };
    let mut one = bridge.join(member("one")).await;
    let mut two = bridge.join(member("two")).await;
    let mut publisher = bridge.join(registration("p", &[])).await;
    for (seq, name) in [(1, "e1"), (2, "e2")] {
        assert_eq!(publisher.confirm(seq, "work", event(name)).await, 1);
    }
    assert_eq!((one.next_event().await, two.next_event().await), ("e1".into(), "e2".into()));
    let wanted = vec![v1::Subscription { topic: "more".into(), ..Default::default() }];
    one.send(client_event::Msg::Subscribe(v1::Subscribe { r#ref: 9, subscriptions: wanted }));
    assert!(matches!(one.next().await, server_event::Msg::Receipt(receipt) if receipt.r#ref == 9));
    assert_eq!(publisher.confirm(3, "more", event("e3")).await, 1);
    assert_eq!(one.next_event().await, "e3");
}

#[tokio::test]
async fn a_batch_needs_its_feature() {
    let bridge = TestBridge::start(config());
    let mut agent = bridge.join(registration("a", &[])).await;
    agent.send(client_event::Msg::Batch(view::ClientBatch::default()));
    match agent.next().await {
        server_event::Msg::Err(error) => assert_eq!(error.code, "INVALID_MESSAGE"),
        other => panic!("{other:?}"),
    }
}
