//! The Loom bridge.
//!
//! Layout: `config` reads flags, environment and file; `server` listens and stops in order; `bridge` and `control` are
//! the gRPC services; `event_stream` and `sink` are the two ways of a stream; `driver` owns a namespace's engine,
//! `handle` is the way to it, `namespaces` holds them; `advance` moves a test's clock, in which `participants` take
//! part; `codec` copies between `wire` and the engine's messages, `strict` refuses what is none. The protocol
//! itself is in the crate `loom-engine`.

pub mod advance;
pub mod bridge;
pub mod clock;
pub mod codec;
pub mod config;
pub mod control;
pub mod driver;
pub mod ending;
pub mod event_stream;
pub mod handle;
pub mod metrics;
pub mod namespaces;
pub mod participants;
pub mod participate;
pub mod server;
pub mod sink;
pub mod strict;
pub mod watch;
pub mod wire;
