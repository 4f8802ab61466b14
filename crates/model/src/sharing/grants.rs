//! The items of a grant: first their specs, each once, then the items, which name them by number.
//! Where an item has a seat in a gang, its spec's number is marked, and the seat stands in the
//! place of the next item.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::de::{Error as _, SeqAccess, Visitor};
use serde::ser::SerializeSeq;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::gang::Seat;
use crate::id::{Fence, TaskRange};
use crate::message::{GrantItem, Upstream};
use crate::payload::Payload;
use crate::sharing::specs;
use crate::task::TaskSpec;

/// Marks the spec's number of an item that has a seat. There are never so many specs, so that a
/// reader who knows of no seats refuses it.
const SEATED: u32 = 1 << 31;
/// The most items for which room is made before the first of them has been read.
const ITEMS_AHEAD_MAX: usize = 4_096;

/// Writes items.
///
/// # Errors
/// As [`specs::serialize`].
pub fn serialize<S: Serializer>(items: &[GrantItem], to: S) -> Result<S::Ok, S::Error> {
    let mut numbers = BTreeMap::new();
    let mut whole = Whole { specs: Vec::new(), items: Items(Vec::with_capacity(items.len())) };
    for item in items {
        let number = *numbers.entry(Arc::as_ptr(&item.spec)).or_insert_with(|| {
            whole.specs.push(Arc::clone(&item.spec));
            whole.specs.len() as u32 - 1
        });
        whole.items.0.push((stored(item, number), item.seat));
    }
    whole.serialize(to)
}

/// Reads items; specs that were shared are shared again.
///
/// # Errors
/// As [`specs::deserialize`], or where an item names a spec that is not there.
pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<GrantItem>, D::Error> {
    let Whole { specs, items } = Whole::deserialize(from)?;
    let read = |(item, seat): (StoredItem, Option<Seat>)| {
        let spec = specs.get((item.spec & !SEATED) as usize);
        let spec = spec.ok_or_else(|| D::Error::custom("there is no such spec"))?;
        if seat.is_some() && item.range.count != 1 {
            return Err(D::Error::custom("a seat is one task's"));
        }
        Ok(item.with(Arc::clone(spec), seat))
    };
    items.0.into_iter().map(read).collect()
}

#[derive(Serialize, Deserialize)]
struct Whole {
    #[serde(with = "specs")]
    specs: Vec<Arc<TaskSpec>>,
    items: Items,
}

/// Items, those that have one with their seats.
struct Items(Vec<(StoredItem, Option<Seat>)>);

impl Serialize for Items {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let seats = self.0.iter().filter(|(_, seat)| seat.is_some()).count();
        let mut rows = to.serialize_seq(Some(self.0.len() + seats))?;
        for (item, seat) in &self.0 {
            rows.serialize_element(item)?;
            if let Some(seat) = seat {
                rows.serialize_element(seat)?;
            }
        }
        rows.end()
    }
}

impl<'de> Deserialize<'de> for Items {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_seq(Seated)
    }
}

/// Reads items and their seats.
struct Seated;

impl<'de> Visitor<'de> for Seated {
    type Value = Items;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the items of a grant")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::with_capacity(rows.size_hint().unwrap_or(0).min(ITEMS_AHEAD_MAX));
        while let Some(item) = rows.next_element::<StoredItem>()? {
            let seat = if item.spec & SEATED > 0 {
                let seat: Option<Seat> = rows.next_element()?;
                Some(seat.ok_or_else(|| A::Error::custom("a seat is missing"))?)
            } else {
                None
            };
            items.push((item, seat));
        }
        Ok(Items(items))
    }
}

/// An item with its spec by number.
#[derive(Serialize, Deserialize)]
struct StoredItem {
    fence: Fence,
    range: TaskRange,
    spec: u32,
    attempt: u16,
    upstream: Option<Arc<[Upstream]>>,
    urgent: bool,
    priority: i32,
    checkpoint: Option<(u64, Payload)>,
}

fn stored(item: &GrantItem, number: u32) -> StoredItem {
    let GrantItem { fence, range, attempt, upstream, urgent, priority, checkpoint, seat, .. } =
        item;
    let (fence, range, attempt, urgent) = (*fence, *range, *attempt, *urgent);
    let (upstream, checkpoint) = (upstream.clone(), checkpoint.clone());
    let spec = if seat.is_some() { number | SEATED } else { number };
    let priority = *priority;
    StoredItem { fence, range, spec, attempt, upstream, urgent, priority, checkpoint }
}

impl StoredItem {
    fn with(self, spec: Arc<TaskSpec>, seat: Option<Seat>) -> GrantItem {
        let Self { fence, range, spec: _, attempt, upstream, urgent, priority, checkpoint } = self;
        GrantItem { fence, range, spec, attempt, upstream, urgent, priority, checkpoint, seat }
    }
}
