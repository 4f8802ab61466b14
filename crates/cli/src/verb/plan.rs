//! `bary plan`: what a job file will take with each policy on today's nodes, foretold by living
//! it in virtual time. Nothing is submitted and nothing runs.

use std::io::Read;
use std::path::Path;

use bary_api::v1::{LearntTime, NodeStatus};
use bary_jobfile::files::Disk;
use bary_jobfile::limits::JOB_FILE_BYTES_MAX;
use bary_jobfile::read::{self, ReadOptions};
use bary_model::id::NodeId;
use bary_model::job::JobSpec;
use bary_model::machine::{Machine, offered_mib};
use bary_model::node::{NodeInfo, Offers};
use bary_model::resources::Resources;
use bary_model::time::Span;
use bary_policy::learnt;
use bary_policy::preset::{self, PolicyError};
use bary_sim::lab::named::{self, POLICIES};
use bary_sim::lab::outlook::{Outlook, OutlookError, Pace, Site, outlook};
use comfy_table::Table;
use comfy_table::presets::NOTHING;
use serde_json::{Value, json};

use crate::args::Face;
use crate::args::cluster::cores;
use crate::args::plan::PlanArgs;
use crate::asking;
use crate::complaint::Complaint;
use crate::counted::counted;
use crate::exit::Exit;
use crate::listing;
use crate::screen::Screen;
use crate::sources;
use crate::verb;

/// The memory that a node of `--nodes` is taken to have.
const MEMORY: u64 = 1 << 40;
/// How far apart the nodes of `--nodes` are taken to be, there and back.
const NEARBY: Span = Span::millis(2);
/// With how many seeds each policy is foretold.
const SEEDS: u64 = 3;
/// Up to how many times the best a policy counts as no worse.
const NEAR: f64 = 1.01;

/// What is foretold of a policy: its runs, the middle one between the others.
struct Row {
    policy: String,
    runs: Vec<Outlook>,
}

/// What a job is foretold on, and with what.
struct Ground {
    nodes: Vec<Site>,
    pace: Pace,
    policies: Vec<String>,
    /// The policy that is followed anyway.
    followed: String,
}

/// Foretells a job.
pub(crate) fn run(args: &PlanArgs, face: Face) -> Result<Exit, Complaint> {
    let job = job(args)?;
    let named = policies(args)?;
    if let Some(count) = args.nodes {
        let nodes = (0..u64::from(count)).map(|id| like_this(id, &job)).collect();
        let pace = pace(&job, args.unit, &[]);
        let policies = named.unwrap_or_else(usual);
        let ground = Ground { nodes, pace, policies, followed: POLICIES[0].to_owned() };
        let text = shown(&rows(&job, &ground)?, &ground, face);
        verb::print(&mut Screen::new(face), &text)?;
        return Ok(Exit::OK);
    }
    asking::run(&args.reach, face, async |asking| {
        let nodes = asking.node.list_nodes(&[]).await?.nodes;
        let up = nodes.iter().filter(|node| node.state == "up");
        let nodes: Vec<Site> = (0..).zip(up).map(|(id, node)| told(id, node)).collect();
        if nodes.is_empty() {
            let complaint = Complaint::new(Exit::UNPLACEABLE, "no node takes work just now");
            return Err(complaint.help("bary node ls shows them; --nodes N foretells without"));
        }
        let follows = asking.node.list_policies().await?;
        let pace = pace(&job, args.unit, &follows.learnt);
        let followed = follows.followed;
        let mut policies = named.clone().unwrap_or_else(usual);
        if preset::parse(&followed).is_ok() && !policies.contains(&followed) {
            policies.push(followed.clone());
        }
        let ground = Ground { nodes, pace, policies, followed };
        asking.say(&shown(&rows(&job, &ground)?, &ground, face))?;
        Ok(Exit::OK)
    })
}

