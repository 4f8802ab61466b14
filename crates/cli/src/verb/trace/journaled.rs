//! What the journal of a state says was run: weights, dependencies, resources, run times and the
//! sizes of results. Nothing is changed, and the state may be in use.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use bary_journal::inspect::Sight;
use bary_ledger::record::{EndedTasks, Record};
use bary_model::id::{JobNo, Lsn};
use bary_model::time::Wall;
use bary_trace::ran::Ran;
use bary_wire::batch::{self, Batch};
use bary_wire::past;

use super::found::{Found, too_large};
use crate::complaint::Complaint;
use crate::selector::{Jobs, Which};
use crate::verb::journal::Place;

/// The jobs of a state; all where none is named.
pub(super) fn found(state: &Path, named: &[Jobs]) -> Result<Vec<Found>, Complaint> {
    let place = Place::find(state)?;
    let looked = place.look(Past::default, Past::see)?;
    if let Some(fault) = looked.fault.or(looked.seen.fault) {
        return Err(place.damaged(&fault));
    }
    let mut jobs = looked.seen.jobs;
    for number in named.iter().filter_map(|jobs| jobs.which.written_out()).flatten() {
        if !jobs.contains_key(&JobNo(number)) {
            return Err(Complaint::not_found(format!("the state holds no job {number}")));
        }
    }
    let last = jobs.keys().next_back().copied();
    let meant = |name: &Jobs, job: JobNo| {
        name.which.has(job.0) || (name.which == Which::Last && last == Some(job))
    };
    jobs.retain(|job, _| named.is_empty() || named.iter().any(|name| meant(name, *job)));
    jobs.into_iter().map(|(no, job)| job.found(no)).collect()
}

/// What the journal says, as far as it was read.
#[derive(Default)]
struct Past {
    jobs: BTreeMap<JobNo, Run>,
    /// The last batch that the snapshot stands for.
    base: Lsn,
    fault: Option<String>,
}

/// A job and what ran of it.
#[derive(Default)]
struct Run {
    name: Box<str>,
    owner: Box<str>,
    came: Wall,
    ran: Ran,
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
                    // Nothing of it could begin before that moment.
                    let came = about.not_before.map_or(came, |at| at.max(came));
                    let (name, owner) = (name.clone(), about.owner.clone());
                    let mut run = Run { name, owner, came, ran: Ran::default() };
                    run.ran.on_specs(specs);
                    self.jobs.insert(*job, run);
                }
                Record::Extended { job, specs } => {
                    if let Some(run) = self.jobs.get_mut(job) {
                        run.ran.on_specs(specs);
                    }
                }
                Record::Ended { items } => items.iter().for_each(|ended| self.ended(ended)),
                _ => {}
            }
        }
    }

    fn ended(&mut self, ended: &EndedTasks) {
        let Some(run) = self.jobs.get_mut(&ended.range.job) else { return };
        // A journal does not say how fast nodes are.
        run.ran.on_ended(ended.range, &ended.end, &ended.results, ended.usage, 1.0);
    }
}

impl Run {
    fn found(self, number: JobNo) -> Result<Found, Complaint> {
        let tasks = self.ran.tasks().map_err(|error| too_large(number.0, &error))?;
        let (name, owner) = (self.name, Arc::from(self.owner));
        Ok(Found { number: number.0, name, owner, came: self.came, tasks })
    }
}
