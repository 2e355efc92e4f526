//! What a topic, a pattern and an agent id may look like (PUB-2, REG-1).
//!
//! Each `..._problem` function answers None for what is well-formed, else half a sentence saying what is wrong.

use crate::text::utf8_size;

/// The longest topic.
pub const TOPIC_BYTES: usize = 255;
/// The longest agent id.
pub const AGENT_ID_BYTES: usize = 128;
/// Stands for exactly one token.
pub const STAR: &str = "*";
/// As the last token, stands for one or more.
pub const REST: &str = ">";

/// What is wrong with `topic` as a concrete topic.
pub fn topic_problem(topic: &str) -> Option<String> {
    if topic.len() <= TOPIC_BYTES && is_topic(topic) {
        return None;
    }
    length_problem(topic, TOPIC_BYTES).or_else(|| concrete_problem(topic))
}

/// What is wrong with `agent_id`: a concrete topic of at most 128 bytes (REG-1).
pub fn agent_id_problem(agent_id: &str) -> Option<String> {
    length_problem(agent_id, AGENT_ID_BYTES).or_else(|| topic_problem(agent_id))
}

/// What is wrong with `pattern` as a subscription's topic.
pub fn pattern_problem(pattern: &str) -> Option<String> {
    let problem = length_problem(pattern, TOPIC_BYTES);
    if problem.is_some() {
        return problem;
    }
    let mut tokens = pattern.split('.').peekable();
    while let Some(token) = tokens.next() {
        if token == STAR || is_token(token) {
            continue;
        }
        if token == REST {
            if tokens.peek().is_none() {
                continue;
            }
            return Some("has > before its last token".to_owned());
        }
        if has_wildcard(token) {
            return Some("has a wildcard inside a longer token".to_owned());
        }
        return Some(token_problem(token));
    }
    None
}

/// The topic on which an agent receives replies; every agent is subscribed to its own.
pub fn replies_topic(agent_id: &str) -> String {
    format!("agent.{agent_id}.replies")
}

fn length_problem(text: &str, most: usize) -> Option<String> {
    if text.is_empty() {
        return Some("is empty".to_owned());
    }
    let size = utf8_size(text);
    (size > most).then(|| format!("has {size} bytes; at most {most} are allowed"))
}

fn concrete_problem(topic: &str) -> Option<String> {
    for token in topic.split('.') {
        if has_wildcard(token) {
            return Some("has a wildcard where a concrete topic is needed".to_owned());
        }
        if !is_token(token) {
            return Some(token_problem(token));
        }
    }
    None
}

fn token_problem(token: &str) -> String {
    if token.is_empty() {
        return "has an empty token".to_owned();
    }
    "has a character other than A-Z a-z 0-9 _ : @ / -".to_owned()
}

/// Non-empty tokens, joined by dots.
fn is_topic(text: &str) -> bool {
    let mut after_dot = true;
    for byte in text.bytes() {
        if byte == b'.' {
            if after_dot {
                return false;
            }
            after_dot = true;
        } else if is_plain(byte) {
            after_dot = false;
        } else {
            return false;
        }
    }
    !after_dot
}

fn is_token(token: &str) -> bool {
    !token.is_empty() && token.bytes().all(is_plain)
}

fn has_wildcard(token: &str) -> bool {
    token.contains(['*', '>'])
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':' | b'@' | b'/' | b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics() {
        for fine in ["a", "a.b", "A-z_0:9@x/y", &"a".repeat(255)] {
            assert_eq!(topic_problem(fine), None, "{fine}");
        }
        for (topic, problem) in [
            ("", "is empty"),
            (".", "has an empty token"),
            ("a..b", "has an empty token"),
            ("a.", "has an empty token"),
            ("a b", "has a character other than A-Z a-z 0-9 _ : @ / -"),
            ("a.b\n", "has a character other than A-Z a-z 0-9 _ : @ / -"),
            ("é", "has a character other than A-Z a-z 0-9 _ : @ / -"),
            ("a.*", "has a wildcard where a concrete topic is needed"),
            ("a>", "has a wildcard where a concrete topic is needed"),
        ] {
            assert_eq!(topic_problem(topic).as_deref(), Some(problem), "{topic}");
        }
        let problem = topic_problem(&"é".repeat(128));
        assert_eq!(problem.as_deref(), Some("has 256 bytes; at most 255 are allowed"));
    }

    #[test]
    fn patterns() {
        for fine in ["a", "*", ">", "a.*.b", "a.>", "*.>"] {
            assert_eq!(pattern_problem(fine), None, "{fine}");
        }
        for (pattern, problem) in [
            ("", "is empty"),
            (">.a", "has > before its last token"),
            ("a*", "has a wildcard inside a longer token"),
            ("a.>>", "has a wildcard inside a longer token"),
            ("a..b", "has an empty token"),
            ("a.b c", "has a character other than A-Z a-z 0-9 _ : @ / -"),
        ] {
            assert_eq!(pattern_problem(pattern).as_deref(), Some(problem), "{pattern}");
        }
    }

    #[test]
    fn agent_ids() {
        assert_eq!(agent_id_problem(&"a".repeat(128)), None);
        let problem = agent_id_problem(&"a".repeat(129));
        assert_eq!(problem.as_deref(), Some("has 129 bytes; at most 128 are allowed"));
        assert_eq!(replies_topic("a"), "agent.a.replies");
    }
}
