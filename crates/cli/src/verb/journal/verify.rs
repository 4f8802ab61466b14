//! `bary journal verify`: one line that says what a journal holds, or what is wrong and where.

use std::fmt::Write;

use bary_identity::calendar;
use serde_json::{Value, json};

use super::fold::{Fold, Tasks};
use super::{Looked, Place};
use crate::args::{Face, Form};
use crate::complaint::Complaint;
use crate::counted::counted;
use crate::exit::Exit;
use crate::screen::Screen;
use crate::verb;

/// Verifies a journal.
pub(crate) fn run(place: &Place, face: Face) -> Result<Exit, Complaint> {
    let mut looked = place.look(Fold::new, Fold::see)?;
    if looked.fault.is_none() {
        looked.seen.check();
    }
    let fault = looked.fault.take().or_else(|| looked.seen.fault.take());
    let tasks = if fault.is_none() { looked.seen.tasks() } else { Tasks::default() };
    if face.is_data() {
        let document = document(&looked, &tasks, fault.as_deref());
        let dense = face.output == Form::Jsonl;
        let text = if dense { format!("{document}\n") } else { format!("{document:#}\n") };
        verb::print(&mut Screen::new(face), &text)?;
        return Ok(if fault.is_some() { Exit::FAILED } else { Exit::OK });
    }
    if let Some(fault) = fault {
        return Err(place.damaged(&fault));
    }
    if !face.is_quiet() {
        verb::print(&mut Screen::new(face), &format!("{}\n", line(&looked, &tasks)))?;
    }
    Ok(Exit::OK)
}

fn line(looked: &Looked<Fold>, tasks: &Tasks) -> String {
    let Looked { seen, summary, .. } = looked;
    let mut line = format!(
        "sound: {}, {}, {}, {}, epoch {}, {}",
        counted(summary.segments, "segment"),
        counted(summary.snapshots, "snapshot"),
        counted(summary.batches, "batch"),
        counted(seen.records, "record"),
        seen.ledger.epoch().0,
        counted(seen.ledger.numbers().count() as u64, "job"),
    );
    let mut put = |args: std::fmt::Arguments<'_>| {
        line.write_fmt(args).expect("writing to a string cannot fail");
    };
    if tasks.all > 0 {
        let states = tasks.each().into_iter().filter(|(_, count)| *count > 0);
        let states: Vec<_> = states.map(|(name, count)| format!("{count} {name}")).collect();
        put(format_args!(", {} ({})", counted(tasks.all, "task"), states.join(", ")));
    }
    if let Some(first) = seen.first {
        let (first, last) = (calendar::text(first), calendar::text(seen.ledger.at()));
        put(format_args!(", written from {first} to {last}"));
    }
    if let Some(cut) = summary.cut {
        let (bytes, segment, offset) = (cut.bytes, cut.segment, cut.offset);
        put(format_args!(
            "; opening will cut off an unfinished write of {bytes} bytes in segment {segment} at \
             offset {offset}"
        ));
    }
    if seen.late > 0 {
        put(format_args!("; {} of reigns that were over", counted(seen.late, "batch")));
    }
    if seen.damaged_snapshots > 0 {
        let damaged = counted(seen.damaged_snapshots, "damaged snapshot");
        put(format_args!("; {damaged}, which nothing needs"));
    }
    line
}

fn document(looked: &Looked<Fold>, tasks: &Tasks, fault: Option<&str>) -> Value {
    let Looked { seen, summary, .. } = looked;
    let mut states: serde_json::Map<String, Value> =
        tasks.each().into_iter().map(|(name, count)| (name.to_owned(), json!(count))).collect();
    states.insert("all".to_owned(), json!(tasks.all));
    let cut = summary
        .cut
        .map(|cut| json!({ "segment": cut.segment, "offset": cut.offset, "bytes": cut.bytes }));
    json!({
        "schema": "bary.journal.verify/1",
        "sound": fault.is_none(),
        "fault": fault,
        "id": format!("{:016x}", summary.id),
        "segments": summary.segments,
        "snapshots": summary.snapshots,
        "damaged_snapshots": seen.damaged_snapshots,
        "batches": summary.batches,
        "late": seen.late,
        "records": seen.records,
        "bytes": summary.bytes,
        "epoch": seen.ledger.epoch().0,
        "first": seen.first.map(calendar::text),
        "last": seen.first.map(|_| calendar::text(seen.ledger.at())),
        "jobs": seen.ledger.numbers().count(),
        "forgotten": seen.ledger.jobs() - seen.ledger.numbers().count(),
        "tasks": states,
        "cut": cut,
    })
}
