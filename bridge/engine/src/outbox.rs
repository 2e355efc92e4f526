//! What is queued for one stream, and the copies of events that wait for a place in it (FLOW-1).
//!
//! A plain container: it knows order, sizes and expiry, and nothing of engines. Events and calls count against
//! the limits; replies of the bridge (pongs, errors, receipts) are bounded by reading no further from a client
//! that does not take them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use crate::lane::Lane;
use crate::limits::Limits;
use crate::messages::{ActionCall, ServerMessage};

/// The QoS whose copies are dropped rather than waited for.
pub const REALTIME: i32 = 0;

/// An accepted event, shared by its copies.
#[derive(Debug)]
pub struct Published {
    pub topic: Arc<str>,
    pub event: Bytes,
    /// Where in the event its type stands.
    pub type_at: Range<usize>,
    pub publisher: Arc<str>,
    pub expires: Option<u64>,
}

impl Published {
    /// The event's type.
    pub fn r#type(&self) -> &str {
        std::str::from_utf8(&self.event[self.type_at.clone()]).expect("the event was checked on arrival")
    }
}

/// One event for one subscriber. `groups` are the queue groups for which the agent was chosen.
#[derive(Debug)]
pub struct Copy {
    pub published: Arc<Published>,
    pub qos: i32,
    pub groups: Box<[Arc<str>]>,
}

/// A call for the agent.
#[derive(Debug)]
pub struct HandedCall {
    pub number: u64,
    pub message: Box<ActionCall>,
    pub size: usize,
}

/// A message of the bridge itself.
#[derive(Debug)]
pub struct Reply {
    pub message: ServerMessage,
}

/// What can be queued.
#[derive(Debug)]
pub enum Entry {
    Copy(Copy),
    HandedCall(HandedCall),
    Reply(Reply),
}

/// The queue of one stream, in order, and its waiting room.
#[derive(Debug, Default)]
pub struct Outbox {
    pub queue: Lane<Entry>,
    pub waiting: Lane<Copy>,
    pub events: u64,
    pub bytes: u64,
    pub replies: u64,
    realtime: Lane<()>,
    /// Where a call stands in the queue, by its number.
    calls: BTreeMap<u64, u64>,
    /// When copies expire, and their keys; some may be gone.
    expiries: BinaryHeap<Reverse<(u64, u64)>>,
    /// Counted up over queue and waiting room.
    last_key: u64,
}

impl Outbox {
    /// Whether an event or call of `size` bytes fits. An empty queue takes whatever was accepted.
    pub fn has_room(&self, size: usize, limits: &Limits) -> bool {
        self.events == 0
            || (self.events < limits.queue_events && self.bytes + size as u64 <= limits.queue_bytes)
    }

    /// Queues an entry; room was made sure of.
    pub fn append(&mut self, entry: Entry) {
        let key = self.next_key();
        let mut expires = None;
        match &entry {
            Entry::Copy(copy) => {
                self.events += 1;
                self.bytes += copy.published.event.len() as u64;
                expires = copy.published.expires;
                if copy.qos == REALTIME {
                    self.realtime.push(key, ());
                }
            }
            Entry::HandedCall(call) => {
                self.events += 1;
                self.bytes += call.size as u64;
                self.calls.insert(call.number, key);
            }
            Entry::Reply(_) => self.replies += 1,
        }
        self.queue.push(key, entry);
        self.note(expires, key);
    }

    /// Lets a copy wait until the queue has room.
    pub fn wait(&mut self, copy: Copy) {
        let key = self.next_key();
        let expires = copy.published.expires;
        self.waiting.push(key, copy);
        self.note(expires, key);
    }

    /// Moves the first waiting copy into the queue, if there is one and it fits; answers its event.
    pub fn admit(&mut self, limits: &Limits) -> Option<Arc<Published>> {
        let size = self.waiting.first()?.published.event.len();
        if !self.has_room(size, limits) {
            return None;
        }
        let (_, copy) = self.waiting.pop()?;
        let published = Arc::clone(&copy.published);
        self.append(Entry::Copy(copy));
        Some(published)
    }

