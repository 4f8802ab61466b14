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
use bary_model::roster::Roster;
use bary_model::template::Template;
use bary_ports::executor::Stream;
use bary_ports::store::Store;
use serde_json::Value;

use crate::outlet::{Outlet, ShowError};
use crate::screen::Screen;
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

/// Prints what tasks gave.
pub(crate) struct Printer {
    store: Arc<dyn Store>,
    order: Order,
    shape: Shape,
    /// Which number is to be printed next, from 0.
    turn: u64,
    waiting: BTreeMap<u64, Piece>,
    /// Whether what ended is recalled of an earlier run, whose live output nobody has seen here.
    pub(crate) recalling: bool,
}

/// Something whose turn has not come.
enum Piece {
    Ended(Box<Ended>),
    /// So many tasks without anything to print.
    Silent(u64),
}

impl Printer {
    pub(crate) fn new(store: Arc<dyn Store>, order: Order, shape: Shape) -> Self {
        Self { store, order, shape, turn: 0, waiting: BTreeMap::new(), recalling: false }
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
    ) -> Result<(), ShowError> {
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

    /// Whether output is printed while its task runs, so that all of it is, however long.
    pub(crate) fn is_live(&self) -> bool {
        self.order == Order::Lines && matches!(self.shape, Shape::Raw(_)) && !self.recalling
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
    ) -> Result<(), ShowError> {
        let Shape::Raw(tag) = &self.shape else { return Ok(()) };
        let label = tag.as_ref().map(|tag| label(tag, roster, task));
        Ok(Outlet::new(screen, stream, label.as_deref()).put(bytes)?)
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
    ) -> Result<u64, ShowError> {
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
    ) -> Result<(), ShowError> {
        let live = self.is_live() && record::is_command(roster, task);
        match &mut self.shape {
            Shape::Raw(_) if live => {}
            Shape::Raw(tag) => {
                let label = tag.as_ref().map(|tag| label(tag, roster, task));
                let label = label.as_deref();
                let open = Outlet::new(screen, Stream::Out, label).show(&*self.store, output)?;
                if open && !record::is_command(roster, task) {
                    screen.out(b"\n")?;
                }
                Outlet::new(screen, Stream::Err, label).show(&*self.store, &ended.stderr)?;
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

fn label(tag: &Template, roster: &Roster, task: TaskId) -> Vec<u8> {
    let mut label = tag.expand(&roster.scope(task, 0, 1));
    label.push(b'\t');
    label
}
