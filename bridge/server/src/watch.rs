//! Whoever wants to see every step of a namespace: a bounded queue that counts what it leaves out.

use tokio::sync::mpsc;

use crate::wire::control::WatchResponse;

/// How many steps may wait for a watcher that reads too slowly.
const KEPT: usize = 4096;

/// One watcher's way in; copies share the way but count for themselves what they leave out.
#[derive(Clone)]
pub struct Watcher {
    /// The namespace it watches; empty for all.
    pub namespace: String,
    lines: mpsc::Sender<WatchResponse>,
    skipped: u64,
}

impl Watcher {
    /// A watcher, and where its lines come out.
    pub fn new(namespace: String) -> (Self, mpsc::Receiver<WatchResponse>) {
        let (lines, receiver) = mpsc::channel(KEPT);
        (Self { namespace, lines, skipped: 0 }, receiver)
    }

    /// Whether anyone still reads.
    pub fn is_open(&self) -> bool {
        !self.lines.is_closed()
    }

    /// Whether it wants to see this namespace.
    pub fn sees(&self, namespace: &str) -> bool {
        self.namespace.is_empty() || self.namespace == namespace
    }

    /// Tells a step, or leaves it out and counts it.
    pub fn tell(&mut self, namespace: &str, line: &str) {
        let response =
            WatchResponse { namespace: namespace.to_owned(), line: line.to_owned(), skipped: self.skipped };
        match self.lines.try_send(response) {
            Ok(()) => self.skipped = 0,
            Err(_) => self.skipped += 1,
        }
    }
}
