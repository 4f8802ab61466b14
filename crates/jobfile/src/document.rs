//! Any TOML text that a table of keys describes: checked as a job file is, with the same words
//! for what is wrong, and then read without further doubts. Scenarios of the simulator use it.

use std::ops::Range;
use std::path::Path;
use std::sync::LazyLock;

use bary_model::time::Span;
use toml::de::{DeTable, DeValue};

use crate::check;
use crate::context::{Context, Table, Value};
use crate::fault::{Fault, Place};
use crate::files::Disk;
use crate::keys::Key;
use crate::read::{ReadOptions, sorted, syntax};

static NOTHING: LazyLock<ReadOptions> = LazyLock::new(ReadOptions::default);

/// A text that is good as far as its table of keys says.
pub struct Document<'a> {
    cx: Context<'a>,
    top: Table<'a>,
}

/// A table of a document.
#[derive(Clone)]
pub struct Section<'d> {
    cx: &'d Context<'d>,
    table: &'d Table<'d>,
    span: Range<usize>,
}

/// Reads a text of at most `bytes_max` bytes; `path` is named in faults.
///
/// # Errors
/// Every fault of the text, in its order, at most [`FAULTS_MAX`](crate::limits::FAULTS_MAX).
pub fn read<'a>(
    text: &'a str,
    path: &'a Path,
    keys: &[Key],
    bytes_max: u64,
) -> Result<Document<'a>, Vec<Fault>> {
    if text.len() as u64 > bytes_max {
        let message = format!("the file is longer than {bytes_max} bytes");
        let path = path.display().to_string();
        return Err(vec![Fault { path, place: None, message, fix: None }]);
    }
    let (document, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        return Err(errors.iter().take(8).map(|error| syntax(text, path, error)).collect());
    }
    let mut cx = Context::new(text, path, &NOTHING, &Disk);
    let top = document.into_inner();
    check::record(&mut cx, &top, &keys.iter().collect::<Vec<_>>(), 0..0);
    let faults = std::mem::take(&mut cx.faults);
    if faults.is_empty() { Ok(Document { cx, top }) } else { Err(sorted(faults)) }
}

impl Document<'_> {
    /// Its outermost table.
    #[must_use]
    pub fn top(&self) -> Section<'_> {
        Section { cx: &self.cx, table: &self.top, span: 0..0 }
    }

    /// A fault at a place of the text, with what to write instead.
    #[must_use]
    pub fn fault(&self, span: Range<usize>, message: &str, fix: &str) -> Box<Fault> {
        let place = (span != (0..0)).then(|| Place::of(self.cx.source, span));
        let fix = (!fix.is_empty()).then(|| fix.to_owned());
        let path = self.cx.path.display().to_string();
        Box::new(Fault { path, place, message: message.to_owned(), fix })
    }
}

impl<'d> Section<'d> {
    /// Where the value of a key stands; the table itself where it is absent.
    #[must_use]
    pub fn span(&self, key: &str) -> Range<usize> {
        self.table.get(key).map_or_else(|| self.span.clone(), Value::span)
    }

