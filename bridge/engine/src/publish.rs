//! From a publish to the copies of its receivers (PUB).

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;

use crate::agent::AgentSlot;
use crate::codes::Code;
use crate::core::{Core, Outcome};
use crate::counters::Counter;
use crate::event::{EventView, scan};
use crate::flow;
use crate::limits::{Feature, micros};
use crate::messages::{Err, Publish, Receipt};
use crate::outbox::{Copy, Outbox, Published};
use crate::router::{Matched, Route};
use crate::stream::{Stream, StreamSlot};
use crate::text::{Text, quote};
use crate::topics::topic_problem;

/// The QoS of a subscription that names none.
pub const BATCHED: i32 = 1;

/// Why a publish is not taken.
type Refused = (Code, Text);

/// Under which key a producer's outcomes are kept.
pub fn producer_key(agent_id: &str, producer: u64) -> Arc<str> {
    format!("{agent_id}/{producer}").into()
}

/// Takes one publish: delivers it, refuses it, or recognises it as a repeat.
pub fn publish(core: &mut Core, stream: StreamSlot, message: Publish) {
    if message.confirm && core.streams[stream].features.has(Feature::Confirm) && message.pub_seq != 0 {
        publish_confirmed(core, stream, &message);
    } else {
        publish_plain(core, stream, &message);
    }
}

fn publish_plain(core: &mut Core, slot: StreamSlot, message: &Publish) {
    let checked = check_confirm(&core.streams[slot], message);
    match checked.and_then(|()| accept(core, slot, message)) {
        Ok(published) => _ = route(core, &Arc::new(published)),
        Result::Err(refused) => refuse(core, slot, refused, event_id(message)),
    }
}

