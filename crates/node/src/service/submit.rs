//! Taking jobs in: as the Rust client builds them, as the text of a job file, or as tasks that
//! differ by their input only.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use bary_api::problem::{Kind, Refused};
use bary_api::v1::extend_request::More;
use bary_api::v1::submit_request::Job;
use bary_api::v1::{ExtendReply, ExtendRequest, SubmitReply, SubmitRequest};
use bary_api::verb::Verb;
use bary_api::{chunks, spec};
use bary_engine::input::Request;
use bary_identity::calendar;
use bary_jobfile::fault::Fault;
use bary_jobfile::files::NoFiles;
use bary_jobfile::read::{self, ReadOptions};
use bary_model::action::{Action, Capture, Stdin};
use bary_model::id::JobNo;
use bary_model::job::{About, JobRef, JobSpec};
use bary_model::task::{Body, TaskSpec};

use prost::Message;

use crate::board::{Room, clock};
use crate::cluster::Durability;
use crate::service::caller::Caller;
use crate::service::{Inner, Service, jobs, keys, tasks};

impl Service {
    /// Takes a job in; the reply is a promise as strong as the state is durable.
    ///
    /// # Errors
    /// Where it is wrong, can never run, or there is no room; nothing of it is kept then.
    pub async fn submit(
        &self,
        caller: &Caller,
        request: SubmitRequest,
    ) -> Result<SubmitReply, Refused> {
        let leave = self.admit(caller, Verb::Submit, request.name.as_str())?;
        leave.settle(self.submit_admitted(caller, request).await)
    }

    /// As [`Service::submit`], for whoever was admitted.
    pub(super) async fn submit_admitted(
        &self,
        caller: &Caller,
        request: SubmitRequest,
    ) -> Result<SubmitReply, Refused> {
        let Wanted { request, tasks, bytes } = self.wanted(caller, request).await?;
        let room = self.0.room_for(bytes).await?;
        let job = self.0.ask_for_job(request, Some(room)).await?;
        Ok(self.0.accepted(job, tasks))
    }

    /// What a submission comes to.
    pub(super) async fn wanted(
        &self,
        caller: &Caller,
        request: SubmitRequest,
    ) -> Result<Wanted, Refused> {
        if chunks::bytes(&request) <= READ_HERE_BYTES_MAX {
            return self.0.submission(caller, request);
        }
        // The threads of the doors have others to answer meanwhile.
        let (service, caller) = (self.clone(), caller.clone());
        let read = move || service.0.submission(&caller, request);
        let lost = |_| Refused::new(Kind::Internal, "the submission was not read");
        tokio::task::spawn_blocking(read).await.map_err(lost)?
    }

    /// Adds tasks to an open job.
    ///
    /// # Errors
    /// Where there is no such open job, or the tasks are wrong; none is added then.
    pub async fn extend(
        &self,
        caller: &Caller,
        request: ExtendRequest,
    ) -> Result<ExtendReply, Refused> {
        let leave = self.admit(caller, Verb::Extend, request.job.to_string())?;
        leave.settle(self.0.extend(request).await)
    }
}

/// The most bytes of a submission that is read at once.
const READ_HERE_BYTES_MAX: usize = 1 << 20;

/// What a submission comes to.
pub(super) struct Wanted {
    /// What the home is asked for.
    pub(super) request: Request,
    /// How many tasks that is.
    pub(super) tasks: u64,
    /// About how many bytes of the journal it takes.
    pub(super) bytes: usize,
}

