//! Traces, replayed: each input at its time into a fresh engine, and the outputs compared as data.

use std::fs;
use std::io::Write;

use loom_engine::outputs::Output;
use loom_engine::trace::{TraceError, decode_header, decode_step, encode_outputs};

use crate::Failure;

/// Replays every trace; stops at the first difference.
pub fn all(traces: &[&str], out: &mut impl Write) -> Result<(), Failure> {
    for path in traces {
        let text = fs::read_to_string(path).map_err(|error| Failure::input(format!("{path}: {error}")))?;
        let steps = one(&text).map_err(|problem| match problem {
            Problem::Trace(line, error) => Failure::input(format!("{path}:{line}: {error}")),
            Problem::Difference(line, told) => Failure::difference(format!("{path}:{line}: {told}")),
        })?;
        writeln!(out, "{path}: {steps} steps")?;
    }
    Ok(())
}

/// What is wrong with a trace or with the engine, and in which line.
enum Problem {
    Trace(usize, TraceError),
    Difference(usize, String),
}

fn one(text: &str) -> Result<usize, Problem> {
    let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let (_, first) = lines.next().unwrap_or((0, ""));
    let mut engine =
        decode_header(first).and_then(|header| header.engine()).map_err(|error| Problem::Trace(1, error))?;
    let mut steps = 0;
    for (place, line) in lines {
        let step = decode_step(line).map_err(|error| Problem::Trace(place + 1, error))?;
        let answered = engine.handle(step.input, step.at);
        if answered != step.outputs {
            return Err(Problem::Difference(place + 1, told(&step.outputs, &answered)));
        }
        steps += 1;
    }
    Ok(steps)
}

fn told(expected: &[Output], answered: &[Output]) -> String {
    let same = expected.iter().zip(answered).take_while(|(one, other)| one == other).count();
    let rest = |outputs: &[Output]| encode_outputs(&outputs[same..]);
    format!(
        "the engine answers otherwise from output {} on\n  trace:  {}\n  engine: {}",
        same + 1,
        rest(expected),
        rest(answered)
    )
}
