//! Specs in order: first the bodies and the inputs, each once however many specs share it, then
//! a row for each spec that names them by number, and what is expected of it and how large its
//! gangs are where somebody said.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::de::{DeserializeSeed, Deserializer, Error, SeqAccess, Visitor};
use serde::ser::{Error as _, SerializeSeq, SerializeTuple, Serializer};
use serde::{Deserialize, Serialize};

use crate::inputs::Inputs;
use crate::task::{After, Body, TaskSpec};
use crate::time::Span;
use crate::weight::Weight;

/// The most specs for which room is made before the first of them has been read.
const SPECS_AHEAD_MAX: usize = 4_096;

/// Writes specs.
///
/// # Errors
/// Where the serializer fails, or a spec could not be read again: it has no tasks, or a back-off
/// that is none.
pub fn serialize<S: Serializer>(specs: &[Arc<TaskSpec>], to: S) -> Result<S::Ok, S::Error> {
    write(&specs.iter().map(|spec| &**spec).collect::<Vec<_>>(), to)
}

/// Reads specs; bodies and inputs that were shared are shared again.
///
/// # Errors
/// Where the deserializer fails, or what it gives makes no specs.
pub fn deserialize<'de, D, L>(from: D) -> Result<L, D::Error>
where
    D: Deserializer<'de>,
    L: From<Vec<Arc<TaskSpec>>>,
{
    from.deserialize_tuple(3, Whole).map(L::from)
}

impl Serialize for TaskSpec {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        write(&[self], to)
    }
}

impl<'de> Deserialize<'de> for TaskSpec {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let mut specs: Vec<Arc<Self>> = deserialize(from)?;
        let only = specs.pop().filter(|_| specs.is_empty());
        only.and_then(Arc::into_inner).ok_or_else(|| D::Error::custom("one spec is wanted"))
    }
}

/// A spec with its body and inputs by number; inputs count from 1, as many specs have none. Where
/// they are marked with [`EXPECTS`], what is expected of the spec stands in the place of the next
/// row, and where they are marked with [`GANGS`], the size of its gangs in the next one.
#[derive(Serialize, Deserialize)]
struct Row<'a> {
    name: Cow<'a, str>,
    body: u32,
    inputs: u32,
    first_row: u64,
    rows_before: u64,
    count: u32,
    array: bool,
    weight: Weight,
    after: Cow<'a, [After]>,
}

/// Marks inputs of a spec of which something is expected. There are never so many inputs, so that
/// a reader who knows of no expectations refuses it.
const EXPECTS: u32 = 1 << 31;
/// Marks inputs of a spec whose tasks are gangs, likewise.
const GANGS: u32 = 1 << 30;

/// What is expected of each task of a spec.
#[derive(Serialize, Deserialize)]
struct Expected {
    output: u64,
    estimate: Span,
}

/// Things by where they are, numbered from 0 in the order in which they come up.
struct Numbers<'a, T> {
    all: Vec<&'a T>,
    numbers: BTreeMap<*const (), u32>,
    /// Neighbours mostly share, so that the last one is looked at first.
    last: Option<(*const (), u32)>,
}

impl<'a, T> Numbers<'a, T> {
    fn new() -> Self {
        Self { all: Vec::new(), numbers: BTreeMap::new(), last: None }
    }

    fn of(&mut self, one: &'a T, place: *const ()) -> u32 {
        if let Some((last, number)) = self.last
            && last == place
        {
            return number;
        }
        let next = self.all.len() as u32;
        let number = *self.numbers.entry(place).or_insert(next);
        if number == next {
            self.all.push(one);
        }
        self.last = Some((place, number));
        number
    }
}

fn write<S: Serializer>(specs: &[&TaskSpec], to: S) -> Result<S::Ok, S::Error> {
    let (mut bodies, mut inputs) = (Numbers::new(), Numbers::new());
    let mut shares = Vec::with_capacity(specs.len());
    for spec in specs {
        let body = bodies.of(&*spec.body, Arc::as_ptr(&spec.body).cast());
        let rows = spec.inputs.place().map_or(0, |place| inputs.of(&spec.inputs, place) + 1);
        shares.push((body, rows));
    }
    for body in &bodies.all {
        body.backoff.checked().map_err(S::Error::custom)?;
    }
    let mut whole = to.serialize_tuple(3)?;
    whole.serialize_element(&bodies.all)?;
    whole.serialize_element(&inputs.all)?;
    whole.serialize_element(&Rows { specs, shares })?;
    whole.end()
}

