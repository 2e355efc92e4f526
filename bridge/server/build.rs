//! Compiles the protos without a protoc: a bridge reads and writes the streams through its private view.

use std::collections::HashMap;
use std::fmt::Write;
use std::path::PathBuf;

use prost::Message;
use tonic_prost_build::FileDescriptorSet;

const FILES: [&str; 6] = [
    "loom/v1/event.proto",
    "loom/v1/action.proto",
    "loom/v1/agent.proto",
    "loom/v1/stream.proto",
    "loom/v1/bridge.proto",
    "loom/testing/v1/control.proto",
];
const VIEW: &str = "loom/view/v1/view.proto";
/// The bridge reads and writes these through its view.
const FOREIGN: [&str; 2] = ["loom.v1.ClientEvent", "loom.v1.ServerEvent"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The link in the workspace, so that a source package made of the workspace alone holds them too.
    let root = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?).join("../proto").canonicalize()?;
    println!("cargo:rerun-if-changed={}", root.display());
    let out = PathBuf::from(std::env::var("OUT_DIR")?);

    // What reflection tells: the public packages only.
    let public = protox::compile(FILES, [&root])?;
    std::fs::write(out.join("public.binpb"), public.encode_to_vec())?;

    let all = protox::compile(FILES.iter().chain([&VIEW]), [&root])?;
    std::fs::write(out.join("shapes.rs"), shapes(&all)?)?;
    tonic_prost_build::configure()
        .codec_path("crate::strict::StrictCodec")
        .bytes(".")
        .btree_map(".")
        .build_client(true)
        .extern_path(".loom.v1.ClientEvent", "crate::wire::loom::view::v1::ClientEvent")
        .extern_path(".loom.v1.ServerEvent", "crate::wire::loom::view::v1::ServerEvent")
        .compile_fds(all)?;
    Ok(())
}

/// What `strict` knows of the messages: of each its name, and its fields by number with wire type and what is within.
fn shapes(all: &FileDescriptorSet) -> Result<String, Box<dyn std::error::Error>> {
    let mut kinds = Vec::new();
    for file in &all.file {
        for message in &file.message_type {
            let name = format!("{}.{}", file.package(), message.name());
            kinds.extend(
                message.nested_type.iter().map(|entry| (format!("{name}.{}", entry.name()), entry, false)),
            );
            let ours = !FOREIGN.contains(&name.as_str());
            kinds.push((name, message, ours));
        }
    }
    let places: HashMap<&str, usize> =
        kinds.iter().enumerate().map(|(place, (name, ..))| (name.as_str(), place)).collect();
    let (mut table, mut types) = (String::new(), String::new());
    for (place, (name, message, ours)) in kinds.iter().enumerate() {
        write!(table, "Shape {{ name: {name:?}, fields: &[")?;
        for field in &message.field {
            let kind = field.r#type().as_str_name();
            let within = (kind == "TYPE_MESSAGE").then(|| places[field.type_name().trim_start_matches('.')]);
            write!(table, "({}, {}, {within:?}),", field.number(), wire_type(kind))?;
        }
        writeln!(table, "] }},")?;
        if *ours {
            let path = name.replace('.', "::");
            writeln!(types, "impl Shaped for crate::wire::{path} {{ const SHAPE: usize = {place}; }}")?;
        }
    }
    Ok(format!("static SHAPES: [Shape; {}] = [\n{table}];\n{types}", kinds.len()))
}

fn wire_type(kind: &str) -> u8 {
    match kind {
        "TYPE_DOUBLE" | "TYPE_FIXED64" | "TYPE_SFIXED64" => 1,
        "TYPE_STRING" | "TYPE_BYTES" | "TYPE_MESSAGE" => 2,
        "TYPE_FLOAT" | "TYPE_FIXED32" | "TYPE_SFIXED32" => 5,
        _ => 0,
    }
}
