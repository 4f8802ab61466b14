//! What users ask of a home: submit, extend, close, cancel, follow another policy, decree.

use std::collections::VecDeque;
use std::sync::Arc;

use bary_ledger::consequences::Consequences;
use bary_ledger::graph;
use bary_ledger::job::Job;
use bary_ledger::record::Record;
use bary_model::event::{Brief, EventKind};
use bary_model::id::{JobNo, NodeId, SpecNo, TaskRange};
use bary_model::job::{About, JobRef, JobSpec, SubmissionKey};
use bary_model::message::Retract;
use bary_model::outcome::Stopped;
use bary_model::task::TaskSpec;
use bary_policy::preset::Policy;

use crate::home::Home;
use crate::home::steer::check_reason;
use crate::input::{Refusal, Reply, Request};
use crate::outbox::Outbox;
use crate::timers::Timers;

impl Home {
    pub(crate) fn on_request(
        &mut self,
        ticket: u64,
        request: Request,
        out: &mut Outbox,
        timers: &mut Timers,
    ) {
        let reply = match request {
            Request::Submit(job) => self.submit(&job, &[], out, timers).map(Reply::Accepted),
            Request::SubmitAfter { job, upstream } => {
                self.submit(&job, &upstream, out, timers).map(Reply::Accepted)
            }
            Request::Repeat(key) => {
                let known = self.ledger.submitted(SubmissionKey { key, content: 0 }, self.today);
                known.map(|(job, _)| Reply::Accepted(job)).ok_or(Refusal::NoSuchKey(key))
            }
            Request::Extend { job, specs } => {
                self.extend(job, &specs, out, timers).map(|()| Reply::Done)
            }
            Request::Close(job) => self.close_job(job, out, timers).map(|()| Reply::Done),
            Request::Cancel { job, running, reason } => {
                self.cancel(job, (running, Vec::new()), reason, out, timers)
            }
            Request::CancelRun { job, reason, ran } => {
                self.cancel(job, (true, ran), reason, out, timers)
            }
            Request::Hold { job, held, reason } => {
                self.hold(job, held, reason, out, timers).map(|()| Reply::Done)
            }
            Request::Prioritise { job, priority } => {
                self.prioritise(job, priority, out, timers).map(|()| Reply::Done)
            }
            Request::Forget(job) => self.forget_job(job, out).map(|()| Reply::Done),
            Request::Drain { node, drain } => {
                self.drain(node, drain, out, timers);
                Ok(Reply::Done)
            }
            Request::Retry(job) => self.retry(job, out, timers).map(|()| Reply::Done),
            Request::Follow(policy) => {
                self.follow_policy(policy, out, timers);
                Ok(Reply::Done)
            }
            Request::Decree(decree) => self.decree(decree, out, timers).map(|()| Reply::Done),
        };
        self.log.reply(ticket, reply.unwrap_or_else(Reply::Refused), out);
    }

    /// Follows another policy from now on. What nodes have not started is taken back, as it was
    /// given out by the policy before.
    pub(crate) fn follow_policy(&mut self, policy: Policy, out: &mut Outbox, timers: &mut Timers) {
        let other = self.policy.name != policy.name;
        self.policy = policy;
        self.accounts.look_at_machines(self.policy.force.sees_machines());
        self.line_up(out.now);
        self.forget_gauges();
        self.release_all(out);
        self.withdraw_all(out, timers);
        self.reorder();
        if other {
            self.want_back(&Retract::Everything, out);
        }
        self.serve(out, timers);
    }

