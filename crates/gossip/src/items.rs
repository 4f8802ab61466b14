//! The datagrams of this crate: an envelope, then foca's message or items of our own. A datagram
//! is read whole before anything in it counts.
//!
//! The envelope is a version byte, a kind byte and the cluster's number; before items follows who
//! sends them.

use std::ops::RangeInclusive;

use crate::codec::{DecodeError, Reader, put_identity, put_record, put_varint};
use crate::config::GossipConfig;
use crate::identity::{Identity, Name};
use crate::record::{Record, Standing};
use crate::values::{self, Delta};
use crate::view::{BITS_MAX, place};

/// The first byte of every datagram that this code writes and reads.
pub(crate) const VERSION: u8 = 1;

/// The kind of a datagram that holds foca's message.
pub(crate) const SWIM: u8 = 0;

/// The kind of a datagram that holds items.
const ITEMS: u8 = 1;

/// How many bytes stand before foca's message.
pub(crate) const ENVELOPE_BYTES: usize = 10;

/// More bytes than a section, or a delta, has besides its entries.
pub(crate) const HEAD_BYTES: usize = 64;

/// One thing that a datagram says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Item {
    /// Shortened sums of all slices of the sender's view; asks for the slices that differ.
    Summary { salt: u64, sums: Vec<u32> },
    /// All members with places in a part of the order, and the versions of their values.
    Section { part: RangeInclusive<u64>, entries: Vec<(Record, u64)> },
    /// One node as the sender knows it.
    Record(Record),
    /// Asks for a node's values above a version, under a floor.
    Want { name: Name, incarnation: u64, have: u64, floor: u64 },
    /// Changes of a node's values.
    Values { name: Name, incarnation: u64, delta: Delta },
    /// Asks for the whole view.
    Join,
    /// Asks for an echo.
    Echo(u64),
    /// The echo.
    Echoed(u64),
}

/// What a datagram holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Content<'a> {
    /// foca's message, not yet read.
    Swim(&'a [u8]),
    /// Who sends, and what.
    Items(Record, Vec<Item>),
    /// Something of another cluster.
    Foreign,
}

/// The envelope without its sender.
pub(crate) fn put_envelope(kind: u8, cluster: u64, to: &mut Vec<u8>) {
    to.extend_from_slice(&[VERSION, kind]);
    to.extend_from_slice(&cluster.to_le_bytes());
}

/// The envelope of items.
pub(crate) fn items_envelope(cluster: u64, me: &Identity, refutations: u16) -> Vec<u8> {
    let mut to = Vec::new();
    put_envelope(ITEMS, cluster, &mut to);
    put_identity(me, &mut to);
    put_varint(refutations.into(), &mut to);
    to
}

/// Reads a datagram under the limits of `config`.
pub(crate) fn read<'a>(bytes: &'a [u8], config: &GossipConfig) -> Result<Content<'a>, DecodeError> {
    if bytes.len() > config.datagram_bytes_max as usize {
        return Err(DecodeError::Value { part: "length" });
    }
    let mut reader = Reader::new(bytes);
    if reader.u8()? != VERSION {
        return Err(DecodeError::Value { part: "version" });
    }
    let kind = reader.u8()?;
    if reader.u64()? != config.cluster {
        return Ok(Content::Foreign);
    }
    match kind {
        SWIM => Ok(Content::Swim(reader.rest())),
        ITEMS => {
            let (identity, refutations) = (reader.identity()?, reader.narrow()?);
            let sender = Record { identity, refutations, standing: Standing::Up };
            let mut items = Vec::new();
            while !reader.is_empty() {
                items.push(read_item(&mut reader, config)?);
            }
            Ok(Content::Items(sender, items))
        }
        _ => Err(DecodeError::Value { part: "kind" }),
    }
}

fn read_item(reader: &mut Reader<'_>, config: &GossipConfig) -> Result<Item, DecodeError> {
    match reader.u8()? {
        0 => read_summary(reader),
        1 => read_section(reader),
        2 => Ok(Item::Record(reader.record()?)),
        3 => {
            let name = Name(reader.u64()?);
            let (incarnation, have) = (reader.varint()?, reader.varint()?);
            Ok(Item::Want { name, incarnation, have, floor: reader.varint()? })
        }
        4 => read_values(reader, config),
        5 => Ok(Item::Join),
        6 => Ok(Item::Echo(reader.u64()?)),
        7 => Ok(Item::Echoed(reader.u64()?)),
        _ => Err(DecodeError::Value { part: "item" }),
    }
}

