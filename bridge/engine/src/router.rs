//! Which subscriptions a topic reaches (PUB-2).
//!
//! A tree of tokens: a topic walks down it token by token, along the exact child and along `*`, and collects
//! `>` on the way. So the cost of an event depends on the topic and on what matches it, not on how many
//! unrelated subscriptions there are.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;

use crate::agent::AgentSlot;
use crate::messages::Subscription;
use crate::topics::{REST, STAR};

const CACHED_TOPICS: usize = 1024;

/// One subscription of one agent, as the router holds it.
#[derive(Debug)]
pub struct Route {
    pub agent: AgentSlot,
    pub agent_id: Arc<str>,
    /// The agent's registration; registering again replaces its routes.
    pub registration: u64,
    pub subscription: Subscription,
    pub group: Arc<str>,
    pub event_types: BTreeSet<String>,
    /// Whether it is the replies topic every agent is subscribed to.
    pub implicit: bool,
}

impl Route {
    /// Whether the event-type filter lets it through (PUB-8).
    pub fn takes<'a>(&self, event_type: impl FnOnce() -> &'a str) -> bool {
        self.event_types.is_empty() || self.event_types.contains(event_type())
    }
}

/// What a topic reaches: its routes by the agents' registrations, and whether queue groups are among them.
#[derive(Debug)]
pub struct Matched {
    pub routes: Vec<Arc<Route>>,
    pub grouped: bool,
}

#[derive(Debug, Default)]
struct Node {
    children: BTreeMap<Box<str>, Node>,
    /// Routes whose pattern ends at this node.
    here: Vec<Arc<Route>>,
    /// Routes whose pattern has `>` below this node.
    rest: Vec<Arc<Route>>,
}

impl Node {
    fn is_empty(&self) -> bool {
        self.children.is_empty() && self.here.is_empty() && self.rest.is_empty()
    }
}

/// All subscriptions of a namespace.
#[derive(Debug, Default)]
pub struct Router {
    root: Node,
    matches: IndexMap<Arc<str>, Arc<Matched>, FxBuildHasher>,
}

impl Router {
    /// Adds a route; its pattern is well-formed.
    pub fn add(&mut self, route: &Arc<Route>) {
        let mut node = &mut self.root;
        for token in route.subscription.topic.split('.') {
            if token == REST {
                break;
            }
            if !node.children.contains_key(token) {
                node.children.insert(token.into(), Node::default());
            }
            node = node.children.get_mut(token).expect("it was there or was just put there");
        }
        let held = if has_rest(route) { &mut node.rest } else { &mut node.here };
        held.push(Arc::clone(route));
        self.matches.clear();
    }

    /// Removes a route that was added.
    pub fn remove(&mut self, route: &Arc<Route>) {
        let tokens: Vec<&str> = route.subscription.topic.split('.').filter(|token| *token != REST).collect();
        remove(&mut self.root, &tokens, route);
        self.matches.clear();
    }

    /// Every route that a concrete topic reaches.
    pub fn matching(&mut self, topic: &Arc<str>) -> Arc<Matched> {
        if let Some(found) = self.matches.get(topic) {
            return Arc::clone(found);
        }
        let tokens: Vec<&str> = topic.split('.').collect();
        let mut routes = Vec::new();
        collect(&self.root, &tokens, &mut routes);
        routes.sort_by_key(|route| route.registration);
        let grouped = routes.iter().any(|route| !route.group.is_empty());
        let found = Arc::new(Matched { routes, grouped });
        if self.matches.len() >= CACHED_TOPICS {
            self.matches.clear();
        }
        self.matches.insert(Arc::clone(topic), Arc::clone(&found));
        found
    }
}

fn has_rest(route: &Route) -> bool {
    let topic = &route.subscription.topic;
    topic.strip_suffix(REST).is_some_and(|before| before.is_empty() || before.ends_with('.'))
}

