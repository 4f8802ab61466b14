//! Texts with placeholders, parsed once and expanded for every task, over bytes.
//!
//! | placeholder | stands for |
//! |---|---|
//! | `{}` `{line}` `{file}` | every value of the row, joined by a space |
//! | `{1}` `{2}` `{-1}` | the value of one column, or the last; of one record of a grouped row |
//! | `{.}` `{/}` `{//}` `{/.}` | without extension, base name, directory, base without extension |
//! | `{1.}` `{file/}` ... | the same of one column or of a word |
//! | `{index}` | the array's own number, else the index from 0 |
//! | `{#}` `{%}` `{attempt}` | sequence number from 1, slot from 1, attempt from 1 |
//! | `{result.NAME}` | the result of another spec |

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::inputs::Row;
use crate::template::parse::{Dialect, Named, TemplateError};
use crate::template::path::PathPart;
use crate::template::shell::{Scanner, Spot};
use crate::template::stored::Stored;

pub mod parse;
mod path;
mod shell;
mod stored;

/// A text with placeholders.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Template {
    parts: Vec<Part>,
    quoting: Quoting,
}

/// How values and results are written between the literal parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Quoting {
    #[default]
    Plain,
    Shell,
    Json,
}

/// What placeholders stand for in one task.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scope<'a> {
    /// Its input row.
    pub row: Row<'a>,
    /// Its index in its spec, from 0.
    pub index: u64,
    /// Its number in the job, from 1.
    pub sequence: u64,
    /// The slot that it runs on, from 1.
    pub slot: u32,
    /// Which attempt it is, from 1.
    pub attempt: u16,
    /// Results of other specs, by the names that `{result.NAME}` reads.
    pub upstream: &'a [(Box<str>, Bytes)],
}

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Literal(Box<[u8]>),
    Cells(Pick, PathPart),
    Index,
    Sequence,
    Slot,
    Attempt,
    Result(Box<str>, PathPart),
    /// Another placeholder, in a script.
    Quoted(Box<Self>, Spot),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Pick {
    All,
    /// From 1, or from the end where negative; never 0.
    Column(i32),
}

impl Template {
    /// Reads a text. `names` says what words that are not built in stand for, such as
    /// `result.NAME` or a parameter; it sees them without suffixes like `/` or `.`.
    ///
    /// # Errors
    /// In the strict dialect, where braces hold a word that nothing is known of.
    pub fn parse(
        text: &[u8],
        dialect: Dialect,
        names: &mut dyn FnMut(&str) -> Option<Named>,
    ) -> Result<Self, TemplateError> {
        parse::parse(text, dialect, names)
    }

    /// A template that stands for exactly these bytes.
    #[must_use]
    pub fn literal(bytes: impl AsRef<[u8]>) -> Self {
        let mut made = Self::default();
        made.literal_on(bytes.as_ref());
        made
    }

    /// `{}`: every value of the row.
    #[must_use]
    pub fn values() -> Self {
        Self { parts: vec![Part::Cells(Pick::All, PathPart::Whole)], quoting: Quoting::Plain }
    }

    /// The result that the scope has under `name`.
    #[must_use]
    pub fn result(name: &str) -> Self {
        Self { parts: vec![Part::Result(name.into(), PathPart::Whole)], quoting: Quoting::Plain }
    }

    /// The same template as a script for a shell: values and results are text wherever they
    /// stand and never code. Outside quotes each becomes one word; inside quotes all values of a
    /// placeholder are one text. Call it on a whole script, since quotes may span its parts.
    #[must_use]
    pub fn for_shell(self) -> Self {
        let mut scanner = Scanner::default();
        let mut made = Self { parts: Vec::new(), quoting: Quoting::Shell };
        for part in self.parts {
            if let Part::Literal(bytes) = &part {
                scanner.read(bytes);
                made.literal_on(bytes);
                continue;
            }
            let spot = scanner.spot();
            if scanner.on_value()
                && let Some(Part::Literal(before)) = made.parts.last_mut()
            {
                let mut bytes = std::mem::take(before).into_vec();
                bytes.insert(bytes.len().saturating_sub(1), b'\\');
                *before = bytes.into();
            }
            made.part_on(Part::Quoted(Box::new(part), spot));
        }
        made
    }

    /// The same template inside a JSON string: values and results are escaped for it.
    #[must_use]
    pub fn for_json(self) -> Self {
        Self { quoting: Quoting::Json, ..self }
    }

    /// This template followed by another; how values are quoted is this one's.
    #[must_use]
    pub fn then(mut self, next: &Self) -> Self {
        for part in &next.parts {
            match part {
                Part::Literal(bytes) => self.literal_on(bytes),
                part => self.part_on(part.clone()),
            }
        }
        self
    }

    /// Whether it holds no placeholder.
    #[must_use]
    pub fn is_literal(&self) -> bool {
        self.literal_bytes().is_some()
    }

    /// Its bytes where it holds no placeholder.
    #[must_use]
    pub fn literal_bytes(&self) -> Option<&[u8]> {
        match self.parts.as_slice() {
            [] => Some(&[]),
            [Part::Literal(bytes)] => Some(bytes),
            _ => None,
        }
    }

    /// Whether it reads what differs from row to row: a value or the index.
    #[must_use]
    pub fn reads_row(&self) -> bool {
        self.parts.iter().any(|part| matches!(part.bare(), Part::Cells(..) | Part::Index))
    }

