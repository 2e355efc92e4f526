//! Registration: checked as a whole, then applied as a whole (REG).

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::agent::{Agent, AgentSlot, Offer, max_concurrency};
use crate::codes::Code;
use crate::core::Core;
use crate::counters::Counter;
use crate::inputs::Register;
use crate::limits::{Features, micros};
use crate::messages::{Capability, Subscription};
use crate::outputs::RegisterReply;
use crate::router::Route;
use crate::states::{SESSION, SessionTrigger, step};
use crate::text::{quote, utf8_size};
use crate::timers::TimerKind;
use crate::topics::{agent_id_problem, pattern_problem, replies_topic, topic_problem};

const VERSION_BYTES: usize = 128;

/// What is wrong: a code and a sentence.
pub type Problem = (Code, String);

/// Answers one registration (REG-1 to REG-5).
pub fn register(core: &mut Core, request: Register) {
    if let Some((code, message)) = problem(core, &request) {
        core.count(Counter::AgentsRefused);
        core.emit(RegisterReply {
            call: request.call,
            error_code: code.into(),
            error_message: message.into(),
            ..RegisterReply::default()
        });
        return;
    }
    let call = request.call;
    let agent = core.agents_by_id.get(request.agent_id.as_str()).copied().unwrap_or_else(|| {
        let agent_id: Arc<str> = request.agent_id.as_str().into();
        let agent = core.agents.insert(Agent::new(Arc::clone(&agent_id)));
        core.agents_by_id.insert(agent_id, agent);
        agent
    });
    apply(core, agent, request);
    core.count(Counter::AgentsRegistered);
    core.emit(RegisterReply {
        call,
        features: core.agents[agent].features.names(),
        heartbeat_interval_ms: core.limits.heartbeat_interval_ms,
        registration: core.agents[agent].registration,
        ..RegisterReply::default()
    });
}

/// Replaces what the agent hears and offers (REG-3).
fn apply(core: &mut Core, slot: AgentSlot, request: Register) {
    let registration = core.next_registration();
    let agent = &mut core.agents[slot];
    agent.state = step(SESSION, agent.state, SessionTrigger::Register);
    agent.registration = registration;
    agent.features = Features::agreed(request.features.iter().map(String::as_str));
    agent.echo = request.echo != Some(false);
    let agent_id = Arc::clone(&agent.agent_id);
    remove_routes(core, slot, |_| true);
    let plain = |topic| Subscription { topic, ..Subscription::default() };
    add_routes(core, slot, [plain(replies_topic(&agent_id))], true);
    let topics = request.subscribed_topics.into_iter().map(plain);
    add_routes(core, slot, topics.chain(request.subscriptions), false);
    core.agents[slot].forget_left_groups();
    withdraw(core, slot);
    for capability in request.capabilities {
        let name: Arc<str> = capability.name.as_str().into();
        core.providers.entry(Arc::clone(&name)).or_default().push(slot);
        core.freed.add(&name);
        let max_concurrency = max_concurrency(&capability);
        core.agents[slot].capabilities.insert(name, Offer { capability, max_concurrency });
    }
    if core.agents[slot].stream.is_none() {
        let lapse = core.now + micros(core.limits.registration_lapse_ms);
        core.timers.set(TimerKind::Lapse, &agent_id, lapse);
    }
}

/// Subscribes the agent.
pub fn add_routes(
    core: &mut Core,
    slot: AgentSlot,
    subscriptions: impl IntoIterator<Item = Subscription>,
    implicit: bool,
) {
    let agent = &mut core.agents[slot];
    for subscription in subscriptions {
        let route = Arc::new(Route {
            agent: slot,
            agent_id: Arc::clone(&agent.agent_id),
            registration: agent.registration,
            group: subscription.group.as_str().into(),
            event_types: subscription.event_types.iter().cloned().collect(),
            subscription,
            implicit,
        });
        core.router.add(&route);
        agent.routes.push(route);
    }
}

/// Unsubscribes the agent from those of what it hears that `gone` picks.
pub fn remove_routes(core: &mut Core, slot: AgentSlot, gone: impl Fn(&Route) -> bool) {
    let router = &mut core.router;
    core.agents[slot].routes.retain(|route| {
        let gone = gone(route);
        if gone {
            router.remove(route);
        }
        !gone
    });
}

