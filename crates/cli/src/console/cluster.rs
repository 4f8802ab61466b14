//! The servers and tasks of a console: a session with a simulated world, with the numbers that
//! people use, and its news in their terms.

use bary_model::time::{Moment, Span};
use bary_policy::preset::Policy;
use bary_sim::session::task::{Happened, News, Stage};
use bary_sim::session::{Session, Still, SubmitError};

use crate::console::fleet::{Fleet, Happening};
use crate::console::notice::{Named, Notice, What};
use crate::console::seconds;
use crate::console::state::{Running, Server, State};
use crate::console::summary::{Share, Summary};
use crate::console::wrong::{CONSOLE_SERVERS_MAX, CONSOLE_TASKS_MAX, Wrong};

/// Tasks wait in one queue and go, one at a time, to the idle server that would be done soonest.
pub(crate) const POLICY: &str = "fifo,force=least-loaded,alpha=0.001";

/// A cluster as people see it.
pub(crate) struct Cluster<'a> {
    pub(crate) session: Session<'a>,
    /// By number, from 1; the first is the home's.
    times: Vec<Times>,
    /// At which server each task was said to be.
    said: Vec<Option<usize>>,
    /// Where tasks that have not ended begin among all.
    first_open: usize,
    /// The processes that stand for servers, where they do.
    fleet: Option<Fleet>,
}

/// When a server was there, and what it did.
#[derive(Clone, Copy, Debug, Default)]
struct Times {
    since: Option<Moment>,
    before: Span,
    done: usize,
}

/// Why a command was not done, or nothing can be done any more.
#[derive(Debug)]
pub(crate) enum Trouble {
    Wrong(Wrong),
    Still(Still),
}

impl From<Wrong> for Trouble {
    fn from(wrong: Wrong) -> Self {
        Self::Wrong(wrong)
    }
}

impl From<Still> for Trouble {
    fn from(still: Still) -> Self {
        Self::Still(still)
    }
}

impl<'a> Cluster<'a> {
    /// A cluster of so many servers of speed 1, each a process where there is a fleet for them.
    pub(crate) fn new(
        session: Session<'a>,
        servers: usize,
        fleet: Option<Fleet>,
    ) -> Result<Self, Trouble> {
        let times = vec![Times::default(); CONSOLE_SERVERS_MAX + 1];
        let mut made = Self { session, times, said: Vec::new(), first_open: 0, fleet };
        for server in 1..=servers {
            made.join(server, 1.0)?;
        }
        Ok(made)
    }

    pub(crate) fn now(&self) -> Moment {
        self.session.now()
    }

    /// The numbers of the servers that are there.
    pub(crate) fn servers(&self) -> Vec<usize> {
        let there = |server: &usize| self.times[*server].since.is_some();
        (1..self.times.len()).filter(there).collect()
    }

    /// The server that somebody named.
    pub(crate) fn server(&self, word: &str) -> Result<usize, Wrong> {
        let servers = self.servers();
        let named = word.parse().ok().filter(|number| servers.contains(number));
        named.ok_or_else(|| Wrong::NoSuchServer { word: word.to_owned(), servers })
    }

    fn notice(&self, what: What) -> Notice {
        Notice { at: self.now(), what }
    }

    /// Adds tasks that take so many thousandths of a second at speed 1, all or none.
    pub(crate) fn add(&mut self, times: &[u64]) -> Result<Vec<Notice>, Trouble> {
        if self.said.len() + times.len() > CONSOLE_TASKS_MAX {
            return Err(Wrong::TooManyTasks.into());
        }
        if self.servers().is_empty() {
            return Err(Wrong::WithoutServers.into());
        }
        let mut notices = Vec::new();
        for time in times {
            let task = match self.session.submit(*time) {
                Ok(task) => task,
                Err(SubmitError::Still(still)) => return Err(still.into()),
                Err(SubmitError::Refused(refusal)) => {
                    return Err(Wrong::Refused(refusal.to_string()).into());
                }
            };
            self.said.push(None);
            notices.extend(self.heard());
            match self.session.tasks()[task].stage {
                Stage::Queued => notices.push(self.notice(What::Queued(self.named(task)))),
                Stage::Bound(server) => {
                    self.said[task] = Some(server);
                    notices.push(self.notice(What::Sent(self.named(task), server)));
                }
                Stage::Runs(_) | Stage::Done { .. } => {}
            }
        }
        Ok(notices)
    }

