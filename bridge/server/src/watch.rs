//! Whoever wants to see every step of a namespace: a bounded queue that counts what it leaves out.
//! What happened before it came is kept for it, where somebody may want to see that (`Kept`).

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt};

use crate::wire::control::WatchResponse;

/// How many steps may wait for a watcher that reads too slowly, and how many bytes of them.
const MOST_LINES: usize = 10_000;
const MOST_BYTES: usize = 32 * 1024 * 1024;

/// One watcher's way in; copies share the way but count for themselves what they leave out.
#[derive(Clone)]
pub struct Watcher {
    /// The namespace it watches; empty for all.
    pub namespace: String,
    /// Whether it is told first what was kept.
    pub kept: bool,
    lines: mpsc::Sender<WatchResponse>,
    waiting: Arc<AtomicUsize>,
    skipped: u64,
}

impl Watcher {
    /// A watcher, and where its lines come out.
    pub fn new(namespace: String, kept: bool) -> (Self, impl Stream<Item = WatchResponse>) {
        let (lines, receiver) = mpsc::channel(MOST_LINES);
        let waiting = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&waiting);
        let fetched = ReceiverStream::new(receiver).map(move |response: WatchResponse| {
            counted.fetch_sub(response.line.len(), Ordering::Relaxed);
            response
        });
        (Self { namespace, kept, lines, waiting, skipped: 0 }, fetched)
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
        let waiting = self.waiting.fetch_add(line.len(), Ordering::Relaxed) + line.len();
        let taken = waiting <= MOST_BYTES && {
            let (namespace, line) = (namespace.to_owned(), line.to_owned());
            self.lines.try_send(WatchResponse { namespace, line, skipped: self.skipped }).is_ok()
        };
        if taken {
            self.skipped = 0;
        } else {
            self.waiting.fetch_sub(line.len(), Ordering::Relaxed);
            self.skipped += 1;
        }
    }
}

/// The last steps of an engine, for watchers that come later.
#[derive(Default)]
pub struct Kept {
    lines: VecDeque<String>,
    bytes: usize,
    dropped: u64,
}

impl Kept {
    /// Keeps a step, and drops the oldest where there are too many.
    pub fn add(&mut self, line: String) {
        self.bytes += line.len();
        self.lines.push_back(line);
        while self.lines.len() > MOST_LINES || self.bytes > MOST_BYTES {
            let Some(oldest) = self.lines.pop_front() else { break };
            self.bytes -= oldest.len();
            self.dropped += 1;
        }
    }

    /// Tells a watcher what was kept.
    pub fn tell(&self, namespace: &str, watcher: &mut Watcher) {
        watcher.skipped += self.dropped;
        for line in &self.lines {
            watcher.tell(namespace, line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_a_slow_watcher_misses_is_counted() {
        let (mut watcher, lines) = Watcher::new(String::new(), false);
        tokio::pin!(lines);
        let line = "x".repeat(MOST_BYTES / 2);
        for _ in 0..4 {
            watcher.tell("ns", &line);
        }
        let skipped = async |lines: &mut std::pin::Pin<&mut _>| {
            let next: Option<WatchResponse> = StreamExt::next(lines).await;
            next.map(|response| response.skipped)
        };
        assert_eq!(skipped(&mut lines).await, Some(0));
        watcher.tell("ns", &line);
        assert_eq!(skipped(&mut lines).await, Some(0));
        assert_eq!(skipped(&mut lines).await, Some(2));
    }

    #[tokio::test]
    async fn a_later_watcher_is_told_the_last_steps() {
        let mut kept = Kept::default();
        for number in 0..MOST_LINES + 5 {
            kept.add(number.to_string());
        }
        let (mut watcher, lines) = Watcher::new("ns".into(), true);
        tokio::pin!(lines);
        kept.tell("ns", &mut watcher);
        let first = StreamExt::next(&mut lines).await.unwrap_or_default();
        assert_eq!((first.line.as_str(), first.skipped), ("5", 5));
    }

    #[test]
    fn what_is_kept_is_bounded_in_bytes() {
        let mut kept = Kept::default();
        for _ in 0..3 {
            kept.add("x".repeat(MOST_BYTES / 2));
        }
        assert_eq!((kept.lines.len(), kept.dropped), (2, 1));
    }
}
