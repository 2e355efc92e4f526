//! Compiles the protos without a protoc: a bridge reads and writes the streams through its private view.

use std::path::PathBuf;

use prost::Message;

const FILES: [&str; 6] = [
    "loom/v1/event.proto",
    "loom/v1/action.proto",
    "loom/v1/agent.proto",
    "loom/v1/stream.proto",
    "loom/v1/bridge.proto",
    "loom/testing/v1/control.proto",
];
const VIEW: &str = "loom/view/v1/view.proto";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The link in the workspace, so that a source package made of the workspace alone holds them too.
    let root = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?).join("../proto").canonicalize()?;
    println!("cargo:rerun-if-changed={}", root.display());
    let out = PathBuf::from(std::env::var("OUT_DIR")?);

    // What reflection tells: the public packages only.
    let public = protox::compile(FILES, [&root])?;
    std::fs::write(out.join("public.binpb"), public.encode_to_vec())?;

    let all = protox::compile(FILES.iter().chain([&VIEW]), [&root])?;
    tonic_prost_build::configure()
        .bytes(".")
        .btree_map(".")
        .build_client(true)
        .extern_path(".loom.v1.ClientEvent", "crate::wire::loom::view::v1::ClientEvent")
        .extern_path(".loom.v1.ServerEvent", "crate::wire::loom::view::v1::ServerEvent")
        .compile_fds(all)?;
    Ok(())
}
