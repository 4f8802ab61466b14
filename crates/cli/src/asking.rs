//! One conversation with a node: finds it, connects, and leaves well on Ctrl-C.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;
use std::rc::Rc;

use bary_api::v1::{Job, ListJobsRequest, Task};
use bary_client::address::Address;
use bary_client::client::Client;

use crate::args::Face;
use crate::args::reach::Reach;
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::listing::{Kind, Wish};
use crate::screen::Screen;
use crate::selector::{Jobs, Target, Which};
use crate::verb;

/// A node that is being asked, for one verb. Clones are the same conversation.
#[derive(Clone)]
pub(crate) struct Asking {
    pub(crate) node: Client,
    pub(crate) face: Face,
    /// The member whose jobs are meant, where it is another than the one that is asked.
    pub(crate) home: Option<Box<str>>,
    /// What is told on Ctrl-C: how to come back.
    come_back: Rc<RefCell<Option<String>>>,
}

/// Connects, and does what is to be done until that ends or Ctrl-C comes.
pub(crate) fn run(
    reach: &Reach,
    face: Face,
    work: impl AsyncFnOnce(&Asking) -> Result<Exit, Complaint>,
) -> Result<Exit, Complaint> {
    let address = reach.addr.clone().unwrap_or_else(Address::usual);
    let token = token(reach)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(Complaint::failed)?;
    runtime.block_on(async {
        let come_back = Rc::default();
        let node = Client::connect(&address, token.as_deref()).await?;
        let node = if reach.consistent { node.consistent() } else { node };
        let asking = Asking { node, face, home: None, come_back };
        let asking = asking.at(reach.home.as_deref())?;
        tokio::select! {
            biased;
            heard = tokio::signal::ctrl_c() => {
                heard.map_err(Complaint::failed)?;
                if let (Some(how), false) = (asking.come_back.take(), face.is_quiet()) {
                    let mut screen = Screen::new(face);
                    screen.note(&format!("\nbary: detached; come back with: {how}"));
                }
                Ok(Exit::INTERRUPTED)
            }
            done = work(&asking) => done,
        }
    })
}

/// The token: the file of a flag, else what the environment says, else the file that it or the
/// configuration names.
fn token(reach: &Reach) -> Result<Option<String>, Complaint> {
    let flagged = std::env::args_os()
        .take_while(|word| word != "--")
        .any(|word| word.to_string_lossy().starts_with("--token-file"));
    let said = std::env::var("BARY_TOKEN").ok().filter(|token| !token.is_empty() && !flagged);
    if said.is_some() {
        return Ok(said);
    }
    reach.token_file.as_deref().map(read).transpose()
}

fn read(path: &Path) -> Result<String, Complaint> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(text.trim().to_owned()),
        Err(cause) => {
            let text = format!("the token file {}: {cause}", path.display());
            Err(Complaint::new(Exit::DENIED, text).help("bary up names it when it starts"))
        }
    }
}

/// A row that says whose it is.
pub(crate) trait Homed {
    /// The member.
    fn home(&mut self) -> &mut String;
}

impl Homed for Job {
    fn home(&mut self) -> &mut String {
        &mut self.home
    }
}

impl Homed for Task {
    fn home(&mut self) -> &mut String {
        &mut self.home
    }
}

impl Asking {
    /// What to tell if Ctrl-C comes from here on.
    pub(crate) fn come_back(&self, how: impl Into<String>) {
        *self.come_back.borrow_mut() = Some(how.into());
    }

    /// The same conversation about the jobs of another member; about those that it is about already
    /// where none is named.
    pub(crate) fn at(&self, home: Option<&str>) -> Result<Self, Complaint> {
        let Some(home) = home.filter(|home| self.home.as_deref() != Some(home)) else {
            return Ok(self.clone());
        };
        let node = self.node.at(home)?;
        Ok(Self { node, home: Some(home.into()), ..self.clone() })
    }

    /// How a job is named to this node.
    pub(crate) fn called(&self, job: impl fmt::Display) -> String {
        match &self.home {
            Some(home) => format!("{home}/{job}"),
            None => job.to_string(),
        }
    }

    /// The jobs that were named, by the member whose they are, each once: both in their order.
    pub(crate) async fn jobs(&self, named: &[Jobs]) -> Result<Vec<(Self, Vec<u32>)>, Complaint> {
        self.jobs_where(named, |_| true).await
    }

