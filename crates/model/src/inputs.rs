//! The rows that placeholders read. A row is computed from its number, so that an array of a
//! billion indices, or the product of long lists, costs no more memory than its sources.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, OnceLock, Weak};

use serde::{Deserialize, Serialize};

use crate::inputs::lines::Lines;
use crate::inputs::stored::Stored;

pub mod lines;
mod stored;

/// The input rows of a spec; cheap to clone, one pointer wide.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Inputs(Option<Arc<Table>>);

/// One source of values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Column {
    /// `first`, `first + step`, ... as decimal text.
    Numbers {
        /// The first number.
        first: i64,
        /// The distance between two numbers; may be negative.
        step: i64,
        /// How many numbers.
        count: u64,
    },
    /// Byte strings, one a row.
    Lines(Arc<Lines>),
}

/// How many records of the sources make one row, that is, one task.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Grouping {
    /// One.
    #[default]
    Single,
    /// So many; the last row may be shorter.
    Every(u32),
    /// Row `n` ends before the record with the number at `n`; increasing, the last is the count.
    Ends(Arc<[u32]>),
}

/// Why sources cannot be a table of inputs. Nothing was made; the caller gives other sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InputsError {
    /// A source has no values, so that there would be no rows.
    #[error("there are no input values")]
    Empty,
    /// The product of the sources has too many rows.
    #[error("the inputs have {rows} rows, more than {}", Inputs::ROWS_MAX)]
    TooMany {
        /// How many, at most the largest number of 128 bits.
        rows: u128,
    },
    /// The last number of a source does not fit 64 bits.
    #[error("the numbers from {first} in steps of {step} leave the range of 64 bits")]
    Overflow {
        /// The first number.
        first: i64,
        /// The step.
        step: i64,
    },
    /// A grouping of zero records a row, or ends that do not increase up to the count.
    #[error("the grouping of inputs into rows does not fit their count")]
    Grouping,
}

#[derive(Debug)]
struct Table {
    groups: Vec<Group>,
    grouping: Grouping,
    records: u64,
    columns: usize,
    /// A table that says the same, where one was found.
    twin: OnceLock<Weak<Self>>,
}

/// Columns that advance together, over one digit of the record's number.
#[derive(Debug, PartialEq)]
struct Group {
    columns: Vec<Column>,
    len: u64,
    stride: u64,
}

impl Column {
    /// How many values it has.
    #[must_use]
    pub fn count(&self) -> u64 {
        match self {
            Self::Numbers { count, .. } => *count,
            Self::Lines(lines) => lines.count(),
        }
    }

    fn number(&self, n: u64) -> Option<i64> {
        match self {
            Self::Numbers { first, step, .. } => {
                let value = i128::from(*first) + i128::from(*step) * i128::from(n);
                Some(i64::try_from(value).expect("Inputs::new checked the last number"))
            }
            Self::Lines(_) => None,
        }
    }

    fn cell(&self, n: u64) -> Cow<'_, [u8]> {
        match self {
            Self::Numbers { .. } => Cow::Owned(
                self.number(n).map_or_else(Vec::new, |number| number.to_string().into_bytes()),
            ),
            Self::Lines(lines) => Cow::Borrowed(lines.line(n).unwrap_or_default()),
        }
    }

    fn check(&self) -> Result<(), InputsError> {
        let Self::Numbers { first, step, count } = *self else { return Ok(()) };
        let steps = i128::from(count.saturating_sub(1));
        let last = i128::from(step).checked_mul(steps).map(|way| i128::from(first) + way);
        match last {
            Some(last) if i64::try_from(last).is_ok() => Ok(()),
            _ => Err(InputsError::Overflow { first, step }),
        }
    }
}

impl Inputs {
    /// The most rows and the most records: indices are 32 bits wide.
    pub const ROWS_MAX: u64 = u32::MAX as u64;

    /// No inputs: what a plain task has.
    #[must_use]
    pub const fn none() -> Self {
        Self(None)
    }

    /// The product of groups of linked columns. The last group varies fastest; a group is as
    /// long as its shortest column, as with GNU parallel's `:::+`.
    ///
    /// # Errors
    /// Where a group is empty, the rows are too many or the grouping does not fit.
    pub fn new(groups: Vec<Vec<Column>>, grouping: Grouping) -> Result<Self, InputsError> {
        let mut records: u128 = 1;
        let mut made: Vec<Group> = Vec::with_capacity(groups.len());
        for columns in groups.into_iter().rev() {
            columns.iter().try_for_each(Column::check)?;
            let len = columns.iter().map(Column::count).min().unwrap_or(0);
            if len == 0 {
                return Err(InputsError::Empty);
            }
            let stride = u64::try_from(records).unwrap_or(u64::MAX);
            made.push(Group { columns, len, stride });
            records = records.saturating_mul(u128::from(len));
        }
        if made.is_empty() {
            return Err(InputsError::Empty);
        }
        if records > u128::from(Self::ROWS_MAX) {
            return Err(InputsError::TooMany { rows: records });
        }
        made.reverse();
        let columns = made.iter().map(|group| group.columns.len()).sum();
        let records = records as u64;
        grouping.check(records)?;
        let (groups, twin) = (made, OnceLock::new());
        Ok(Self(Some(Arc::new(Table { groups, grouping, records, columns, twin }))))
    }

