//! Inputs as serde writes them: their sources and grouping. What is read goes through
//! [`Inputs::new`]; two clones are told to be the same table by where it is.

use std::ptr;
use std::sync::{Arc, Weak};

use serde::{Deserialize, Serialize};

use super::{Column, Grouping, Inputs, InputsError, Table};

/// The groups of linked columns and how records become rows; nothing where there are no inputs.
#[derive(Serialize, Deserialize)]
pub(super) struct Stored(Option<(Vec<Vec<Column>>, Grouping)>);

impl Inputs {
    /// Where the table is: the same for all clones, and nowhere where there are no inputs.
    pub(crate) fn place(&self) -> Option<*const ()> {
        self.0.as_ref().map(|table| Arc::as_ptr(table).cast())
    }
}

impl PartialEq for Inputs {
    /// Whether they have the same sources and grouping. Clones are not looked into, and neither
    /// are tables that were found equal before: a million specs may share each of the two.
    fn eq(&self, other: &Self) -> bool {
        let (Some(table), Some(with)) = (&self.0, &other.0) else {
            return self.place() == other.place();
        };
        let is_twin = |twin: &Weak<Table>| ptr::eq(twin.as_ptr(), Arc::as_ptr(with));
        if Arc::ptr_eq(table, with) || table.twin.get().is_some_and(is_twin) {
            return true;
        }
        let same = table.grouping == with.grouping && table.groups == with.groups;
        if same {
            table.twin.get_or_init(|| Arc::downgrade(with));
        }
        same
    }
}

impl From<Inputs> for Stored {
    fn from(inputs: Inputs) -> Self {
        Self(inputs.0.as_deref().map(|table| {
            let groups = table.groups.iter().map(|group| group.columns.clone()).collect();
            (groups, table.grouping.clone())
        }))
    }
}

impl TryFrom<Stored> for Inputs {
    type Error = InputsError;

    fn try_from(Stored(stored): Stored) -> Result<Self, InputsError> {
        stored.map_or(Ok(Self::none()), |(groups, grouping)| Self::new(groups, grouping))
    }
}