    fn submit(
        &mut self,
        job: &JobSpec,
        upstream: &[JobRef],
        out: &mut Outbox,
        timers: &mut Timers,
    ) -> Result<JobNo, Refusal> {
        if let Some(key) = job.key
            && let Some((job, first)) = self.ledger.submitted(key, self.today)
        {
            let same = first.content == key.content;
            return if same { Ok(job) } else { Err(Refusal::KeyReused { key: key.key, job }) };
        }
        self.refuse_unfit(&job.specs)?;
        graph::order(&job.specs)?;
        let (bytes, limit) = (job.about.bytes(), About::BYTES_MAX);
        if bytes > limit {
            return Err(Refusal::TooLong { what: "tags and owner", bytes, limit });
        }
        for own in upstream.iter().filter(|one| one.shard == self.log.shard) {
            self.known(own.job)?;
        }
        let (count, limit) = (upstream.len(), self.limits.upstream_jobs_max);
        if count > limit {
            return Err(Refusal::TooManyUpstream { count, limit });
        }
        let mut upstream = upstream.to_vec();
        upstream.sort_unstable();
        upstream.dedup();
        if !upstream.is_empty() {
            let upstream = upstream.clone();
            self.commit(Record::Awaits { upstream }, &mut Consequences::default());
        }
        let no = JobNo(self.ledger.jobs() as u32);
        self.set_levels(no, &job.specs);
        let (name, specs) = (job.name.clone(), Arc::clone(&job.specs));
        let (open, halt, key) = (job.open, job.halt, job.key);
        let about = self.on_record(job.about.clone()).shared();
        let upstream = upstream.into();
        let brief =
            Arc::new(Brief { name: name.clone(), about: Arc::clone(&about), open, upstream });
        let record = Record::Submitted { job: no, name, specs, open, halt, key, about };
        self.take_in((no, SpecNo(0)), &job.specs, record, Some(brief), out, timers);
        self.ask_about(no, out, timers);
        Ok(no)
    }

    /// Runs what did not succeed of a finished job once more.
    fn retry(&mut self, job: JobNo, out: &mut Outbox, timers: &mut Timers) -> Result<(), Refusal> {
        let held = self.ledger.job(job).ok_or(Refusal::NoSuchJob(job))?;
        if !held.is_over() || held.specs().len() == 0 {
            return Err(Refusal::NotRetryable(job));
        }
        let specs: Vec<_> = held.specs().cloned().collect();
        self.specs_held += specs.len() as u64;
        self.set_levels(job, &specs);
        let mut then = Consequences::default();
        self.commit(Record::Retried { job }, &mut then);
        self.log.tell(EventKind::Retried { job }, out);
        let arrivals = self.await_own(job);
        self.follow_all(then, arrivals, out, timers);
        self.ask_about(job, out, timers);
        Ok(())
    }

    fn extend(
        &mut self,
        job: JobNo,
        specs: &Arc<[Arc<TaskSpec>]>,
        out: &mut Outbox,
        timers: &mut Timers,
    ) -> Result<(), Refusal> {
        let first = SpecNo(self.open_job(job)?.specs().len() as u32);
        self.refuse_unfit(specs)?;
        graph::order(specs)?;
        let record = Record::Extended { job, specs: Arc::clone(specs) };
        self.take_in((job, first), specs, record, None, out, timers);
        Ok(())
    }

    fn take_in(
        &mut self,
        (job, first): (JobNo, SpecNo),
        specs: &Arc<[Arc<TaskSpec>]>,
        record: Record,
        brief: Option<Arc<Brief>>,
        out: &mut Outbox,
        timers: &mut Timers,
    ) {
        self.specs_held += specs.len() as u64;
        let mut then = Consequences::default();
        self.commit(record, &mut then);
        let mut arrivals = VecDeque::new();
        if brief.is_some() {
            self.shut(job, out, timers);
            self.lay_out(job, specs, out, timers);
            arrivals = self.await_own(job);
        }
        self.log.tell(EventKind::Submitted { job, first, specs: Arc::clone(specs), brief }, out);
        self.goes_ahead(job, specs);
        self.follow_all(then, arrivals, out, timers);
    }

    fn close_job(
        &mut self,
        job: JobNo,
        out: &mut Outbox,
        timers: &mut Timers,
    ) -> Result<(), Refusal> {
        self.open_job(job)?;
        let mut then = Consequences::default();
        self.commit(Record::Closed { job }, &mut then);
        self.log.tell(EventKind::Closed { job }, out);
        self.follow(then, out, timers);
        Ok(())
    }

