//! The engine's deadlines: one table of what may be waited for, one queue.
//!
//! A timer is known by its kind and the thing it belongs to, so that setting it again moves it.

use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;

use crate::names::names;

names! {
    /// Everything an engine waits for.
    TimerKind {
        /// A stream must begin with its handshake (SES-1); per stream.
        Handshake = "handshake",
        /// A registration must be followed by a stream (REG-4); per agent.
        Lapse = "lapse",
        /// A session's client must be heard from (SES-7); per stream.
        Liveness = "liveness",
        /// A leaving agent's queue is flushed for so long (SES-6); per stream.
        Flush = "flush",
        /// A full subscriber's transport must make progress (FLOW-3); per stream.
        Slow = "slow",
        /// The next queued event expires (PUB-7); per stream.
        Expiry = "expiry",
        /// A caller's deadline (ACT-3); per call of a caller.
        Waiter = "waiter",
        /// The oldest kept result is forgotten (ACT-8); one.
        Kept = "kept",
        /// The outcomes of a producer whose stream is gone are forgotten (PUB-9); per producer.
        Producer = "producer",
        /// The grace of a bridge that is about to stop ends (LIM-3); one.
        Drain = "drain",
    }
}

/// The number or name of what a timer belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Of {
    Number(u64),
    Name(Arc<str>),
}

impl From<u64> for Of {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl From<&Arc<str>> for Of {
    fn from(name: &Arc<str>) -> Self {
        Self::Name(Arc::clone(name))
    }
}

/// A timer's kind, and what it belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimerKey {
    pub kind: TimerKind,
    pub of: Of,
}

/// When a timer fires: its deadline, and the order in which it was set.
type Due = (u64, u64);

/// Deadlines in whole microseconds; equal ones fire in the order in which they were set.
#[derive(Debug, Default)]
pub struct Timers {
    queue: BTreeMap<Due, TimerKey>,
    /// Those that belong to a number, which the shell chose.
    numbered: IndexMap<(TimerKind, u64), Due, FxBuildHasher>,
    /// Those that belong to a name, which a client chose.
    named: BTreeMap<(TimerKind, Arc<str>), Due>,
    order: u64,
}

impl Timers {
    /// How many are set.
    pub fn len(&self) -> usize {
        self.queue.len()
    }

    /// Whether none is set.
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Sets or moves a timer.
    pub fn set(&mut self, kind: TimerKind, of: impl Into<Of>, deadline: u64) {
        self.order += 1;
        let due = (deadline, self.order);
        let key = TimerKey { kind, of: of.into() };
        let before = match &key.of {
            Of::Number(number) => self.numbered.insert((kind, *number), due),
            Of::Name(name) => self.named.insert((kind, Arc::clone(name)), due),
        };
        if let Some(before) = before {
            self.queue.remove(&before);
        }
        self.queue.insert(due, key);
    }

    /// Forgets a timer; one that is not set is no error.
    pub fn cancel(&mut self, kind: TimerKind, of: impl Into<Of>) {
        if let Some(due) = self.forget(&TimerKey { kind, of: of.into() }) {
            self.queue.remove(&due);
        }
    }

    /// Whether the timer is set.
    pub fn is_set(&self, kind: TimerKind, of: impl Into<Of>) -> bool {
        match of.into() {
            Of::Number(number) => self.numbered.contains_key(&(kind, number)),
            Of::Name(name) => self.named.contains_key(&(kind, name)),
        }
    }

    /// When the next timer fires, or None.
    pub fn next_deadline(&self) -> Option<u64> {
        self.queue.first_key_value().map(|((deadline, _), _)| *deadline)
    }

    /// Takes the next timer that is due at `now`, or None.
    pub fn pop_due(&mut self, now: u64) -> Option<TimerKey> {
        let first = self.queue.first_entry()?;
        if first.key().0 > now {
            return None;
        }
        let key = first.remove();
        self.forget(&key);
        Some(key)
    }

    fn forget(&mut self, key: &TimerKey) -> Option<Due> {
        match &key.of {
            Of::Number(number) => self.numbered.swap_remove(&(key.kind, *number)),
            Of::Name(name) => self.named.remove(&(key.kind, Arc::clone(name))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fired(timers: &mut Timers, now: u64) -> Vec<(TimerKind, Of)> {
        std::iter::from_fn(|| timers.pop_due(now)).map(|key| (key.kind, key.of)).collect()
    }

    #[test]
    fn they_fire_by_deadline_and_then_in_the_order_they_were_set() {
        let mut timers = Timers::default();
        timers.set(TimerKind::Slow, 2, 10);
        timers.set(TimerKind::Lapse, &Arc::from("a"), 10);
        timers.set(TimerKind::Slow, 1, 5);
        timers.set(TimerKind::Slow, 3, 11);
        assert_eq!(timers.next_deadline(), Some(5));
        assert_eq!(
            fired(&mut timers, 10),
            [
                (TimerKind::Slow, Of::Number(1)),
                (TimerKind::Slow, Of::Number(2)),
                (TimerKind::Lapse, Of::Name("a".into())),
            ]
        );
        assert_eq!(timers.next_deadline(), Some(11));
    }

    #[test]
    fn setting_one_again_moves_it() {
        let mut timers = Timers::default();
        timers.set(TimerKind::Slow, 1, 5);
        timers.set(TimerKind::Slow, 2, 7);
        timers.set(TimerKind::Slow, 1, 7);
        assert_eq!(timers.len(), 2);
        assert_eq!(
            fired(&mut timers, 7),
            [(TimerKind::Slow, Of::Number(2)), (TimerKind::Slow, Of::Number(1))]
        );
    }

    #[test]
    fn a_cancelled_one_does_not_fire() {
        let mut timers = Timers::default();
        let name = Arc::from("a");
        timers.set(TimerKind::Producer, &name, 5);
        timers.set(TimerKind::Kept, 0, 5);
        assert!(!timers.is_empty());
        assert!(timers.is_set(TimerKind::Producer, &name));
        timers.cancel(TimerKind::Producer, &name);
        timers.cancel(TimerKind::Kept, 0);
        timers.cancel(TimerKind::Kept, 0);
        assert!(!timers.is_set(TimerKind::Producer, &name));
        assert!(timers.is_empty());
        assert_eq!((timers.next_deadline(), timers.pop_due(9)), (None, None));
    }
}
