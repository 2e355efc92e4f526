//! Traces: what happened to an engine and what it answered, one JSON object per line.
//!
//! A line is `{"at": now, "in": INPUT, "out": [OUTPUT, ...]}`; `at` is engine time in microseconds. An input,
//! output or message is an object whose `kind` is its struct's name in snake_case and whose other members are
//! its fields; a field that has its default is left out, bytes are base64. The first line of a file is a
//! header: `{"trace": 1, "created": ..., "limits": {...}, "liveness": ..., "about": ...}`.
//!
//! A trace is replayed by feeding each input at its time to a fresh engine and comparing the outputs as data.
//! The format is the same for both engines, to the byte.

use std::io;

use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;
use serde::{Deserialize, Serialize};
use serde_json::ser::{Formatter, Serializer};

use crate::engine::Engine;
use crate::inputs::Input;
use crate::limits::Limits;
use crate::outputs::Output;
use crate::text::quote;

/// The version of the format.
pub const VERSION: u64 = 1;

/// A line is no part of a trace of this version; the text says which and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceError(pub String);

impl std::fmt::Display for TraceError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for TraceError {}

/// What engine a trace was written by. `limits` holds only those that differ from the defaults.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    trace: u64,
    pub created: u64,
    pub limits: IndexMap<String, i64, FxBuildHasher>,
    #[serde(default = "yes")]
    pub liveness: bool,
    #[serde(default)]
    pub about: String,
}

impl Header {
    /// A header of this version.
    pub fn new(created: u64, liveness: bool, about: &str) -> Self {
        Self { trace: VERSION, created, limits: IndexMap::default(), liveness, about: about.to_owned() }
    }

    /// The limits to replay with.
    ///
    /// # Errors
    /// A limit is not known or below 1.
    pub fn engine_limits(&self) -> Result<Limits, TraceError> {
        let overrides = self.limits.iter().map(|(name, value)| (name.as_str(), *value));
        Limits::default().with_overrides(overrides).map_err(TraceError)
    }

    /// A fresh engine such as the trace was written by.
    ///
    /// # Errors
    /// A limit is not known or below 1.
    pub fn engine(&self) -> Result<Engine, TraceError> {
        Ok(Engine::new(self.created, self.engine_limits()?, self.liveness))
    }
}

/// One step: the time, what came in, what went out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    pub at: u64,
    #[serde(rename = "in")]
    pub input: Input,
    #[serde(rename = "out", default)]
    pub outputs: Vec<Output>,
}

/// The first line of a trace, without the newline.
pub fn encode_header(header: &Header) -> String {
    dumps(header)
}

/// Reads the first line of a trace.
///
/// # Errors
/// It is not a header of this version.
pub fn decode_header(line: &str) -> Result<Header, TraceError> {
    #[derive(Deserialize)]
    struct Version {
        trace: u64,
    }
    let version = serde_json::from_str::<Version>(line).map_or(0, |read| read.trace);
    if version != VERSION {
        return Err(TraceError(format!("trace version {version} is not {VERSION}; write the trace anew")));
    }
    serde_json::from_str(line).map_err(|error| TraceError(format!("bad header: {error}")))
}

/// One step as a line, without the newline.
pub fn encode_step(step: &Step) -> String {
    dumps(step)
}

/// Reads one step; one without outputs is as yet to be taken.
///
/// # Errors
/// The line is no step.
pub fn decode_step(line: &str) -> Result<Step, TraceError> {
    serde_json::from_str(line).map_err(|error| TraceError(format!("not a step: {error} in {}", quote(line))))
}

/// Outputs as they stand in a step.
pub fn encode_outputs(outputs: &[Output]) -> String {
    dumps(outputs)
}

fn dumps<T: Serialize + ?Sized>(data: &T) -> String {
    let mut line = Vec::new();
    data.serialize(&mut Serializer::with_formatter(&mut line, Ascii))
        .expect("what a trace is made of has string keys and is written to memory");
    String::from_utf8(line).expect("the formatter writes ASCII")
}

/// JSON without spaces, everything but plain ASCII escaped, as the twin writes it.
struct Ascii;

impl Formatter for Ascii {
    fn write_string_fragment<W>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()>
    where
        W: ?Sized + io::Write,
    {
        let mut plain = 0;
        for (place, character) in fragment.char_indices() {
            if (' '..='~').contains(&character) {
                continue;
            }
            writer.write_all(&fragment.as_bytes()[plain..place])?;
            for unit in character.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            plain = place + character.len_utf8();
        }
        writer.write_all(&fragment.as_bytes()[plain..])
    }
}

// How the fields of inputs, outputs and messages are written.

pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn yes() -> bool {
    true
}

/// Bytes as base64.
pub(crate) mod base64_bytes {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use bytes::Bytes;
    use serde::de::{Deserialize, Deserializer, Error};
    use serde::ser::Serializer;

    pub(crate) fn serialize<S: Serializer>(bytes: &Bytes, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Bytes, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD.decode(text).map(Bytes::from).map_err(Error::custom)
    }
}

/// Bytes that may be missing, as base64.
pub(crate) mod optional_base64_bytes {
    use bytes::Bytes;
    use serde::{Deserialize, Deserializer, Serializer};

