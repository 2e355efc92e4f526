//! Changing what a live session hears (feature `subscriptions`, PUB-8).

use std::collections::BTreeSet;

use crate::codes::Code;
use crate::core::Core;
use crate::flow;
use crate::limits::Feature;
use crate::messages::{Err, Receipt, Subscribe, Unsubscribe};
use crate::registration::{Problem, add_routes, count_problem, remove_routes, subscription_problem};
use crate::stream::StreamSlot;

/// Adds all of the subscriptions, or none and says why.
pub fn subscribe(core: &mut Core, stream: StreamSlot, message: Subscribe) {
    if lacks_feature(core, stream, message.r#ref) {
        return;
    }
    let agent = core.agent_of(stream);
    let declared = core.agents[agent].routes.iter().filter(|route| !route.implicit).count();
    let count = declared + message.subscriptions.len();
    let problem = count_problem(count, "subscriptions", core.limits.subscriptions)
        .or_else(|| message.subscriptions.iter().find_map(subscription_problem));
    if problem.is_none() {
        add_routes(core, agent, message.subscriptions, false);
    }
    answer(core, stream, message.r#ref, problem);
}

/// Removes the subscriptions of the same topic and group; what is not there is no error.
pub fn unsubscribe(core: &mut Core, stream: StreamSlot, message: Unsubscribe) {
    if lacks_feature(core, stream, message.r#ref) {
        return;
    }
    let named: BTreeSet<(&str, &str)> = message
        .subscriptions
        .iter()
        .map(|subscription| (subscription.topic.as_str(), subscription.group.as_str()))
        .collect();
    let agent = core.agent_of(stream);
    remove_routes(core, agent, |route| {
        let subscription = &route.subscription;
        !route.implicit && named.contains(&(subscription.topic.as_str(), subscription.group.as_str()))
    });
    core.agents[agent].forget_left_groups();
    answer(core, stream, message.r#ref, None);
}

/// Refuses what was not agreed on, without a receipt: that is a message of the feature too (BASE-2.3).
fn lacks_feature(core: &mut Core, stream: StreamSlot, r#ref: u64) -> bool {
    if core.streams[stream].features.has(Feature::Subscriptions) {
        return false;
    }
    let text = "changing subscriptions needs the feature subscriptions".to_owned();
    refuse(core, stream, r#ref, (Code::FeatureRequired, text));
    true
}

fn refuse(core: &mut Core, stream: StreamSlot, r#ref: u64, (code, message): Problem) {
    let named = if r#ref == 0 { String::new() } else { r#ref.to_string() };
    let err = Err { code: code.into(), message: message.into(), r#ref: named, fatal: false };
    flow::reply(core, stream, err);
}

/// An error where there is one, and a receipt where one was asked for.
fn answer(core: &mut Core, stream: StreamSlot, r#ref: u64, problem: Option<Problem>) {
    let code = problem.as_ref().map(|(code, _)| (*code).into()).unwrap_or_default();
    if let Some(problem) = problem {
        refuse(core, stream, r#ref, problem);
    }
    if r#ref != 0 {
        flow::reply(core, stream, Receipt { r#ref, matched: 0, code });
    }
}
