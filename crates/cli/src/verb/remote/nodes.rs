//! `bary node`: the nodes and workers that run tasks.

use std::collections::BTreeSet;

use bary_api::v1::{ChangeNodeRequest, NodeStatus};

use crate::args::tend::{NodeChangeArgs, NodeLabelArgs, NodeLsArgs, NodeShowArgs};
use crate::args::{Face, Form};
use crate::asking::{self, Asking};
use crate::complaint::Complaint;
use crate::counted::counted;
use crate::exit::Exit;
use crate::kinds::{self, NODES};
use crate::listing::amount::{plain, size, span};
use crate::listing::moment::{self, Clock};
use crate::verb::remote::show;

/// Lists them.
pub(crate) fn list(args: &NodeLsArgs, face: Face) -> Result<Exit, Complaint> {
    asking::run(&args.reach, face, async |asking| {
        let nodes = asking.node.list_nodes(&[]).await?.nodes;
        asking.print(&NODES, &nodes, args.format.as_deref())?;
        if nodes.len() > 1 && matches!(face.output, Form::Table | Form::Wide) {
            asking.note(&totals(&nodes));
        }
        Ok(Exit::OK)
    })
}

/// What all nodes that are there have together.
fn totals(nodes: &[NodeStatus]) -> String {
    let there: Vec<&NodeStatus> = nodes.iter().filter(|node| node.state != "down").collect();
    let sum = |part: fn(&NodeStatus) -> u64| there.iter().map(|node| part(node)).sum::<u64>();
    // Nodes of one member share its machine.
    let of = |nodes: &[&NodeStatus]| {
        let names = nodes.iter().map(|node| node.member.as_str());
        names.filter(|name| !name.is_empty()).collect::<BTreeSet<_>>().len()
    };
    let (members, known) = (of(&there), of(&nodes.iter().collect::<Vec<_>>()));
    let cpus: f64 = there.iter().map(|node| node.cpus).sum();
    let mut text = format!("{} of {} nodes are there", there.len(), nodes.len());
    match known {
        0 => {}
        _ if members < known => text.push_str(&format!(", of {members} of {known} members")),
        _ => text.push_str(&format!(", of {members} members")),
    }
    let (busy, slots) = (sum(|node| node.busy.into()), sum(|node| node.slots.into()));
    text.push_str(&format!(": {busy} of {slots} slots busy, {} cpus", plain(cpus)));
    let gpus: f64 = there.iter().map(|node| node.gpus).sum();
    if gpus > 0.0 {
        text.push_str(&format!(", {} gpus", plain(gpus)));
    }
    text
}

/// Shows them with all that is known.
pub(crate) fn show(args: &NodeShowArgs, face: Face) -> Result<Exit, Complaint> {
    asking::run(&args.reach, face, async |asking| {
        let names: Vec<&str> = args.nodes.iter().map(String::as_str).collect();
        let nodes = asking.node.list_nodes(&names).await?.nodes;
        if face.is_data() || face.is_quiet() || face.output == Form::Wide {
            asking.print(&NODES, &nodes, None)?;
            return Ok(Exit::OK);
        }
        let clock = Clock::now();
        let each = nodes.iter().map(|node| show::block(&lines(node, clock)));
        asking.say(&each.collect::<Vec<_>>().join("\n"))?;
        Ok(Exit::OK)
    })
}

fn lines(node: &NodeStatus, clock: Clock) -> Vec<(&'static str, String)> {
    // Of one that is away nothing is measured.
    let there = |shown: fn(&NodeStatus) -> String| match node.state.as_str() {
        "down" => String::new(),
        _ => shown(node),
    };
    vec![
        ("node", node.name.clone()),
        ("state", node.state.clone()),
        ("doubt", node.doubt.clone()),
        ("member", node.member.clone()),
        ("away", kinds::trip(node)),
        ("load", there(kinds::load)),
        ("role", node.role.clone()),
        ("region", if node.region > 0 { node.region.to_string() } else { String::new() }),
        ("key node", if node.is_key_node { "yes".to_owned() } else { String::new() }),
        ("closeness", if node.region > 0 { plain(node.closeness) } else { String::new() }),
        ("fiedler", if node.region > 0 { plain(node.fiedler_score) } else { String::new() }),
        ("capability", there(capability)),
        ("reached at", node.addresses.join(", ")),
        ("processors", there(processors)),
        ("available", known(node.memory_available)),
        ("gpus found", gpus(node)),
        ("network", there(network)),
        ("kept by", kept(node)),
        ("results", lacking(node)),
        ("stands in", kinds::stands_in(node)),
        ("kind", node.kind.clone()),
        ("slots", format!("{}, {} busy", node.slots, node.busy)),
        ("holding", node.holding.to_string()),
        ("cpus", plain(node.cpus)),
        ("memory", size(node.memory)),
        ("gpus", if node.gpus > 0.0 { plain(node.gpus) } else { String::new() }),
        ("speed", plain(node.speed)),
        ("labels", kinds::pairs(&node.labels)),
        ("functions", node.functions.join(", ")),
        ("tasks ended", node.tasks_ended.to_string()),
        ("busy", span(node.busy_seconds)),
        ("since", format!("{} ({})", moment::local(&node.since), clock.ago(&node.since))),
    ]
}