fn read_summary(reader: &mut Reader<'_>) -> Result<Item, DecodeError> {
    let (bits, salt) = (reader.u8()?, reader.u64()?);
    if u32::from(bits) > BITS_MAX {
        return Err(DecodeError::Value { part: "summary" });
    }
    let sums = (0..1_u32 << bits).map(|_| reader.u32()).collect::<Result<_, _>>()?;
    Ok(Item::Summary { salt, sums })
}

fn read_section(reader: &mut Reader<'_>) -> Result<Item, DecodeError> {
    let part = reader.u64()?..=reader.u64()?;
    if part.is_empty() {
        return Err(DecodeError::Value { part: "section" });
    }
    let count = reader.u16()?;
    let mut entries: Vec<(Record, u64)> = Vec::new();
    let mut last = None;
    for _ in 0..count {
        let (record, version) = (reader.record()?, reader.varint()?);
        let place = place(record.identity.name);
        let rises = last.is_none_or(|last| last < place);
        if !rises || !part.contains(&place) || record.standing == Standing::Down {
            return Err(DecodeError::Value { part: "section" });
        }
        last = Some(place);
        entries.push((record, version));
    }
    Ok(Item::Section { part, entries })
}

fn read_values(reader: &mut Reader<'_>, config: &GossipConfig) -> Result<Item, DecodeError> {
    let broken = DecodeError::Value { part: "value" };
    let name = Name(reader.u64()?);
    let incarnation = reader.varint()?;
    let (floor, from, upto) = (reader.varint()?, reader.varint()?, reader.varint()?);
    let count: u32 = reader.narrow()?;
    if count > config.keys_max {
        return Err(broken);
    }
    let mut items = Vec::new();
    for _ in 0..count {
        let version = reader.varint()?;
        let key = std::str::from_utf8(read_text(reader, config.key_bytes_max)?);
        let key = key.map_err(|_| broken)?.into();
        let value = match reader.u8()? {
            0 => None,
            1 => Some(read_text(reader, config.value_bytes_max)?.into()),
            _ => return Err(broken),
        };
        items.push(values::Item { key, version, value });
    }
    Ok(Item::Values { name, incarnation, delta: Delta { floor, from, upto, items } })
}

fn read_text<'a>(reader: &mut Reader<'a>, max: u32) -> Result<&'a [u8], DecodeError> {
    let count: u32 = reader.narrow()?;
    if count > max {
        return Err(DecodeError::Value { part: "value" });
    }
    reader.bytes(count as usize)
}

/// Writes one change of a node's values, as a delta holds it.
pub(crate) fn put_change(item: &values::Item, to: &mut Vec<u8>) {
    put_varint(item.version, to);
    put_varint(item.key.len() as u64, to);
    to.extend_from_slice(item.key.as_bytes());
    to.push(u8::from(item.value.is_some()));
    if let Some(value) = &item.value {
        put_varint(value.len() as u64, to);
        to.extend_from_slice(value);
    }
}

/// Writes a delta whose changes are written already.
pub(crate) fn put_values(
    (name, incarnation): (Name, u64),
    bounds: [u64; 3],
    (count, changes): (usize, &[u8]),
    to: &mut Vec<u8>,
) {
    to.push(4);
    to.extend_from_slice(&name.0.to_le_bytes());
    put_varint(incarnation, to);
    bounds.iter().for_each(|bound| put_varint(*bound, to));
    put_varint(count as u64, to);
    to.extend_from_slice(changes);
}

/// Writes one member, as a section holds it.
pub(crate) fn put_entry(record: &Record, version: u64, to: &mut Vec<u8>) {
    put_record(record, to);
    put_varint(version, to);
}

