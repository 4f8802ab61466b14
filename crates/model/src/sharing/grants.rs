//! The items of a grant: first their specs, each once, then the items, which name them by number.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::id::{Fence, TaskRange};
use crate::message::{GrantItem, Upstream};
use crate::payload::Payload;
use crate::sharing::specs;
use crate::task::TaskSpec;

/// Writes items.
///
/// # Errors
/// As [`specs::serialize`].
pub fn serialize<S: Serializer>(items: &[GrantItem], to: S) -> Result<S::Ok, S::Error> {
    let mut numbers = BTreeMap::new();
    let mut whole = Whole { specs: Vec::new(), items: Vec::with_capacity(items.len()) };
    for item in items {
        let number = *numbers.entry(Arc::as_ptr(&item.spec)).or_insert_with(|| {
            whole.specs.push(Arc::clone(&item.spec));
            whole.specs.len() as u32 - 1
        });
        whole.items.push(stored(item, number));
    }
    whole.serialize(to)
}

/// Reads items; specs that were shared are shared again.
///
/// # Errors
/// As [`specs::deserialize`], or where an item names a spec that is not there.
pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<GrantItem>, D::Error> {
    let Whole { specs, items } = Whole::deserialize(from)?;
    let read = |item: StoredItem| {
        let spec = specs.get(item.spec as usize);
        let spec = spec.ok_or_else(|| D::Error::custom("there is no such spec"))?;
        Ok(item.with(Arc::clone(spec)))
    };
    items.into_iter().map(read).collect()
}

#[derive(Serialize, Deserialize)]
struct Whole {
    #[serde(with = "specs")]
    specs: Vec<Arc<TaskSpec>>,
    items: Vec<StoredItem>,
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
    let GrantItem { fence, range, spec: _, attempt, upstream, urgent, priority, checkpoint } = item;
    let (fence, range, attempt, urgent) = (*fence, *range, *attempt, *urgent);
    let (upstream, checkpoint) = (upstream.clone(), checkpoint.clone());
    let (spec, priority) = (number, *priority);
    StoredItem { fence, range, spec, attempt, upstream, urgent, priority, checkpoint }
}

impl StoredItem {
    fn with(self, spec: Arc<TaskSpec>) -> GrantItem {
        let Self { fence, range, spec: _, attempt, upstream, urgent, priority, checkpoint } = self;
        GrantItem { fence, range, spec, attempt, upstream, urgent, priority, checkpoint }
    }
}
