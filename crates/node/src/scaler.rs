//! The autoscaler: where this member leads the cluster, it looks at the load now and then, decides
//! by the policy's rules how many members there should be, and has its driver start and stop them.
//! Each decision is on record with its reason. What it does may be done twice, as for a moment two
//! members may lead.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bary_model::time::Span;
use serde_json::json;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::board::clock;
use crate::peers::invites::{Terms, invite};
use crate::peers::roster::Peers;
use crate::scaler::decider::{Act, Decider, Fact, Facts, Step, number};
use crate::scaler::driver::command::UserCommand;
use crate::scaler::driver::local::{Local, Running, take_ended};
use crate::scaler::driver::{Driver, Starter};
use crate::scaler::plan::{Plan, Who};
use crate::scaler::record::{Decision, Known, NOT_YET};
use crate::serve::log::{Level, Log};
use crate::service::Service;
use crate::service::scale::Empty;

pub(crate) mod decider;
pub mod driver;
pub(crate) mod plan;
pub(crate) mod record;

/// How long a member has to join once it was started.
const JOIN_SPAN: Span = Span::secs(600);
/// The directory of a state in which members are that were started here.
const DIR: &str = "scaled";
/// How often a member looks whether it leads, or is told to scale.
const SELDOM: Duration = Duration::from_secs(1);
/// How long a member may take to end once it was stopped, before it is stopped again.
const STOP_SPAN: Duration = Duration::from_secs(10);
/// How long after its driver failed to see one off that is tried again; twice as long after each
/// more, up to the most.
const AGAIN: Duration = Duration::from_secs(5);
const AGAIN_MAX: Duration = Duration::from_secs(600);
/// With what an outcome begins that is none.
const FAILED: &str = "failed";

/// What the autoscaler of a member is told where the cluster's settings say nothing.
#[derive(Clone, Debug, Default)]
pub struct ScaleOptions {
    /// The rule, its bounds and the driver, as `queue,most=8,driver=local`; none where it does
    /// nothing.
    pub plan: Option<Box<str>>,
    /// The command of the driver `command`.
    pub command: Option<Box<str>>,
    /// Starts members as processes of this machine.
    pub starter: Option<Starter>,
}

/// Says what is wrong with a plan, and how to put it right.
///
/// # Errors
/// Where it is none.
pub fn check(text: &str) -> Result<(), String> {
    text.parse::<Plan>().map(drop).map_err(|error| error.to_string())
}

/// Looks, decides and acts, for as long as the member lives.
pub(crate) struct Scaler {
    pub(crate) service: Service,
    pub(crate) peers: Arc<Peers>,
    /// The directory of this member's state.
    pub(crate) state: PathBuf,
    pub(crate) options: ScaleOptions,
    pub(crate) log: Log,
    running: Running,
    decider: Option<Decider>,
    /// Those that were stopped, and when; of some their driver has not seen them off yet.
    stopped: BTreeMap<String, Stopped>,
}

/// A member that was stopped.
#[derive(Clone, Debug)]
struct Stopped {
    at: Instant,
    /// How often its driver failed to see it off, and when it is tried again; none once it has.
    open: Option<(u32, Instant)>,
    reason: String,
}

impl Scaler {
    /// One that has not looked yet.
    pub(crate) fn new(
        service: Service,
        peers: Arc<Peers>,
        state: PathBuf,
        options: ScaleOptions,
        log: Log,
    ) -> Self {
        let (running, decider, stopped) = (Running::default(), None, BTreeMap::new());
        Self { service, peers, state, options, log, running, decider, stopped }
    }

    /// Goes on until `closing` turns true.
    pub(crate) async fn live(mut self, mut closing: watch::Receiver<bool>) {
        let mut news = self.peers.settings_news();
        let mut next = Instant::now();
        loop {
            tokio::select! {
                // Whoever would say so may have gone.
                _ = closing.wait_for(|closing| *closing) => return,
                changed = news.changed() => if changed.is_err() { return },
                () = sleep_until(next) => {}
            }
            let every = self.look().await;
            next = Instant::now() + every;
        }
    }

