//! `bary node`: the nodes and workers that run tasks.

use bary_api::v1::{ChangeNodeRequest, NodeStatus};

use crate::args::tend::{NodeChangeArgs, NodeLabelArgs, NodeLsArgs, NodeShowArgs};
use crate::args::{Face, Form};
use crate::asking::{self, Asking};
use crate::complaint::Complaint;
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
        Ok(Exit::OK)
    })
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
    vec![
        ("node", node.name.clone()),
        ("state", node.state.clone()),
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