/// Writes a section whose entries are written already.
pub(crate) fn put_section(part: RangeInclusive<u64>, count: u16, entries: &[u8], to: &mut Vec<u8>) {
    to.push(1);
    to.extend_from_slice(&part.start().to_le_bytes());
    to.extend_from_slice(&part.end().to_le_bytes());
    to.extend_from_slice(&count.to_le_bytes());
    to.extend_from_slice(entries);
}

/// Writes an item that needs no cutting to size.
pub(crate) fn put_item(item: &Item, to: &mut Vec<u8>) {
    match item {
        Item::Summary { salt, sums } => {
            to.extend_from_slice(&[0, sums.len().ilog2() as u8]);
            to.extend_from_slice(&salt.to_le_bytes());
            sums.iter().for_each(|sum| to.extend_from_slice(&sum.to_le_bytes()));
        }
        Item::Section { part, entries } => {
            let mut body = Vec::new();
            entries.iter().for_each(|(record, version)| put_entry(record, *version, &mut body));
            put_section(part.clone(), entries.len() as u16, &body, to);
        }
        Item::Record(record) => {
            to.push(2);
            put_record(record, to);
        }
        Item::Want { name, incarnation, have, floor } => {
            to.push(3);
            to.extend_from_slice(&name.0.to_le_bytes());
            put_varint(*incarnation, to);
            put_varint(*have, to);
            put_varint(*floor, to);
        }
        Item::Values { name, incarnation, delta } => {
            let mut body = Vec::new();
            delta.items.iter().for_each(|item| put_change(item, &mut body));
            let bounds = [delta.floor, delta.from, delta.upto];
            put_values((*name, *incarnation), bounds, (delta.items.len(), &body), to);
        }
        Item::Join => to.push(5),
        Item::Echo(number) => {
            to.push(6);
            to.extend_from_slice(&number.to_le_bytes());
        }
        Item::Echoed(number) => {
            to.push(7);
            to.extend_from_slice(&number.to_le_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Address;

    /// Datagrams as this version writes them, each as hexadecimal digits.
    const KEPT: &str = include_str!("../tests/golden/datagrams.txt");

    fn sender(incarnation: u64) -> Record {
        let identity = Identity::new(Name(0x0102), Address::Number(7), incarnation);
        Record { identity, refutations: 3, standing: Standing::Up }
    }

    /// One of each kind.
    fn items() -> Vec<Item> {
        let value = |key: &str, value: Option<&[u8]>| values::Item {
            key: key.into(),
            version: 300,
            value: value.map(Into::into),
        };
        let items = vec![value("load", Some(b"\x01\x02")), value("gone", None)];
        let (name, standing) = (Name(9), Standing::Suspect);
        vec![
            Item::Summary { salt: 5, sums: vec![1, u32::MAX] },
            Item::Section { part: 0..=u64::MAX, entries: vec![(sender(1), 128)] },
            Item::Record(Record { standing, ..sender(1_000) }),
            Item::Want { name, incarnation: 2, have: 127, floor: 128 },
            Item::Values {
                name,
                incarnation: 2,
                delta: Delta { floor: 1, from: 2, upto: 300, items },
            },
            Item::Join,
            Item::Echo(u64::MAX),
            Item::Echoed(1),
        ]
    }

    fn written() -> Vec<String> {
        let digits = |item: &Item| {
            let Record { identity, refutations, .. } = sender(4);
            let mut bytes = items_envelope(11, &identity, refutations);
            put_item(item, &mut bytes);
            bytes.iter().map(|byte| format!("{byte:02x}")).collect()
        };
        items().iter().map(digits).collect()
    }

    #[test]
    fn datagrams_are_read_as_the_version_wrote_them_that_they_name() {
        let lines: Vec<&str> = KEPT.lines().collect();
        assert_eq!(lines, written(), "a changed datagram needs a version of its own");
        let config = GossipConfig { cluster: 11, ..GossipConfig::default() };
        for (line, item) in lines.into_iter().zip(items()) {
            let digits = |at: usize| u8::from_str_radix(&line[at..at + 2], 16);
            let bytes = (0..line.len()).step_by(2).map(digits).collect::<Result<Vec<_>, _>>();
            let bytes = bytes.expect("they are digits");
            assert_eq!(read(&bytes, &config), Ok(Content::Items(sender(4), vec![item])));
        }
    }
}
