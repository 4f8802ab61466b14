//! What the journal of a state says was run: weights, dependencies, resources, run times and the
//! sizes of results. Nothing is changed, and the state may be in use.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use bary_journal::inspect::Sight;
use bary_ledger::record::{EndedTasks, Record};
use bary_model::action::Action;
use bary_model::id::{JobNo, Lsn};
use bary_model::outcome::{End, Results};
use bary_model::task::TaskSpec;
use bary_model::time::{Span, Wall};
use bary_trace::limits::{MILLI_CPUS_MAX, SPAN_MAX, TASK_BYTES_MAX};
use bary_trace::trace::Task;
use bary_wire::batch::{self, Batch};
use bary_wire::past;

use super::found::Found;
use crate::complaint::Complaint;
use crate::selector::Jobs;
use crate::verb::journal::Place;

/// The jobs of a state; all where none is named.
pub(super) fn found(state: &Path, named: &[Jobs]) -> Result<Vec<Found>, Complaint> {
    let place = Place::find(state)?;
    let looked = place.look(Past::default, Past::see)?;
    if let Some(fault) = looked.fault.or(looked.seen.fault) {
        return Err(place.damaged(&fault));
    }
    let mut jobs = looked.seen.jobs;
    for number in named.iter().filter_map(Jobs::written_out).flatten() {
        if !jobs.contains_key(&JobNo(number)) {
            return Err(Complaint::not_found(format!("the state holds no job {number}")));
        }
    }
    let last = jobs.keys().next_back().copied();
    let meant =
        |name: &Jobs, job: JobNo| name.has(job.0) || (*name == Jobs::Last && last == Some(job));
    jobs.retain(|job, _| named.is_empty() || named.iter().any(|name| meant(name, *job)));
    Ok(jobs.into_iter().map(|(no, job)| job.found(no)).collect())
}

/// What the journal says, as far as it was read.
#[derive(Default)]
struct Past {
    jobs: BTreeMap<JobNo, Run>,
    /// The last batch that the snapshot stands for.
    base: Lsn,
    fault: Option<String>,
}

/// A job and how long its tasks ran.
#[derive(Default)]
struct Run {
    name: Box<str>,
    owner: Box<str>,
    came: Wall,
    specs: Vec<Arc<TaskSpec>>,
    /// Where the batch of each spec begins; what it waits for counts from there.
    bases: Vec<u32>,
    /// By spec and index: how long it ran, and how many bytes it left.
    ran: BTreeMap<(u32, u32), (Span, u64)>,
}

impl Past {
    fn see(&mut self, sight: Sight<'_>) {
        match sight {
            Sight::Snapshot { lsn, state: Some(state) } => {
                *self = Self { base: lsn, ..Self::default() };
                match past::read(state) {
                    Ok(batches) => {
                        for batch in batches {
                            match batch {
                                Ok(batch) => self.take_in(&batch),
                                Err(error) => self.fault = Some(error.to_string()),
                            }
                        }
                    }
                    Err(error) => self.fault = Some(error.to_string()),
                }
            }
            Sight::Batch { lsn, batch, in_order: true, .. } if lsn > self.base => {
                match batch::decode(batch) {
                    Ok(batch) => self.take_in(&batch),
                    Err(error) => self.fault = Some(format!("batch {}: {error}", lsn.0)),
                }
            }
            _ => {}
        }
    }

    fn take_in(&mut self, batch: &Batch) {
        for record in &batch.records {
            match record {
                Record::Submitted { job, name, specs, about, .. } => {
                    let came = about.submitted.or(batch.at).unwrap_or_default();
                    let (name, owner) = (name.clone(), about.owner.clone());
                    let mut run = Run { name, owner, came, ..Run::default() };
                    run.extend(specs);
                    self.jobs.insert(*job, run);
                }
                Record::Extended { job, specs } => {
                    if let Some(run) = self.jobs.get_mut(job) {
                        run.extend(specs);
                    }
                }
                Record::Ended { items } => items.iter().for_each(|ended| self.ended(ended)),
                _ => {}
            }
        }
    }

