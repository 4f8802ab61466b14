//! How whole jobs lie over the regions of the cluster: asked for when a job comes whose tasks leave
//! bytes for each other, and followed as long as a region's nodes are there. Kept in mind only: a
//! home that begins anew asks again once it knows where its nodes are.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bary_ledger::job::Job;
use bary_model::id::{JobNo, NodeId};
use bary_model::task::TaskSpec;
use bary_model::time::Span;
use bary_policy::layout::{Choice, Link, Network, Plans, Question};
use bary_policy::topology::Topology;

use crate::effect::Effect;
use crate::home::Home;
use crate::home::ready::Entry;
use crate::outbox::Outbox;
use crate::timers::{Timer, Timers};

/// The nodes of a region.
pub(super) type Region = Arc<BTreeSet<NodeId>>;

/// The jobs that were laid out, or wait to be.
#[derive(Debug, Default)]
pub(super) struct Layouts {
    laid: BTreeMap<JobNo, Laid>,
    /// Jobs that came before it was known where nodes are.
    early: BTreeSet<JobNo>,
}

#[derive(Debug)]
struct Laid {
    /// Where each spec's tasks begin among all tasks of the job.
    firsts: Vec<usize>,
    /// The nodes of each region when it was asked.
    regions: Vec<Region>,
    /// None until it is known.
    choice: Option<Box<Choice>>,
}

impl Layouts {
    pub(super) fn forget(&mut self, job: JobNo) {
        self.laid.remove(&job);
        self.early.remove(&job);
    }
}

impl Home {
    /// Has a new job laid out, where the policy does that and its tasks leave bytes for each
    /// other; nothing of it is granted until the answer is there, or has had its time.
    pub(super) fn lay_out(
        &mut self,
        job: JobNo,
        specs: &[Arc<TaskSpec>],
        out: &mut Outbox,
        timers: &mut Timers,
    ) {
        if self.policy.carrying.layout == Plans::None {
            return;
        }
        let Some((firsts, links)) = self.graph_of(specs) else { return };
        if self.topology.is_none() {
            self.layouts.early.insert(job);
            return;
        }
        let Some((regions, network)) = self.network(out.me) else { return };
        let scale = self.totals().scale;
        let work = specs.iter().flat_map(|spec| {
            let each = self.run_time(spec, scale).as_secs_f64() * 1e3;
            std::iter::repeat_n(each, spec.count as usize)
        });
        let plans = self.policy.carrying.layout;
        let question = Box::new(Question { work: work.collect(), links, network, plans });
        self.layouts.laid.insert(job, Laid { firsts, regions, choice: None });
        let timer = timers.set(out.now + self.limits.layout_wait, Timer::Laid(self.log.shard, job));
        self.gates.lay(job, timer);
        out.effect(Effect::Lay { shard: self.log.shard, job, question });
    }

    /// It has become known where nodes are: what came before that is laid out, as far as it has not
    /// been granted.
    pub(super) fn lay_out_early(&mut self, out: &mut Outbox, timers: &mut Timers) {
        for no in std::mem::take(&mut self.layouts.early) {
            let waits = |job: &&Job| !job.is_over();
            let Some(job) = self.ledger.job(no).filter(waits) else { continue };
            let specs: Vec<Arc<TaskSpec>> = job.specs().cloned().collect();
            if !self.is_stopping(no) {
                self.lay_out(no, &specs, out, timers);
            }
            if self.gates.is_shut(no) {
                for range in self.unready(no) {
                    self.make_ready(range);
                }
            }
        }
    }

    /// A job has been laid out, or cannot be.
    pub(crate) fn on_laid(
        &mut self,
        job: JobNo,
        choice: Option<Box<Choice>>,
        out: &mut Outbox,
        timers: &mut Timers,
    ) {
        match self.layouts.laid.get_mut(&job) {
            Some(laid) if choice.is_some() && laid.choice.is_none() => laid.choice = choice,
            _ => return,
        }
        self.on_laid_timer(job, out, timers);
    }

    /// A job waits no longer for its layout.
    pub(super) fn on_laid_timer(&mut self, job: JobNo, out: &mut Outbox, timers: &mut Timers) {
        self.stop_laying(job, timers);
        self.open_gate(job, out, timers);
    }