fn publish_confirmed(core: &mut Core, slot: StreamSlot, message: &Publish) {
    let pub_seq = message.pub_seq;
    let producer = core.streams[slot].producer.clone();
    let outcomes = producer.as_ref().and_then(|key| core.producers.get_mut(key));
    if let Some((matched, code)) = outcomes.and_then(|outcomes| outcomes.get(pub_seq).cloned()) {
        core.count(Counter::EventsRepeated);
        flow::reply(core, slot, Receipt { r#ref: pub_seq, matched, code });
        return;
    }
    let outcome: Outcome = match accept(core, slot, message) {
        Ok(published) => (route(core, &Arc::new(published)), Text::default()),
        Result::Err(refused) => {
            let code = refused.0.into();
            refuse(core, slot, refused, pub_seq.to_string());
            (0, code)
        }
    };
    if let Some(outcomes) = producer.as_ref().and_then(|key| core.producers.get_mut(key)) {
        outcomes.keep(pub_seq, outcome.clone(), core.limits.producer_outcomes);
    }
    let (matched, code) = outcome;
    flow::reply(core, slot, Receipt { r#ref: pub_seq, matched, code });
}

fn check_confirm(stream: &Stream, message: &Publish) -> Result<(), Refused> {
    if !message.confirm {
        return Ok(());
    }
    if !stream.features.has(Feature::Confirm) {
        return Result::Err((Code::FeatureRequired, "a confirmed publish needs the feature confirm".into()));
    }
    Result::Err((Code::InvalidMessage, "a confirmed publish needs a pub_seq from 1".into()))
}

/// The event, checked and ready for routing (PUB-5).
fn accept(core: &Core, stream: StreamSlot, message: &Publish) -> Result<Published, Refused> {
    let topic = Arc::clone(&message.topic);
    if let Some(problem) = topic_problem(&topic) {
        return Result::Err((Code::InvalidTopic, format!("topic {} {problem}", quote(&topic)).into()));
    }
    let Some(event) = message.event.clone() else {
        return Result::Err((Code::InvalidEvent, "the publish carries no event".into()));
    };
    let (size, most) = (event.len(), core.limits.event_bytes);
    if size as u64 > most {
        let message = format!("the event has {size} bytes; at most {most} are allowed");
        return Result::Err((Code::LimitExceeded, message.into()));
    }
    let view = scan(&event)
        .map_err(|malformed| (Code::InvalidEvent, format!("the event is malformed: {malformed}").into()))?;
    let expires = expiry(core, &view)?;
    let type_at = place(&event, view.r#type);
    let publisher = Arc::clone(&core.streams[stream].agent_id);
    Ok(Published { topic, event, type_at, publisher, expires })
}

/// Where in the event a text found in it stands.
fn place(event: &Bytes, text: &str) -> Range<usize> {
    if text.is_empty() {
        return 0..0;
    }
    let start = text.as_ptr() as usize - event.as_ptr() as usize;
    start..start + text.len()
}

fn expiry(core: &Core, view: &EventView) -> Result<Option<u64>, Refused> {
    let Some(ttl) = view.ttl else { return Ok(None) };
    let written_well =
        ttl.len() <= 10 && !ttl.starts_with('0') && ttl.bytes().all(|byte| byte.is_ascii_digit());
    match ttl.parse() {
        Ok(milliseconds) if written_well => Ok(Some(core.now + micros(milliseconds))),
        _ => {
            let message = format!("loom.ttl_ms {} is not a whole number from 1 to 9999999999", quote(ttl));
            Result::Err((Code::InvalidTtl, message.into()))
        }
    }
}

/// The id of a refused event, where it can be read.
fn event_id(message: &Publish) -> String {
    let event = message.event.as_deref();
    event.and_then(|event| scan(event).ok()).map(|view| view.id.to_owned()).unwrap_or_default()
}

fn refuse(core: &mut Core, stream: StreamSlot, (code, message): Refused, r#ref: String) {
    core.count(Counter::EventsRefused);
    flow::reply(core, stream, Err { code: code.into(), message, r#ref, fatal: false });
}

/// What an agent is to get, gathered over its matching subscriptions.
#[derive(Debug)]
struct Receiver {
    agent: AgentSlot,
    qos: i32,
    plain: bool,
    groups: Vec<Arc<str>>,
}

impl Receiver {
    fn new(route: &Route) -> Self {
        Self { agent: route.agent, qos: qos(route), plain: false, groups: Vec::new() }
    }

    /// Batched holds over background over realtime, where several subscriptions match (PUB-8).
    fn strengthen(&mut self, qos: i32) {
        if strength(qos) > strength(self.qos) {
            self.qos = qos;
        }
    }

    fn add_plain(&mut self, route: &Route) {
        self.strengthen(qos(route));
        self.plain |= !route.subscription.observer;
    }
}

/// Receivers by their registrations, in the order in which they were found.
type Receivers = IndexMap<u64, Receiver, FxBuildHasher>;

/// The matching subscriptions of queue groups, by group.
type Members<'a> = BTreeMap<&'a str, Vec<&'a Route>>;

/// Gives every receiver its copy; answers how many count as receivers (PUB-1, PUB-8, PUB-9).
fn route(core: &mut Core, published: &Arc<Published>) -> u64 {
    core.count(Counter::EventsPublished);
    let found = core.router.matching(&published.topic);
    let matched = if found.grouped {
        route_grouped(core, published, &found)
    } else {
        route_plain(core, published, &found)
    };
    if matched == 0 {
        core.count(Counter::EventsUnmatched);
    }
    matched
}

/// Without queue groups: the routes come by registration, so those of one agent follow each other.
fn route_plain(core: &mut Core, published: &Arc<Published>, found: &Matched) -> u64 {
    let mut matched = 0;
    let mut routes = found.routes.iter().peekable();
    while let Some(route) = routes.next() {
        if !hears(core, route, published) {
            continue;
        }
        let mut receiver = Receiver::new(route);
        receiver.add_plain(route);
        while let Some(other) = routes.next_if(|other| other.agent == route.agent) {
            if hears(core, other, published) {
                receiver.add_plain(other);
            }
        }
        matched += u64::from(receiver.plain);
        give(core, published, receiver);
    }
    matched
}

fn route_grouped(core: &mut Core, published: &Arc<Published>, found: &Matched) -> u64 {
    let mut receivers = Receivers::default();
    let mut members = Members::new();
    for route in live_routes(core, published, found) {
        if route.group.is_empty() {
            receivers.entry(route.registration).or_insert_with(|| Receiver::new(route)).add_plain(route);
        } else {
            members.entry(&route.group).or_default().push(route);
        }
    }
    add_members(core, &mut receivers, &members);
    receivers.sort_unstable_keys();
    let mut matched = 0;
    for receiver in receivers.into_values() {
        matched += u64::from(receiver.plain || !receiver.groups.is_empty());
        give(core, published, receiver);
    }
    matched
}

fn give(core: &mut Core, published: &Arc<Published>, receiver: Receiver) {
    let target = core.agents[receiver.agent].stream.expect("a receiver has a live stream");
    let groups = receiver.groups.into_boxed_slice();
    flow::give(core, target, Copy { published: Arc::clone(published), qos: receiver.qos, groups });
}

/// The matching subscriptions of live agents, the publisher's own only if it wants its echo.
fn live_routes<'a>(core: &Core, published: &Published, found: &'a Matched) -> Vec<&'a Route> {
    found.routes.iter().map(Arc::as_ref).filter(|route| hears(core, route, published)).collect()
}

fn hears(core: &Core, route: &Route, published: &Published) -> bool {
    let agent = &core.agents[route.agent];
    agent.stream.is_some()
        && route.takes(|| published.r#type())
        && (agent.echo || route.agent_id != published.publisher)
}

fn add_members(core: &mut Core, receivers: &mut Receivers, members: &Members) {
    for (group, routes) in members {
        add_member(core, receivers, group, routes);
    }
}

/// Chooses the group's member, unless one of them receives the event plainly anyway.
fn add_member(core: &mut Core, receivers: &mut Receivers, group: &str, routes: &[&Route]) {
    let plainly = |route: &&Route| receivers.get(&route.registration).is_some_and(|receiver| receiver.plain);
    if routes.iter().any(plainly) {
        return;
    }
    let chosen = choose(core, group, routes);
    let receiver = receivers.entry(chosen.registration).or_insert_with(|| Receiver::new(chosen));
    for route in routes.iter().filter(|route| route.agent == chosen.agent) {
        receiver.strengthen(qos(route));
    }
    receiver.groups.push(Arc::clone(&chosen.group));
}

/// The member served longest ago, then the one with the lowest registration (PUB-8).
fn choose<'a>(core: &mut Core, group: &str, routes: &[&'a Route]) -> &'a Route {
    let turn = |route: &&&Route| {
        let served = core.agents[route.agent].served.get(group).copied().unwrap_or(0);
        (served, route.registration)
    };
    let chosen = *routes.iter().min_by_key(turn).expect("a group without members is not listed");
    let serial = core.next_serial();
    core.agents[chosen.agent].served.insert(Arc::clone(&chosen.group), serial);
    chosen
}

fn qos(route: &Route) -> i32 {
    route.subscription.qos.unwrap_or(BATCHED)
}

/// Which QoS holds where several subscriptions match: batched over background over realtime (PUB-8).
fn strength(qos: i32) -> u8 {
    match qos {
        BATCHED => 2,
        2 => 1,
        _ => 0,
    }
}

/// Empties the queue of a gone agent: a group's copies go to another member, the rest nowhere (SES-6).
pub fn discard(core: &mut Core, outbox: Outbox) {
    let (copies, queued) = outbox.into_copies();
    for copy in &copies {
        if !reroute(core, copy) {
            core.count(Counter::CopiesDiscarded);
        }
    }
    for copy in &copies[queued..] {
        flow::discharge(core, &copy.published.publisher);
    }
}

/// Gives a copy to another member of each group it came through; says whether there was one.
fn reroute(core: &mut Core, copy: &Copy) -> bool {
    let published = &copy.published;
    if copy.groups.is_empty() || published.expires.is_some_and(|expires| expires <= core.now) {
        return false;
    }
    let found = core.router.matching(&published.topic);
    let mut members = Members::new();
    for route in live_routes(core, published, &found) {
        if copy.groups.contains(&route.group) {
            members.entry(&route.group).or_default().push(route);
        }
    }
    let mut receivers = Receivers::default();
    add_members(core, &mut receivers, &members);
    let found_one = !receivers.is_empty();
    for receiver in receivers.into_values() {
        core.count(Counter::CopiesRerouted);
        give(core, published, receiver);
    }
    found_one
}
