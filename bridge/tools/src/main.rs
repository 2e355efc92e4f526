//! The engine without a bridge: its tables, replayed traces, and a pipe by which tests in Python drive it.

mod pipe;
mod replay;
mod tables;

use std::io::{self, BufReader, Write};
use std::process::ExitCode;

const USAGE: &str = "usage: loom-engine tables | replay TRACE... | pipe | recode
  tables  prints names, tables and codes of the engine as JSON
  replay  replays trace files; says where the first difference is
  pipe    reads a header, then {\"at\":..,\"in\":..} lines; answers each with {\"out\":[..],\"next\":deadline}
  recode  reads the lines of traces and writes each anew";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut out = io::BufWriter::new(io::stdout().lock());
    let done = match words.as_slice() {
        ["tables"] => tables::print(&mut out),
        ["replay", traces @ ..] if !traces.is_empty() => replay::all(traces, &mut out),
        ["pipe"] => pipe::serve(BufReader::new(io::stdin().lock()), &mut out),
        ["recode"] => pipe::recode(BufReader::new(io::stdin().lock()), &mut out),
        _ => Err(Failure { message: USAGE.to_owned(), code: 2 }),
    };
    let done = done.and_then(|()| out.flush().map_err(Failure::from));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure { message, code }) => {
            _ = writeln!(io::stderr(), "{message}");
            ExitCode::from(code)
        }
    }
}

/// Why the program ends, and with what code: 1 for a difference that was found, 2 for bad input.
struct Failure {
    message: String,
    code: u8,
}

impl Failure {
    fn difference(message: String) -> Self {
        Self { message, code: 1 }
    }

    fn input(message: impl ToString) -> Self {
        Self { message: message.to_string(), code: 2 }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::input(error)
    }
}

impl From<loom_engine::trace::TraceError> for Failure {
    fn from(error: loom_engine::trace::TraceError) -> Self {
        Self::input(error)
    }
}
