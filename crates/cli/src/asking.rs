//! One conversation with a node: finds it, connects, and leaves well on Ctrl-C.

use std::cell::RefCell;
use std::path::Path;

use bary_api::v1::{Job, ListJobsRequest};
use bary_client::address::Address;
use bary_client::client::Client;

use crate::args::Face;
use crate::args::reach::Reach;
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::listing::{Kind, Wish};
use crate::screen::Screen;
use crate::selector::{Jobs, Target};
use crate::verb;

/// A node that is being asked, for one verb.
pub(crate) struct Asking {
    pub(crate) node: Client,
    pub(crate) face: Face,
    /// What is told on Ctrl-C: how to come back.
    come_back: RefCell<Option<String>>,
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
        let come_back = RefCell::new(None);
        let node = Client::connect(&address, token.as_deref()).await?;
        let asking = Asking { node, face, come_back };
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

impl Asking {
    /// What to tell if Ctrl-C comes from here on.
    pub(crate) fn come_back(&self, how: impl Into<String>) {
        *self.come_back.borrow_mut() = Some(how.into());
    }

    /// The numbers of jobs that were named, in their order, each once.
    pub(crate) async fn jobs(&self, named: &[Jobs]) -> Result<Vec<u32>, Complaint> {
        self.jobs_where(named, |_| true).await
    }

    /// The same, where `all` means only those that are wanted.
    pub(crate) async fn jobs_where(
        &self,
        named: &[Jobs],
        wanted: impl Fn(&Job) -> bool,
    ) -> Result<Vec<u32>, Complaint> {
        let mut numbers = Vec::new();
        for jobs in named {
            let found = match jobs.written_out() {
                Some(numbers) => numbers,
                None => self.look_up(jobs, &wanted).await?,
            };
            numbers.extend(found);
        }
        let mut seen = std::collections::BTreeSet::new();
        numbers.retain(|number| seen.insert(*number));
        Ok(numbers)
    }

    async fn look_up(
        &self,
        jobs: &Jobs,
        wanted: &dyn Fn(&Job) -> bool,
    ) -> Result<Vec<u32>, Complaint> {
        let last = *jobs == Jobs::Last;
        let sort = if last { "-id" } else { "id" }.to_owned();
        let request = ListJobsRequest { sort, limit: u32::from(last), ..Default::default() };
        let there = self.node.list_jobs(request).await?.jobs;
        let meant = |job: &&Job| match jobs {
            Jobs::Last => true,
            Jobs::All => wanted(job),
            Jobs::Numbers(_) => jobs.has(job.id),
        };
        let numbers: Vec<u32> = there.iter().filter(meant).map(|job| job.id).collect();
        match (numbers.is_empty(), jobs) {
            (false, _) => Ok(numbers),
            (true, Jobs::Numbers(_)) => Err(Complaint::not_found("no job has such a number")
                .help("bary ls lists the jobs there are")),
            (true, _) if there.is_empty() => {
                Err(Complaint::not_found("there are no jobs").help("submit one: bary submit"))
            }
            // Who asks for all asks for nothing that is not there.
            (true, _) => Err(Complaint::new(Exit::OK, "there is no job left to do this to")),
        }
    }

    /// Each job that was named, with the tasks that are meant of it.
    pub(crate) async fn targets(
        &self,
        named: &[Target],
    ) -> Result<Vec<(u32, Vec<String>)>, Complaint> {
        let mut found: Vec<(u32, Vec<String>)> = Vec::new();
        for target in named {
            for job in self.jobs(std::slice::from_ref(&target.jobs)).await? {
                match found.last_mut() {
                    Some((last, tasks)) if *last == job && !tasks.is_empty() => {
                        tasks.extend(target.tasks.iter().cloned());
                    }
                    _ => found.push((job, target.tasks.clone())),
                }
            }
        }
        Ok(found)
    }

    /// The one job that was named.
    pub(crate) async fn job(&self, named: &Jobs) -> Result<u32, Complaint> {
        match self.jobs(std::slice::from_ref(named)).await?.as_slice() {
            [one] => Ok(*one),
            many => {
                Err(Complaint::usage(format!("{} jobs are named, and one is wanted", many.len())))
            }
        }
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
