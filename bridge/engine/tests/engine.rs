//! The engine on virtual time, from outside: one behaviour each. The traces hold many more.

mod world;

use bytes::Bytes;
use loom_engine::inputs::{Break, DrainAll, HalfClose, Register, Reset, Tick};
use loom_engine::messages::{
    Ack, ActionCall, ActionResult, ClientMessage, Goodbye, Map, Publish, Receipt, ServerMessage, Subscribe,
    Subscription,
};
use loom_engine::outputs::{Answer, Output};
use loom_engine::{Engine, Limits};
use world::{SECOND, World, event};

#[test]
fn a_registration_is_refused_as_a_whole() {
    let mut world = World::default();
    let refused =
        world.register(Register { subscribed_topics: vec!["a".into(), "b.".into()], ..world.agent("x") });
    assert_eq!((&*refused.error_code, refused.registration), ("INVALID_TOPIC", 0));
    assert_eq!(refused.error_message, "topic \"b.\" has an empty token");
    assert!(world.engine.is_idle());
}

#[test]
fn a_registration_without_a_stream_lapses() {
    let mut world = World::default();
    world.register(world.agent("x"));
    assert_eq!(world.engine.next_deadline(), Some(world.now + 30 * SECOND));
    world.wait(30);
    assert!(world.engine.is_idle());
    let stream = world.open("x");
    assert_eq!(world.ended(stream).as_deref(), Some("FAILED_PRECONDITION"));
}

#[test]
fn a_stream_that_begins_with_anything_else_ends() {
    let mut world = World::default();
    let stream = world.open_stream();
    world.say(stream, Goodbye::default());
    assert_eq!(world.ended(stream).as_deref(), Some("INVALID_ARGUMENT"));
    let silent = world.open_stream();
    world.wait(10);
    assert_eq!(world.ended(silent).as_deref(), Some("DEADLINE_EXCEEDED"));
}

#[test]
fn the_newest_stream_wins() {
    let mut world = World::default();
    let older = world.join("x", &[]);
    let newer = world.open("x");
    assert_eq!(world.ended(older).as_deref(), Some("ABORTED"));
    assert_eq!(world.ended(newer), None);
    world.handle(Break { stream: older });
    assert!(!world.engine.is_idle());
}

#[test]
fn an_event_reaches_each_once_and_in_order_of_registration() {
    let mut world = World::default();
    let publisher = world.join("p", &[]);
    let twice = world.join("a", &["t.*", ">"]);
    let once = world.join("b", &["t.x"]);
    world.publish(publisher, "t.x", event("e"));
    assert_eq!(world.deliveries(), [twice, once]);
}