    /// The same, where `all` means only those that are wanted.
    pub(crate) async fn jobs_where(
        &self,
        named: &[Jobs],
        wanted: impl Fn(&Job) -> bool,
    ) -> Result<Vec<(Self, Vec<u32>)>, Complaint> {
        let mut homes: Vec<(Self, Vec<u32>)> = Vec::new();
        for jobs in named {
            let at = self.at(jobs.home.as_deref())?;
            let found = match jobs.which.written_out() {
                Some(numbers) => numbers,
                None => at.look_up(&jobs.which, &wanted).await?,
            };
            match homes.iter_mut().find(|(known, _)| known.home == at.home) {
                Some((_, numbers)) => numbers.extend(found),
                None => homes.push((at, found)),
            }
        }
        for (_, numbers) in &mut homes {
            let mut seen = BTreeSet::new();
            numbers.retain(|number| seen.insert(*number));
        }
        Ok(homes)
    }

    async fn look_up(
        &self,
        jobs: &Which,
        wanted: &dyn Fn(&Job) -> bool,
    ) -> Result<Vec<u32>, Complaint> {
        let last = *jobs == Which::Last;
        let sort = if last { "-id" } else { "id" }.to_owned();
        let request = ListJobsRequest { sort, limit: u32::from(last), ..Default::default() };
        let there = self.node.list_jobs(request).await?.jobs;
        let meant = |job: &&Job| match jobs {
            Which::Last => true,
            Which::All => wanted(job),
            Which::Numbers(_) => jobs.has(job.id),
        };
        let numbers: Vec<u32> = there.iter().filter(meant).map(|job| job.id).collect();
        match (numbers.is_empty(), jobs) {
            (false, _) => Ok(numbers),
            (true, Which::Numbers(_)) => Err(Complaint::not_found("no job has such a number")
                .help("bary ls lists the jobs there are")),
            (true, _) if there.is_empty() => {
                Err(Complaint::not_found("there are no jobs").help("submit one: bary submit"))
            }
            // Who asks for all asks for nothing that is not there.
            (true, _) => Err(Complaint::new(Exit::OK, "there is no job left to do this to")),
        }
    }

    /// Each job that was named, with the tasks that are meant of it and where it is.
    pub(crate) async fn targets(
        &self,
        named: &[Target],
    ) -> Result<Vec<(Self, u32, Vec<String>)>, Complaint> {
        let mut found: Vec<(Self, u32, Vec<String>)> = Vec::new();
        for target in named {
            for (at, jobs) in self.jobs(std::slice::from_ref(&target.jobs)).await? {
                for job in jobs {
                    match found.last_mut() {
                        Some((last, of, tasks))
                            if (&last.home, *of) == (&at.home, job) && !tasks.is_empty() =>
                        {
                            tasks.extend(target.tasks.iter().cloned());
                        }
                        _ => found.push((at.clone(), job, target.tasks.clone())),
                    }
                }
            }
        }
        Ok(found)
    }

    /// The one job that was named, and where it is.
    pub(crate) async fn job(&self, named: &Jobs) -> Result<(Self, u32), Complaint> {
        let found = self.jobs(std::slice::from_ref(named)).await?;
        match found.as_slice() {
            [(at, jobs)] if jobs.len() == 1 => Ok((at.clone(), jobs[0])),
            many => {
                let many: usize = many.iter().map(|(_, jobs)| jobs.len()).sum();
                Err(Complaint::usage(format!("{many} jobs are named, and one is wanted")))
            }
        }
    }

    /// Rows as they are printed: to people jobs of the node that is asked go by their number.
    pub(crate) fn shown<T: Homed>(&self, mut rows: Vec<T>) -> Vec<T> {
        if self.home.is_none() && !self.face.is_data() {
            rows.iter_mut().for_each(|row| row.home().clear());
        }
        rows
    }

    /// The same of jobs of several members, of which the one of this name has answered.
    pub(crate) fn shown_by(&self, mut jobs: Vec<Job>, answered: &str) -> Vec<Job> {
        if self.home.is_none() && !self.face.is_data() {
            let own = jobs.iter_mut().filter(|job| job.home == answered);
            own.for_each(|job| job.home.clear());
        }
        jobs
    }

    /// Prints rows in the form that is wanted.
    pub(crate) fn print<T: serde::Serialize>(
        &self,
        kind: &Kind<T>,
        rows: &[T],
        format: Option<&str>,
    ) -> Result<(), Complaint> {
        self.say(&kind.text(rows, &Wish::now(self.face, format))?)
    }

    /// Prints to standard output at once.
    pub(crate) fn say(&self, text: &str) -> Result<(), Complaint> {
        verb::print(&mut Screen::new(self.face), text)
    }

    /// Tells people something on standard error.
    pub(crate) fn note(&self, line: &str) {
        if !self.face.is_quiet() {
            Screen::new(self.face).note(&format!("bary: {line}"));
        }
    }
}