/// How long the tasks of each spec run: as is said of them, or else as others took that ran the
/// same.
fn pace(job: &JobSpec, unit: Span, learnt: &[LearntTime]) -> Pace {
    let specs = job.specs.iter().map(|spec| {
        let kind = String::from_utf8_lossy(learnt::kind(&spec.body));
        let of_kind = learnt.iter().find(|time| !kind.is_empty() && time.function == kind);
        let said = Some(spec.estimate).filter(|said| *said > Span::ZERO);
        said.or_else(|| of_kind.map(|time| Span::from_secs_f64(time.seconds)))
    });
    Pace { specs: specs.collect(), unit }
}

/// The policies that are foretold where none is named.
fn usual() -> Vec<String> {
    POLICIES.iter().map(|name| (*name).to_owned()).collect()
}

fn job(args: &PlanArgs) -> Result<JobSpec, Complaint> {
    let path = &args.file;
    let name = if path.as_os_str() == "-" { Path::new("job.toml") } else { path };
    let mut text = String::new();
    let mut from = sources::open(path)?.take(JOB_FILE_BYTES_MAX + 1);
    from.read_to_string(&mut text).map_err(|cause| sources::read_error(path, cause))?;
    let set = args.set.iter().map(|pair| (pair.name.clone(), pair.value.clone()));
    let options = ReadOptions { set: set.collect(), ..ReadOptions::default() };
    Ok(read::read(&text, name, &options, &Disk)?.spec)
}

/// The policies that the command line names, if it names any.
fn policies(args: &PlanArgs) -> Result<Option<Vec<String>>, Complaint> {
    if args.policy.is_empty() {
        return Ok(None);
    }
    let texts = args.policy.iter().flat_map(|text| verb::sim::lab::policies(text));
    let wrong = |error: PolicyError| Complaint::usage(&error).help(named::hint(&error));
    let parsed = texts.map(|text| preset::parse(&text).map(|policy| policy.name).map_err(wrong));
    parsed.collect::<Result<_, _>>().map(Some)
}

/// A node of this machine's cores that has whatever else a task of the job may ask for.
fn like_this(id: u64, job: &JobSpec) -> Site {
    let mut resources = Resources { memory: MEMORY, ..Resources::cpus(cores()) };
    for spec in job.specs.iter() {
        for (name, amount) in &spec.body.request.resources.named {
            let there = resources.named.entry(name.clone()).or_default();
            *there = (*there).max(*amount);
        }
    }
    let info = NodeInfo {
        id: NodeId(id),
        name: format!("n{id}").into(),
        region: "r0".into(),
        resources,
        slots: cores(),
        speed: 1.0,
        labels: [].into(),
        offers: Offers::default(),
    };
    Site { info, round_trip: NEARBY, machine: Machine::default() }
}

/// A live node as it says it is.
fn told(id: u64, node: &NodeStatus) -> Site {
    let is_node = node.kind == "node";
    let functions = node.functions.iter().map(|name| name.as_str().into());
    let labels = node.labels.iter().map(|(k, v)| (k.as_str().into(), v.as_str().into()));
    let info = NodeInfo {
        id: NodeId(id),
        name: node.name.as_str().into(),
        region: "r0".into(),
        resources: Resources {
            milli_cpus: (node.cpus * 1e3).round() as u64,
            memory: node.memory,
            milli_gpus: (node.gpus * 1e3).round() as u64,
            ..Resources::default()
        },
        slots: node.slots.max(1),
        speed: if node.speed > 0.0 { node.speed } else { 1.0 },
        labels: labels.collect(),
        offers: Offers { commands: is_node, functions: Some(functions.collect()) },
    };
    let machine = machine(node, info.resources.milli_gpus);
    Site { info, round_trip: Span::from_secs_f64(node.round_trip_seconds.max(0.0)), machine }
}

/// What a live node's machine was found to be, where it offers so many thousandths of a GPU.
fn machine(node: &NodeStatus, milli_gpus: u64) -> Machine {
    let gpu_mib = offered_mib(node.gpu_memory >> 20, node.gpus_found, milli_gpus);
    let link_mbit = (node.bandwidth * 8.0 / 1e6).round() as u32;
    let lost = (node.resent * f64::from(Machine::LOST_MAX)).round() as u16;
    Machine { mhz: node.mhz.round() as u32, gpu_mib, link_mbit, lost }.rounded()
}

