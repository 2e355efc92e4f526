//! Checks a carried event once, on arrival, without decoding it (PUB-3, PUB-5, LIM-2).
//!
//! A bridge carries an event as the bytes it came in. So that no subscriber ever receives what its protobuf
//! library refuses, the bytes are walked once: tags, wire types of the known fields, lengths, UTF-8, nesting.
//! The walk is written out rather than left to a protobuf library, because libraries differ in what they let
//! through, and both engines must refuse the same bytes. On the way it picks up the few things a bridge looks
//! at.
//!
//! Stricter than some libraries, on purpose: a known field with another wire type, a tag of more than five
//! bytes and a number of more than 64 bits are refused.

use std::fmt;

/// The metadata key of an event's time to live.
pub const TTL_KEY: &[u8] = b"loom.ttl_ms";
const GROUPS_DEEP: usize = 64;
/// From here on a tag's first byte says that it has more of them.
const WIDE: u8 = 0x80;

const VARINT: u8 = 0;
const FIXED64: u8 = 1;
const LENGTH: u8 = 2;
const START_GROUP: u8 = 3;
const END_GROUP: u8 = 4;
const FIXED32: u8 = 5;

const ID: u32 = 0x0A;
const TYPE: u32 = 0x12;
const SOURCE: u32 = 0x22;
const TAGS: u32 = 0x42;
const METADATA: u32 = 0x2A;
const PAYLOAD: u32 = 0x32;
const TIMESTAMP: u32 = 0x18;
const PRIORITY: u32 = 0x48;
const CONFIDENCE: u32 = 0x3D;
const KEY: u32 = 0x0A;
const VALUE: u32 = 0x12;
const LAST_KNOWN_FIELD: u32 = 9;
const LAST_KNOWN_FIELD_OF_ENTRY: u32 = 2;

/// The bytes are no well-formed loom.v1.Event; the text says where and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    WireType { field: u32, wire_type: u8 },
    UnknownWireType { field: u32, wire_type: u8 },
    GroupEnd { field: u32 },
    GroupsDeep,
    Tag,
    FieldZero,
    LongNumber,
    EndsInNumber,
    LongField,
    Utf8,
}

impl fmt::Display for Malformed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WireType { field, wire_type } => {
                write!(formatter, "field {field} has wire type {wire_type}")
            }
            Self::UnknownWireType { field, wire_type } => {
                write!(formatter, "field {field} has the unknown wire type {wire_type}")
            }
            Self::GroupEnd { field } => write!(formatter, "group {field} ends without having begun"),
            Self::GroupsDeep => write!(formatter, "groups are nested more than {GROUPS_DEEP} deep"),
            Self::Tag => formatter.write_str("a tag has more than 32 bits"),
            Self::FieldZero => formatter.write_str("a field has the number 0"),
            Self::LongNumber => formatter.write_str("a number has more than 64 bits"),
            Self::EndsInNumber => formatter.write_str("it ends inside a number"),
            Self::LongField => formatter.write_str("a field is longer than what is left"),
            Self::Utf8 => formatter.write_str("a string is not UTF-8"),
        }
    }
}

/// What a bridge looks at: the id (for errors), the type (for filters), the TTL as it was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventView<'a> {
    pub id: &'a str,
    pub r#type: &'a str,
    pub ttl: Option<&'a str>,
}

/// Walks an encoded event.
///
/// # Errors
/// It is not well-formed.
pub fn scan(data: &[u8]) -> Result<EventView<'_>, Malformed> {
    let mut view = EventView::default();
    let mut walk = Walk { data, position: 0 };
    while let Some((tag, content)) = walk.peek_tag()? {
        match tag {
            ID | TYPE | SOURCE | TAGS => {
                walk.position = content;
                let text = walk.text()?;
                match tag {
                    ID => view.id = text,
                    TYPE => view.r#type = text,
                    _ => {}
                }
            }
            METADATA => {
                walk.position = content;
                entry(walk.slice()?, &mut view)?;
            }
            PAYLOAD => {
                walk.position = content;
                walk.slice()?;
            }
            TIMESTAMP | PRIORITY => {
                walk.position = content;
                walk.varint()?;
            }
            CONFIDENCE => {
                walk.position = content;
                walk.skip(4)?;
            }
            _ => walk.unknown(LAST_KNOWN_FIELD)?,
        }
    }
    Ok(view)
}