    fn ended(&mut self, ended: &EndedTasks) {
        let Some(run) = self.jobs.get_mut(&ended.range.job) else { return };
        if !matches!(ended.end, End::Succeeded | End::Failed(_)) || ended.usage.cached {
            return;
        }
        let (first, count) = (ended.range.first, ended.range.count.max(1));
        let each = Span(ended.usage.busy.0 / u64::from(count)).min(SPAN_MAX);
        for step in 0..count {
            let left = match &ended.results {
                Results::Each(all) => all.get(step as usize).map_or(0, |result| result.len()),
                Results::Nothing => 0,
            };
            let left = left.min(TASK_BYTES_MAX);
            run.ran.insert((ended.range.spec.0, first + step), (each, left));
        }
    }
}

/// Two arrays that wait for each other as a whole meet in a task of no time past so many pairs.
const PAIRS_MAX: u64 = 4_096;

impl Run {
    fn extend(&mut self, specs: &[Arc<TaskSpec>]) {
        let base = self.specs.len() as u32;
        self.specs.extend(specs.iter().cloned());
        self.bases.resize(self.specs.len(), base);
    }

    /// The tasks that ran; what waited for others waits for those of them that ran.
    fn found(self, number: JobNo) -> Found {
        let mut tasks: Vec<Task> = Vec::with_capacity(self.ran.len());
        let mut places = BTreeMap::new();
        for ((spec, index), (run, left)) in &self.ran {
            let Some(of) = self.specs.get(*spec as usize) else { continue };
            places.insert((*spec, *index), tasks.len() as u32);
            tasks.push(task(of, (*spec, *index), (*run, *left)));
        }
        let mut waits = vec![Vec::new(); tasks.len()];
        // By spec, the task of no time that stands for the end of all of it.
        let mut joints: BTreeMap<u32, u32> = BTreeMap::new();
        for (spec, of) in (0_u32..).zip(&self.specs) {
            let own = places_of(&places, spec);
            for after in &of.after {
                let on = self.bases[spec as usize] + after.spec.0;
                if after.aligned {
                    let pairs = own
                        .iter()
                        .filter_map(|(index, place)| Some((*place, *places.get(&(on, *index))?)));
                    pairs.for_each(|(place, other)| waits[place as usize].push(other));
                    continue;
                }
                let others = places_of(&places, on);
                let pairs = own.len() as u64 * others.len() as u64;
                let others: Vec<u32> = if pairs <= PAIRS_MAX || own.len() <= 1 {
                    others.iter().map(|(_, other)| *other).collect()
                } else {
                    let joint = joints.entry(on).or_insert_with(|| {
                        tasks.push(Task::new(Span::ZERO));
                        waits.push(others.iter().map(|(_, other)| *other).collect());
                        tasks.len() as u32 - 1
                    });
                    vec![*joint]
                };
                own.iter().for_each(|(_, place)| waits[*place as usize].extend(&others));
            }
        }
        for (task, mut after) in tasks.iter_mut().zip(waits) {
            after.sort_unstable();
            after.dedup();
            task.after = after.into();
        }
        let (name, owner) = (self.name, Arc::from(self.owner));
        Found { number: number.0, name, owner, came: self.came, tasks }
    }
}

fn places_of(places: &BTreeMap<(u32, u32), u32>, spec: u32) -> Vec<(u32, u32)> {
    let own = places.range((spec, 0)..=(spec, u32::MAX));
    own.map(|((_, index), place)| (*index, *place)).collect()
}

fn task(spec: &TaskSpec, (number, index): (u32, u32), (run, left): (Span, u64)) -> Task {
    let name = match (&*spec.name, spec.array) {
        ("", false) => (number + 1).to_string(),
        ("", true) => format!("{}[{index}]", number + 1),
        (name, true) => format!("{name}[{index}]"),
        (name, false) => name.to_owned(),
    };
    let resources = &spec.body.request.resources;
    Task {
        name: name.into(),
        function: function(spec).into(),
        weight: Some(spec.weight),
        milli_cpus: resources.milli_cpus.min(MILLI_CPUS_MAX),
        memory: resources.memory.min(TASK_BYTES_MAX),
        output: left,
        ..Task::new(run)
    }
}

/// The function's name, or the program's where it is the same for all tasks.
fn function(spec: &TaskSpec) -> String {
    match &spec.body.action {
        Action::Function { name, .. } => name.to_string(),
        Action::Command { argv } => {
            let program = argv.first().and_then(|word| word.literal_bytes());
            program.map_or_else(String::new, |bytes| String::from_utf8_lossy(bytes).into_owned())
        }
    }
}
