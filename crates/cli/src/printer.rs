//! A fold of events that prints what tasks gave, in the order of their inputs or as they come.
//!
//! What waits for its turn is only a reference where it is large: its bytes stay in the store
//! until they are printed, and are released then.

use std::collections::BTreeMap;
use std::sync::Arc;

use bary_model::event::{Ended, Event, EventKind};
use bary_model::id::TaskId;
use bary_model::outcome::Results;
use bary_model::payload::Payload;
use bary_model::template::Template;
use bary_ports::executor::Stream;
use bary_ports::store::{Store, StoreError};
use serde_json::Value;

use crate::roster::Roster;
use crate::screen::{PrintError, Screen};
use crate::{limits, record};

/// When something is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// When all before it has been.
    Inputs,
    /// When its task ends.
    Ends,
    /// While its task runs, line by line.
    Lines,
}

/// What is printed of a task.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Shape {
    /// What it printed, each line begun with this text where there is one.
    Raw(Option<Template>),
    /// One line of JSON.
    Line,
    /// Nothing now: records are gathered for one document, up to a named limit.
    Gathered(Vec<Value>),
}

/// Why printing went wrong.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PrinterError {
    #[error(transparent)]
    Print(#[from] PrintError),
    #[error("a result could not be read: {0}")]
    Store(#[from] StoreError),
}

/// Prints what tasks gave.
pub(crate) struct Printer {
    store: Arc<dyn Store>,
    order: Order,
    shape: Shape,
    /// Which number is to be printed next, from 0.
    turn: u64,
    waiting: BTreeMap<u64, Piece>,
}

/// Something whose turn has not come.
enum Piece {
    Ended(Box<Ended>),
    /// So many tasks without anything to print.
    Silent(u64),
}

impl Printer {
    pub(crate) fn new(store: Arc<dyn Store>, order: Order, shape: Shape) -> Self {
        Self { store, order, shape, turn: 0, waiting: BTreeMap::new() }
    }

    /// The records that were gathered.
    pub(crate) fn records(&mut self) -> Vec<Value> {
        match &mut self.shape {
            Shape::Gathered(records) => std::mem::take(records),
            Shape::Raw(_) | Shape::Line => Vec::new(),
        }
    }

    /// Folds an event in and prints what is due.
    pub(crate) fn on_event(
        &mut self,
        event: &Event,
        roster: &Roster,
        screen: &mut Screen,
    ) -> Result<(), PrinterError> {
        let (range, piece) = match &event.kind {
            EventKind::Ended(ended) if self.is_silent(ended) => {
                (ended.range, Piece::Silent(ended.range.count.into()))
            }
            EventKind::Ended(ended) => (ended.range, Piece::Ended(Box::new(ended.clone()))),
            EventKind::Dropped { range, .. } => (*range, Piece::Silent(range.count.into())),
            _ => return Ok(()),
        };
        if self.order != Order::Inputs {
            return self.print(piece, roster, screen).map(|_| ());
        }
        let number = roster.before(range);
        if number > self.turn {
            self.waiting.insert(number, piece);
            return Ok(());
        }
        self.turn += self.print(piece, roster, screen)?;
        while let Some(entry) = self.waiting.first_entry() {
            if *entry.key() > self.turn {
                break;
            }
            let piece = entry.remove();
            self.turn += self.print(piece, roster, screen)?;
        }
        Ok(())
    }

    /// All tasks before this number that have ended were printed.
    pub(crate) fn settled(&self) -> u64 {
        if self.order == Order::Inputs { self.turn } else { u64::MAX }
    }

    /// Prints output of a task that still runs.
    pub(crate) fn on_output(
        &mut self,
        task: TaskId,
        stream: Stream,
        bytes: &[u8],
        roster: &Roster,
        screen: &mut Screen,
    ) -> Result<(), PrinterError> {
        let tagged = match &self.shape {
            Shape::Raw(Some(tag)) => tagged(&label(tag, roster, task), bytes),
            Shape::Raw(None) => bytes.to_vec(),
            Shape::Line | Shape::Gathered(_) => return Ok(()),
        };
        match stream {
            Stream::Out => screen.out(&tagged)?,
            Stream::Err => screen.err(&tagged),
        }
        Ok(())
    }

    fn is_silent(&self, ended: &Ended) -> bool {
        matches!(self.shape, Shape::Raw(_))
            && ended.results == Results::Nothing
            && ended.stderr.is_empty()
    }

    /// Prints a piece; how many tasks it was of.
    fn print(
        &mut self,
        piece: Piece,
        roster: &Roster,
        screen: &mut Screen,
    ) -> Result<u64, PrinterError> {
        let ended = match piece {
            Piece::Silent(count) => return Ok(count),
            Piece::Ended(ended) => ended,
        };
        for (offset, task) in ended.range.tasks().enumerate() {
            let output = ended.results.at(offset);
            self.print_task(&ended, task, &output, roster, screen)?;
            self.store.release_payload(&output);
        }
        self.store.release_payload(&ended.stderr);
        Ok(ended.range.count.into())
    }

    fn print_task(
        &mut self,
        ended: &Ended,
        task: TaskId,
        output: &Payload,
        roster: &Roster,
        screen: &mut Screen,
    ) -> Result<(), PrinterError> {
        let live = self.order == Order::Lines && record::is_command(roster, task);
        match &mut self.shape {
            Shape::Raw(_) if live => {}
            Shape::Raw(tag) => {
                let mut bytes = self.store.read(output)?.to_vec();
                let errors = self.store.read(&ended.stderr)?;
                if !bytes.is_empty() && !record::is_command(roster, task) && !bytes.ends_with(b"\n")
                {
                    bytes.push(b'\n');
                }
                match tag {
                    Some(tag) => {
                        let label = label(tag, roster, task);
                        screen.out(&tagged(&label, &bytes))?;
                        print_errors(&tagged(&label, &errors), screen);
                    }
                    None => {
                        screen.out(&bytes)?;
                        print_errors(&errors, screen);
                    }
                }
            }
            Shape::Line => {
                let record = record::task(ended, task, output, roster, &*self.store)?;
                screen.out(format!("{record}\n").as_bytes())?;
            }
            Shape::Gathered(records) => {
                if (records.len() as u64) < limits::RESULTS_SHOWN_MAX {
                    records.push(record::task(ended, task, output, roster, &*self.store)?);
                }
            }
        }
        Ok(())
    }
}

fn print_errors(bytes: &[u8], screen: &mut Screen) {
    if !bytes.is_empty() {
        screen.err(bytes);
    }
}

fn label(tag: &Template, roster: &Roster, task: TaskId) -> Vec<u8> {
    let mut label = tag.expand(&roster.scope(task, 0, 1));
    label.push(b'\t');
    label
}

/// The bytes with a label before each line.
fn tagged(label: &[u8], bytes: &[u8]) -> Vec<u8> {
    let mut made = Vec::with_capacity(bytes.len() + label.len());
    for line in bytes.split_inclusive(|&byte| byte == b'\n') {
        made.extend_from_slice(label);
        made.extend_from_slice(line);
    }
    made
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_has_its_label() {
        assert_eq!(tagged(b"x\t", b"a\nb"), b"x\ta\nx\tb");
        assert_eq!(tagged(b"x\t", b""), b"");
    }
}