    /// Adds a server, under the lowest number that is free.
    pub(crate) fn add_server(&mut self, speed: f64) -> Result<Vec<Notice>, Trouble> {
        let free = (1..self.times.len()).find(|server| self.times[*server].since.is_none());
        let server = free.ok_or(Wrong::TooManyServers)?;
        self.join(server, speed)?;
        let mut notices = vec![self.notice(What::Joined(server, speed))];
        notices.extend(self.heard());
        Ok(notices)
    }

    fn join(&mut self, server: usize, speed: f64) -> Result<(), Trouble> {
        if let Some(fleet) = &mut self.fleet {
            let begun = fleet.begin(server);
            begun.map_err(|cause| Wrong::Refused(format!("no process begins: {cause}")))?;
        }
        self.times[server].since = Some(self.now());
        Ok(self.session.join(server, speed)?)
    }

    /// Takes a server out; what it ran is queued again.
    pub(crate) fn remove_server(&mut self, word: &str) -> Result<Vec<Notice>, Trouble> {
        let server = self.server(word)?;
        Ok(self.take_out(server, What::Left(server))?)
    }

    /// Takes a server out, and says why.
    pub(crate) fn take_out(&mut self, server: usize, why: What) -> Result<Vec<Notice>, Still> {
        let times = &mut self.times[server];
        if let Some(since) = times.since.take() {
            times.before += self.session.now().since(since);
        }
        self.fleet.iter_mut().for_each(|fleet| fleet.end(server));
        self.session.leave(server)?;
        let mut notices = vec![self.notice(why)];
        notices.extend(self.heard());
        Ok(notices)
    }

    pub(crate) fn set_speed(&mut self, word: &str, speed: f64) -> Result<Vec<Notice>, Trouble> {
        let server = self.server(word)?;
        self.session.set_speed(server, speed)?;
        let mut notices = vec![self.notice(What::SpeedSet(server, speed))];
        notices.extend(self.heard());
        Ok(notices)
    }

    pub(crate) fn follow(&mut self, policy: &Policy) -> Result<Vec<Notice>, Trouble> {
        self.session.follow(policy)?;
        let mut notices = vec![self.notice(What::PolicySet(policy.name.clone()))];
        notices.extend(self.heard());
        Ok(notices)
    }

    /// Lets time go by; real time where servers are processes.
    pub(crate) fn live_until(&mut self, until: Moment) -> Result<Vec<Notice>, Still> {
        let mut notices = Vec::new();
        loop {
            let happening = self.fleet.as_mut().and_then(|fleet| fleet.wait(until));
            let now = self.clock().filter(|_| happening.is_some()).unwrap_or(until);
            self.session.live_until(now.min(until))?;
            notices.extend(self.heard());
            match happening {
                Some(Happening::Done(server, run)) => self.session.run_ended(server, run)?,
                Some(Happening::Gone(server)) => {
                    notices.extend(self.take_out(server, What::Lost(server))?);
                }
                None => return Ok(notices),
            }
            notices.extend(self.heard());
        }
    }

    /// The time on the wall, where servers are processes and nothing else counts.
    pub(crate) fn clock(&self) -> Option<Moment> {
        self.fleet.as_ref().map(Fleet::now)
    }

    /// Takes in what has happened since the last command, where time goes by itself.
    pub(crate) fn catch_up(&mut self) -> Result<Vec<Notice>, Still> {
        self.clock().map_or(Ok(Vec::new()), |now| self.live_until(now))
    }

    /// Whether tasks run or wait.
    pub(crate) fn is_busy(&mut self) -> bool {
        self.skip_done();
        self.first_open < self.session.tasks().len()
    }