    #[derive(Deserialize)]
    struct Present(#[serde(with = "super::base64_bytes")] Bytes);

    pub(crate) fn serialize<S: Serializer>(bytes: &Option<Bytes>, serializer: S) -> Result<S::Ok, S::Error> {
        match bytes {
            Some(bytes) => super::base64_bytes::serialize(bytes, serializer),
            None => serializer.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Bytes>, D::Error> {
        Ok(Option::<Present>::deserialize(deserializer)?.map(|present| present.0))
    }
}

/// A message that names its kind although it can be no other.
macro_rules! of_one_kind {
    ($module:ident, $kind:ident) => {
        pub(crate) mod $module {
            use serde::de::{Deserialize, Deserializer};
            use serde::ser::{Serialize, Serializer};

            use crate::messages::$kind;

            #[derive(serde::Serialize)]
            #[serde(tag = "kind", rename_all = "snake_case")]
            enum Written<'a> {
                $kind(&'a $kind),
            }

            #[derive(serde::Deserialize)]
            #[serde(tag = "kind", rename_all = "snake_case")]
            enum Read {
                $kind($kind),
            }

            pub(crate) fn serialize<S: Serializer>(
                message: &$kind,
                serializer: S,
            ) -> Result<S::Ok, S::Error> {
                Written::$kind(message).serialize(serializer)
            }

            pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<$kind, D::Error> {
                let Read::$kind(message) = Read::deserialize(deserializer)?;
                Ok(message)
            }
        }
    };
}

of_one_kind!(action_call, ActionCall);
of_one_kind!(action_result, ActionResult);

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: &[&str] = &[
        r#"{"at":1,"in":{"kind":"tick"},"out":[]}"#,
        r#"{"at":1,"in":{"kind":"receive","stream":2,"message":{"kind":"publish","topic":"","event":""}},"out":[]}"#,
        r#"{"at":1,"in":{"kind":"receive","stream":2,"message":{"kind":"publish","topic":"a","event":"AP8=","confirm":true,"pub_seq":3}},"out":[{"kind":"send","stream":2,"message":{"kind":"receipt","ref":3,"code":"INVALID_TOPIC"}}]}"#,
        r#"{"at":1,"in":{"kind":"register","call":1,"agent_id":"\u00e9\ud83d\ude00\u007f\n\"\\/\u0001","subscriptions":[{"topic":"a","qos":0}],"echo":false},"out":[{"kind":"register_reply","call":1,"error_code":"X","error_message":"y"}]}"#,
        r#"{"at":1,"in":{"kind":"invoke","call":1,"request":{"kind":"action_call","capability":"c","headers":{"a":"b"},"timeout_ms":-1}},"out":[{"kind":"answer","call":1,"result":{"kind":"action_result","id":"","status":1,"error":{"code":"NOT_FOUND","message":"m"}}}]}"#,
        r#"{"at":1,"in":{"kind":"heartbeat","call":1,"timestamp_ms":-5},"out":[{"kind":"heartbeat_reply","call":1,"timestamp_ms":-5}]}"#,
        r#"{"at":1,"in":{"kind":"receive","stream":1,"message":{"kind":"ack","message_id":"a","done":[[1,2],[4,4]],"producer":18446744073709551615}},"out":[{"kind":"accept","stream":1},{"kind":"end","stream":1,"status":"OK","abrupt":true},{"kind":"drained"}]}"#,
    ];

    #[test]
    fn a_step_is_written_as_it_was_read() {
        for line in LINES {
            let step = decode_step(line).expect(line);
            assert_eq!(encode_step(&step), *line);
        }
    }

    #[test]
    fn a_header_keeps_its_limits_in_order() {
        let line = r#"{"trace":1,"created":5,"limits":{"queue_events":2,"event_bytes":9},"liveness":false,"about":"x"}"#;
        let header = decode_header(line).expect("it is a header");
        assert_eq!(encode_header(&header), line);
        assert_eq!(header.engine_limits().expect("they are known").queue_events, 2);
        let short = decode_header(r#"{"trace":1,"created":5,"limits":{}}"#).expect("it is a header");
        assert!(short.liveness, "unless it says otherwise");
    }

    #[test]
    fn what_is_no_trace_is_refused() {
        assert!(decode_header(r#"{"trace":2,"created":5,"limits":{}}"#).is_err());
        assert!(decode_header(r#"{"trace":1,"created":5,"limits":{},"more":1}"#).is_err());
        assert!(decode_header("[]").is_err());
        let refused = decode_header("{}").expect_err("it has no version").to_string();
        assert_eq!(refused, "trace version 0 is not 1; write the trace anew");
        for line in [
            "",
            "{}",
            r#"{"at":1,"in":{"kind":"nonsense"}}"#,
            r#"{"at":1,"in":{"kind":"open"}}"#,
            r#"{"at":1,"in":{"kind":"open","stream":1,"more":2}}"#,
            r#"{"at":1,"in":{"kind":"receive","stream":2,"message":{"kind":"publish","topic":"","event":"*"}}}"#,
        ] {
            assert!(decode_step(line).is_err(), "{line}");
        }
    }
}