/// One entry of the metadata map.
fn entry<'a>(data: &'a [u8], view: &mut EventView<'a>) -> Result<(), Malformed> {
    let (mut key, mut value) = ("", "");
    let mut walk = Walk { data, position: 0 };
    while let Some((tag, content)) = walk.peek_tag()? {
        match tag {
            KEY => {
                walk.position = content;
                key = walk.text()?;
            }
            VALUE => {
                walk.position = content;
                value = walk.text()?;
            }
            _ => walk.unknown(LAST_KNOWN_FIELD_OF_ENTRY)?,
        }
    }
    if key.as_bytes() == TTL_KEY {
        view.ttl = Some(value);
    }
    Ok(())
}

struct Walk<'a> {
    data: &'a [u8],
    position: usize,
}

impl<'a> Walk<'a> {
    fn peek(&self) -> Option<u8> {
        self.data.get(self.position).copied()
    }

    /// The tag of the next field and where the field's content begins; `None` at the end.
    fn peek_tag(&self) -> Result<Option<(u32, usize)>, Malformed> {
        match self.peek() {
            None => Ok(None),
            Some(tag) if tag < WIDE => Ok(Some((tag.into(), self.position + 1))),
            Some(_) => {
                // A known field may have a tag of several bytes too.
                let mut ahead = Walk { data: self.data, position: self.position };
                let (field, wire_type) = ahead.tag()?;
                Ok(Some((field << 3 | u32::from(wire_type), ahead.position)))
            }
        }
    }

    /// Passes over a field of a number that is not known, groups included.
    fn unknown(&mut self, last_known: u32) -> Result<(), Malformed> {
        let mut open_groups = Vec::new();
        loop {
            let (field, wire_type) = self.tag()?;
            if open_groups.is_empty() && field <= last_known {
                return Err(Malformed::WireType { field, wire_type });
            }
            match wire_type {
                VARINT => _ = self.varint()?,
                FIXED64 => self.skip(8)?,
                LENGTH => _ = self.slice()?,
                START_GROUP => {
                    open_groups.push(field);
                    if open_groups.len() > GROUPS_DEEP {
                        return Err(Malformed::GroupsDeep);
                    }
                }
                END_GROUP => {
                    if open_groups.pop() != Some(field) {
                        return Err(Malformed::GroupEnd { field });
                    }
                }
                FIXED32 => self.skip(4)?,
                _ => return Err(Malformed::UnknownWireType { field, wire_type }),
            }
            if open_groups.is_empty() {
                return Ok(());
            }
        }
    }

    /// Field number and wire type.
    fn tag(&mut self) -> Result<(u32, u8), Malformed> {
        let start = self.position;
        let tag = self.varint()?;
        if self.position - start > 5 {
            return Err(Malformed::Tag);
        }
        let tag = u32::try_from(tag).map_err(|_| Malformed::Tag)?;
        if tag >> 3 == 0 {
            return Err(Malformed::FieldZero);
        }
        Ok((tag >> 3, (tag & 7) as u8))
    }

    fn varint(&mut self) -> Result<u64, Malformed> {
        let (mut value, mut shift) = (0, 0);
        while let Some(byte) = self.peek() {
            self.position += 1;
            if shift == 63 && byte > 1 {
                return Err(Malformed::LongNumber);
            }
            value |= u64::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
            shift += 7;
        }
        Err(Malformed::EndsInNumber)
    }