impl Inner {
    /// Room on the way into the journal; waits for it.
    pub(super) async fn room_for(&self, bytes: usize) -> Result<Room, Refused> {
        let most = self.limits.submissions_bytes_max;
        if bytes > most {
            let title = format!("the job has {bytes} bytes of {most} (submissions_bytes_max)");
            return Err(Refused::new(Kind::TooLarge, title).help(chunks::IN_PARTS));
        }
        let places = u32::try_from(places(bytes)).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.room).acquire_many_owned(places).await;
        room.map_err(|_| self.stopped())
    }

    /// Whether an acknowledgement can be worth what is asked for.
    pub(super) fn check_durability(&self, wanted: &str) -> Result<(), Refused> {
        match (wanted, self.cluster.durability()) {
            ("" | "memory", _)
            | ("disk", Durability::Disk | Durability::Replicated)
            | ("replicated", Durability::Replicated) => Ok(()),
            ("replicated", _) => {
                let title = "no majority of members keeps the jobs of this node by now";
                let help = "have it begin with --replicas 3, or ask for less: --durability disk";
                Err(Refused::new(Kind::Conflict, title).help(help))
            }
            ("disk", Durability::Memory) => {
                let title = "this node keeps no state, so that nothing is kept on disk";
                let help = "ask one that does: bary up; or ask for less: --durability memory";
                Err(Refused::new(Kind::Conflict, title).help(help))
            }
            (other, _) => {
                let title = format!("`{other}` is no durability");
                Err(invalid(title).help("there are memory, disk and replicated"))
            }
        }
    }

    /// The answer to a submission that was accepted.
    pub(super) fn accepted(&self, job: JobNo, tasks: u64) -> SubmitReply {
        let durability = self.cluster.durability().name().to_owned();
        SubmitReply { job: jobs::shown_no(job), tasks, durability }
    }

    /// What the home is asked for.
    pub(super) fn submission(
        &self,
        caller: &Caller,
        mut request: SubmitRequest,
    ) -> Result<Wanted, Refused> {
        self.check_durability(&request.durability)?;
        let key = keys::of(&mut request, &caller.name)?;
        let sent = chunks::bytes(&request);
        let content = request.job.take();
        let is_file = matches!(content, Some(Job::File(_)));
        let mut job = match content {
            Some(Job::Spec(bytes)) => decoded(&bytes)?,
            Some(Job::File(text)) => read(&text, &request.name, &request.params)?,
            Some(Job::Tasks(tasks)) => {
                let (name, spec) = tasks::spec(tasks)?;
                JobSpec::new(name, [spec])
            }
            None if request.open => JobSpec::new("job", []),
            None => return Err(invalid("a submission has a spec, a file or tasks")),
        };
        if !request.name.is_empty() {
            job.name = request.name.as_str().into();
        }
        job.open |= request.open;
        job.key = key;
        job.specs = here(job.specs)?;
        job.about = about(caller, &request, std::mem::take(&mut job.about))?;
        let tasks = job.tasks();
        // A file says in few words what takes many bytes.
        let bytes = if is_file { spec::bytes(&job).unwrap_or(sent) } else { sent };
        if request.after.is_empty() {
            return Ok(Wanted { request: Request::Submit(job), tasks, bytes });
        }
        let books = self.board.read();
        let upstream = request.after.iter().map(|&no| {
            let job = jobs::no(no)?;
            books.job(job).ok_or_else(|| jobs::unknown(no, &books.home))?;
            Ok(JobRef { shard: self.shard, job })
        });
        let upstream = upstream.collect::<Result<Vec<JobRef>, Refused>>()?;
        Ok(Wanted { request: Request::SubmitAfter { job, upstream }, tasks, bytes })
    }

    pub(super) async fn extend(&self, request: ExtendRequest) -> Result<ExtendReply, Refused> {
        let job = jobs::no(request.job)?;
        let mut bytes = request.encoded_len();
        let specs = match request.more {
            Some(More::Spec(bytes)) => decoded(&bytes)?.specs,
            Some(More::File(text)) => {
                let more = read(&text, "job", &BTreeMap::new())?;
                bytes = spec::bytes(&more).unwrap_or(bytes);
                more.specs
            }
            Some(More::Tasks(tasks)) => [tasks::spec(tasks)?.1].into(),
            None => return Err(invalid("nothing is added: give a spec, a file or tasks")),
        };
        let room = self.room_for(bytes).await?;
        self.ask_in(0, Request::Extend { job, specs: here(specs)? }, Some(room)).await?;
        let tasks = self.board.read().job(job).map_or(0, |row| row.tasks);
        Ok(ExtendReply { tasks })
    }
}

/// Room is counted in places of a KiB.
pub(super) fn places(bytes: usize) -> usize {
    bytes.div_ceil(1 << 10).max(1)
}

/// The files of a job file that came over a wire: paths of whoever submits mean nothing here, and
/// those of this machine are not theirs to read.
const NO_FILES: NoFiles = NoFiles {
    why: "a node reads no files for a job file that is sent to it; `bary submit` reads them where \
          they are and sends what it has read",
};

fn decoded(bytes: &[u8]) -> Result<JobSpec, Refused> {
    Ok(spec::decode(bytes)?)
}

