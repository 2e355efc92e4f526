//! The Loom bridge.
//!
//! Layout: `config` reads flags, environment and file; `server` listens and stops in order; `bridge` and `control` are
//! the gRPC services; `event_stream` and `sink` are the two ways of a stream; `driver` owns a namespace's engine
//! and `namespaces` the drivers; `codec` copies between `wire` and the engine's messages. The protocol itself
//! is in the crate `loom-engine`.

pub mod bridge;
pub mod clock;
pub mod codec;
pub mod config;
pub mod control;
pub mod driver;
pub mod ending;
pub mod event_stream;
pub mod metrics;
pub mod namespaces;
pub mod server;
pub mod sink;
pub mod watch;
pub mod wire;