    /// The names of the results that it reads, in order, with repetitions.
    pub fn results(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part.bare() {
            Part::Result(name, _) => Some(&**name),
            _ => None,
        })
    }

    /// The text for one task. A value or result that is not there is empty.
    #[must_use]
    pub fn expand(&self, scope: &Scope<'_>) -> Vec<u8> {
        let mut text = Vec::new();
        for part in &self.parts {
            part.write(scope, self.quoting, &mut text);
        }
        text
    }

    /// The words of a command for one task. A word that is only `{}` or `{1}` becomes one word
    /// a value, or none; one with text around it is repeated for each record of a grouped row,
    /// as with `parallel -X`.
    #[must_use]
    pub fn expand_argv(argv: &[Self], scope: &Scope<'_>) -> Vec<Vec<u8>> {
        let mut words = Vec::with_capacity(argv.len());
        for template in argv {
            template.expand_word(scope, &mut words);
        }
        words
    }

    fn expand_word(&self, scope: &Scope<'_>, words: &mut Vec<Vec<u8>>) {
        if self.quoting != Quoting::Plain {
            words.push(self.expand(scope));
        } else if let [Part::Cells(pick, path)] = self.parts.as_slice() {
            pick.each(scope.row, &mut |cell| words.push(path.cut(cell).into_owned()));
        } else if scope.row.is_grouped() && self.repeats(scope.row) {
            words.extend(scope.row.records().map(|row| self.expand(&Scope { row, ..*scope })));
        } else {
            words.push(self.expand(scope));
        }
    }

    /// Whether the word stands for each record of a grouped row rather than for all of them.
    fn repeats(&self, row: Row<'_>) -> bool {
        self.parts.iter().any(|part| match part {
            Part::Cells(Pick::All, _) => true,
            Part::Cells(Pick::Column(_), _) => row.columns() > 1,
            _ => false,
        })
    }

    fn literal_on(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        if let Some(Part::Literal(before)) = self.parts.last_mut() {
            *before = [before, bytes].concat().into();
        } else {
            self.parts.push(Part::Literal(bytes.into()));
        }
    }

    fn part_on(&mut self, part: Part) {
        self.parts.push(part);
    }
}

impl From<&str> for Template {
    /// Exactly this text; braces in it are not placeholders.
    fn from(text: &str) -> Self {
        Self::literal(text)
    }
}

impl Part {
    /// The placeholder itself, wherever it stands.
    fn bare(&self) -> &Self {
        if let Self::Quoted(part, _) = self { part } else { self }
    }

    fn write(&self, scope: &Scope<'_>, quoting: Quoting, text: &mut Vec<u8>) {
        let mut number = |n: u64| text.extend_from_slice(n.to_string().as_bytes());
        match self {
            Self::Literal(bytes) => text.extend_from_slice(bytes),
            Self::Cells(pick, path) => {
                let mut first = true;
                pick.each(scope.row, &mut |cell| {
                    if !std::mem::take(&mut first) {
                        text.push(b' ');
                    }
                    quoting.put(path.of(&cell), text);
                });
            }
            Self::Index => match scope.row.number() {
                Some(n) => text.extend_from_slice(n.to_string().as_bytes()),
                None => number(scope.index),
            },
            Self::Sequence => number(scope.sequence),
            Self::Slot => number(scope.slot.into()),
            Self::Attempt => number(scope.attempt.into()),
            Self::Result(name, path) => {
                let found = scope.upstream.iter().find(|(there, _)| there == name);
                quoting.put(path.of(found.map_or(&[], |(_, bytes)| bytes)), text);
            }
            Self::Quoted(part, spot) if spot.is_bare() => part.write(scope, quoting, text),
            Self::Quoted(part, spot) => {
                let mut value = Vec::new();
                part.write(scope, Quoting::Plain, &mut value);
                spot.put(&value, text);
            }
        }
    }
}

impl Pick {
    /// Each value that is picked. Where one column is grouped, numbers pick from its records.
    fn each<'a>(self, row: Row<'a>, visit: &mut dyn FnMut(std::borrow::Cow<'a, [u8]>)) {
        let Self::Column(n) = self else { return row.values().for_each(visit) };
        let positional = row.is_grouped() && row.columns() == 1;
        let there = if positional { row.len() } else { row.columns() as u64 };
        let distance = u64::from(n.unsigned_abs());
        let at = if n > 0 { Some(distance - 1) } else { there.checked_sub(distance) };
        let Some(at) = at.filter(|&at| at < there) else { return };
        if positional {
            row.values().skip(at as usize).take(1).for_each(visit);
        } else {
            row.cells(at as usize).for_each(visit);
        }
    }
}

impl Quoting {
    fn put(self, value: &[u8], text: &mut Vec<u8>) {
        match self {
            Self::Plain => text.extend_from_slice(value),
            Self::Shell => shell::word(value, text),
            Self::Json => value.iter().for_each(|&byte| json_byte(byte, text)),
        }
    }
}

fn json_byte(byte: u8, text: &mut Vec<u8>) {
    match byte {
        b'"' | b'\\' => text.extend_from_slice(&[b'\\', byte]),
        0..0x20 => text.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
        byte => text.push(byte),
    }
}

#[cfg(test)]
mod tests;
