//! What a job is made of and what of it ran, in ranges: what a trace is made of.

use bary_api::problem::{Kind, Refused};
use bary_api::v1::{JobEntry, ListTasksReply, ListTasksRequest, RanTasks};
use bary_model::event::Ended;
use bary_model::id::{SpecNo, TaskRange};
use bary_model::outcome::Results;
use bary_model::task::TaskSpec;
use bary_trace::ran::{Entry, input_bytes, ran, sizes};

use crate::board::clock::Clock;
use crate::board::ends::How;
use crate::board::job::Detail;
use crate::service::{Inner, choice, jobs};

/// The most ranges of one reply: the board stands still meanwhile.
const RANGES_MAX: usize = 10_000;
/// The most sizes of single tasks of one reply, past which no further range is begun.
const SIZES_MAX: usize = 100_000;

impl Inner {
    /// The ranges behind a place of a job.
    pub(super) fn task_ranges(&self, asked: &ListTasksRequest) -> Result<ListTasksReply, Refused> {
        if !(asked.tasks.is_empty() && asked.filter.is_empty() && asked.sort.is_empty()) {
            let title = "ranges are those of all tasks of a job, in their order";
            let help = "leave out tasks, filter and sort, or ranges";
            return Err(Refused::new(Kind::Invalid, title).help(help));
        }
        let books = self.board.read();
        let row = jobs::row(&books, asked.job)?;
        let detail = choice::detail(row)?;
        let mut page = Page {
            detail,
            clock: books.clock,
            inner: self,
            most: if asked.limit == 0 { RANGES_MAX } else { RANGES_MAX.min(asked.limit as usize) },
            sizes: 0,
            reply: ListTasksReply { total: row.tasks, ..ListTasksReply::default() },
        };
        page.fill(TaskRange { job: row.no, ..TaskRange::default() }, asked.from);
        Ok(page.reply)
    }
}

/// One reply as it fills.
struct Page<'a> {
    detail: &'a Detail,
    clock: Clock,
    inner: &'a Inner,
    most: usize,
    /// How many sizes of single tasks there are in it.
    sizes: usize,
    reply: ListTasksReply,
}

impl Page<'_> {
    fn fill(&mut self, job: TaskRange, from: u64) {
        let roster = &self.detail.roster;
        let Some((first, index)) = roster.numbered(from.saturating_add(1)) else { return };
        for number in first.0..roster.specs() as u32 {
            let no = SpecNo(number);
            let Some(spec) = roster.spec(no) else { continue };
            let before = roster.before(TaskRange { spec: no, first: 0, ..job });
            if no > first || index == 0 {
                if self.is_full() {
                    self.reply.next = before;
                    return;
                }
                self.reply.entries.push(entry(spec, roster.base(no), before));
            }
            let from = if no == first { index } else { 0 };
            if let Some(place) = self.pieces(no, spec, from) {
                self.reply.next = before + u64::from(place);
                return;
            }
        }
    }

    /// Adds what ran of a spec from an index on; the index behind what fits.
    fn pieces(&mut self, no: SpecNo, spec: &TaskSpec, from: u32) -> Option<u32> {
        let pieces = self.detail.ends.from(no, from).take_while(|((of, _), _)| *of == no);
        for ((_, first), piece) in pieces {
            if first > 0 && first > from && self.is_full() {
                return Some(first);
            }
            if let How::Ran(ended) = &piece.how
                && ran(&ended.end)
                && !ended.usage.cached
            {
                let tasks = self.tasks(spec, ended);
                self.sizes += tasks.input_bytes.len() + tasks.output_bytes.len();
                self.reply.ran.push(tasks);
            }
        }
        None
    }

    fn is_full(&self) -> bool {
        let ranges = self.reply.entries.len() + self.reply.ran.len();
        ranges >= self.most || self.sizes >= SIZES_MAX
    }

    fn tasks(&self, spec: &TaskSpec, ended: &Ended) -> RanTasks {
        let range = ended.range;
        let rows = (range.first..range.end()).map(|index| spec.first_row + u64::from(index));
        let left = match &ended.results {
            Results::Nothing => Box::default(),
            Results::Each(all) => sizes(all.iter().map(|result| result.len())),
        };
        let node = self.inner.cluster.info(ended.node);
        RanTasks {
            first: self.detail.roster.before(range) + 1,
            tasks: range.count.into(),
            speed: node.as_ref().map_or(1.0, |node| node.speed),
            node: self.inner.node_name(ended.node),
            attempt: ended.attempt.into(),
            state: ended.end.name().to_owned(),
            started: self.clock.text(ended.usage.began),
            run_seconds: ended.usage.busy.as_secs_f64(),
            input_bytes: sizes(rows.map(|row| input_bytes(&spec.inputs, row))).into(),
            output_bytes: left.into(),
        }
    }
}

fn entry(spec: &TaskSpec, base: SpecNo, before: u64) -> JobEntry {
    let entry = Entry::of(spec, base.0);
    let on = |each: bool| {
        let after = entry.after.iter().filter(move |(_, aligned)| *aligned == each);
        after.map(|(on, _)| *on).collect()
    };
    JobEntry {
        first: before + 1,
        tasks: spec.count.into(),
        array: entry.array,
        index: entry.index as f64,
        step: entry.step as f64,
        function: entry.function.to_string(),
        weight: entry.weight.units(),
        estimate_seconds: entry.estimate.unwrap_or_default().as_secs_f64(),
        cpus: entry.milli_cpus as f64 / 1e3,
        memory: entry.memory,
        after: on(false),
        after_each: on(true),
        name: entry.name.into(),
    }
}