/// A topic has at most 128 tokens, so neither recursion goes deeper.
fn remove(node: &mut Node, tokens: &[&str], route: &Arc<Route>) {
    let Some((token, below)) = tokens.split_first() else {
        let held = if has_rest(route) { &mut node.rest } else { &mut node.here };
        let place = held.iter().position(|known| Arc::ptr_eq(known, route));
        held.remove(place.expect("a route is removed once, from where it was added"));
        return;
    };
    let child = node.children.get_mut(*token).expect("a route is removed from where it was added");
    remove(child, below, route);
    if child.is_empty() {
        node.children.remove(*token);
    }
}

fn collect(node: &Node, tokens: &[&str], found: &mut Vec<Arc<Route>>) {
    let Some((token, below)) = tokens.split_first() else {
        found.extend(node.here.iter().cloned());
        return;
    };
    found.extend(node.rest.iter().cloned());
    for step in [*token, STAR] {
        if let Some(child) = node.children.get(step) {
            collect(child, below, found);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::agent::Agent;
    use crate::slots::Slots;

    /// Routes of agents whose registrations count up from 0.
    fn routes(patterns: &[String]) -> Vec<Arc<Route>> {
        let mut agents = Slots::default();
        let numbered = patterns.iter().zip(0..);
        let route = |(pattern, registration): (&String, u64)| {
            let agent_id: Arc<str> = registration.to_string().into();
            Arc::new(Route {
                agent: agents.insert(Agent::new(Arc::clone(&agent_id))),
                agent_id,
                registration,
                subscription: Subscription { topic: pattern.clone(), ..Subscription::default() },
                group: Arc::from(""),
                event_types: BTreeSet::new(),
                implicit: false,
            })
        };
        numbered.map(route).collect()
    }

    fn found(router: &mut Router, topic: &str) -> Vec<u64> {
        router.matching(&topic.into()).routes.iter().map(|route| route.registration).collect()
    }

    /// Whether a pattern covers a topic, said as plainly as it can be.
    fn covers(pattern: &[&str], topic: &[&str]) -> bool {
        match (pattern, topic) {
            ([], []) => true,
            ([">"], [_, ..]) => true,
            (["*", pattern @ ..], [_, topic @ ..]) => covers(pattern, topic),
            ([one, pattern @ ..], [other, topic @ ..]) => one == other && covers(pattern, topic),
            _ => false,
        }
    }

    fn patterns() -> impl Strategy<Value = Vec<String>> {
        prop::collection::vec("([abc*]\\.){0,3}[abc*>]", 0..40)
    }

    proptest! {
        #[test]
        fn it_finds_what_a_naive_search_finds(
            patterns in patterns(),
            removed in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
            topics in prop::collection::vec("([abc]\\.){0,4}[abc]", 1..20),
        ) {
            let mut router = Router::default();
            let mut there = routes(&patterns);
            for route in &there {
                router.add(route);
            }
            for index in removed {
                if !there.is_empty() {
                    found(&mut router, &topics[0]);
                    router.remove(&there.remove(index.index(there.len())));
                }
            }
            for topic in &topics {
                let tokens: Vec<&str> = topic.split('.').collect();
                let covering = there.iter().filter(|route| {
                    covers(&route.subscription.topic.split('.').collect::<Vec<_>>(), &tokens)
                });
                let expected: Vec<u64> = covering.map(|route| route.registration).collect();
                prop_assert_eq!(found(&mut router, topic), expected.clone());
                prop_assert_eq!(found(&mut router, topic), expected);
            }
            for route in &there {
                router.remove(route);
            }
            prop_assert!(router.root.is_empty());
        }
    }

    #[test]
    fn the_cache_is_bounded() {
        let mut router = Router::default();
        router.add(&routes(&[">".to_owned()])[0]);
        for place in 0..2 * CACHED_TOPICS {
            assert_eq!(found(&mut router, &format!("t{place}")), [0]);
            assert!(router.matches.len() <= CACHED_TOPICS);
        }
    }
}
