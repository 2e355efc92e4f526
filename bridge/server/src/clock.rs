//! Where a namespace's time comes from: whole microseconds since the Unix epoch that never go back.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A clock of one namespace.
#[derive(Debug)]
pub enum Clock {
    /// The wall's time at the creation, and what has passed since.
    Real {
        /// Microseconds since the Unix epoch at the creation.
        created: u64,
        /// The creation, on the clock that never goes back.
        started: Instant,
    },
    /// Stands until it is moved (CTL-2).
    Virtual {
        /// Microseconds since the Unix epoch.
        now: u64,
    },
}

impl Clock {
    /// A clock that goes by itself.
    pub fn real() -> Self {
        Self::Real { created: wall(), started: Instant::now() }
    }

    /// A clock that stands at the wall's time.
    pub fn standing() -> Self {
        Self::Virtual { now: wall() }
    }

    /// Whether it moves only when told.
    pub fn is_virtual(&self) -> bool {
        matches!(self, Self::Virtual { .. })
    }

    /// The time.
    pub fn now(&self) -> u64 {
        match self {
            Self::Real { created, started } => created + started.elapsed().as_micros() as u64,
            Self::Virtual { now } => *now,
        }
    }

    /// Moves a virtual clock forward; a real one goes as it goes.
    pub fn move_to(&mut self, to: u64) {
        if let Self::Virtual { now } = self {
            *now = to.max(*now);
        }
    }

    /// When a real clock will show `at`; `None` on a virtual one.
    pub fn instant(&self, at: u64) -> Option<Instant> {
        match self {
            Self::Real { created, started } => {
                Some(*started + Duration::from_micros(at.saturating_sub(*created)))
            }
            Self::Virtual { .. } => None,
        }
    }
}

fn wall() -> u64 {
    // A clock before 1970 counts from 1970.
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_virtual_clock_moves_only_when_told_and_never_back() {
        let mut clock = Clock::standing();
        let start = clock.now();
        clock.move_to(start + 5);
        clock.move_to(start + 1);
        assert_eq!(clock.now(), start + 5);
        assert!(clock.instant(start + 9).is_none());
    }

    #[test]
    fn a_real_clock_begins_at_the_wall_s_time() {
        let clock = Clock::real();
        let (now, later) = (clock.now(), clock.now());
        assert!(later >= now);
        assert!(clock.instant(now + 1_000_000).is_some_and(|at| at > Instant::now()));
    }
}