fn read(text: &str, name: &str, params: &BTreeMap<String, String>) -> Result<JobSpec, Refused> {
    let set = params.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    let options = ReadOptions { set, ..ReadOptions::default() };
    let converted = if text.trim_start().starts_with('{') { Some(toml(text)?) } else { None };
    let text = converted.as_deref().unwrap_or(text);
    let path = if name.is_empty() { "job" } else { name };
    let file = read::read(text, Path::new(path), &options, &NO_FILES);
    file.map(|file| file.spec).map_err(|faults| wrong(&faults))
}

/// A job file in JSON as the TOML that says the same.
fn toml(json: &str) -> Result<String, Refused> {
    let wrong = |error: String| invalid(format!("the job file is no JSON of a job: {error}"));
    let table: toml::Table =
        serde_json::from_str(json).map_err(|error| wrong(error.to_string()))?;
    toml::to_string(&table).map_err(|error| wrong(error.to_string()))
}

/// Faults of a job file as one refusal: the first in its title, all of them in its help.
fn wrong(faults: &[Fault]) -> Refused {
    let told = faults.iter().map(|fault| {
        let place = fault.place.as_ref();
        let place = place.map_or_else(String::new, |at| format!("{}:{}: ", at.line, at.column));
        let fix = fault.fix.as_ref().map_or_else(String::new, |fix| format!(" ({fix})"));
        format!("{place}{}{fix}", fault.message)
    });
    let told: Vec<String> = told.collect();
    let title = match told.as_slice() {
        [first, _, ..] => format!("{first}, and {} more", told.len() - 1),
        _ => told.concat(),
    };
    invalid(title).help(told.join("\n"))
}

/// What a submission says of its job; what the job says of itself stays where it says nothing.
fn about(caller: &Caller, request: &SubmitRequest, own: About) -> Result<About, Refused> {
    let mut tags = own.tags;
    let more = request.tags.iter().map(|(tag, value)| (tag.as_str().into(), value.as_str().into()));
    tags.extend(more);
    let not_before = match request.at.as_str() {
        "" => own.not_before,
        at => Some(calendar::parse(at).ok_or_else(|| {
            invalid(format!("`{at}` is no moment")).help("write 2026-01-31T13:00:00Z")
        })?),
    };
    let about = About {
        tags,
        owner: caller.name.clone(),
        submitted: Some(clock::now()),
        not_before,
        priority: own.priority.saturating_add(request.priority),
        held: own.held | request.hold,
        deadline: own.deadline,
        copies: match request.copies {
            0 => own.copies,
            copies => u8::try_from(copies)
                .map_err(|_| invalid(format!("`copies` is {copies}")).help("it is 255 at most"))?,
        },
    };
    if about.bytes() > About::BYTES_MAX {
        let title = format!("tags have at most {} bytes in all", About::BYTES_MAX);
        return Err(Refused::new(Kind::TooLarge, title));
    }
    Ok(about)
}

/// Specs as a node runs them: a command reads nothing from the node's own input, and who follows
/// it sees its output as it comes.
///
/// # Errors
/// Where one takes results of equal work that could not stand for its own.
fn here(specs: Arc<[Arc<TaskSpec>]>) -> Result<Arc<[Arc<TaskSpec>]>, Refused> {
    for spec in specs.iter() {
        if let Some(what) = spec.body.uncacheable() {
            let what = format!("`{}` takes results from the cache, but {what}", spec.name);
            return Err(invalid(what).help("leave out `cache`, or have it print its result"));
        }
    }
    if !specs.iter().any(|spec| differs(&spec.body)) {
        return Ok(specs);
    }
    let mut made: BTreeMap<*const Body, Arc<Body>> = BTreeMap::new();
    let each = specs.iter().map(|spec| {
        if !differs(&spec.body) {
            return Arc::clone(spec);
        }
        let body = made.entry(Arc::as_ptr(&spec.body)).or_insert_with(|| {
            let mut body = Body::clone(&spec.body);
            let around = &mut body.surroundings;
            if around.stdin == Stdin::Inherit {
                around.stdin = Stdin::Null;
            }
            around.capture = Capture::Lines;
            Arc::new(body)
        });
        Arc::new(TaskSpec { body: Arc::clone(body), ..TaskSpec::clone(spec) })
    });
    Ok(each.collect())
}

fn differs(body: &Body) -> bool {
    let around = &body.surroundings;
    let command = matches!(body.action, Action::Command { .. });
    command && (around.capture != Capture::Lines || around.stdin == Stdin::Inherit)
}

fn invalid(title: impl Into<String>) -> Refused {
    Refused::new(Kind::Invalid, title)
}
