//! The jobs and tasks of the fake node, and what is told of them.

use bary_api::problem::{Kind, Refused};
use bary_api::v1::{self, Job, Task};

/// Its jobs: one that succeeded, one of one task that ended with 7, one that runs.
fn jobs() -> Vec<Job> {
    let ended = Job {
        id: 1,
        name: "good".into(),
        state: "succeeded".into(),
        tasks: 2,
        succeeded: 2,
        submitted: "2026-01-01T00:00:00Z".into(),
        started: "2026-01-01T00:00:01Z".into(),
        finished: "2026-01-01T00:00:03Z".into(),
        tags: [("team".to_owned(), "x".to_owned())].into(),
        after: vec![7],
        progress: 1.0,
        ..Job::default()
    };
    let failed = Job {
        id: 2,
        name: "bad\u{1b}[31m".into(),
        state: "failed".into(),
        tasks: 1,
        succeeded: 0,
        failed: 1,
        exit: 7,
        ..ended.clone()
    };
    let running = Job {
        id: 3,
        name: "long".into(),
        state: "running".into(),
        tasks: 10,
        running: 4,
        succeeded: 5,
        finished: String::new(),
        progress: 0.5,
        ..ended.clone()
    };
    vec![ended, failed, running]
}

/// A task that succeeded.
pub(crate) fn task(job: u32, number: u64) -> Task {
    Task {
        job,
        number,
        name: format!("work[{number}]"),
        state: "succeeded".into(),
        attempt: 1,
        node: "n0".into(),
        run_seconds: 1.5,
        finished: "2026-01-01T00:00:03Z".into(),
        ..Task::default()
    }
}

/// The jobs that are asked for; all where none is named.
pub(crate) fn chosen(wanted: &[u32]) -> Result<Vec<Job>, Refused> {
    let all = jobs();
    if let Some(missing) = wanted.iter().find(|job| !all.iter().any(|there| there.id == **job)) {
        let refused = Refused::new(Kind::NotFound, format!("there is no job {missing}"));
        return Err(refused.help("bary ls lists the jobs there are"));
    }
    Ok(all.into_iter().filter(|job| wanted.is_empty() || wanted.contains(&job.id)).collect())
}

/// The node.
pub(crate) fn node() -> v1::NodeStatus {
    v1::NodeStatus {
        name: "n0".into(),
        state: "up".into(),
        kind: "node".into(),
        slots: 4,
        busy: 1,
        cpus: 4.0,
        memory: 8 << 30,
        labels: [("zone".to_owned(), "a".to_owned())].into(),
        functions: vec!["noop".into()],
        replicas: 3,
        kept_by: vec!["alpha".into(), "beta".into(), "gamma".into()],
        keepers_away: vec!["beta".into()],
        stands_in_for: vec!["beta".into()],
        results_lacking: 2,
        results_lacking_bytes: 3 << 20,
        results_lacking_why: "too few members are there".into(),
        addresses: vec!["10.0.0.1:9877".into()],
        ..Default::default()
    }
}

/// Why the first task of a job is where it is.
pub(crate) fn why(job: u32) -> v1::WhyReply {
    let candidate = v1::Candidate { node: "n0".into(), score: 1.0, reason: "it has room".into() };
    v1::WhyReply {
        task: Some(task(job, 1)),
        answer: "it ran where there was room".into(),
        life: vec![v1::Event { kind: "granted".into(), job, ..Default::default() }],
        candidates: vec![candidate],
    }
}

/// A setting of the cluster.
pub(super) fn setting(key: &str, value: &str) -> v1::Setting {
    let (key, value, at) = (key.to_owned(), value.to_owned(), "2026-01-01T00:00:00Z".to_owned());
    v1::Setting { key, value, version: 1, member: "alpha".into(), at, ..Default::default() }
}

/// What a policy would decide.
pub(crate) fn tried() -> v1::TryPolicyReply {
    v1::TryPolicyReply {
        force: 5.2,
        threshold: 1.0,
        decision: "claim".into(),
        formula: "w / d".into(),
        explanation: "it is near".into(),
        ..v1::TryPolicyReply::default()
    }
}

/// The graph of a cluster.
pub(crate) fn graph() -> v1::GraphReply {
    let (name, nodes) = ("n0".to_owned(), vec!["n0".to_owned()]);
    let way = v1::GraphWay { from: "n0".into(), to: "n1".into(), ..Default::default() };
    let place = v1::GraphPlace { name, nodes, region: 1, ..Default::default() };
    let (places, ways) = (vec![place], vec![way]);
    let step = v1::GraphMove { from: "n0".into(), to: "n1".into(), tasks: 2 };
    let (moves, advice) = (vec![step], "move".into());
    v1::GraphReply { places, ways, regions: 1, moves, advice, ..Default::default() }
}

/// The autoscaler, which has decided once.
pub(crate) fn scale() -> v1::ScaleReply {
    let node = v1::ScaleNode { name: "auto-1".into(), ..Default::default() };
    let act = v1::ScaleDecision { act: "add".into(), node: "auto-1".into(), ..Default::default() };
    let decided = vec![v1::ScaleCount { act: "add".into(), times: 1 }];
    let (plan, nodes, decisions) = ("queue".into(), vec![node], vec![act]);
    v1::ScaleReply { plan, nodes, decisions, decided, ..Default::default() }
}
