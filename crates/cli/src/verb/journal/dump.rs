//! `bary journal dump`: everything that can be read in a journal's files, in its order there.

use std::fmt::Write;

use bary_identity::calendar;
use bary_journal::inspect::Sight;
use bary_ledger::record::Record;
use bary_model::id::{GrantNo, TaskRange};
use bary_model::job::JobRef;
use bary_model::outcome::End;
use bary_model::time::Wall;
use bary_wire::batch::{self, Batch};
use bary_wire::past;
use serde::Serialize;
use serde_json::{Value, json};

use super::Place;
use crate::args::{Face, Form};
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::screen::{PrintError, Screen};
use crate::verb;

/// Most parts of one record that its row names.
const PARTS_MAX: usize = 4;

/// Dumps a journal; one that is damaged is dumped as well, and complained of after that.
pub(crate) fn run(place: &Place, face: Face) -> Result<Exit, Complaint> {
    let looked = place.look(|| (), |(), _| {})?;
    let mut dump = Dump {
        screen: Screen::new(face),
        form: face.output,
        rows: Vec::new(),
        segment: 0,
        failed: None,
    };
    if !face.is_data() {
        dump.out(&row(["SEGMENT", "OFFSET", "BATCH", "EPOCH", "WRITTEN", "RECORD", ""]));
    }
    let read = bary_journal::inspect::inspect(&place.disk, &mut |sight| dump.see(sight));
    if face.output == Form::Json {
        let records = std::mem::take(&mut dump.rows);
        let document = json!({ "schema": "bary.journal.dump/1", "rows": records });
        dump.out(&format!("{document:#}\n"));
    }
    let Dump { mut screen, failed, .. } = dump;
    failed.map_or(Ok(()), Err).and_then(|()| screen.flush()).map_err(verb::printing)?;
    read.map_err(|error| place.damaged(&error.to_string()))?;
    looked.fault.map_or(Ok(Exit::OK), |fault| Err(place.damaged(&fault)))
}

struct Dump {
    screen: Screen,
    form: Form,
    /// What is printed at the end, as one document.
    rows: Vec<Value>,
    segment: u64,
    failed: Option<PrintError>,
}

/// Where a row is from, as far as that is known.
#[derive(Clone, Copy, Default)]
struct Spot {
    offset: u64,
    lsn: Option<u64>,
    epoch: Option<u32>,
    at: Option<Wall>,
}

impl Dump {
    fn see(&mut self, sight: Sight<'_>) {
        let offset = match sight {
            Sight::Segment { number, len, first, headers } => {
                self.segment = number;
                let first = first.map(|first| first.0);
                let text = format!("{len} bytes, {headers} of 2 headers are sound");
                let value = json!({ "first": first, "len": len, "headers": headers });
                return self.row(Spot { lsn: first, ..Spot::default() }, "segment", &text, &value);
            }
            Sight::Snapshot { lsn, state } => {
                self.segment = 0;
                return self.snapshot(Spot { lsn: Some(lsn.0), ..Spot::default() }, state);
            }
            Sight::Batch { offset, lsn, batch, in_order, .. } => {
                return self.batch(offset, lsn.0, batch, in_order);
            }
            Sight::Mark { offset, durable } => {
                let text = format!("durable up to batch {}", durable.0);
                let spot = Spot { offset, ..Spot::default() };
                return self.row(spot, "mark", &text, &json!(durable.0));
            }
            Sight::Unsound { offset } => offset,
        };
        let spot = Spot { offset, ..Spot::default() };
        self.row(spot, "unsound", "no sound record begins here", &Value::Null);
    }

    fn batch(&mut self, offset: u64, lsn: u64, bytes: &[u8], in_order: bool) {
        let spot = Spot { offset, lsn: Some(lsn), ..Spot::default() };
        match batch::decode(bytes) {
            Ok(batch) => self.records(spot, &batch, in_order),
            Err(error) => self.row(spot, "unreadable", &error.to_string(), &Value::Null),
        }
    }

