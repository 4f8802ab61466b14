//! All runs of a comparison, on as many threads as there are cores.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use bary_sim::lab::compare::Row;
use bary_sim::lab::load;
use bary_sim::lab::measures::Measures;
use bary_sim::lab::scenario::{Life, Scenario};
use bary_sim::lab::trial::{self, Meter, Trial, TrialError};

use crate::args::Face;
use crate::args::cluster::cores;
use crate::complaint::Complaint;
use crate::screen::Screen;

/// What the system tells of a processor's time is too coarse for a shorter run.
const COARSE: Duration = Duration::from_millis(20);

/// How often progress is shown.
const PACE: Duration = Duration::from_millis(200);

/// What came of all runs.
pub(crate) struct Runs {
    /// A row for each policy with each scaling.
    pub(crate) rows: Vec<Row>,
    /// The first seed's run of each policy.
    pub(crate) first: Vec<Trial>,
    /// How long a processor took for each task of a policy's runs, in microseconds.
    pub(crate) host: Vec<f64>,
    /// The part of it in which homes decided.
    pub(crate) homes: Vec<f64>,
}

/// One run, as it is when it is over.
struct Done {
    measures: Measures,
    trial: Option<Trial>,
    took: Duration,
    decided: Duration,
}

/// How long homes took to decide.
#[derive(Default)]
struct Stopwatch {
    since: Option<Instant>,
    sum: Duration,
}

impl Meter for Stopwatch {
    fn begin(&mut self) {
        self.since = Some(Instant::now());
    }

    fn end(&mut self) {
        self.sum += self.since.take().map(|since| since.elapsed()).unwrap_or_default();
    }
}

/// Every policy with every seed; the same whatever order they run in. The words say on a terminal
/// what these runs are for.
pub(crate) fn all(
    scenario: &Scenario,
    jobs: Option<u32>,
    (screen, what): (&mut Screen, &str),
    face: Face,
) -> Result<Runs, Complaint> {
    let (lives, seeds) = (scenario.lives(), scenario.seeds as usize);
    let many = lives.len() * seeds;
    let threads = (jobs.unwrap_or_else(cores) as usize).clamp(1, many.max(1));
    let (next, over) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let done: Mutex<Vec<Option<Result<Done, TrialError>>>> =
        Mutex::new((0..many).map(|_| None).collect());
    let work = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= many {
                return;
            }
            let one = one(&lives[at % lives.len()], at / lives.len());
            // One that failed makes all others useless.
            if one.is_err() {
                next.store(many, Ordering::Relaxed);
            }
            done.lock().unwrap_or_else(PoisonError::into_inner)[at] = Some(one);
            over.fetch_add(1, Ordering::Relaxed);
        }
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        while threads.iter().any(|thread| !thread.is_finished()) {
            if !face.is_quiet() && std::io::stderr().is_terminal() {
                let over = over.load(Ordering::Relaxed);
                screen.show_bar(&format!("bary: {what}: {over} of {many} runs"));
            }
            thread::park_timeout(PACE);
        }
    });
    screen.hide_bar();
    gathered(scenario, &lives, done.into_inner().unwrap_or_else(PoisonError::into_inner))
}

fn one(life: &Life, number: usize) -> Result<Done, TrialError> {
    let scenario = &*life.scenario;
    let seed = scenario.seed.wrapping_add(number as u64);
    let load = load::load(scenario, seed);
    let mut homes = Stopwatch::default();
    let (began, before) = (Instant::now(), worked());
    let trial = trial::metered(scenario, &load, (&life.policy.name, seed), &mut homes)?;
    let (wall, after) = (began.elapsed(), worked());
    let took = match before.zip(after) {
        Some((before, after)) if wall >= COARSE => after.saturating_sub(before),
        _ => wall,
    };
    // Other programs interrupt a home's part of a run as often as the rest of it.
    let decided = homes.sum.mul_f64(took.as_secs_f64() / wall.as_secs_f64().max(1e-9));
    let measures = trial.measures.clone();
    Ok(Done { measures, trial: (number == 0).then_some(trial), took, decided })
}

/// How long a processor has worked for this thread, where the system tells: what other programs of
/// a busy machine take does not count.
fn worked() -> Option<Duration> {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    told.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}

fn gathered(
    scenario: &Scenario,
    lives: &[Life],
    done: Vec<Option<Result<Done, TrialError>>>,
) -> Result<Runs, Complaint> {
    let named = |life: &Life| Row {
        policy: life.name.clone(),
        runs: Vec::with_capacity(scenario.seeds as usize),
    };
    let mut runs = Runs {
        rows: lives.iter().map(named).collect(),
        first: Vec::new(),
        host: vec![0.0; lives.len()],
        homes: vec![0.0; lives.len()],
    };
    let tasks = scenario.tasks() as f64 * f64::from(scenario.seeds);
    for (at, one) in done.into_iter().enumerate() {
        let Some(one) = one else { continue };
        let one = one.map_err(Complaint::failed)?;
        let life = at % lives.len();
        let seed = scenario.seed.wrapping_add((at / lives.len()) as u64);
        runs.rows[life].runs.push((seed, one.measures));
        runs.host[life] += one.took.as_secs_f64() * 1e6 / tasks;
        runs.homes[life] += one.decided.as_secs_f64() * 1e6 / tasks;
        runs.first.extend(one.trial);
    }
    Ok(runs)
}