fn rows(job: &JobSpec, ground: &Ground) -> Result<Vec<Row>, Complaint> {
    let each = ground.policies.iter().map(|policy| {
        let runs = (1..=SEEDS).map(|seed| outlook(job, &ground.nodes, &ground.pace, policy, seed));
        let mut runs: Vec<Outlook> = runs.collect::<Result<_, _>>().map_err(refused)?;
        runs.sort_by_key(|run| run.makespan);
        Ok(Row { policy: policy.clone(), runs })
    });
    let mut rows: Vec<Row> = each.collect::<Result<_, Complaint>>()?;
    rows.sort_by_key(|row| row.middle().makespan);
    Ok(rows)
}

/// What to choose: what is followed anyway where that is as good as the best, to a hundredth.
fn chosen<'a>(rows: &'a [Row], ground: &Ground) -> Option<&'a Row> {
    let best = rows.first()?;
    let near = |row: &&Row| {
        let most = best.middle().makespan.as_secs_f64() * NEAR;
        row.policy == ground.followed && row.middle().makespan.as_secs_f64() <= most
    };
    rows.iter().find(near).or(Some(best))
}

fn refused(error: OutlookError) -> Complaint {
    match &error {
        OutlookError::Room { .. } => Complaint::new(Exit::UNPLACEABLE, error),
        OutlookError::Tasks { .. } => Complaint::usage(error),
        OutlookError::Endless { .. } => Complaint::failed(error),
    }
}

impl Row {
    fn middle(&self) -> &Outlook {
        &self.runs[self.runs.len() / 2]
    }
}

fn shown(rows: &[Row], ground: &Ground, face: Face) -> String {
    let Some(best) = chosen(rows, ground) else { return String::new() };
    if face.is_quiet() {
        return rows.iter().map(|row| format!("{}\n", row.policy)).collect();
    }
    if let Some(text) = listing::data(&document(rows, best, ground), face.output) {
        return text;
    }
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(["POLICY", "MAKESPAN", "BALANCE %", "MESSAGES"]);
    for row in rows {
        let Outlook { makespan, balance, messages } = row.middle();
        table.add_row([
            row.policy.clone(),
            makespan.to_string(),
            format!("{balance:.1}"),
            messages.to_string(),
        ]);
    }
    let Ground { nodes, pace, followed, .. } = ground;
    let takes = match (pace.timed(), pace.specs.len() - pace.timed()) {
        (_, 0) => "run times as they were said or learnt".to_owned(),
        (0, _) => format!("if a task of weight 1 takes {}", pace.unit),
        (_, _) => format!("run times as far as known, else {} for a weight of 1", pace.unit),
    };
    let choose = match best.policy == *followed {
        true => format!("{followed} is as good as any"),
        false => format!("choose --policy {}", best.policy),
    };
    let farthest = nodes.iter().map(|node| node.round_trip).max().unwrap_or_default();
    let far = if farthest > NEARBY { format!(" up to {farthest} away") } else { String::new() };
    let on = counted(nodes.len() as u64, "node") + &far;
    format!("{}\n\non {on}, {takes}: {choose}\n", crate::report::plain(&mut table))
}

fn document(rows: &[Row], best: &Row, ground: &Ground) -> Value {
    let each = rows.iter().map(|row| {
        let Outlook { makespan, balance, messages } = row.middle();
        json!({
            "policy": row.policy, "makespan_seconds": makespan.as_secs_f64(),
            "balance": balance, "messages": messages,
        })
    });
    let Ground { nodes, pace, followed, .. } = ground;
    json!({
        "schema": "bary.plan/1", "nodes": nodes.len(), "unit_seconds": pace.unit.as_secs_f64(),
        "timed_specs": pace.timed(), "best": best.policy, "followed": followed,
        "policies": each.collect::<Value>(),
    })
}
