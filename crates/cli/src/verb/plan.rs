//! `bary plan`: what a job file will take with each policy on today's nodes, foretold by living
//! it in virtual time. Nothing is submitted and nothing runs.

use std::io::Read;
use std::path::Path;

use bary_api::v1::NodeStatus;
use bary_jobfile::files::Disk;
use bary_jobfile::limits::JOB_FILE_BYTES_MAX;
use bary_jobfile::read::{self, ReadOptions};
use bary_model::id::NodeId;
use bary_model::job::JobSpec;
use bary_model::node::{NodeInfo, Offers};
use bary_model::resources::Resources;
use bary_policy::preset;
use bary_sim::lab::named::POLICIES;
use bary_sim::lab::outlook::{Outlook, OutlookError, outlook};
use comfy_table::Table;
use comfy_table::presets::NOTHING;
use serde_json::{Value, json};

use crate::args::Face;
use crate::args::cluster::cores;
use crate::args::plan::PlanArgs;
use crate::asking;
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::listing;
use crate::screen::Screen;
use crate::sources;
use crate::verb;

/// The memory that a node of `--nodes` is taken to have.
const MEMORY: u64 = 1 << 40;
/// With how many seeds each policy is foretold.
const SEEDS: u64 = 3;

/// What is foretold of a policy: its runs, the middle one between the others.
struct Row {
    policy: String,
    runs: Vec<Outlook>,
}

/// Foretells a job.
pub(crate) fn run(args: &PlanArgs, face: Face) -> Result<Exit, Complaint> {
    let job = job(args)?;
    let policies = policies(args)?;
    if let Some(count) = args.nodes {
        let nodes: Vec<NodeInfo> = (0..u64::from(count)).map(|id| like_this(id, &job)).collect();
        let text = shown(&rows(&job, &nodes, args, &policies)?, &nodes, args, face);
        verb::print(&mut Screen::new(face), &text)?;
        return Ok(Exit::OK);
    }
    asking::run(&args.reach, face, async |asking| {
        let nodes = asking.node.list_nodes(&[]).await?.nodes;
        let up = nodes.iter().filter(|node| node.state == "up");
        let nodes: Vec<NodeInfo> = (0..).zip(up).map(|(id, node)| told(id, node)).collect();
        if nodes.is_empty() {
            let complaint = Complaint::new(Exit::UNPLACEABLE, "no node takes work just now");
            return Err(complaint.help("bary node ls shows them; --nodes N foretells without"));
        }
        asking.say(&shown(&rows(&job, &nodes, args, &policies)?, &nodes, args, face))?;
        Ok(Exit::OK)
    })
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

fn policies(args: &PlanArgs) -> Result<Vec<String>, Complaint> {
    if args.policy.is_empty() {
        return Ok(POLICIES.iter().map(|name| (*name).to_owned()).collect());
    }
    let named = args.policy.iter().flat_map(|text| verb::sim::lab::policies(text));
    let parsed = named.map(|text| preset::parse(&text).map(|policy| policy.name));
    parsed.collect::<Result<_, _>>().map_err(Complaint::usage)
}

/// A node of this machine's cores that has whatever else a task of the job may ask for.
fn like_this(id: u64, job: &JobSpec) -> NodeInfo {
    let mut resources = Resources { memory: MEMORY, ..Resources::cpus(cores()) };
    for spec in job.specs.iter() {
        for (name, amount) in &spec.body.request.resources.named {
            let there = resources.named.entry(name.clone()).or_default();
            *there = (*there).max(*amount);
        }
    }
    NodeInfo {
        id: NodeId(id),
        name: format!("n{id}").into(),
        region: "r0".into(),
        resources,
        slots: cores(),
        speed: 1.0,
        labels: [].into(),
        offers: Offers::default(),
    }
}

/// A live node as it says it is.
fn told(id: u64, node: &NodeStatus) -> NodeInfo {
    let is_node = node.kind == "node";
    let functions = node.functions.iter().map(|name| name.as_str().into());
    let labels = node.labels.iter().map(|(k, v)| (k.as_str().into(), v.as_str().into()));
    NodeInfo {
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
    }
}

fn rows(
    job: &JobSpec,
    nodes: &[NodeInfo],
    args: &PlanArgs,
    policies: &[String],
) -> Result<Vec<Row>, Complaint> {
    let each = policies.iter().map(|policy| {
        let runs = (1..=SEEDS).map(|seed| outlook(job, nodes, args.unit, policy, seed));
        let mut runs: Vec<Outlook> = runs.collect::<Result<_, _>>().map_err(refused)?;
        runs.sort_by_key(|run| run.makespan);
        Ok(Row { policy: policy.clone(), runs })
    });
    let mut rows: Vec<Row> = each.collect::<Result<_, Complaint>>()?;
    rows.sort_by_key(|row| row.middle().makespan);
    Ok(rows)
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

fn shown(rows: &[Row], nodes: &[NodeInfo], args: &PlanArgs, face: Face) -> String {
    let Some(best) = rows.first() else { return String::new() };
    if face.is_quiet() {
        return rows.iter().map(|row| format!("{}\n", row.policy)).collect();
    }
    let each = rows.iter().map(|row| {
        let Outlook { makespan, balance, messages } = row.middle();
        json!({
            "policy": row.policy, "makespan_seconds": makespan.as_secs_f64(),
            "balance": balance, "messages": messages,
        })
    });
    let document = json!({
        "schema": "bary.plan/1", "nodes": nodes.len(), "unit_seconds": args.unit.as_secs_f64(),
        "best": best.policy, "policies": each.collect::<Value>(),
    });
    if let Some(text) = listing::data(&document, face.output) {
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
    let count = nodes.len();
    format!(
        "{}\n\non {count} nodes, if a task of weight 1 takes {}: choose --policy {}\n",
        crate::report::plain(&mut table),
        args.unit,
        best.policy,
    )
}