    /// Looks once, and does what is decided; how long until the next look.
    async fn look(&mut self) -> Duration {
        let (text, command) = self.told();
        let plan = match text.as_deref().map(str::parse::<Plan>).transpose() {
            Ok(plan) => plan,
            Err(error) => {
                let plan = text.unwrap_or_default().into();
                let problem = error.to_string();
                self.service.scaling().know(Known { plan, problem, ..Known::default() });
                self.decider = None;
                return SELDOM;
            }
        };
        let Some(plan) = plan else {
            self.service.scaling().know(Known::default());
            self.decider = None;
            return SELDOM;
        };
        let known = Known {
            plan: text.unwrap_or_default().into(),
            driver: plan.driver.name(),
            least: plan.bounds.least,
            most: plan.bounds.most,
            problem: String::new(),
            wanted: self.decider.as_ref().map_or(0, |decider| decider.wanted),
        };
        self.service.scaling().know(known.clone());
        if !self.peers.leads() {
            self.decider = None;
            return plan.every.to_std().min(SELDOM);
        }
        let facts = self.facts().await;
        let decider = self.decider.get_or_insert_with(|| Decider::new(&facts));
        let mut failed = Vec::new();
        for (name, how) in take_ended(&self.running) {
            if decider.awaits(&name) {
                let wait = decider.on_failed(&name, facts.now).as_secs_f64();
                failed.push((name, format!("{FAILED}: {how}; nothing is added for {wait:.0} s")));
            }
        }
        let steps = decider.look(&plan, &facts);
        self.service.scaling().know(Known { wanted: decider.wanted, ..known });
        for (node, outcome) in failed {
            let (at, act, reason) = (clock::now(), "add", "its process has ended".to_owned());
            self.tell(&plan, Decision { at, act, node, reason, outcome, times: 1 });
        }
        let driver = self.driver(&plan, command);
        for step in steps {
            self.perform(&plan, step, &driver).await;
        }
        if let Some(driver) = &driver {
            self.see_off(&plan, driver).await;
        }
        plan.every.to_std()
    }

    /// What it is told: by the cluster's settings, or else by the member's own.
    fn told(&self) -> (Option<Box<str>>, Option<Box<str>>) {
        let (plan, command) = self.service.cluster_scaling();
        let ScaleOptions { plan: own, command: own_command, .. } = &self.options;
        (plan.or_else(|| own.clone()), command.or_else(|| own_command.clone()))
    }

    fn driver(&self, plan: &Plan, command: Option<Box<str>>) -> Option<Arc<dyn Driver>> {
        match plan.driver {
            Who::Nobody => None,
            Who::Local => {
                let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
                let share = cores / plan.bounds.most.max(1) as usize;
                let slots = plan.slots.unwrap_or_else(|| share.max(1) as u32);
                let (starter, running) = (self.options.starter.clone(), Arc::clone(&self.running));
                let dir = self.state.join(DIR);
                let share = (slots, SocketAddr::new(self.peers.listens_at().ip(), 0));
                Some(Arc::new(Local::new(starter, dir, share, self.log, running)))
            }
            Who::Command => {
                let (timeout, log) = (plan.timeout.to_std(), self.log);
                Some(Arc::new(UserCommand { text: command, timeout, log }))
            }
        }
    }

    /// Counts the cluster.
    async fn facts(&self) -> Facts {
        let drained = self.service.drained();
        let mut facts = Facts { now: self.peers.now(), ..Facts::default() };
        for member in self.peers.census() {
            facts.open += member.work.queued + member.work.running;
            facts.ended += member.work.ended;
            facts.busy_ms += member.work.busy_ms;
            // What a member is home of goes with it, and only its own may go.
            let is_own = number(&member.name).is_some();
            if is_own && member.nodes.is_empty() {
                // It has not said yet what it is.
                continue;
            }
            let mut has_jobs = is_own && member.has_jobs;
            if is_own && !has_jobs && member.busy == 0 {
                has_jobs = self.service.keeps_jobs(&member.name).await;
            }
            facts.members.push(Fact {
                drained: !member.nodes.is_empty() && member.nodes.is_subset(&drained),
                name: member.name.into(),
                slots: member.slots,
                busy: member.busy,
                has_jobs,
            });
        }
        facts
    }

    /// Does what was decided, and puts it on record.
    async fn perform(&mut self, plan: &Plan, step: Step, driver: &Option<Arc<dyn Driver>>) {
        let Step { act, reason } = step;
        if let Act::Stop(name) = &act
            && self.stopped.get(name).is_some_and(|one| one.at.elapsed() < STOP_SPAN)
        {
            return;
        }
        let (verb, node) = match &act {
            Act::Nothing => ("none", String::new()),
            Act::Add(name) => ("add", name.clone()),
            Act::Keep(name) => ("keep", name.clone()),
            Act::Drain(name) => ("drain", name.clone()),
            Act::Stop(name) => ("stop", name.clone()),
        };
        let done = match (&act, driver) {
            (Act::Nothing, _) => Ok(String::new()),
            (_, None) => Ok("not done: the driver is none".to_owned()),
            (Act::Add(name), Some(driver)) => self.add(name, &reason, driver).await,
            (Act::Keep(name), Some(_)) => self.service.scale_node("undrain", name, &reason).await,
            (Act::Drain(name), Some(_)) => self.service.scale_node("drain", name, &reason).await,
            (Act::Stop(name), Some(_)) => self.stop(name, &reason).await,
        };
        let failed = done.is_err();
        let mut outcome = done.unwrap_or_else(|why| format!("{FAILED}: {why}"));
        if let (true, Act::Add(name), Some(decider)) = (failed, &act, &mut self.decider) {
            let wait = decider.on_failed(name, self.peers.now()).as_secs_f64();
            outcome.push_str(&format!("; nothing is added for {wait:.0} s"));
        }
        self.tell(plan, Decision { at: clock::now(), act: verb, node, reason, outcome, times: 1 });
    }