/// What a node is capable of, with what that is made of.
fn capability(node: &NodeStatus) -> String {
    let NodeStatus { capability, capability_cpu, capability_gpu, .. } = node;
    let NodeStatus { capability_memory, capability_network, .. } = node;
    format!(
        "{capability:.1} (CPU {capability_cpu:.1}, GPU {capability_gpu:.1}, memory \
         {capability_memory:.1}, network {capability_network:.1})"
    )
}

/// What its processors were found to be; nothing of a machine that has told nothing.
fn processors(node: &NodeStatus) -> String {
    let pace = if node.mhz > 0.0 { format!("{:.0} MHz, ", node.mhz) } else { String::new() };
    let is_known = node.memory_available > 0;
    if is_known { format!("{pace}{:.0} % idle", node.idle * 100.0) } else { String::new() }
}

/// Bytes, where they are known.
fn known(bytes: u64) -> String {
    if bytes > 0 { size(bytes) } else { String::new() }
}

/// Which GPUs were found; nothing where none were.
fn gpus(node: &NodeStatus) -> String {
    match (node.gpus_found, node.gpu_memory) {
        (0, _) => String::new(),
        (found, 0) => found.to_string(),
        (found, memory) => format!("{found}, with {}", size(memory)),
    }
}

/// What its network was found to be.
fn network(node: &NodeStatus) -> String {
    let megabits = node.bandwidth * 8.0 / 1e6;
    let pace = if megabits > 0.0 { format!("{megabits:.0} Mbit/s, ") } else { String::new() };
    format!("{pace}{:.1} % sent again", node.resent * 100.0)
}

/// Who keeps the jobs of its member, where that is to be several, and what is not as it should be.
fn kept(node: &NodeStatus) -> String {
    if node.replicas <= 1 {
        return String::new();
    }
    let mut text = node.kept_by.join(", ");
    if node.kept_by.len() != node.replicas as usize {
        text.push_str(&format!("; {} are to", node.replicas));
    }
    if !node.keepers_away.is_empty() {
        text.push_str(&format!("; away: {}", node.keepers_away.join(", ")));
    }
    text
}

/// Large results of its member's jobs that are not at as many members as they are to be.
fn lacking(node: &NodeStatus) -> String {
    let (results, bytes) = (node.results_lacking, node.results_lacking_bytes);
    if results == 0 {
        return String::new();
    }
    let why = &node.results_lacking_why;
    let results = counted(results, "large result");
    format!("copies lack of {results}, {}: {why}", size(bytes))
}

/// Drains nodes, or takes them up again.
pub(crate) fn change(args: &NodeChangeArgs, action: &str, face: Face) -> Result<Exit, Complaint> {
    asking::run(&args.reach, face, async |asking| {
        for node in &args.nodes {
            let request = ChangeNodeRequest {
                node: node.clone(),
                action: action.to_owned(),
                reason: args.reason.clone().unwrap_or_default(),
                ..ChangeNodeRequest::default()
            };
            tell(asking, request).await?;
        }
        now(asking, &args.nodes).await
    })
}

/// Removes members from the cluster.
pub(crate) fn remove(args: &NodeChangeArgs, face: Face) -> Result<Exit, Complaint> {
    asking::run(&args.reach, face, async |asking| {
        for node in &args.nodes {
            let (node, action) = (node.clone(), "remove".to_owned());
            let reason = args.reason.clone().unwrap_or_default();
            let request = ChangeNodeRequest { node, action, reason, ..Default::default() };
            tell(asking, request).await?;
        }
        Ok(Exit::OK)
    })
}

/// Gives a node labels, or takes them away.
pub(crate) fn label(args: &NodeLabelArgs, face: Face) -> Result<Exit, Complaint> {
    asking::run(&args.reach, face, async |asking| {
        let labels = args.labels.iter().map(|pair| (pair.name.clone(), pair.value.clone()));
        let request = ChangeNodeRequest {
            node: args.node.clone(),
            action: "label".to_owned(),
            labels: labels.collect(),
            reason: args.reason.clone().unwrap_or_default(),
        };
        tell(asking, request).await?;
        now(asking, std::slice::from_ref(&args.node)).await
    })
}

async fn tell(asking: &Asking, request: ChangeNodeRequest) -> Result<(), Complaint> {
    let note = asking.node.change_node(request).await?.note;
    if !note.is_empty() {
        asking.note(&note);
    }
    Ok(())
}

/// Prints nodes as they are after a change.
async fn now(asking: &Asking, names: &[String]) -> Result<Exit, Complaint> {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let nodes = asking.node.list_nodes(&names).await?.nodes;
    asking.print(&NODES, &nodes, None)?;
    Ok(Exit::OK)
}
