//! What users ask of a home: submit, extend, close, cancel, follow another policy.

use std::sync::Arc;

use bary_ledger::consequences::Consequences;
use bary_ledger::graph;
use bary_ledger::record::Record;
use bary_model::event::EventKind;
use bary_model::id::{JobNo, SpecNo, TaskRange};
use bary_model::job::JobSpec;
use bary_model::message::{Message, Retract};
use bary_model::task::TaskSpec;

use crate::home::Home;
use crate::input::{Refusal, Reply, Request};
use crate::outbox::Outbox;

impl Home {
    pub(crate) fn on_request(&mut self, ticket: u64, request: Request, out: &mut Outbox) {
        let reply = match request {
            Request::Submit(job) => self.submit(&job, out).map(Reply::Accepted),
            Request::Extend { job, specs } => self.extend(job, &specs, out).map(|()| Reply::Done),
            Request::Close(job) => self.close(job, out).map(|()| Reply::Done),
            Request::Cancel { job, running } => {
                self.cancel(job, running, out).map(|()| Reply::Done)
            }
            Request::Follow(policy) => {
                self.policy = policy;
                self.reorder();
                self.serve(out);
                Ok(Reply::Done)
            }
        };
        out.reply(ticket, reply.unwrap_or_else(Reply::Refused));
    }

    fn submit(&mut self, job: &JobSpec, out: &mut Outbox) -> Result<JobNo, Refusal> {
        self.refuse_unfit(&job.specs)?;
        let order = graph::order(&job.specs)?;
        let no = JobNo(self.ledger.jobs() as u32);
        if job.specs.iter().any(|spec| !spec.after.is_empty()) {
            self.levels.insert(no, graph::b_levels(&job.specs, &order));
        }
        let (name, specs) = (job.name.clone(), Arc::clone(&job.specs));
        if let Some(rule) = job.halt {
            self.halts.watch(no, rule);
        }
        let record = Record::Submitted { job: no, name, specs, open: job.open };
        self.take_in(no, SpecNo(0), &job.specs, record, out);
        Ok(no)
    }

    fn extend(
        &mut self,
        job: JobNo,
        specs: &Arc<[Arc<TaskSpec>]>,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        let open = self.ledger.job(job).filter(|held| held.open);
        let first = SpecNo(open.ok_or(Refusal::NoSuchJob(job))?.specs().len() as u32);
        self.refuse_unfit(specs)?;
        graph::order(specs)?;
        let record = Record::Extended { job, specs: Arc::clone(specs) };
        self.take_in(job, first, specs, record, out);
        Ok(())
    }

    fn take_in(
        &mut self,
        job: JobNo,
        first: SpecNo,
        specs: &Arc<[Arc<TaskSpec>]>,
        record: Record,
        out: &mut Outbox,
    ) {
        self.specs_held += specs.len() as u64;
        self.halts.grow(job, specs.iter().map(|spec| u64::from(spec.count)).sum());
        let mut then = Consequences::default();
        self.commit(record, &mut then, out);
        out.tell(EventKind::Submitted { job, first, specs: Arc::clone(specs) });
        self.follow(then, out);
    }

    fn close(&mut self, job: JobNo, out: &mut Outbox) -> Result<(), Refusal> {
        if !self.ledger.job(job).is_some_and(|held| held.open) {
            return Err(Refusal::NoSuchJob(job));
        }
        let mut then = Consequences::default();
        self.commit(Record::Closed { job }, &mut then, out);
        out.tell(EventKind::Closed { job });
        self.follow(then, out);
        Ok(())
    }

    pub(super) fn cancel(
        &mut self,
        job: JobNo,
        running: bool,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        let held = self.ledger.job(job).ok_or(Refusal::NoSuchJob(job))?;
        let counts: Vec<u32> = held.specs().map(|spec| spec.count).collect();
        let was_open = held.open;
        if held.is_over() {
            return Ok(());
        }
        self.ready.remove(job);
        self.stopping.insert(job);
        let mut then = Consequences::default();
        for (spec, count) in counts.into_iter().enumerate() {
            let range = TaskRange { job, spec: SpecNo(spec as u32), first: 0, count };
            self.commit(Record::Cancelled { range, running }, &mut then, out);
        }
        if was_open {
            self.commit(Record::Closed { job }, &mut then, out);
        }
        if !running {
            for &node in self.accounts.keys() {
                out.send_after_held(node, Message::Retract(Retract::Unstarted(job)));
            }
        }
        self.follow(then, out);
        Ok(())
    }

    /// Refuses what could never run, before anything of it does.
    fn refuse_unfit(&self, specs: &[Arc<TaskSpec>]) -> Result<(), Refusal> {
        let limit = self.limits.home_specs_max;
        let held = self.specs_held;
        if held + specs.len() as u64 > limit {
            return Err(Refusal::Full { held, limit });
        }
        let limit = self.limits.kept_results_max;
        let mut seen = None;
        for spec in specs {
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
        let infos = || self.accounts.values().map(|account| &account.peer.info);
        if infos().any(|info| info.can_run(request)) {
            return Ok(());
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