    /// Puts a decision on record, and says it where it is another than the one before.
    fn tell(&self, plan: &Plan, decision: Decision) {
        let Decision { act, node, reason, outcome, .. } = &decision;
        let failed = outcome.starts_with(FAILED);
        let text = match (node.as_str(), outcome.as_str()) {
            ("", _) => format!("autoscaler: nothing to do: {reason}"),
            (node, "") => format!("autoscaler: {act} {node}: {reason}"),
            (node, outcome) => format!("autoscaler: {act} {node}: {reason}; {outcome}"),
        };
        let fields =
            [("act", json!(act)), ("node", json!(node)), ("rule", json!(plan.rule.name()))];
        if self.service.scaling().add(decision) {
            let level = if failed { Level::Warning } else { Level::Info };
            self.log.say(level, &text, &fields);
        }
    }

    /// Has a member come, by a line that lets in it alone.
    async fn add(
        &mut self,
        name: &str,
        reason: &str,
        driver: &Arc<dyn Driver>,
    ) -> Result<String, String> {
        self.stopped.remove(name);
        let terms = Terms { name: None, uses: Some(1), span: Some(JOIN_SPAN), admits: false };
        let (state, driver, of) = (self.state.clone(), Arc::clone(driver), name.to_owned());
        let add = move || {
            let line = invite(&state, &terms).map_err(|error| error.to_string())?;
            driver.add(&of, &line).map_err(|error| error.to_string())
        };
        let added = tokio::task::spawn_blocking(add).await.map_err(|error| error.to_string());
        let added = added.and_then(|added| added);
        self.service.note_scaling(&format!("add {name}"), reason, added.as_ref().err());
        added.map(|()| String::new())
    }

    /// Stops a member where nothing of it is lost with it.
    async fn stop(&mut self, name: &str, reason: &str) -> Result<String, String> {
        if let Empty::Not(why) = self.service.is_empty(name).await {
            return Ok(format!("{NOT_YET}: {why}"));
        }
        self.service.stop_member(name).await?;
        let at = Instant::now();
        let stopped = Stopped { at, open: Some((0, at)), reason: reason.to_owned() };
        self.stopped.insert(name.to_owned(), stopped);
        Ok(String::new())
    }

    /// Has the driver see off those that were stopped; what fails is tried again.
    async fn see_off(&mut self, plan: &Plan, driver: &Arc<dyn Driver>) {
        let now = Instant::now();
        self.stopped.retain(|_, one| one.open.is_some() || one.at.elapsed() < STOP_SPAN);
        for (name, one) in self.stopped.clone() {
            let Some((failed, _)) = one.open.filter(|(_, due)| *due <= now) else { continue };
            let (driver, of) = (Arc::clone(driver), name.clone());
            let remove = move || driver.remove(&of).map_err(|error| error.to_string());
            let removed = tokio::task::spawn_blocking(remove).await;
            let removed = removed.map_err(|error| error.to_string()).and_then(|removed| removed);
            self.service.note_scaling(&format!("stop {name}"), &one.reason, removed.as_ref().err());
            let open = match removed {
                Ok(()) => None,
                Err(why) => {
                    let wait = (AGAIN * (1 << failed.min(8))).min(AGAIN_MAX);
                    let outcome =
                        format!("{FAILED}: {why}; it is tried again in {} s", wait.as_secs());
                    let (at, act, node) = (clock::now(), "stop", name.clone());
                    let reason = "it has been stopped, and its driver is to see it off".to_owned();
                    self.tell(plan, Decision { at, act, node, reason, outcome, times: 1 });
                    Some((failed.saturating_add(1), now + wait))
                }
            };
            if let Some(stopped) = self.stopped.get_mut(&name) {
                stopped.open = open;
            }
        }
    }
}