    /// Takes the first entry of a queue, if it has one.
    pub fn pop(&mut self) -> Option<Entry> {
        let (key, entry) = self.queue.pop()?;
        self.forget(key, &entry);
        Some(entry)
    }

    /// Takes the oldest realtime copy out of the queue; says whether there was one.
    pub fn drop_realtime(&mut self) -> bool {
        let Some(key) = self.realtime.first_key() else { return false };
        let entry = self.queue.remove(key).expect("what is noted as realtime is queued");
        self.forget(key, &entry);
        true
    }

    /// Takes a call out of the queue; says whether it was still there.
    pub fn remove_call(&mut self, number: u64) -> bool {
        let Some(key) = self.calls.get(&number).copied() else { return false };
        let entry = self.queue.remove(key).expect("what is noted as a call is queued");
        self.forget(key, &entry);
        true
    }

    /// When the next copy expires, queued or waiting.
    pub fn next_expiry(&mut self) -> Option<u64> {
        while let Some(Reverse((expiry, key))) = self.expiries.peek() {
            if self.holds(*key) {
                return Some(*expiry);
            }
            self.expiries.pop();
        }
        None
    }

    /// Takes out the next copy that expired, and says whether it was still waiting.
    pub fn expire(&mut self, now: u64) -> Option<(Copy, bool)> {
        if self.next_expiry()? > now {
            return None;
        }
        let Reverse((_, key)) = self.expiries.pop()?;
        if let Some(copy) = self.waiting.remove(key) {
            return Some((copy, true));
        }
        let entry = self.queue.remove(key)?;
        self.forget(key, &entry);
        match entry {
            Entry::Copy(copy) => Some((copy, false)),
            Entry::HandedCall(_) | Entry::Reply(_) => unreachable!("only copies expire"),
        }
    }

    /// Every copy, queued ones first, in order; and of these how many were queued.
    pub fn into_copies(self) -> (Vec<Copy>, usize) {
        let queued = self.queue.into_values().filter_map(|entry| match entry {
            Entry::Copy(copy) => Some(copy),
            Entry::HandedCall(_) | Entry::Reply(_) => None,
        });
        let mut copies: Vec<Copy> = queued.collect();
        let count = copies.len();
        copies.extend(self.waiting.into_values());
        (copies, count)
    }

    /// Moves the copies of another outbox behind what is here, queued and waiting ones as they are.
    pub fn take_copies_of(&mut self, other: Self) {
        let (copies, queued) = other.into_copies();
        for (place, copy) in copies.into_iter().enumerate() {
            if place < queued {
                self.append(Entry::Copy(copy));
            } else {
                self.wait(copy);
            }
        }
    }

    fn next_key(&mut self) -> u64 {
        self.last_key += 1;
        self.last_key
    }

    fn holds(&self, key: u64) -> bool {
        self.queue.contains(key) || self.waiting.contains(key)
    }

    fn note(&mut self, expires: Option<u64>, key: u64) {
        let Some(expires) = expires else { return };
        self.expiries.push(Reverse((expires, key)));
        if self.expiries.len() > 64
            && self.expiries.len() as u64 > 2 * (self.events + self.waiting.len() as u64)
        {
            let mut held = std::mem::take(&mut self.expiries);
            held.retain(|Reverse((_, noted))| self.holds(*noted));
            self.expiries = held;
        }
    }

