//! How foreign text is shown in a message: short, on one line, the same in both engines.

use std::borrow::Cow;
use std::fmt::Write;

/// A text that is mostly one of the engine's own.
pub type Text = Cow<'static, str>;

const SHOWN: usize = 80;

/// `text` in double quotes, at most 80 characters of it, everything but plain ASCII escaped.
pub fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len().min(SHOWN) + 2);
    quoted.push('"');
    let mut characters = text.chars();
    for character in characters.by_ref().take(SHOWN) {
        escape(&mut quoted, character);
    }
    quoted.push('"');
    if characters.next().is_some() {
        quoted.push_str("...");
    }
    quoted
}

/// How many bytes `text` has on the wire.
pub fn utf8_size(text: &str) -> usize {
    text.len()
}

fn escape(quoted: &mut String, character: char) {
    match character {
        '"' | '\\' => quoted.extend(['\\', character]),
        ' '..='~' => quoted.push(character),
        // Writing to a String cannot fail.
        _ => _ = write!(quoted, "\\u{{{:x}}}", u32::from(character)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_only_quoted() {
        assert_eq!(quote("a.b c~"), "\"a.b c~\"");
        assert_eq!(quote(""), "\"\"");
    }

    #[test]
    fn what_could_break_a_line_is_escaped() {
        assert_eq!(quote("a\"b\\c\nd\u{7f}é😀"), "\"a\\\"b\\\\c\\u{a}d\\u{7f}\\u{e9}\\u{1f600}\"");
    }

    #[test]
    fn eighty_characters_are_shown() {
        assert_eq!(quote(&"é".repeat(80)), format!("\"{}\"", "\\u{e9}".repeat(80)));
        assert_eq!(quote(&"x".repeat(81)), format!("\"{}\"...", "x".repeat(80)));
    }
}