    /// Where the first task of an entry is to run, if its job was laid out so.
    pub(super) fn region_for(&self, entry: &Entry) -> Option<Region> {
        if self.policy.carrying.layout == Plans::None {
            return None;
        }
        let laid = self.layouts.laid.get(&entry.range.job)?;
        let task = laid.firsts.get(entry.range.spec.index())? + entry.range.first as usize;
        let region = laid.choice.as_ref()?.layout.region(task)?;
        laid.regions.get(region).map(Arc::clone)
    }

    /// How the job of an entry was laid out, in words.
    pub(super) fn layout_in_words(&self, entry: &Entry) -> Option<String> {
        let laid = self.layouts.laid.get(&entry.range.job)?;
        laid.choice.as_ref().map(|choice| format!("job {choice}"))
    }

    /// Where each spec's tasks begin, and what goes between tasks; none where nothing does, or
    /// there are too many of either.
    fn graph_of(&self, specs: &[Arc<TaskSpec>]) -> Option<(Vec<usize>, Vec<Link>)> {
        let mut firsts = Vec::with_capacity(specs.len());
        let mut tasks = 0_usize;
        for spec in specs {
            firsts.push(tasks);
            tasks = tasks.saturating_add(spec.count as usize);
        }
        if tasks > self.limits.layout_tasks_max {
            return None;
        }
        let mut links = Vec::new();
        for (spec, &first) in specs.iter().zip(&firsts) {
            for after in &spec.after {
                let Some(read) = specs.get(after.spec.index()) else { continue };
                let (from, bytes) = (firsts[after.spec.index()], read.output);
                let pairs = match after.aligned {
                    true => u64::from(spec.count),
                    false => u64::from(spec.count) * u64::from(read.count),
                };
                if bytes == 0 {
                    continue;
                }
                if links.len() as u64 + pairs > self.limits.layout_links_max {
                    return None;
                }
                for to in 0..spec.count as usize {
                    let sources = if after.aligned { to..to + 1 } else { 0..read.count as usize };
                    let link = |source| Link { from: from + source, to: first + to, bytes };
                    links.extend(sources.map(link));
                }
            }
        }
        (!links.is_empty()).then_some((firsts, links))
    }

    /// The regions of the nodes that are there, and what lies between them; none where there are
    /// not several, as far as is known.
    fn network(&self, me: NodeId) -> Option<(Vec<Region>, Network)> {
        let topology = self.topology.as_ref()?;
        let mut regions = vec![BTreeSet::new(); topology.regions as usize];
        let mut powers = vec![0.0; regions.len()];
        let there = self.accounts.iter().filter(|(node, _)| !self.is_drained(**node));
        for (&node, account) in there {
            let Some(place) = topology.place(node) else { continue };
            regions[place.region as usize].insert(node);
            powers[place.region as usize] += account.peer.info.power();
        }
        let bandwidth = self.policy.carrying.between / 1e3;
        let home = topology.place(me).map(|place| place.region as usize);
        let network = Network { powers, latency: between(topology), bandwidth, home };
        let several = network.powers.iter().filter(|power| **power > 0.0).count() > 1;
        several.then(|| (regions.into_iter().map(Arc::new).collect(), network))
    }

    /// How long a task should take on a node of speed 1.
    pub(super) fn run_time(&self, spec: &TaskSpec, scale: Option<f64>) -> Span {
        if spec.estimate > Span::ZERO {
            return spec.estimate;
        }
        if let Some(learnt) = self.predicted(spec) {
            return learnt;
        }
        Span::from_secs_f64(spec.weight.thousandths() as f64 / self.usual_pace(scale))
    }

    /// How much weight (thousandths) a second comes to where speed is 1: as nodes have shown, or as
    /// the policy says.
    pub(super) fn usual_pace(&self, scale: Option<f64>) -> f64 {
        scale.unwrap_or_else(|| self.policy.carrying.pace())
    }

    fn stop_laying(&mut self, job: JobNo, timers: &mut Timers) {
        if let Some(timer) = self.gates.laid(job) {
            timers.unset(timer);
        }
    }
}

/// One way between regions on average, in milliseconds.
fn between(topology: &Topology) -> f64 {
    let rows = topology.ways.iter().enumerate();
    let far = rows.flat_map(|(from, row)| {
        row.iter().enumerate().filter(move |(to, _)| *to != from).map(|(_, trip)| *trip)
    });
    let (sum, count) =
        far.fold((0.0, 0.0), |(sum, count), trip| (sum + trip.as_secs_f64(), count + 1.0));
    if count > 0.0 { sum / count * 1e3 / 2.0 } else { 0.0 }
}