    fn forget(&mut self, key: u64, entry: &Entry) {
        match entry {
            Entry::Copy(copy) => {
                self.events -= 1;
                self.bytes -= copy.published.event.len() as u64;
                if copy.qos == REALTIME {
                    self.realtime.remove(key);
                }
            }
            Entry::HandedCall(call) => {
                self.events -= 1;
                self.bytes -= call.size as u64;
                self.calls.remove(&call.number);
            }
            Entry::Reply(_) => self.replies -= 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::Pong;

    fn copy(size: usize, qos: i32, expires: Option<u64>) -> Copy {
        let published = Published {
            topic: Arc::from("t"),
            event: Bytes::from(vec![0; size]),
            type_at: 0..0,
            publisher: Arc::from("p"),
            expires,
        };
        Copy { published: Arc::new(published), qos, groups: Box::default() }
    }

    fn call(number: u64, size: usize) -> Entry {
        Entry::HandedCall(HandedCall { number, message: Box::default(), size })
    }

    fn small() -> Limits {
        Limits { queue_events: 2, queue_bytes: 10, ..Limits::default() }
    }

    #[test]
    fn an_empty_queue_takes_whatever_was_accepted() {
        let mut outbox = Outbox::default();
        assert!(outbox.has_room(1000, &small()));
        outbox.append(Entry::Copy(copy(9, 1, None)));
        assert!(outbox.has_room(1, &small()) && !outbox.has_room(2, &small()));
        outbox.append(call(1, 1));
        assert!(!outbox.has_room(0, &small()));
        outbox.append(Entry::Reply(Reply { message: Pong::to(1).into() }));
        assert_eq!((outbox.events, outbox.bytes, outbox.replies), (2, 10, 1));
    }

    #[test]
    fn entries_leave_in_order_and_take_their_sizes_along() {
        let mut outbox = Outbox::default();
        outbox.append(Entry::Copy(copy(5, REALTIME, None)));
        outbox.append(call(7, 3));
        outbox.append(Entry::Reply(Reply { message: Pong::to(1).into() }));
        assert!(outbox.remove_call(7) && !outbox.remove_call(7));
        assert!(matches!(outbox.pop(), Some(Entry::Copy(_))));
        assert!(matches!(outbox.pop(), Some(Entry::Reply(_))));
        assert!(outbox.pop().is_none() && !outbox.drop_realtime());
        assert_eq!((outbox.events, outbox.bytes, outbox.replies), (0, 0, 0));
    }

    #[test]
    fn the_oldest_realtime_copy_is_dropped_first() {
        let mut outbox = Outbox::default();
        for size in 1..5 {
            outbox.append(Entry::Copy(copy(size, if size == 1 { 1 } else { REALTIME }, None)));
        }
        assert!(outbox.drop_realtime() && outbox.drop_realtime());
        let (copies, queued) = outbox.into_copies();
        let sizes: Vec<usize> = copies.iter().map(|copy| copy.published.event.len()).collect();
        assert_eq!((sizes, queued), (vec![1, 4], 2));
    }

    #[test]
    fn waiting_copies_are_admitted_in_order_and_expire_where_they_are() {
        let mut outbox = Outbox::default();
        outbox.append(Entry::Copy(copy(9, 1, Some(5))));
        outbox.wait(copy(3, 1, Some(7)));
        outbox.wait(copy(1, 1, Some(6)));
        assert!(outbox.admit(&small()).is_none(), "the first in line is too large as yet");
        assert_eq!(outbox.next_expiry(), Some(5));
        assert!(outbox.expire(4).is_none());
        let expired: Vec<bool> = std::iter::from_fn(|| outbox.expire(6)).map(|(_, waited)| waited).collect();
        assert_eq!(expired, [false, true]);
        assert!(outbox.admit(&small()).is_some() && outbox.admit(&small()).is_none());
        assert_eq!((outbox.next_expiry(), outbox.events, outbox.bytes), (Some(7), 1, 3));
    }

    #[test]
    fn what_another_held_comes_behind() {
        let (mut older, mut newer) = (Outbox::default(), Outbox::default());
        older.append(call(1, 1));
        older.append(Entry::Copy(copy(2, 1, Some(9))));
        older.wait(copy(3, 1, None));
        newer.append(Entry::Copy(copy(1, 1, None)));
        newer.take_copies_of(older);
        assert_eq!((newer.events, newer.bytes, newer.waiting.len()), (2, 3, 1));
        assert_eq!(newer.next_expiry(), Some(9));
    }

    #[test]
    fn noted_expiries_of_what_is_gone_are_forgotten() {
        let mut outbox = Outbox::default();
        outbox.append(Entry::Copy(copy(1, 1, Some(1))));
        for _ in 0..1000 {
            outbox.append(Entry::Copy(copy(1, REALTIME, Some(9))));
            assert!(outbox.drop_realtime());
        }
        assert!(outbox.expiries.len() <= 66);
        assert_eq!(outbox.next_expiry(), Some(1));
    }
}