    /// A length-delimited content.
    fn slice(&mut self) -> Result<&'a [u8], Malformed> {
        let length = self.varint()?;
        let left = &self.data[self.position..];
        let length = usize::try_from(length).map_err(|_| Malformed::LongField)?;
        let content = left.get(..length).ok_or(Malformed::LongField)?;
        self.position += length;
        Ok(content)
    }

    fn text(&mut self) -> Result<&'a str, Malformed> {
        std::str::from_utf8(self.slice()?).map_err(|_| Malformed::Utf8)
    }

    fn skip(&mut self, size: usize) -> Result<(), Malformed> {
        if size > self.data.len() - self.position {
            return Err(Malformed::EndsInNumber);
        }
        self.position += size;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_bytes_bring_it_down(data in prop::collection::vec(any::<u8>(), 0..200)) {
            _ = scan(&data);
        }

        #[test]
        fn what_is_cut_short_is_malformed_or_ends_between_fields(cut in 0..EVENT.len()) {
            let whole = scan(&EVENT[..cut]).is_ok();
            prop_assert_eq!(whole, [0, 3, 6, 17].contains(&cut));
        }
    }

    const EVENT: &[u8] = b"\x0a\x01a\x12\x01b\x2a\x09\x0a\x03key\x12\x02va\x32\x04data";

    fn narrow(tag: u32) -> u8 {
        u8::try_from(tag).expect("the known tags are of one byte")
    }

    fn field(tag: u32, content: &[u8]) -> Vec<u8> {
        let length = u8::try_from(content.len()).expect("test contents are short");
        [&[narrow(tag), length], content].concat()
    }

    #[test]
    fn what_a_bridge_looks_at_is_found() {
        let pair = [field(KEY, TTL_KEY), field(VALUE, b"5")].concat();
        let event = [
            field(ID, b"1"),
            field(TYPE, b"t"),
            vec![narrow(TIMESTAMP), 0xFF, 0x01],
            field(METADATA, &pair),
            field(PAYLOAD, b"\xff"),
            vec![narrow(CONFIDENCE), 0, 0, 0, 0],
            vec![0x50, 7],
        ]
        .concat();
        assert_eq!(scan(&event), Ok(EventView { id: "1", r#type: "t", ttl: Some("5") }));
        assert_eq!(scan(b""), Ok(EventView::default()));
    }

    #[test]
    fn a_tag_may_have_more_bytes_than_it_needs() {
        let event =
            b"\x8a\x00\x01i\x92\x80\x80\x80\x00\x01t\xaa\x00\x13\x8a\x80\x00\x0bloom.ttl_ms\x92\x00\x015";
        assert_eq!(scan(event), Ok(EventView { id: "i", r#type: "t", ttl: Some("5") }));
    }

    #[test]
    fn groups_of_unknown_fields_are_passed_over() {
        assert!(scan(&[0x53, 0x08, 1, 0x54]).is_ok());
        let deep = |levels| [vec![0x53; levels], vec![0x54; levels]].concat();
        assert!(scan(&deep(64)).is_ok());
        assert_eq!(scan(&deep(65)), Err(Malformed::GroupsDeep));
    }

    #[test]
    fn what_is_malformed_is_named() {
        for (data, problem) in [
            (&[0x08, 1][..], "field 1 has wire type 0"),
            (&[0x88, 0, 0], "field 1 has wire type 0"),
            (&[0x57], "field 10 has the unknown wire type 7"),
            (&[0x54], "group 10 ends without having begun"),
            (&[0x53, 0x5C], "group 11 ends without having begun"),
            (&[0xD0, 0x80, 0x80, 0x80, 0x80, 0x00, 0], "a tag has more than 32 bits"),
            (&[0xFF, 0xFF, 0xFF, 0xFF, 0x1F], "a tag has more than 32 bits"),
            (&[0x02, 0], "a field has the number 0"),
            (&[0x18, 255, 255, 255, 255, 255, 255, 255, 255, 255, 2], "a number has more than 64 bits"),
            (&[0x18, 0x80], "it ends inside a number"),
            (&[0x3D, 0, 0], "it ends inside a number"),
            (&[0x0A, 2, 0x41], "a field is longer than what is left"),
            (&[0x0A, 1, 0xFF], "a string is not UTF-8"),
            (&[0x2A, 3, 0x0A, 1, 0xFF], "a string is not UTF-8"),
            (&[0x2A, 2, 0x08, 1], "field 1 has wire type 0"),
        ] {
            assert_eq!(scan(data).map_err(|error| error.to_string()), Err(problem.to_owned()), "{data:?}");
        }
    }
}
