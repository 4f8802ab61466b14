//! Messages of any kind, drawn as protobuf bytes by what the tables say of their fields.

use bary_api::shape::{Field, Form, Message, Times};
use prost::encoding::{WireType, encode_key, encode_varint};

/// Draws from bytes, and gives zeros when they are used up.
pub(crate) struct Draw<'a>(pub(crate) &'a [u8]);

impl Draw<'_> {
    fn byte(&mut self) -> u8 {
        self.0.split_off_first().copied().unwrap_or(0)
    }

    fn number(&mut self) -> u64 {
        match self.byte() % 4 {
            0 => u64::from(self.byte()),
            1 => u64::MAX,
            2 => u64::from(u32::MAX) + u64::from(self.byte()),
            _ => (0..8).fold(0, |number, _| number << 8 | u64::from(self.byte())),
        }
    }

    fn finite(&mut self) -> f64 {
        let drawn = f64::from_bits(self.number());
        if drawn.is_finite() { drawn } else { -0.5 }
    }

    fn text(&mut self) -> String {
        const LETTERS: [char; 8] = ['a', '"', '\\', '\n', 'ü', '\u{0}', '\u{10ffff}', '}'];
        (0..self.byte() % 5).map(|_| LETTERS[usize::from(self.byte() % 8)]).collect()
    }

    fn bytes(&mut self) -> Vec<u8> {
        (0..self.byte() % 7).map(|_| self.byte()).collect()
    }
}

/// The bytes of some message of this shape.
pub(crate) fn message(shape: &Message, draw: &mut Draw<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    let mut choice = draw.byte();
    for field in shape.fields {
        let times = match field.times {
            _ if field.oneof.is_some() => {
                choice = choice.wrapping_sub(1);
                u8::from(choice.is_multiple_of(8))
            }
            Times::One | Times::Optional => draw.byte() % 2,
            Times::Many | Times::Map => draw.byte() % 3,
        };
        for n in 0..times {
            value(field, n, draw, &mut out);
        }
    }
    out
}

fn value(field: &Field, n: u8, draw: &mut Draw<'_>, out: &mut Vec<u8>) {
    let number = field.number;
    if field.times == Times::Map {
        let mut entry = Vec::new();
        delimited(1, format!("{n}{}", draw.text()).as_bytes(), &mut entry);
        delimited(2, draw.text().as_bytes(), &mut entry);
        return delimited(number, &entry, out);
    }
    match field.form {
        Form::Bool => varint(number, u64::from(draw.byte() % 2), out),
        Form::Int32 => varint(number, i64::from(draw.number() as i32) as u64, out),
        Form::Uint32 => varint(number, u64::from(draw.number() as u32), out),
        Form::Uint64 => varint(number, draw.number(), out),
        Form::Double => {
            encode_key(number, WireType::SixtyFourBit, out);
            out.extend(draw.finite().to_le_bytes());
        }
        Form::Text => delimited(number, draw.text().as_bytes(), out),
        Form::Bytes => delimited(number, &draw.bytes(), out),
        Form::Message(name) => {
            let shape = Message::of(name).expect("it is in the contract");
            delimited(number, &message(shape, draw), out);
        }
    }
}

fn varint(number: u32, value: u64, out: &mut Vec<u8>) {
    encode_key(number, WireType::Varint, out);
    encode_varint(value, out);
}

fn delimited(number: u32, bytes: &[u8], out: &mut Vec<u8>) {
    encode_key(number, WireType::LengthDelimited, out);
    encode_varint(bytes.len() as u64, out);
    out.extend(bytes);
}
