//! The generated wire. The streams go through the bridge's private view, in which a carried event is bytes.

#![allow(clippy::all, missing_docs)] // generated

pub mod loom {
    pub mod v1 {
        tonic::include_proto!("loom.v1");
    }
    pub mod view {
        pub mod v1 {
            tonic::include_proto!("loom.view.v1");
        }
    }
    pub mod testing {
        pub mod v1 {
            tonic::include_proto!("loom.testing.v1");
        }
    }
}

pub use loom::testing::v1 as control;
pub use loom::v1;
pub use loom::view::v1 as view;

/// What reflection tells: the public packages as an encoded FileDescriptorSet.
pub const PUBLIC: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/public.binpb"));
