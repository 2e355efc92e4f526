//! What an engine counts; a snapshot shows it, metrics will export it (CTL-1, PUB-6).

use crate::names::names;

names! {
    /// Every counter, by the name it has in a snapshot.
    Counter {
        /// Registrations accepted.
        AgentsRegistered = "agents_registered",
        /// Registrations refused.
        AgentsRefused = "agents_refused",
        /// Agents that left, were lost, lapsed or were reset.
        AgentsGone = "agents_gone",
        /// Handshakes accepted.
        StreamsAccepted = "streams_accepted",
        /// Streams that a newer one took over.
        StreamsSuperseded = "streams_superseded",
        /// Streams the bridge ended: slow, silent, reset.
        StreamsCut = "streams_cut",
        /// Publishes accepted, repeats not counted.
        EventsPublished = "events_published",
        /// Publishes refused.
        EventsRefused = "events_refused",
        /// Publishes recognised as repeats and not delivered again.
        EventsRepeated = "events_repeated",
        /// Publishes that nobody received.
        EventsUnmatched = "events_unmatched",
        /// Copies given to a subscriber's transport.
        CopiesSent = "copies_sent",
        /// Realtime copies dropped from or before a full queue (FLOW-1).
        CopiesDropped = "copies_dropped",
        /// Copies whose TTL passed in the queue (PUB-7).
        CopiesExpired = "copies_expired",
        /// Copies queued for an agent that is gone (SES-6).
        CopiesDiscarded = "copies_discarded",
        /// Copies of a queue group that went from a gone member to another (PUB-8).
        CopiesRerouted = "copies_rerouted",
        /// Calls that came in, joined repeats included.
        CallsReceived = "calls_received",
        /// Repeats that joined an open call (ACT-8).
        CallsJoined = "calls_joined",
        /// Repeats answered from a kept result (ACT-8).
        CallsReplayed = "calls_replayed",
        /// Calls answered at once by the bridge itself.
        CallsRefused = "calls_refused",
        /// Calls a provider answered.
        CallsCompleted = "calls_completed",
        /// Calls whose provider was lost.
        CallsFailed = "calls_failed",
        /// Calls whose last caller's deadline passed.
        CallsTimedOut = "calls_timed_out",
        /// Calls whose last caller left.
        CallsCancelled = "calls_cancelled",
        /// Results for no open call of the session (ACT-5).
        ResultsUnknown = "results_unknown",
    }
}

/// How often each was counted.
#[derive(Clone, Debug, Default)]
pub struct Counters([u64; Counter::ALL.len()]);

impl Counters {
    /// Counts.
    pub fn add(&mut self, counter: Counter) {
        self.0[counter as usize] += 1;
    }

    /// Those that are not 0, with their names.
    pub fn counted(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        let named = Counter::ALL.iter().map(|counter| (counter.as_str(), self.0[*counter as usize]));
        named.filter(|(_, count)| *count > 0)
    }
}
