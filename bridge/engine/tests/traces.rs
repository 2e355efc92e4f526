//! Every trace that is kept is answered as it was when it was written, by whichever engine.

use std::path::{Path, PathBuf};
use std::{env, fs};

use loom_engine::trace::{decode_header, decode_step, encode_header, encode_outputs, encode_step};

#[test]
fn every_trace_replays_and_is_written_alike() {
    let folder = traces();
    let mut replayed = 0;
    for entry in fs::read_dir(folder).expect("the traces are beside the workspace") {
        let path = entry.expect("a folder can be listed").path();
        let text = fs::read_to_string(&path).expect("a trace is text");
        replay(&path.display().to_string(), &text);
        replayed += 1;
    }
    assert!(replayed > 100, "only {replayed} traces were found");
}

/// Beside the workspace, unless the workspace alone was copied: then the copy is told where they are.
fn traces() -> PathBuf {
    env::var_os("LOOM_TRACES")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../conformance/traces"), PathBuf::from)
}

fn replay(name: &str, text: &str) {
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default();
    let header = decode_header(first).expect(name);
    assert_eq!(encode_header(&header), first, "{name}");
    let mut engine = header.engine().expect(name);
    for (place, line) in lines.enumerate() {
        let step = decode_step(line).expect(name);
        assert_eq!(encode_step(&step), line, "{name}");
        assert!(line.ends_with(&format!(r#""out":{}}}"#, encode_outputs(&step.outputs))), "{name}");
        let answered = engine.handle(step.input, step.at);
        assert_eq!(encode_outputs(&answered), encode_outputs(&step.outputs), "{name}, step {}", place + 1);
    }
}

#[test]
fn what_is_not_the_default_is_written() {
    for reply in [r#""timestamp_ms":2,"status":"late""#, r#""timestamp_ms":2"#] {
        let line = format!(
            r#"{{"at":5,"in":{{"kind":"tick"}},"out":[{{"kind":"heartbeat_reply","call":1,{reply}}}]}}"#
        );
        assert_eq!(encode_step(&decode_step(&line).expect("it is a step")), line);
    }
}