    /// What stands for all batches up to one: those of them that still count.
    fn snapshot(&mut self, spot: Spot, state: Option<&[u8]>) {
        let batches = state.map(past::read);
        let kept = match batches {
            None => return self.row(spot, "snapshot", "damaged", &Value::Null),
            Some(Err(error)) => {
                return self.row(spot, "snapshot", &error.to_string(), &Value::Null);
            }
            Some(Ok(batches)) => batches,
        };
        let text = "what still counts of the batches up to this one";
        self.row(spot, "snapshot", text, &Value::Null);
        for batch in kept {
            match batch {
                Ok(batch) => self.records(Spot::default(), &batch, true),
                Err(error) => {
                    let spot = Spot::default();
                    self.row(spot, "unreadable", &error.to_string(), &Value::Null);
                }
            }
        }
    }

    fn records(&mut self, spot: Spot, batch: &Batch, in_order: bool) {
        let spot = Spot { epoch: Some(batch.epoch.0), at: batch.at, ..spot };
        for record in &batch.records {
            let (kind, mut text) = told(record);
            if !in_order {
                text.push_str(" (out of order)");
            }
            self.row(spot, kind, &text, &plain(record));
        }
    }

    fn row(&mut self, spot: Spot, kind: &str, text: &str, value: &Value) {
        let segment = Some(self.segment).filter(|number| *number > 0);
        let Spot { offset, lsn, epoch, at } = spot;
        let at = at.map(calendar::text);
        match self.form {
            Form::Json | Form::Jsonl | Form::Yaml | Form::Csv => {
                let row = json!({
                    "segment": segment, "offset": offset, "lsn": lsn, "epoch": epoch, "at": at,
                    "kind": kind, "value": value,
                });
                match self.form {
                    Form::Jsonl => self.out(&format!("{row}\n")),
                    _ => self.rows.push(row),
                }
            }
            Form::Table | Form::Wide | Form::Quiet => {
                let number =
                    |number: Option<u64>| number.map_or_else(String::new, |n| n.to_string());
                let (segment, lsn) = (number(segment), number(lsn));
                let (epoch, at) = (number(epoch.map(u64::from)), at.unwrap_or_default());
                self.out(&row([&segment, &offset.to_string(), &lsn, &epoch, &at, kind, text]));
            }
        }
    }

    fn out(&mut self, text: &str) {
        if self.failed.is_none() {
            self.failed = self.screen.out(text.as_bytes()).err();
        }
    }
}