    fn skip_done(&mut self) {
        let tasks = &self.session.tasks()[self.first_open..];
        self.first_open += tasks.iter().take_while(|task| task.is_over()).count();
    }

    fn named(&self, task: usize) -> Named {
        Named { number: task + 1, work: self.session.tasks()[task].work }
    }

    /// The news of the world that people were not told in other words before. What it has begun
    /// is handed to the processes.
    fn heard(&mut self) -> Vec<Notice> {
        self.fleet.iter_mut().for_each(|fleet| fleet.hand_out(&self.session));
        let news = self.session.news();
        news.into_iter().filter_map(|news| self.told(news)).collect()
    }

    fn told(&mut self, news: News) -> Option<Notice> {
        let News { at, task, node, what } = news;
        if task == self.said.len() {
            self.said.push(None);
        }
        let named = self.named(task);
        let what = match what {
            Happened::Started if self.said[task] == Some(node) => return None,
            Happened::Started => {
                self.said[task] = Some(node);
                What::Sent(named, node)
            }
            Happened::Ended { .. } => {
                self.times[node].done += 1;
                What::Finished(named, node)
            }
            Happened::Returned => {
                self.said[task] = None;
                What::Returned(named, node)
            }
        };
        Some(Notice { at, what })
    }

    /// How things are now.
    pub(crate) fn state(&mut self) -> State {
        self.skip_done();
        let mut bound = vec![0; self.times.len()];
        let mut queue = Vec::new();
        for (task, is) in self.session.tasks().iter().enumerate().skip(self.first_open) {
            match is.stage {
                Stage::Queued => queue.push((task + 1, is.work)),
                Stage::Bound(server) => bound[server] += 1,
                Stage::Runs(_) | Stage::Done { .. } => {}
            }
        }
        let servers = self.servers().into_iter().map(|number| Server {
            number,
            speed: self.session.speed(number),
            running: self.running(number),
            bound: bound[number],
            done: self.times[number].done,
            process: self.fleet.as_ref().and_then(|fleet| fleet.process(number)),
        });
        State { at: self.now(), servers: servers.collect(), queue }
    }

    fn running(&self, server: usize) -> Option<Running> {
        let running = self.session.running(server)?;
        let told = self.fleet.as_ref().and_then(|fleet| fleet.left(server));
        let left = told.map(|left| seconds::stepped(left, running.takes));
        let left = left.unwrap_or_else(|| (running.began + running.takes).since(self.now()));
        Some(Running { task: running.task + 1, takes: running.takes, left })
    }

    /// What it all came to.
    pub(crate) fn summary(&self) -> Summary {
        let now = self.now();
        let (mut done, mut running, mut waiting) = (0_usize, 0, 0);
        let (mut wait, mut response) = (0.0, 0.0);
        for task in self.session.tasks() {
            match task.stage {
                Stage::Queued | Stage::Bound(_) => waiting += 1,
                Stage::Runs(_) => running += 1,
                Stage::Done { at, .. } => {
                    done += 1;
                    let began = task.began.unwrap_or(task.submitted);
                    wait += began.since(task.submitted).as_secs_f64();
                    response += at.since(task.submitted).as_secs_f64();
                }
            }
        }
        let means = (done > 0).then(|| (wait / done as f64, response / done as f64));
        let were = (1..self.times.len()).filter(|server| {
            let times = self.times[*server];
            times.since.is_some() || times.before > Span::ZERO
        });
        let servers = were.map(|server| self.share(server)).collect();
        Summary { time: now.since(Moment(0)), done, running, waiting, means, servers }
    }

    fn share(&self, number: usize) -> Share {
        let (times, now) = (self.times[number], self.now());
        let there = times.before + times.since.map(|since| now.since(since)).unwrap_or_default();
        let goes_on = self.session.running(number);
        let goes_on = goes_on.map(|running| now.since(running.began)).unwrap_or_default();
        let busy = (self.session.busy(number) + goes_on).as_secs_f64();
        let busy = (busy / there.as_secs_f64().max(1e-9)).min(1.0);
        Share { number, done: times.done, busy }
    }
}
