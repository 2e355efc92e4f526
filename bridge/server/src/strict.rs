//! Refuses what some protobuf libraries read and others do not (LIM-2), so that a bridge on any of them answers alike.
//!
//! Libraries differ on bytes that no library writes: a known field with another wire type is skipped by one and refused by
//! another; so are the field number 0, a number of more than 64 bits, a tag or a length of more than five bytes, groups nested very
//! deep. All of these are refused here. The fake does the same, in `loom_testing/strict.py`.

use std::marker::PhantomData;

use bytes::Buf;
use prost::Message;
use tonic::Status;
use tonic::codec::{BufferSettings, Codec, DecodeBuf, Decoder};
use tonic_prost::ProstEncoder;

/// How deep messages and groups may be nested within one another.
const LEVELS: u32 = 100;
const TAG_BYTES: usize = 5;
const LENGTH_BYTES: usize = 5;

const VARINT: u8 = 0;
const FIXED64: u8 = 1;
const LENGTH: u8 = 2;
const START_GROUP: u8 = 3;
const END_GROUP: u8 = 4;
const FIXED32: u8 = 5;

/// A message's fields: number, wire type, and which shape is within if that is a message.
struct Shape {
    name: &'static str,
    fields: &'static [(u32, u8, Option<usize>)],
}

/// A message whose shape is known.
pub trait Shaped {
    /// Where its shape stands.
    const SHAPE: usize;
}

// `SHAPES`, and which message has which.
include!(concat!(env!("OUT_DIR"), "/shapes.rs"));

/// Prost's codec, but what comes in is checked first.
#[derive(Clone, Debug)]
pub struct StrictCodec<T, U>(PhantomData<(T, U)>);

impl<T, U> Default for StrictCodec<T, U> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T, U> Codec for StrictCodec<T, U>
where
    T: Message + Send + 'static,
    U: Message + Default + Shaped + Send + 'static,
{
    type Encode = T;
    type Decode = U;
    type Encoder = ProstEncoder<T>;
    type Decoder = StrictDecoder<U>;

    fn encoder(&mut self) -> Self::Encoder {
        ProstEncoder::new(BufferSettings::default())
    }

    fn decoder(&mut self) -> Self::Decoder {
        StrictDecoder(PhantomData)
    }
}

/// Reads a message that every library reads.
#[derive(Clone, Debug)]
pub struct StrictDecoder<U>(PhantomData<U>);

impl<U: Message + Default + Shaped> Decoder for StrictDecoder<U> {
    type Item = U;
    type Error = Status;

    fn decode(&mut self, source: &mut DecodeBuf<'_>) -> Result<Option<U>, Status> {
        let data = source.copy_to_bytes(source.remaining());
        if check::<U>(&data).is_ok()
            && let Ok(message) = U::decode(data)
        {
            return Ok(Some(message));
        }
        let name = SHAPES[U::SHAPE].name.replace("loom.view.", "loom."); // the view is ours alone
        Err(Status::invalid_argument(format!("the message is not a well-formed {name}")))
    }
}

/// Says why the bytes are not what every library reads.
fn check<U: Shaped>(data: &[u8]) -> Result<(), &'static str> {
    Walk { data, position: 0 }.message(data.len(), U::SHAPE, LEVELS)
}

struct Walk<'a> {
    data: &'a [u8],
    position: usize,
}

impl Walk<'_> {
    fn message(&mut self, end: usize, shape: usize, levels: u32) -> Result<(), &'static str> {
        while self.position < end {
            let (number, wire_type) = self.tag(end)?;
            let Some((_, expected, within)) = SHAPES[shape].fields.iter().find(|field| field.0 == number)
            else {
                self.skip(end, number, wire_type, levels)?;
                continue;
            };
            if wire_type != *expected {
                return Err("a field has another wire type");
            }
            let stop = self.content(end, wire_type)?;
            if let Some(within) = within {
                if levels == 0 {
                    return Err("messages are nested too deep");
                }
                self.message(stop, *within, levels - 1)?;
            }
            self.position = stop;
        }
        Ok(())
    }

    /// Passes over a field that is not known.
    fn skip(&mut self, end: usize, number: u32, wire_type: u8, levels: u32) -> Result<(), &'static str> {
        if levels == 0 {
            return Err("groups are nested too deep");
        }
        if wire_type != START_GROUP {
            self.position = self.content(end, wire_type)?;
            return Ok(());
        }
        loop {
            let (inner, inner_type) = self.tag(end)?;
            if inner_type == END_GROUP {
                return if inner == number { Ok(()) } else { Err("a group ends without having begun") };
            }
            self.skip(end, inner, inner_type, levels - 1)?;
        }
    }

    /// Goes to where a field's content begins, and tells where it ends.
    fn content(&mut self, end: usize, wire_type: u8) -> Result<usize, &'static str> {
        let size = match wire_type {
            VARINT => {
                self.varint(end)?;
                0
            }
            LENGTH => {
                let start = self.position;
                let length = self.varint(end)?;
                if self.position - start > LENGTH_BYTES {
                    return Err("a length has more than five bytes");
                }
                length
            }
            FIXED32 => 4,
            FIXED64 => 8,
            _ => return Err("there is no such wire type here"),
        };
        if size > (end - self.position) as u64 {
            return Err("a field is longer than what is left");
        }
        Ok(self.position + size as usize)
    }

    /// Field number and wire type.
    fn tag(&mut self, end: usize) -> Result<(u32, u8), &'static str> {
        let start = self.position;
        let tag = self.varint(end)?;
        let Ok(tag) = u32::try_from(tag) else { return Err("a tag has more than 32 bits") };
        if self.position - start > TAG_BYTES {
            return Err("a tag has more than 32 bits");
        }
        if tag >> 3 == 0 {
            return Err("a field has the number 0");
        }
        Ok((tag >> 3, (tag & 7) as u8))
    }

    fn varint(&mut self, end: usize) -> Result<u64, &'static str> {
        let (mut value, mut shift) = (0, 0);
        while self.position < end {
            let byte = self.data[self.position];
            self.position += 1;
            if shift == 63 && byte > 1 {
                return Err("a number has more than 64 bits");
            }
            value |= u64::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
            shift += 7;
        }
        Err("it ends inside a number")
    }
}