/// As JSON. Keys of submissions have 128 bits, which a value takes only as the text of a number:
/// there they are about what they are.
fn plain(whole: &impl Serialize) -> Value {
    let text = serde_json::to_string(whole).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

fn row([segment, offset, lsn, epoch, at, kind, text]: [&str; 7]) -> String {
    let row =
        format!("{segment:>7}  {offset:>9}  {lsn:>8}  {epoch:>5}  {at:<30}  {kind:<10}  {text}");
    format!("{}\n", row.trim_end())
}

/// A record's kind, and what it says, in short.
fn told(record: &Record) -> (&'static str, String) {
    match record {
        Record::Opened { epoch } => ("opened", format!("epoch {}", epoch.0)),
        Record::Submitted { job, name, specs, open, .. } => {
            let tasks: u64 = specs.iter().map(|spec| u64::from(spec.count)).sum();
            let open = if *open { ", open" } else { "" };
            ("submitted", format!("job {} `{name}`: {tasks} tasks{open}", job.0))
        }
        Record::Extended { job, specs } => {
            let tasks: u64 = specs.iter().map(|spec| u64::from(spec.count)).sum();
            ("extended", format!("job {}: {tasks} tasks", job.0))
        }
        Record::Closed { job } => ("closed", format!("job {}", job.0)),
        Record::Awaits { upstream } => ("awaits", listed(upstream.iter().map(job_of_another))),
        Record::Arrived { job, upstream, good } => {
            let how = if *good { "succeeded" } else { "failed" };
            ("arrived", format!("job {}: {} {how}", job.0, job_of_another(upstream)))
        }
        Record::Stopping { job, reason } => {
            ("stopping", format!("job {}{}", job.0, because(reason.as_deref())))
        }
        Record::Held { job, held, reason } => {
            let what = if *held { "held" } else { "released" };
            (what, format!("job {}{}", job.0, because(reason.as_deref())))
        }
        Record::Prioritised { job, priority } => {
            ("priority", format!("job {}: {priority:+}", job.0))
        }
        Record::Forgotten { job } => ("forgotten", format!("job {}", job.0)),
        Record::Checkpointed { task, grant, step, payload } => {
            let range = shown(TaskRange::one(*task));
            let (grant, bytes) = (grant.0, payload.len());
            ("checkpoint", format!("{range} of grant {grant}: step {step}, {bytes} bytes"))
        }
        Record::Retried { job } => ("retried", format!("job {}", job.0)),
        Record::Granted { node, items } => ("granted", format!("{node}: {}", grants(items))),
        Record::Retracted { items } => ("retracted", grants(items)),
        Record::Failed { task, grant, crashed } => {
            let how = if *crashed { "crashed" } else { "failed" };
            let range = TaskRange::one(*task);
            ("failed", format!("{} of grant {} {how}", shown(range), grant.0))
        }
        Record::Ended { items } => {
            let each = items.iter().map(|item| {
                let (range, node, attempt) = (shown(item.range), item.node, item.attempt);
                format!("{range} {} on {node} at attempt {attempt}", how(&item.end))
            });
            ("ended", listed(each))
        }
        Record::Decreed { decree } => ("decreed", decree.to_string()),
        Record::Ran { items } => {
            let each = items.iter().map(|one| {
                format!("{} on {} at attempt {}", shown(one.range), one.node, one.attempt)
            });
            ("ran", listed(each))
        }
        Record::Bygone { bygone } => {
            let gone: u64 = bygone.gone.iter().map(|gone| u64::from(gone.count)).sum();
            ("bygone", format!("{gone} forgotten jobs of {}", bygone.next.0))
        }
        Record::Cancelled { range, running } => {
            let which = if *running { "" } else { ", what nobody holds" };
            ("cancelled", format!("{}{which}", shown(*range)))
        }
    }
}

fn because(reason: Option<&str>) -> String {
    reason.map_or_else(String::new, |reason| format!(": {reason}"))
}

fn job_of_another(job: &JobRef) -> String {
    format!("job {} of shard {:016x}", job.job.0, job.shard.0)
}

fn grants(items: &[(GrantNo, TaskRange)]) -> String {
    listed(items.iter().map(|(grant, range)| format!("{} as grant {}", shown(*range), grant.0)))
}

fn listed(each: impl ExactSizeIterator<Item = String>) -> String {
    let more = each.len().saturating_sub(PARTS_MAX);
    let mut text = each.take(PARTS_MAX).collect::<Vec<_>>().join(", ");
    if more > 0 {
        write!(text, ", and {more} more").expect("writing to a string cannot fail");
    }
    text
}

/// `job.spec[first..end]`.
fn shown(range: TaskRange) -> String {
    let TaskRange { job, spec, first, .. } = range;
    match range.count {
        1 => format!("{}.{}[{first}]", job.0, spec.0),
        _ => format!("{}.{}[{first}..{}]", job.0, spec.0, range.end()),
    }
}

fn how(end: &End) -> String {
    match end {
        End::Succeeded => "succeeded".to_owned(),
        End::Failed(failure) => format!("failed ({failure})"),
        End::Quarantined(failure) => format!("was quarantined ({failure})"),
        End::Cancelled => "was cancelled".to_owned(),
        End::Skipped => "was skipped".to_owned(),
    }
}