/// Takes back what the agent offers; calls that wait for it are looked at again before the step ends.
pub fn withdraw(core: &mut Core, slot: AgentSlot) {
    for name in std::mem::take(&mut core.agents[slot].capabilities).into_keys() {
        let offering = core.providers.get_mut(&name).expect("what an agent offers has providers");
        offering.retain(|agent| *agent != slot);
        if offering.is_empty() {
            core.providers.remove(&name);
        }
        core.freed.add(&name);
    }
}

/// What is wrong with a registration, naming the culprit; None when nothing is.
fn problem(core: &Core, request: &Register) -> Option<Problem> {
    if let Some(problem) = agent_id_problem(&request.agent_id) {
        return Some((Code::InvalidAgentId, format!("agent id {} {problem}", quote(&request.agent_id))));
    }
    if core.draining {
        return Some((Code::Draining, "the bridge is about to stop".to_owned()));
    }
    topics_problem(request)
        .or_else(|| subscriptions_problem(core, request))
        .or_else(|| capabilities_problem(core, request))
}

fn topics_problem(request: &Register) -> Option<Problem> {
    request.subscribed_topics.iter().find_map(|topic| wrong_topic(topic))
}

fn wrong_topic(topic: &str) -> Option<Problem> {
    let problem = pattern_problem(topic)?;
    Some((Code::InvalidTopic, format!("topic {} {problem}", quote(topic))))
}

fn subscriptions_problem(core: &Core, request: &Register) -> Option<Problem> {
    let count = request.subscribed_topics.len() + request.subscriptions.len();
    if let Some(problem) = count_problem(count, "subscriptions", core.limits.subscriptions) {
        return Some(problem);
    }
    if !request.subscriptions.is_empty() && !request.features.iter().any(|feature| feature == "subscriptions")
    {
        let message = "subscriptions with options need the feature subscriptions";
        return Some((Code::FeatureRequired, message.to_owned()));
    }
    request.subscriptions.iter().find_map(subscription_problem)
}

/// What is wrong with the number of something, if it is more than `most`.
pub(crate) fn count_problem(count: usize, what: &str, most: u64) -> Option<Problem> {
    (count as u64 > most)
        .then(|| (Code::LimitExceeded, format!("{count} {what}; at most {most} are allowed")))
}

/// What is wrong with one subscription (REG-2).
pub fn subscription_problem(subscription: &Subscription) -> Option<Problem> {
    let problem = wrong_topic(&subscription.topic);
    if problem.is_some() {
        return problem;
    }
    let wrong = |message| Some((Code::InvalidSubscription, message));
    let named = format!("subscription {}", quote(&subscription.topic));
    if let Some(qos) = subscription.qos
        && !(0..=2).contains(&qos)
    {
        return wrong(format!("{named} has the unknown qos {qos}"));
    }
    if subscription.event_types.iter().any(String::is_empty) {
        return wrong(format!("{named} has an empty event type"));
    }
    if subscription.group.is_empty() {
        return None;
    }
    if let Some(problem) = topic_problem(&subscription.group) {
        return wrong(format!("{named}: group {} {problem}", quote(&subscription.group)));
    }
    if subscription.observer {
        return wrong(format!("{named} has a group and is an observer; it can be one of them"));
    }
    None
}

fn capabilities_problem(core: &Core, request: &Register) -> Option<Problem> {
    let count = request.capabilities.len();
    if let Some(problem) = count_problem(count, "capabilities", core.limits.capabilities) {
        return Some(problem);
    }
    let mut seen = BTreeSet::new();
    for capability in &request.capabilities {
        let twice = !seen.insert(&capability.name);
        let problem = capability_problem(capability).or_else(|| twice.then(|| "is named twice".to_owned()));
        if let Some(problem) = problem {
            let message = format!("capability {} {problem}", quote(&capability.name));
            return Some((Code::InvalidCapability, message));
        }
    }
    None
}

fn capability_problem(capability: &Capability) -> Option<String> {
    if let Some(problem) = topic_problem(&capability.name) {
        return Some(problem);
    }
    if utf8_size(&capability.version) > VERSION_BYTES {
        return Some(format!("has a version of more than {VERSION_BYTES} bytes"));
    }
    let most = capability.metadata.get("loom.max_concurrency")?;
    (!is_concurrency(most)).then(|| {
        format!("has loom.max_concurrency {}; it must be a whole number from 1 to 999999", quote(most))
    })
}

/// A whole number from 1 to 999999, written without sign, space or leading zero.
fn is_concurrency(text: &str) -> bool {
    text.len() <= 6
        && !text.is_empty()
        && !text.starts_with('0')
        && text.bytes().all(|byte| byte.is_ascii_digit())
}