struct Rows<'a> {
    specs: &'a [&'a TaskSpec],
    shares: Vec<(u32, u32)>,
}

impl Serialize for Rows<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let expects = |spec: &TaskSpec| spec.output > 0 || spec.estimate > Span::ZERO;
        let more = self.specs.iter().filter(|spec| expects(spec)).count()
            + self.specs.iter().filter(|spec| spec.gang > 0).count();
        let mut rows = to.serialize_seq(Some(self.specs.len() + more))?;
        for (spec, &(body, inputs)) in self.specs.iter().zip(&self.shares) {
            if spec.count == 0 {
                return Err(S::Error::custom("a spec has no tasks"));
            }
            let mut marked = inputs;
            marked |= if expects(spec) { EXPECTS } else { 0 };
            marked |= if spec.gang > 0 { GANGS } else { 0 };
            rows.serialize_element(&row(spec, body, marked))?;
            if expects(spec) {
                let TaskSpec { output, estimate, .. } = **spec;
                rows.serialize_element(&Expected { output, estimate })?;
            }
            if spec.gang > 0 {
                rows.serialize_element(&spec.gang)?;
            }
        }
        rows.end()
    }
}

fn row(spec: &TaskSpec, body: u32, inputs: u32) -> Row<'_> {
    let TaskSpec { name, first_row, rows_before, count, array, weight, after, .. } = spec;
    Row {
        name: Cow::Borrowed(name),
        body,
        inputs,
        first_row: *first_row,
        rows_before: *rows_before,
        count: *count,
        array: *array,
        weight: *weight,
        after: Cow::Borrowed(after),
    }
}

/// Reads all of it.
struct Whole;

impl<'de> Visitor<'de> for Whole {
    type Value = Vec<Arc<TaskSpec>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bodies, inputs and specs")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut whole: A) -> Result<Self::Value, A::Error> {
        let missing = |n| A::Error::invalid_length(n, &Self);
        let bodies = whole.next_element()?.ok_or_else(|| missing(0))?;
        let inputs = whole.next_element()?.ok_or_else(|| missing(1))?;
        whole.next_element_seed(Shared { bodies, inputs })?.ok_or_else(|| missing(2))
    }
}

/// Reads the rows, and knows what they share.
struct Shared {
    bodies: Vec<Arc<Body>>,
    inputs: Vec<Inputs>,
}

impl<'de> DeserializeSeed<'de> for Shared {
    type Value = Vec<Arc<TaskSpec>>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Shared {
    type Value = Vec<Arc<TaskSpec>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("specs")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<Self::Value, A::Error> {
        let ahead = rows.size_hint().unwrap_or(0).min(SPECS_AHEAD_MAX);
        let mut specs = Vec::with_capacity(ahead);
        while let Some(row) = rows.next_element::<Row<'_>>()? {
            let mut spec = self.spec(&row)?;
            if row.inputs & EXPECTS > 0 {
                let expected: Option<Expected> = rows.next_element()?;
                let expected = expected.ok_or_else(|| A::Error::custom("nothing is expected"))?;
                (spec.output, spec.estimate) = (expected.output, expected.estimate);
            }
            if row.inputs & GANGS > 0 {
                let gang: Option<u16> = rows.next_element()?;
                spec.gang = gang.ok_or_else(|| A::Error::custom("gangs have no size"))?;
            }
            specs.push(Arc::new(spec));
        }
        Ok(specs)
    }
}

impl Shared {
    /// The spec of a row.
    fn spec<E: Error>(&self, row: &Row<'_>) -> Result<TaskSpec, E> {
        if row.count == 0 {
            return Err(E::custom("a spec has no tasks"));
        }
        let number = row.inputs & !(EXPECTS | GANGS);
        let inputs = match number.checked_sub(1).map(|n| self.inputs.get(n as usize)) {
            None => Inputs::none(),
            Some(inputs) => inputs.ok_or_else(|| E::custom("there are no such inputs"))?.clone(),
        };
        let body = self.bodies.get(row.body as usize);
        let body = Arc::clone(body.ok_or_else(|| E::custom("there is no such body"))?);
        Ok(TaskSpec {
            name: row.name.as_ref().into(),
            inputs,
            first_row: row.first_row,
            rows_before: row.rows_before,
            count: row.count,
            array: row.array,
            weight: row.weight,
            after: row.after.as_ref().into(),
            ..TaskSpec::new(body)
        })
    }
}
