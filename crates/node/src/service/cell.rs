//! One value of a list, as filters and sorts compare it.

use std::borrow::Cow;
use std::cmp::Ordering;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell<'a> {
    Text(Cow<'a, str>),
    /// Times are seconds since 1970 began.
    Number(f64),
    /// There is none: it sorts last, and nothing equals it but nothing.
    Absent,
}

/// What kind of values a column has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Number,
    Time,
}

/// A row of a list.
pub(super) trait Cells {
    /// Its columns by name.
    const COLUMNS: &'static [(&'static str, Kind)];

    /// The value in a column, by its place in [`Cells::COLUMNS`].
    fn cell(&self, column: usize) -> Cell<'_>;

    /// The value of a tag; rows without tags have none.
    fn tag(&self, name: &str) -> Cell<'_>;
}

/// Which value of a row is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Column(usize),
    Tag(Box<str>),
}

impl Place {
    pub(super) fn of<'a, R: Cells>(&self, row: &'a R) -> Cell<'a> {
        match self {
            Self::Column(column) => row.cell(*column),
            Self::Tag(name) => row.tag(name),
        }
    }

    pub(super) fn kind<R: Cells>(&self) -> Kind {
        match self {
            Self::Column(column) => R::COLUMNS[*column].1,
            Self::Tag(_) => Kind::Text,
        }
    }
}

impl<'a> Cell<'a> {
    pub(super) fn text(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }

    pub(super) fn number(number: Option<f64>) -> Self {
        number.map_or(Self::Absent, Self::Number)
    }

    /// The same, of its own.
    pub(super) fn owned(self) -> Cell<'static> {
        match self {
            Self::Text(text) => Cell::Text(Cow::Owned(text.into_owned())),
            Self::Number(number) => Cell::Number(number),
            Self::Absent => Cell::Absent,
        }
    }

    /// Numbers by size, then texts, then nothing.
    pub(super) fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => a.total_cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (a, b) => a.rank().cmp(&b.rank()),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Number(_) => 0,
            Self::Text(_) => 1,
            Self::Absent => 2,
        }
    }
}