    pub(super) fn cancel(
        &mut self,
        job: JobNo,
        (running, ran): (bool, Vec<Stopped>),
        reason: Option<Box<str>>,
        out: &mut Outbox,
        timers: &mut Timers,
    ) -> Result<Reply, Refusal> {
        check_reason(reason.as_deref())?;
        let held = self.known(job)?;
        let counts: Vec<u32> = held.specs().map(|spec| spec.count).collect();
        let was_open = held.open;
        if held.is_over() {
            return Ok(Reply::Over { good: held.is_good() });
        }
        self.unready(job);
        self.forget_gate(job, timers);
        let mut then = Consequences::default();
        self.commit(Record::Stopping { job, reason: reason.clone() }, &mut then);
        self.log.tell(EventKind::Stopping { job, reason }, out);
        self.note_ran(job, ran, out);
        for (spec, count) in counts.into_iter().enumerate() {
            let range = TaskRange { job, spec: SpecNo(spec as u32), first: 0, count };
            self.commit(Record::Cancelled { range, running }, &mut then);
        }
        if was_open {
            self.commit(Record::Closed { job }, &mut then);
        }
        self.follow(then, out, timers);
        if !running {
            self.withdraw_offers(out, timers);
            self.want_back(&Retract::Unstarted(job), out);
        }
        Ok(Reply::Done)
    }

    /// The job of this number, where specs may be added.
    fn open_job(&self, job: JobNo) -> Result<&Job, Refusal> {
        let known = self.known(job)?;
        if known.open { Ok(known) } else { Err(Refusal::Closed(job)) }
    }

    /// Puts on record what of a job runs, as far as nodes still hold it.
    fn note_ran(&mut self, job: JobNo, mut ran: Vec<Stopped>, out: &mut Outbox) {
        ran.retain(|one| {
            let holder = self.ledger.holder(one.range).filter(|_| one.range.job == job);
            holder.is_some_and(|holder| [one.node, NodeId::ANY].contains(&holder.node))
        });
        if !ran.is_empty() {
            self.commit(Record::Ran { items: ran.clone() }, &mut Consequences::default());
            self.log.tell(EventKind::Ran(ran.into()), out);
        }
    }

    /// Refuses what could never run, before anything of it does.
    fn refuse_unfit(&self, specs: &[Arc<TaskSpec>]) -> Result<(), Refusal> {
        if self.low {
            return Err(Refusal::NoRoom);
        }
        let limit = self.limits.home_specs_max;
        let held = self.specs_held;
        if held + specs.len() as u64 > limit {
            return Err(Refusal::Full { held, limit });
        }
        let limit = self.limits.kept_results_max;
        let mut seen = None;
        for spec in specs {
            if let Some((what, fix)) = spec.misformed() {
                return Err(Refusal::Misformed { name: spec.name.clone(), what: what.into(), fix });
            }
            if spec.body.keep_results && spec.count > limit {
                let (name, count) = (spec.name.clone(), spec.count);
                return Err(Refusal::TooManyResults { name, count, limit });
            }
            if seen != Some(Arc::as_ptr(&spec.body)) {
                seen = Some(Arc::as_ptr(&spec.body));
                self.check_placeable(spec)?;
            }
        }
        Ok(())
    }

    fn check_placeable(&self, spec: &TaskSpec) -> Result<(), Refusal> {
        let request = &spec.body.request;
        let function = request.function.as_deref();
        let all = || self.accounts.values().map(|account| &account.peer.info);
        let infos = || all().filter(|info| info.offers.has(function));
        if infos().any(|info| info.can_run(request)) {
            return Ok(());
        }
        if infos().next().is_none() {
            // Who offers the function may come yet, with whatever it has.
            let (name, shortage) = (spec.name.clone(), "no node runs commands".into());
            let waits = function.is_some();
            return if waits { Ok(()) } else { Err(Refusal::Unplaceable { name, shortage }) };
        }
        let labelled = infos().filter(|info| info.has_labels(request));
        let best = labelled.map(|info| info.resources.shortages(&request.resources));
        let nearest = best.min_by_key(Vec::len).and_then(|short| short.into_iter().next());
        let shortage = nearest.map_or_else(
            || {
                let rules = request.labels.iter().map(|rule| {
                    let sign = if rule.not { "!=" } else { "=" };
                    format!("{} {sign} {}", rule.label, rule.value)
                });
                format!("no node has {}", rules.collect::<Vec<_>>().join(" and "))
            },
            |short| short.to_string(),
        );
        Err(Refusal::Unplaceable { name: spec.name.clone(), shortage: shortage.into() })
    }
}