    /// Whether a key is there.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// The text of a key.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<&'d str> {
        self.table.get(key)?.get_ref().as_str()
    }

    /// The whole number of a key.
    #[must_use]
    pub fn integer(&self, key: &str) -> Option<i64> {
        check::integer(self.cx, self.table.get(key)?).ok()
    }

    /// The number of a key.
    #[must_use]
    pub fn number(&self, key: &str) -> Option<f64> {
        check::number(self.cx, self.table.get(key)?).ok()
    }

    /// The flag of a key.
    #[must_use]
    pub fn flag(&self, key: &str) -> Option<bool> {
        check::flag(self.cx, self.table.get(key)?).ok()
    }

    /// The length of time of a key.
    #[must_use]
    pub fn time(&self, key: &str) -> Option<Span> {
        check::time(self.cx, self.table.get(key)?).ok()
    }

    /// The amount of bytes of a key.
    #[must_use]
    pub fn size(&self, key: &str) -> Option<u64> {
        check::size(self.cx, self.table.get(key)?).ok()
    }

    /// The numbers of a key, be it one or an array.
    #[must_use]
    pub fn numbers(&self, key: &str) -> Vec<f64> {
        self.each(key, |value| check::number(self.cx, value).ok())
    }

    /// The lengths of time of each row of an array of arrays.
    #[must_use]
    pub fn times(&self, key: &str) -> Vec<Vec<Span>> {
        self.rows(key, |value| check::time(self.cx, value).ok())
    }

    /// The amounts of bytes of each row of an array of arrays.
    #[must_use]
    pub fn sizes(&self, key: &str) -> Vec<Vec<u64>> {
        self.rows(key, |value| check::size(self.cx, value).ok())
    }

    /// The texts of a key with their places, be it one or an array.
    #[must_use]
    pub fn texts(&self, key: &str) -> Vec<(&'d str, Range<usize>)> {
        self.each(key, |value| Some((value.get_ref().as_str()?, value.span())))
    }

    /// The names and texts of a table.
    #[must_use]
    pub fn map(&self, key: &str) -> Vec<(&'d str, &'d str)> {
        let Some(DeValue::Table(table)) = self.table.get(key).map(Value::get_ref) else {
            return Vec::new();
        };
        let pairs = table.iter();
        pairs
            .filter_map(|(name, value)| Some((&**name.get_ref(), value.get_ref().as_str()?)))
            .collect()
    }

    /// The table of a key.
    #[must_use]
    pub fn section(&self, key: &str) -> Option<Self> {
        self.as_section(self.table.get(key)?)
    }

    /// The tables of a key that is an array of them.
    #[must_use]
    pub fn sections(&self, key: &str) -> Vec<Self> {
        self.each(key, |value| self.as_section(value))
    }

    fn as_section(&self, value: &'d Value<'d>) -> Option<Self> {
        let DeValue::Table(table) = value.get_ref() else { return None };
        Some(Self { cx: self.cx, table, span: value.span() })
    }

    fn each<T>(&self, key: &str, of: impl Fn(&'d Value<'d>) -> Option<T>) -> Vec<T> {
        match self.table.get(key).map(|value| (value, value.get_ref())) {
            Some((_, DeValue::Array(values))) => values.iter().filter_map(of).collect(),
            Some((value, _)) => of(value).into_iter().collect(),
            None => Vec::new(),
        }
    }

    fn rows<T>(&self, key: &str, of: impl Fn(&'d Value<'d>) -> Option<T>) -> Vec<Vec<T>> {
        self.each(key, |row| {
            let DeValue::Array(values) = row.get_ref() else { return None };
            Some(values.iter().filter_map(&of).collect())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{Shape, key};

    static INNER: [Key; 1] = [key("speed", Shape::Number(0.0, 9.0), "1", "How fast.")];
    static KEYS: [Key; 3] = [
        key("name", Shape::Text, "", "A name."),
        key("nodes", Shape::List(&Shape::Record(&INNER)), "", "Nodes."),
        key("every", Shape::Time { zero: false }, "", "How often."),
    ];

    #[test]
    fn what_is_good_is_read_with_its_places() {
        let text = "name = \"a\"\nevery = \"5ms\"\n[[nodes]]\nspeed = 2\n";
        let document = read(text, Path::new("x.toml"), &KEYS, 100).expect("it is good");
        let top = document.top();
        assert_eq!((top.text("name"), top.time("every")), (Some("a"), Some(Span::millis(5))));
        assert_eq!(top.sections("nodes")[0].number("speed"), Some(2.0));
        let fault = document.fault(top.span("every"), "is too often", "write 10ms");
        assert!(fault.to_string().starts_with("x.toml:2:9: is too often"), "{fault}");
    }

    #[test]
    fn what_is_wrong_is_told_with_line_and_fix() {
        let told = |text: &str| match read(text, Path::new("x.toml"), &KEYS, 30) {
            Ok(_) => String::new(),
            Err(faults) => faults.iter().map(ToString::to_string).collect(),
        };
        let wrong = told("\nnane = \"a\"");
        assert!(wrong.contains("x.toml:2:1") && wrong.contains("did you mean `name`"), "{wrong}");
        assert!(told("[[nodes]]\nspeed = 10").contains("from 0 to 9"));
        assert!(told("name = ").contains("x.toml:1:"));
        assert!(told(&"#".repeat(31)).contains("longer than 30 bytes"));
    }
}
