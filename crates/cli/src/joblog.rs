//! The job log: a line for each attempt that ended a task, in the columns of GNU parallel.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use bary_model::event::Ended;
use bary_model::node::NodeInfo;
use bary_model::outcome::{End, Failure};
use bary_model::roster::Roster;

/// A log that is being written.
#[derive(Debug)]
pub(crate) struct JobLog<W: Write = BufWriter<File>> {
    file: W,
    /// When the clock of the nodes was zero, in seconds since 1970.
    origin: f64,
}

const HEAD: &str = "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\n";

impl JobLog {
    /// Makes the file, or empties it.
    pub(crate) fn create(path: &Path, origin: SystemTime) -> io::Result<Self> {
        Self::new(BufWriter::new(File::create(path)?), origin)
    }
}

impl<W: Write> JobLog<W> {
    fn new(mut file: W, origin: SystemTime) -> io::Result<Self> {
        file.write_all(HEAD.as_bytes())?;
        let origin = origin.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        Ok(Self { file, origin })
    }

    /// Writes the lines of tasks that ended.
    pub(crate) fn on_ended(
        &mut self,
        ended: &Ended,
        roster: &Roster,
        nodes: &[NodeInfo],
    ) -> io::Result<()> {
        let host = nodes.get(ended.node.index()).map_or("?", |node| &node.name);
        let count = f64::from(ended.range.count);
        let each = ended.usage.busy.as_secs_f64() / count;
        for (offset, task) in ended.range.tasks().enumerate() {
            let start = self.origin + ended.usage.began.0 as f64 / 1e9 + each * offset as f64;
            let (exit, signal) = codes(&ended.end);
            let received = ended.results.at(offset).len();
            let number = roster.number(task);
            write!(
                self.file,
                "{number}\t{host}\t{start:.3}\t{each:10.3}\t0\t{received}\t{exit}\t{signal}\t"
            )?;
            let command = roster.command(task, ended.usage.slot, ended.attempt);
            self.file.write_all(&in_one_line(command))?;
            self.file.write_all(b"\n")?;
        }
        Ok(())
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Exit value and signal; a command that a signal ended has no exit value of its own, and one
/// that was stopped for its time has -1, as in GNU parallel.
fn codes(end: &End) -> (i32, i32) {
    match end {
        End::Failed(Failure::Signal(signal)) | End::Quarantined(Failure::Signal(signal)) => {
            (0, *signal)
        }
        End::Failed(Failure::TimedOut | Failure::Silent) => (-1, 15),
        end => (end.code(), 0),
    }
}

/// A line break inside a command would look like the next entry.
fn in_one_line(mut command: Vec<u8>) -> Vec<u8> {
    for byte in &mut command {
        if *byte == b'\n' {
            *byte = b' ';
        }
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use bary_model::action::Action;
    use bary_model::event::{Event, EventKind};
    use bary_model::id::{JobNo, NodeId, ShardId, SpecNo, TaskRange};
    use bary_model::inputs::Inputs;
    use bary_model::inputs::lines::Lines;
    use bary_model::outcome::{Results, Usage};
    use bary_model::payload::Payload;
    use bary_model::task::{Body, TaskSpec};
    use bary_model::template::Template;
    use bary_model::time::{Moment, Span};

    fn roster(input: &str) -> Roster {
        let argv = vec![Template::literal("echo"), Template::values()];
        let spec = TaskSpec {
            inputs: Inputs::lines(Lines::from_iter([input])).expect("there is one"),
            array: true,
            ..TaskSpec::new(Arc::new(Body::new(Action::Command { argv })))
        };
        let mut roster = Roster::default();
        let specs = [Arc::new(spec)].into();
        let kind = EventKind::Submitted { job: JobNo(0), first: SpecNo(0), specs, brief: None };
        roster.on_event(&Event { at: Moment(0), shard: ShardId(1), kind });
        roster
    }

    #[test]
    fn a_line_has_the_columns_of_gnu_parallel() {
        let mut log = JobLog::new(Vec::new(), UNIX_EPOCH).expect("memory takes it");
        let ended = Ended {
            range: TaskRange { count: 1, ..TaskRange::default() },
            node: NodeId(0),
            attempt: 1,
            end: End::Failed(Failure::Exit(3)),
            results: Results::Each(vec![Payload::Inline("abc".into())]),
            stderr: Payload::Empty,
            usage: Usage {
                began: Moment(2_000_000_000),
                busy: Span::millis(1_500),
                slot: 1,
                ..Usage::default()
            },
        };
        log.on_ended(&ended, &roster("a\nb"), &[]).expect("memory takes it");
        let text = String::from_utf8(log.file).expect("it is text");
        let want = "1\t?\t2.000\t     1.500\t0\t3\t3\t0\techo 'a b'\n";
        assert_eq!(text, format!("{HEAD}{want}"));
    }
}
