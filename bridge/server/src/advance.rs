//! Moving a namespace's virtual clock: one deadline fires, everything settles, the next fires (CTL-2, CTL-3).
//!
//! Deadlines are the engine's and the participants', in the order of their times; of equal ones the engine's comes
//! first. Everybody knows the time before anything happens at it.

use std::time::Duration;

use loom_engine::inputs;
use tokio::time::{Instant, timeout_at};

use crate::driver::Driver;
use crate::handle::Advanced;

/// How long participants are waited for at each deadline.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// How many deadlines one advance may fire.
const MOST_DEADLINES: u64 = 100_000;
/// A peer that takes nothing for so long is not waited for on the way.
const STALL: Duration = Duration::from_millis(200);

/// Why the clock did not move on. It stands where it was stopped.
#[derive(Debug)]
pub enum Stopped {
    /// Too many deadlines fired; so many.
    TooManyDeadlines {
        /// How many fired.
        fired: u64,
        /// Where the clock stands.
        now: u64,
    },
    /// A participant did not come to rest; the text says which.
    NotSettled(String),
    /// These agents take no part in the clock.
    Bystanders(String),
}

impl Driver {
    /// Moves the clock and fires what falls due, by deadline.
    pub async fn advance(&mut self, by: u64, patience: Duration) -> Result<Advanced, Stopped> {
        self.participants.watch(self.clock.now());
        let advanced = self.advance_watched(by, patience).await;
        self.participants.unwatch(self.clock.now());
        advanced
    }

    async fn advance_watched(&mut self, by: u64, patience: Duration) -> Result<Advanced, Stopped> {
        self.settle(patience).await?;
        let target = self.clock.now() + by;
        let mut fired = 0;
        while let Some(moment) = self.next_deadline().filter(|moment| *moment <= target) {
            if fired == MOST_DEADLINES {
                return Err(Stopped::TooManyDeadlines { fired, now: self.clock.now() });
            }
            self.fire(moment, patience).await?;
            fired += 1;
        }
        self.move_to(target, patience).await?;
        Ok(Advanced { now: target, fired })
    }

    /// Fires what comes next for who waits for a jump, where all is settled and a participant awaits a time.
    pub async fn consider_jump(&mut self) {
        let waiting = self.jumps.len();
        self.jumps.retain(|reply| !reply.is_closed());
        for _ in self.jumps.len()..waiting {
            self.participants.unwatch(self.clock.now());
        }
        if self.jumps.is_empty() || self.problem().is_some() || self.participants.awaited().is_none() {
            return;
        }
        let Some(moment) = self.next_deadline() else { return };
        let jumped = match self.bystanders() {
            Some(apart) => Err(Stopped::Bystanders(apart)),
            None => self.fire(moment, PATIENCE).await,
        };
        if !self.jumps.is_empty() {
            _ = self.jumps.remove(0).send(jumped.map(|()| self.clock.now()));
            self.participants.unwatch(self.clock.now());
        }
    }

    /// The next deadline of all.
    fn next_deadline(&self) -> Option<u64> {
        [self.engine.next_deadline(), self.participants.next_deadline()].into_iter().flatten().min()
    }

    /// Fires one deadline that is due at a moment, and settles.
    async fn fire(&mut self, moment: u64, patience: Duration) -> Result<(), Stopped> {
        let of_engine = self.engine.next_deadline().is_some_and(|deadline| deadline <= moment);
        if of_engine || self.participants.len() > 1 {
            self.move_to(moment, patience).await?;
        } else {
            self.clock.move_to(moment); // the one there is learns it with what it fires
        }
        if of_engine {
            self.feed(inputs::Tick {}.into());
        } else {
            self.participants.fire_next(self.clock.now());
        }
        self.settle(patience).await
    }

    /// Everybody knows the time, but nothing happens.
    async fn move_to(&mut self, moment: u64, patience: Duration) -> Result<(), Stopped> {
        if moment > self.clock.now() {
            self.clock.move_to(moment);
            if !self.participants.is_empty() {
                self.participants.tell_all(moment);
                self.settle(patience).await?;
            }
        }
        Ok(())
    }

    /// Takes commands until all that is due is written, all participants are idle and nothing is under way. Peers
    /// that take nothing are not waited for.
    async fn settle(&mut self, patience: Duration) -> Result<(), Stopped> {
        let until = Instant::now() + patience;
        let mut stalled = false;
        loop {
            while let Ok(command) = self.commands.try_recv() {
                self.take(command);
            }
            let unwritten = !stalled && self.streams.values().any(|stream| stream.unwritten != 0);
            let problem = self.problem();
            if !unwritten && problem.is_none() {
                return Ok(());
            }
            let pause = if unwritten { until.min(Instant::now() + STALL) } else { until };
            match timeout_at(pause, self.commands.recv()).await {
                Ok(Some(command)) => _ = self.take(command),
                Ok(None) => return Ok(()), // the namespace has ended
                Err(_) if unwritten && Instant::now() < until => stalled = true,
                Err(_) => return problem.map_or(Ok(()), |problem| Err(Stopped::NotSettled(problem))),
            }
        }
    }

    fn problem(&self) -> Option<String> {
        self.participants.problem(|stream| self.streams.get(&stream).map(|stream| &stream.traffic))
    }

    fn bystanders(&self) -> Option<String> {
        let streams = self.streams.values().map(|stream| (&stream.traffic, stream.tag.as_ref()));
        self.participants.bystanders(streams)
    }
}
