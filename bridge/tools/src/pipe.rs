//! An engine at the end of a pipe: one line in, one line out.

use std::io::{BufRead, BufReader, Read, Write};

use loom_engine::Engine;
use loom_engine::trace::{
    TraceError, decode_header, decode_step, encode_header, encode_outputs, encode_step,
};

use crate::Failure;

/// Answers each input line; a header begins a fresh engine and is not answered.
pub fn serve<R: Read>(mut lines: BufReader<R>, out: &mut impl Write) -> Result<(), Failure> {
    let mut engine = None;
    let mut line = String::new();
    while lines.read_line(&mut line)? > 0 {
        if is_header(&line) {
            engine = Some(decode_header(&line)?.engine()?);
        } else {
            let engine =
                engine.as_mut().ok_or_else(|| TraceError("the first line is no header".to_owned()))?;
            answer(engine, &line, out)?;
        }
        line.clear();
        // Whoever waits for an answer has written nothing more; whoever wrote ahead gets them together.
        if lines.buffer().is_empty() {
            out.flush()?;
        }
    }
    Ok(())
}

fn answer(engine: &mut Engine, line: &str, out: &mut impl Write) -> Result<(), Failure> {
    let step = decode_step(line)?;
    let outputs = encode_outputs(&engine.handle(step.input, step.at));
    match engine.next_deadline() {
        Some(next) => writeln!(out, "{{\"out\":{outputs},\"next\":{next}}}")?,
        None => writeln!(out, "{{\"out\":{outputs},\"next\":null}}")?,
    }
    Ok(())
}

/// Writes each line of a trace as this engine writes it.
pub fn recode<R: Read>(lines: BufReader<R>, out: &mut impl Write) -> Result<(), Failure> {
    for line in lines.lines() {
        let line = line?;
        let written = if is_header(&line) {
            encode_header(&decode_header(&line)?)
        } else {
            encode_step(&decode_step(&line)?)
        };
        writeln!(out, "{written}")?;
    }
    Ok(())
}

fn is_header(line: &str) -> bool {
    line.starts_with("{\"trace\":")
}
