//! The namespaces of a bridge, by name: each a world of its own, with its own driver.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use loom_engine::limits::Limits;
use loom_engine::text::quote;
use loom_engine::topics::agent_id_problem;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tonic::{Code, Status};

use crate::clock::Clock;
use crate::driver;
use crate::handle::{Command, Handle};
use crate::watch::{Kept, Watcher};

/// A namespace on the real clock is removed when it was empty for so long (protocol, section 2).
const IDLE: Duration = Duration::from_secs(60);
/// A namespace on a virtual clock is removed when no client was there for so long.
const ABANDONED: Duration = Duration::from_secs(600);

/// By how much the engines' own grace is over before the shell ends what they did not.
const GRACE_SLACK: Duration = Duration::from_millis(50);

/// A map from names to drivers.
pub struct Namespaces {
    /// What the bridge takes at the most.
    pub limits: Limits,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    handles: HashMap<String, Arc<Handle>>,
    watchers: Vec<Watcher>,
    closing: bool,
}

impl State {
    /// Refuses namespaces that cannot be made, each for itself or all of them together.
    fn check_new(&self, names: &[&str], most: u64) -> Result<(), Status> {
        let mut seen = HashSet::new();
        for name in names {
            let named = quote(name);
            if let Some(problem) = agent_id_problem(name) {
                return Err(Status::invalid_argument(format!("namespace {named} {problem}")));
            }
            if !seen.insert(name) {
                return Err(Status::invalid_argument(format!("namespace {named} is named twice")));
            }
            if self.handles.contains_key(*name) {
                return Err(Status::already_exists(format!(
                    "there is a namespace {named} already; reset it first"
                )));
            }
        }
        if self.closing {
            return Err(Status::unavailable("the bridge is about to stop; connect again in a moment"));
        }
        let count = self.handles.len();
        if (count + names.len()) as u64 > most {
            return Err(Status::resource_exhausted(format!(
                "the bridge has {count} namespaces and takes {most} at the most; \
                 reset those that are over, or raise its limit of namespaces"
            )));
        }
        Ok(())
    }
}

fn unknown(name: &str) -> Status {
    let named = quote(name);
    Status::not_found(format!("there is no namespace {named}; it begins with its first agent or call"))
}

impl Namespaces {
    /// No namespaces yet.
    pub fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self { limits, state: Mutex::default() })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A poisoned map is still a map: no operation leaves it half done.
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The namespace of that name, made if need be.
    pub fn get(self: &Arc<Self>, name: &str) -> Result<Arc<Handle>, Status> {
        if let Some(handle) = self.lock().handles.get(name) {
            return Ok(Arc::clone(handle));
        }
        match self.create(&[name], false, true, &self.limits, false) {
            Err(status) if status.code() == Code::AlreadyExists => self.find(name),
            made => made.and_then(|()| self.find(name)),
        }
    }

    /// The namespace of that name, or NOT_FOUND.
    pub fn find(&self, name: &str) -> Result<Arc<Handle>, Status> {
        self.lock().handles.get(name).cloned().ok_or_else(|| unknown(name))
    }

    /// Makes namespaces that are alike: all, or none. `keeps` says whether their last steps are kept for
    /// watchers that come later.
    pub fn create(
        self: &Arc<Self>,
        names: &[&str],
        is_virtual: bool,
        liveness: bool,
        limits: &Limits,
        keeps: bool,
    ) -> Result<(), Status> {
        let mut state = self.lock();
        state.check_new(names, self.limits.namespaces)?;
        state.watchers.retain(Watcher::is_open);
        for name in names {
            let clock = if is_virtual { Clock::standing() } else { Clock::real() };
            let watchers = state.watchers.iter().filter(|watcher| watcher.sees(name)).cloned().collect();
            let kept = keeps.then(Kept::default);
            let handle =
                driver::start(name, clock, limits.clone(), liveness, kept, watchers, Arc::clone(self));
            state.handles.insert((*name).to_owned(), handle);
        }
        Ok(())
    }

    /// Ends every session and call of namespaces and forgets them (CTL-4). NOT_FOUND names the first that does
    /// not exist; those that do are forgotten all the same.
    pub fn reset(&self, names: &[&str]) -> Result<(), Status> {
        let mut state = self.lock();
        let missing = names.iter().find(|name| !state.handles.contains_key(**name));
        for name in names {
            if let Some(handle) = state.handles.remove(*name) {
                handle.give(Command::Close { reset: true, message: "the namespace was reset" });
            }
        }
        missing.map_or(Ok(()), |name| Err(unknown(name)))
    }

    /// From now on the watcher is told of every step of its namespace, or of all.
    pub fn watch(&self, watcher: Watcher) -> Result<(), Status> {
        if !watcher.namespace.is_empty() {
            self.find(&watcher.namespace)?;
        }
        let mut state = self.lock();
        for handle in state.handles.values().filter(|handle| watcher.sees(&handle.name)) {
            handle.give(Command::Watch(watcher.clone()));
        }
        // A watcher of one namespace ends with it; those of all see the ones to come as well.
        if watcher.namespace.is_empty() {
            state.watchers.push(watcher);
        }
        Ok(())
    }

    /// Every namespace.
    pub fn all(&self) -> Vec<Arc<Handle>> {
        self.lock().handles.values().cloned().collect()
    }

    /// How long a namespace may be without anyone before it is forgotten.
    pub fn patience(&self, is_virtual: bool) -> Duration {
        if is_virtual { ABANDONED } else { IDLE }
    }

    /// Forgets a namespace unless somebody is just about to use it; says whether it was forgotten.
    pub fn forget_unused(&self, name: &str) -> bool {
        let mut state = self.lock();
        match state.handles.get(name) {
            Some(handle) if Arc::strong_count(handle) > 1 => false,
            Some(_) => state.handles.remove(name).is_some(),
            None => true,
        }
    }

    /// Takes nothing new, and lets what is open finish within the grace (LIM-3).
    pub async fn drain(&self, grace: Duration) {
        self.lock().closing = true;
        let mut draining = JoinSet::new();
        for handle in self.all() {
            let (reply, drained) = oneshot::channel();
            handle.give(Command::Drain { grace_ms: grace.as_millis() as u64, reply });
            draining.spawn(drained);
        }
        _ = tokio::time::timeout(grace + GRACE_SLACK, draining.join_all()).await;
        for handle in self.all() {
            handle.give(Command::Close { reset: false, message: "the bridge stopped" });
        }
        self.lock().watchers.clear();
    }
}
