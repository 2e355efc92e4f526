//! What an engine takes at the most. Sizes in bytes, times in whole milliseconds.
//!
//! The names and defaults are those of `loom.v1.Limits`; a bridge tells them in its answer to a registration.

use crate::text::Text;

/// The features this engine speaks, sorted. A client gets those of them that it names too.
pub const FEATURES: [&str; 5] = ["cancel", "confirm", "drain", "session", "subscriptions"];

/// Some of [`FEATURES`]: what a session agreed on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Features(u8);

/// One of [`FEATURES`], by its place there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Feature {
    Cancel,
    Confirm,
    Drain,
    Session,
    Subscriptions,
}

impl Features {
    /// Those of `named` that this engine speaks.
    pub fn agreed<'a>(named: impl IntoIterator<Item = &'a str>) -> Self {
        let places = named.into_iter().filter_map(|name| FEATURES.iter().position(|known| *known == name));
        Self(places.fold(0, |features, place| features | 1 << place))
    }

    /// Whether the feature is among them.
    pub fn has(self, feature: Feature) -> bool {
        self.0 & 1 << feature as u8 != 0
    }

    /// Their names, sorted.
    pub fn names(self) -> Vec<Text> {
        let agreed = FEATURES.iter().enumerate().filter(|(place, _)| self.0 & 1 << place != 0);
        agreed.map(|(_, name)| Text::Borrowed(*name)).collect()
    }
}

/// How many microseconds a millisecond has.
pub const MICROS_PER_MS: u64 = 1000;

/// Engine time is whole microseconds; limits are told in milliseconds.
pub fn micros(milliseconds: u64) -> u64 {
    milliseconds.saturating_mul(MICROS_PER_MS)
}

macro_rules! limits {
    ($(#[$doc:meta])* $($name:ident = $default:expr,)*) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Limits { $(pub $name: u64,)* }

        impl Default for Limits {
            fn default() -> Self {
                Self { $($name: $default,)* }
            }
        }

        impl Limits {
            /// Every limit by its name, in the order of the table.
            pub fn all(&self) -> Vec<(&'static str, u64)> {
                vec![$((stringify!($name), self.$name),)*]
            }

            fn place(&mut self, name: &str) -> Option<&mut u64> {
                match name {
                    $(stringify!($name) => Some(&mut self.$name),)*
                    _ => None,
                }
            }
        }
    };
}

limits! {
    /// The limits of one namespace.
    ///
    /// The last block is not told to clients: it bounds what no client can see.
    event_bytes = 1024 * 1024,
    message_bytes = 4 * 1024 * 1024,
    queue_events = 10_000,
    queue_bytes = 16 * 1024 * 1024,
    waiting_calls = 1_000,
    namespaces = 1_024,
    connection_streams = 1_000,
    subscriptions = 10_000,
    capabilities = 1_000,
    producer_outcomes = 1_024,
    call_timeout_ms = 24 * 60 * 60 * 1000,
    default_call_timeout_ms = 30_000,
    registration_lapse_ms = 30_000,
    handshake_ms = 10_000,
    goodbye_flush_ms = 5_000,
    slow_consumer_ms = 10_000,
    idempotency_ms = 120_000,
    producer_ms = 120_000,

    heartbeat_interval_ms = 3_000,
    stream_window = 64,
    stream_replies = 256,
    kept_results = 10_000,
    kept_result_bytes = 16 * 1024 * 1024,
    producers = 10_000,
}

impl Limits {
    /// These limits with some of them replaced.
    ///
    /// # Errors
    /// A name is unknown or a value is below 1; the message names it.
    pub fn with_overrides<'a>(
        mut self,
        overrides: impl IntoIterator<Item = (&'a str, i64)>,
    ) -> Result<Self, String> {
        let mut sorted: Vec<_> = overrides.into_iter().collect();
        sorted.sort_unstable();
        for (name, value) in sorted {
            let Some(place) = self.place(name) else {
                return Err(format!("unknown limit '{name}'; known are {}", self.known()));
            };
            *place = u64::try_from(value)
                .ok()
                .filter(|value| *value >= 1)
                .ok_or_else(|| format!("limit {name} is {value}; it must be at least 1"))?;
        }
        Ok(self)
    }

    fn known(&self) -> String {
        let mut names: Vec<_> = self.all().into_iter().map(|(name, _)| name).collect();
        names.sort_unstable();
        names.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overrides_replace() {
        let limits = Limits::default().with_overrides([("queue_events", 3)]).expect("it is known");
        assert_eq!(limits, Limits { queue_events: 3, ..Limits::default() });
    }

    #[test]
    fn a_wrong_override_is_named() {
        let unknown = Limits::default().with_overrides([("nonsense", 3)]).expect_err("it is not known");
        assert!(unknown.starts_with("unknown limit 'nonsense'; known are call_timeout_ms, capabilities,"));
        assert_eq!(
            Limits::default().with_overrides([("queue_bytes", 0)]),
            Err("limit queue_bytes is 0; it must be at least 1".to_owned())
        );
    }

    #[test]
    fn features_are_what_both_know() {
        let features = Features::agreed(["session", "resume", "cancel", "cancel"]);
        assert!(features.has(Feature::Session) && features.has(Feature::Cancel));
        assert!(!features.has(Feature::Confirm));
        assert_eq!(features.names(), ["cancel", "session"]);
    }

    #[test]
    fn each_feature_stands_at_its_place() {
        for (feature, name) in [
            (Feature::Cancel, "cancel"),
            (Feature::Confirm, "confirm"),
            (Feature::Drain, "drain"),
            (Feature::Session, "session"),
            (Feature::Subscriptions, "subscriptions"),
        ] {
            assert!(Features::agreed([name]).has(feature), "{name}");
        }
    }
}