#[cfg(test)]
mod tests {
    use crate::wire::v1::{ActionCall, ListCapabilitiesRequest};
    use crate::wire::view::ClientEvent;

    use super::*;

    fn varint(mut number: u32) -> Vec<u8> {
        let mut encoded = Vec::new();
        while number >= 128 {
            encoded.push((number & 127 | 128) as u8);
            number >>= 7;
        }
        encoded.push(number as u8);
        encoded
    }

    fn groups(levels: usize) -> Vec<u8> {
        let mut data = varint(2000 << 3 | 3).repeat(levels);
        data.extend(varint(2000 << 3));
        data.push(1);
        data.extend(varint(2000 << 3 | 4).repeat(levels));
        data
    }

    /// An event within a batch within an event, and so on.
    fn batches(levels: u32) -> Vec<u8> {
        (0..levels).fold(Vec::new(), |inner, level| {
            let mut data = varint(if level % 2 == 0 { 1 << 3 | 2 } else { 100 << 3 | 2 });
            data.extend(varint(inner.len() as u32));
            data.extend(inner);
            data
        })
    }

    #[test]
    fn what_every_library_reads() {
        let call = ActionCall {
            id: "1".into(),
            headers: [("a".into(), "1".into())].into(),
            timeout_ms: -1,
            ..Default::default()
        };
        for data in [
            call.encode_to_vec(),
            vec![],
            b"\x30\x05\x0a\x011".to_vec(),
            b"\x0a\x00".to_vec(),
            b"\x0a\x81\x00x".to_vec(),
            b"\xf8\x7f\x01".to_vec(),
            b"\x78\x01\x79\x01\x02\x03\x04\x05\x06\x07\x08\x7a\x01x\x7d\x01\x02\x03\x04".to_vec(),
            b"\x2a\x08\x0a\x01k\x12\x01v\x18\x05".to_vec(),
            b"\x30\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01".to_vec(),
            groups(2),
            groups(99),
        ] {
            assert_eq!(check::<ActionCall>(&data), Ok(()), "{data:x?}");
            assert!(ActionCall::decode(&data[..]).is_ok(), "{data:x?}");
        }
        assert_eq!(check::<ClientEvent>(&batches(100)), Ok(()));
        assert!(ClientEvent::decode(&batches(100)[..]).is_ok());
    }

    #[test]
    fn what_only_some_libraries_read() {
        for (data, why) in [
            (b"\x08\x01".to_vec(), "a field has another wire type"),
            (b"\x28\x01".to_vec(), "a field has another wire type"),
            (b"\x2a\x02\x08\x01".to_vec(), "a field has another wire type"),
            (b"\x30\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02".to_vec(), "a number has more than 64 bits"),
            (b"\x82\x80\x80\x80\x80\x00\x00".to_vec(), "a tag has more than 32 bits"),
            (b"\xf8\xff\xff\xff\x7f\x01".to_vec(), "a tag has more than 32 bits"),
            (b"\x0a\x81\x80\x80\x80\x80\x00x".to_vec(), "a length has more than five bytes"),
            (b"\x0a\x05x".to_vec(), "a field is longer than what is left"),
            (b"\x0a".to_vec(), "it ends inside a number"),
            (b"\x7f".to_vec(), "there is no such wire type here"),
            (b"\x7b\x84\x01".to_vec(), "a group ends without having begun"),
            (groups(100), "groups are nested too deep"),
        ] {
            assert_eq!(check::<ActionCall>(&data), Err(why), "{data:x?}");
        }
        assert_eq!(check::<ListCapabilitiesRequest>(b"\x00\x05"), Err("a field has the number 0"));
        assert_eq!(check::<ClientEvent>(&batches(102)), Err("messages are nested too deep"));
    }
}