#[test]
fn a_group_takes_turns_and_forgets_nothing_when_a_member_is_lost() {
    let mut world = World::with(Limits { stream_window: 1, ..Limits::default() });
    world.writes = false;
    let publisher = world.join("p", &[]);
    let members = ["a", "b"].map(|agent_id| {
        let stream = world.join(agent_id, &[]);
        let grouped = Subscription { topic: "t".into(), group: "g".into(), ..Subscription::default() };
        world.say(stream, Subscribe { r#ref: 0, subscriptions: vec![grouped] });
        stream
    });
    for _ in 0..4 {
        world.publish(publisher, "t", event("e"));
    }
    assert!(world.deliveries().is_empty(), "the window was spent on the welcome");
    world.wrote(members[1], 10);
    assert_eq!(world.deliveries(), [members[1], members[1]]);
    world.handle(Break { stream: members[0] });
    assert_eq!(world.deliveries(), [members[1], members[1]]);
}

#[test]
fn an_expired_event_is_not_delivered() {
    let mut world = World::with(Limits { stream_window: 1, ..Limits::default() });
    world.writes = false;
    let (publisher, subscriber) = (world.join("p", &[]), world.join("a", &["t"]));
    let short = b"\x2a\x12\x0a\x0bloom.ttl_ms\x12\x03500";
    world.publish(publisher, "t", Bytes::from_static(short));
    world.wait(1);
    world.wrote(subscriber, 1);
    assert!(world.deliveries().is_empty());
}

#[test]
fn a_confirmed_publish_is_accepted_once() {
    let mut world = World::default();
    world.join("a", &["t"]);
    world.register(world.agent("p"));
    for _ in 0..2 {
        let ack = Ack { message_id: "p".into(), producer: 7, ..Ack::default() };
        let publisher = world.open_stream();
        world.say(publisher, ack);
        let publish = Publish { topic: "t".into(), event: Some(event("e")), confirm: true, pub_seq: 1 };
        world.say(publisher, publish);
        let receipt = Receipt { r#ref: 1, matched: 1, code: "".into() };
        assert_eq!(world.sent(publisher).last(), Some(&ServerMessage::Receipt(receipt)));
    }
    assert_eq!(world.deliveries().len(), 1);
}

#[test]
fn a_full_subscriber_slows_its_publisher_and_is_cut_off() {
    let mut world = World::with(Limits { queue_events: 1, stream_window: 1, ..Limits::default() });
    let publisher = world.join("p", &[]);
    world.writes = false;
    let subscriber = world.join("a", &["t"]);
    world.publish(publisher, "t", event("1"));
    assert!(!world.paused.contains(&publisher));
    world.publish(publisher, "t", event("2"));
    assert!(world.paused.contains(&publisher));
    world.wait(10);
    assert_eq!(world.ended(subscriber).as_deref(), Some("RESOURCE_EXHAUSTED"));
    assert!(!world.paused.contains(&publisher));
}

#[test]
fn a_call_goes_to_its_provider_and_comes_back() {
    let mut world = World::default();
    let provider = world.provide("a", None);
    let call = world.invoke("own");
    let given = world.calls(provider);
    assert_eq!((given.len(), &*given[0].payload, given[0].timeout_ms), (1, &b"in"[..], 30_000));
    let output = Bytes::from_static(b"out");
    world.say(provider, ActionResult { id: given[0].id.clone(), output, ..ActionResult::default() });
    let answer = world.answer(call).expect("it was answered");
    assert_eq!((&*answer.id, &*answer.output), ("own", &b"out"[..]));
}

#[test]
fn a_call_times_out_and_its_place_is_held_until_the_provider_answers() {
    let mut world = World::default();
    let provider = world.provide("a", Some("1"));
    let (first, second) = (world.invoke(""), world.invoke(""));
    world.wait(30);
    for call in [first, second] {
        let error = world.answer(call).and_then(|answer| answer.error).expect("it timed out");
        assert_eq!(error.code, "TIMEOUT");
    }
    let given = world.calls(provider);
    assert_eq!(given.len(), 1);
    world.invoke("");
    assert!(world.calls(provider).is_empty());
    world.say(provider, ActionResult { id: given[0].id.clone(), ..ActionResult::default() });
    assert_eq!(world.calls(provider).len(), 1);
}

#[test]
fn a_lost_provider_is_told_at_once() {
    let mut world = World::default();
    let provider = world.provide("a", None);
    let call = world.invoke("own");
    world.handle(HalfClose { stream: provider });
    let error = world.answer(call).and_then(|answer| answer.error).expect("it failed");
    assert_eq!(error.code, "PROVIDER_LOST");
    let nobody = world.invoke("own");
    let error = world.answer(nobody).and_then(|answer| answer.error).expect("it was refused");
    assert_eq!(error.message, "no agent offers capability \"c\"");
}

#[test]
fn silence_is_death_unless_time_is_virtual() {
    for (liveness, status) in [(true, Some("UNAVAILABLE")), (false, None)] {
        let mut world = World::default();
        world.engine = Engine::new(world.now, Limits::default(), liveness);
        let stream = world.join("a", &[]);
        world.wait(9);
        assert_eq!(world.ended(stream).as_deref(), status);
    }
}

#[test]
fn draining_lets_open_calls_finish() {
    let mut world = World::default();
    let provider = world.provide("a", None);
    let call = world.invoke("own");
    world.handle(DrainAll { grace_ms: 10_000 });
    assert!(world.sent(provider).iter().any(|message| matches!(message, ServerMessage::Drain(_))));
    assert_eq!(world.ended(provider), None);
    let id = world.calls(provider)[0].id.clone();
    let outputs = world.handle_message(provider, ActionResult { id, ..ActionResult::default() }.into());
    let kinds: Vec<&Output> =
        outputs.iter().filter(|output| !matches!(output, Output::Answer(Answer { .. }))).collect();
    assert!(matches!(kinds[..], [Output::End(_), Output::Drained(_)]), "{kinds:?}");
    assert!(world.answer(call).is_some());
}

#[test]
fn a_reset_leaves_nothing() {
    let mut world = World::default();
    let stream = world.provide("a", None);
    world.invoke("own");
    world.handle(Reset {});
    assert_eq!(world.ended(stream).as_deref(), Some("UNAVAILABLE"));
    assert!(world.engine.is_idle());
    assert_eq!(world.engine.next_deadline(), None);
}

#[test]
fn time_never_goes_back() {
    let mut world = World::default();
    world.engine.handle(Tick {}, world.now + SECOND);
    world.engine.handle(Tick {}, world.now);
    assert_eq!(world.engine.now(), world.now + SECOND);
}

#[test]
fn idle_means_that_nobody_can_come_back() {
    let mut world = World::default();
    assert!(world.engine.is_idle());
    let awaiting = world.open_stream();
    assert!(!world.engine.is_idle(), "a stream awaits its handshake");
    world.handle(Break { stream: awaiting });
    let provider = world.provide("a", None);
    assert!(!world.engine.is_idle(), "an agent is there");
    let headers = Map::from([("x-agent-id".into(), "caller".into())]);
    world.call(ActionCall { id: "own".into(), capability: "c".into(), headers, ..ActionCall::default() });
    let id = world.calls(provider)[0].id.clone();
    world.say(provider, ActionResult { id, ..ActionResult::default() });
    world.say(provider, Goodbye::default());
    assert!(!world.engine.is_idle(), "a result is kept for its repeats");
    world.wait(120);
    assert!(world.engine.is_idle());
    world.register(world.agent("p"));
    let publisher = world.open_stream();
    world.say(publisher, Ack { message_id: "p".into(), producer: 7, ..Ack::default() });
    world.handle(Break { stream: publisher });
    assert!(!world.engine.is_idle(), "a producer may come back");
    world.wait(120);
    assert!(world.engine.is_idle());
}

#[test]
fn an_engine_has_the_limits_it_was_given() {
    let world = World::with(Limits { queue_events: 7, ..Limits::default() });
    assert_eq!(world.engine.limits().queue_events, 7);
}

#[test]
fn inputs_about_what_is_gone_are_ignored() {
    let mut world = World::default();
    let stream = world.join("a", &[]);
    world.say(stream, Goodbye::default());
    assert_eq!(world.ended(stream).as_deref(), Some("OK"));
    assert!(world.handle_message(stream, ClientMessage::Ack(Ack::default())).is_empty());
    assert!(world.handle(Break { stream }).is_empty());
    assert!(world.engine.is_idle());
}

impl World {
    fn provide(&mut self, agent_id: &str, most: Option<&str>) -> u64 {
        let metadata: Map =
            most.map(|most| ("loom.max_concurrency".into(), most.into())).into_iter().collect();
        let offered = loom_engine::messages::Capability { name: "c".into(), metadata, ..Default::default() };
        self.register(Register { capabilities: vec![offered], ..self.agent(agent_id) });
        self.open(agent_id)
    }

    fn invoke(&mut self, id: &str) -> u64 {
        let payload = Bytes::from_static(b"in");
        self.call(ActionCall { id: id.into(), capability: "c".into(), payload, ..ActionCall::default() })
    }
}