    /// `count` numbers from `first` on.
    ///
    /// # Errors
    /// As [`Inputs::new`].
    pub fn numbers(first: i64, step: i64, count: u64) -> Result<Self, InputsError> {
        Self::new(vec![vec![Column::Numbers { first, step, count }]], Grouping::Single)
    }

    /// One row a line.
    ///
    /// # Errors
    /// As [`Inputs::new`].
    pub fn lines(lines: Lines) -> Result<Self, InputsError> {
        Self::new(vec![vec![Column::Lines(Arc::new(lines))]], Grouping::Single)
    }

    /// How many rows; 0 where there are no inputs.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.0.as_ref().map_or(0, |table| table.grouping.rows(table.records))
    }

    /// How many columns.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.0.as_ref().map_or(0, |table| table.columns)
    }

    /// Row `n`, counted from 0; one past the end, and every row of no inputs, has no cells.
    #[must_use]
    pub fn row(&self, n: u64) -> Row<'_> {
        let Some(table) = self.0.as_deref() else { return Row::default() };
        let (first, end) = table.grouping.bounds(n, table.records);
        Row { table: Some(table), first, end }
    }
}

impl fmt::Debug for Inputs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Inputs({} rows of {} columns)", self.rows(), self.columns())
    }
}

impl Grouping {
    fn check(&self, records: u64) -> Result<(), InputsError> {
        let good = match self {
            Self::Single => true,
            Self::Every(size) => *size > 0,
            Self::Ends(ends) => {
                ends.first().is_some_and(|&first| first > 0)
                    && ends.is_sorted_by(|a, b| a < b)
                    && ends.last().is_some_and(|&last| u64::from(last) == records)
            }
        };
        if good { Ok(()) } else { Err(InputsError::Grouping) }
    }

    fn rows(&self, records: u64) -> u64 {
        match self {
            Self::Single => records,
            Self::Every(size) => records.div_ceil(u64::from(*size)),
            Self::Ends(ends) => ends.len() as u64,
        }
    }

    /// The first record of row `n` and the one after its last.
    fn bounds(&self, n: u64, records: u64) -> (u64, u64) {
        let (first, end) = match self {
            Self::Single => (n, n.saturating_add(1)),
            Self::Every(size) => {
                let first = n.saturating_mul(u64::from(*size));
                (first, first.saturating_add(u64::from(*size)))
            }
            Self::Ends(ends) => {
                let at = |n: usize| ends.get(n).map_or(records, |&end| u64::from(end));
                let n = usize::try_from(n).unwrap_or(usize::MAX);
                (n.checked_sub(1).map_or(0, at), at(n))
            }
        };
        (first.min(records), end.min(records))
    }
}

/// One row: the cells that one task reads.
#[derive(Clone, Copy, Debug, Default)]
pub struct Row<'a> {
    table: Option<&'a Table>,
    first: u64,
    end: u64,
}

impl<'a> Row<'a> {
    /// How many columns the table has.
    #[must_use]
    pub fn columns(self) -> usize {
        self.table.map_or(0, |table| table.columns)
    }

    /// How many records were grouped into this row.
    #[must_use]
    pub fn len(self) -> u64 {
        self.end - self.first
    }

    /// Whether it has no cells.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Whether the table groups several records into rows, even where this row has only one.
    #[must_use]
    pub fn is_grouped(self) -> bool {
        self.table.is_some_and(|table| !matches!(table.grouping, Grouping::Single))
    }

    /// Each record of the row as a row of its own.
    pub fn records(self) -> impl Iterator<Item = Self> {
        (self.first..self.end).map(move |record| Row { first: record, end: record + 1, ..self })
    }

    /// The values of a column, counted from 0; several where records are grouped.
    pub fn cells(self, column: usize) -> impl Iterator<Item = Cow<'a, [u8]>> {
        let found = self.table.and_then(|table| table.find(column));
        found.into_iter().flat_map(move |(group, column)| {
            (self.first..self.end).map(move |record| column.cell(group.digit(record)))
        })
    }

    /// Every value, record by record and column by column.
    pub fn values(self) -> impl Iterator<Item = Cow<'a, [u8]>> {
        self.records()
            .flat_map(|record| (0..record.columns()).flat_map(move |column| record.cells(column)))
    }

    /// The row's number where the table is one column of ungrouped numbers: an array's index.
    #[must_use]
    pub fn number(self) -> Option<i64> {
        let table = self.table?;
        let (group, column) = table.find(0)?;
        let alone = table.columns == 1 && !self.is_grouped() && !self.is_empty();
        if alone { column.number(group.digit(self.first)) } else { None }
    }
}

impl Table {
    fn find(&self, mut column: usize) -> Option<(&Group, &Column)> {
        for group in &self.groups {
            match group.columns.get(column) {
                Some(found) => return Some((group, found)),
                None => column -= group.columns.len(),
            }
        }
        None
    }
}

impl Group {
    fn digit(&self, record: u64) -> u64 {
        record / self.stride % self.len
    }
}

#[cfg(test)]
mod tests;
