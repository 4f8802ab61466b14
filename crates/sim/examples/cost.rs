//! Prints what a task costs its home under every preset, where a thousand nodes are known: all that
//! the home's engine does for it, of which placing it is a part. `cost [TASKS [POLICY..]]`; without
//! a policy every preset is lived, and the formula that equals `gravity`.
#![expect(clippy::print_stdout, reason = "an example prints its figures")]

use std::path::Path;
use std::time::Duration;

use bary_policy::preset::PRESETS;
use bary_sim::lab::load::load;
use bary_sim::lab::scenario::{self, Scenario};
use bary_sim::lab::trial::{self, Meter};

/// How many nodes there are.
const NODES: usize = 1_000;
/// How many tasks there are where nobody says.
const TASKS: u32 = 20_000;
/// How often each policy lives them; the least time counts.
const ROUNDS: usize = 3;
/// Presets that tell every node of every claim: a thousand nodes would take minutes, and the cost
/// is not their home's.
const TELL_ALL: [&str; 3] = ["broadcast", "pids-broadcast", "pids-as-written"];
/// The force `gravity` as a formula.
const FORMULA: &str = "force=expr(if(mean_load-load+weight*capacity>0,\
    (mean_load-load+weight*capacity)/(1+round_trip_ms+50*(1-same_region))^2,\
    (mean_load-load+weight*capacity)*(1+round_trip_ms+50*(1-same_region))^2))";
/// The force `gravity` where every node is looked at for every task.
const PUSHED: &str = "binding=push,order=fifo,steal=none";

/// How long homes took.
#[derive(Default)]
struct Stopwatch {
    since: Option<Moment>,
    sum: Duration,
}

#[expect(clippy::disallowed_types, reason = "a measurement needs the clock")]
type Moment = std::time::Instant;

#[expect(clippy::disallowed_methods, reason = "a measurement needs the clock")]
fn now() -> Moment {
    Moment::now()
}

impl Meter for Stopwatch {
    fn begin(&mut self) {
        self.since = Some(now());
    }

    fn end(&mut self) {
        self.sum += self.since.take().map(|since| since.elapsed()).unwrap_or_default();
    }
}

fn world(tasks: u32) -> Result<Scenario, String> {
    let text = format!("seeds = 1\n[[nodes]]\ncount = {NODES}\n[[workload]]\ntasks = {tasks}\n");
    let mut none = |_: &str| Err(std::io::Error::other("there are no traces"));
    let read = scenario::read(&text, Path::new("cost.toml"), &mut none);
    read.map_err(|faults| format!("{} faults", faults.len()))
}

/// Nanoseconds for which a processor has worked for this thread, where the system tells: what
/// other programs of a busy machine take does not count.
fn worked() -> Option<f64> {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    told.split(' ').next()?.parse().ok()
}

/// Microseconds of a processor for a task: what homes took, and the whole run.
fn lived(scenario: &Scenario, policy: &str) -> Result<[f64; 2], String> {
    let load = load(scenario, 1);
    let mut least = [f64::INFINITY; 2];
    for _ in 0..ROUNDS {
        let (mut homes, began, before) = (Stopwatch::default(), now(), worked());
        let trial = trial::metered(scenario, &load, (policy, 1), &mut homes);
        let (wall, after) = (began.elapsed().as_secs_f64(), worked());
        trial.map_err(|error| error.to_string())?;
        let whole = match (before, after) {
            (Some(before), Some(after)) if after > before => (after - before) / 1e9,
            _ => wall,
        };
        // Others interrupt a home's part of a run as often as the rest of it.
        let homes = homes.sum.as_secs_f64() / wall * whole;
        for (least, secs) in least.iter_mut().zip([homes, whole]) {
            *least = least.min(secs * 1e6 / scenario.tasks() as f64);
        }
    }
    Ok(least)
}

fn main() -> Result<(), String> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let tasks = words.first().map_or(Ok(TASKS), |word| word.parse());
    let scenario = world(tasks.map_err(|error| format!("TASKS: {error}"))?)?;
    let mut policies: Vec<(String, String)> =
        words.into_iter().skip(1).map(|policy| (policy.clone(), policy)).collect();
    if policies.is_empty() {
        let presets = PRESETS.iter().filter(|(name, _)| !TELL_ALL.contains(name));
        policies.extend(presets.map(|(name, _)| ((*name).into(), (*name).into())));
        // The same choices twice, so that two rows differ by what the formula costs.
        policies.push(("formula-pulled".into(), format!("gravity,{FORMULA}")));
        policies.push(("gravity-pushed".into(), PUSHED.into()));
        policies.push(("formula-pushed".into(), format!("{PUSHED},{FORMULA}")));
    }
    for (name, policy) in &policies {
        let [homes, whole] = lived(&scenario, policy)?;
        println!("{name} homes {homes:.2} whole {whole:.2}");
    }
    Ok(())
}
