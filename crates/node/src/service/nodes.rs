//! The nodes that run tasks.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use bary_api::problem::{Kind, Refused};
use bary_api::v1::{ChangeNodeRequest, ChangedReply, ListNodesReply, ListNodesRequest, NodeStatus};
use bary_api::verb::Verb;
use bary_engine::input::Request;
use bary_identity::calendar;
use bary_jobfile::suggest;
use bary_model::id::NodeId;

use crate::board::clock;
use crate::board::nodes::NodeRow;
use crate::crew::Member;
use crate::service::caller::Caller;
use crate::service::{Inner, Service};

impl Service {
    /// The nodes that run tasks; all where none is named.
    ///
    /// # Errors
    /// Where there is no node of a name.
    pub async fn list_nodes(
        &self,
        caller: &Caller,
        asked: ListNodesRequest,
    ) -> Result<ListNodesReply, Refused> {
        let _leave = self.admit(caller, Verb::ListNodes, "")?;
        let inner = &self.0;
        let members = shown(inner.cluster.members());
        let nodes = match asked.nodes.as_slice() {
            [] => members.iter().map(|member| inner.status(member)).collect(),
            names => {
                let found = names.iter().map(|name| Ok(inner.status(named(&members, name)?)));
                found.collect::<Result<_, Refused>>()?
            }
        };
        Ok(ListNodesReply { nodes })
    }

    /// Changes a node: drains it, or takes it up again.
    ///
    /// # Errors
    /// Where there is no such node, or no such change.
    pub async fn change_node(
        &self,
        caller: &Caller,
        asked: ChangeNodeRequest,
    ) -> Result<ChangedReply, Refused> {
        let target = format!("{} {}", asked.action, asked.node);
        let leave = self.admit_why(caller, Verb::ChangeNode, target, &asked.reason)?;
        leave.settle(self.0.change_node(&asked).await)
    }
}

impl Inner {
    async fn change_node(&self, asked: &ChangeNodeRequest) -> Result<ChangedReply, Refused> {
        let members = shown(self.cluster.members());
        let member = named(&members, &asked.node)?;
        if member.gone {
            let title = format!("`{}` has left", asked.node);
            return Err(Refused::new(Kind::Conflict, title).help("bary node ls lists the nodes"));
        }
        let node = member.info.id;
        let drain = match asked.action.as_str() {
            "drain" => true,
            "undrain" => false,
            "label" => {
                let title = "labels are not changed while a node runs";
                let help = "start it with them: bary up --label NAME=VALUE";
                return Err(Refused::new(Kind::Conflict, title).help(help));
            }
            other => {
                let title = format!("`{other}` is no change of a node");
                return Err(Refused::new(Kind::Invalid, title).help("there are drain and undrain"));
            }
        };
        self.ask(Request::Drain { node, drain }).await?;
        let note = if drain { "is given nothing more" } else { "is given tasks again" };
        Ok(ChangedReply { jobs: Vec::new(), note: format!("{} {note}", asked.node) })
    }

    /// What a node is called.
    pub(super) fn node_name(&self, node: NodeId) -> String {
        let known = self.cluster.info(node);
        known.map_or_else(|| node.to_string(), |node| node.name.to_string())
    }

    fn status(&self, member: &Member) -> NodeStatus {
        let info = &member.info;
        let NodeRow { busy, holding, ended, busy_time, drained } =
            self.board.read().nodes.of(info.id);
        let state = match (member.gone, drained, busy) {
            (true, ..) => "down",
            (_, false, _) => "up",
            (_, true, 0) => "drained",
            (_, true, _) => "draining",
        };
        let (busy, holding) = if member.gone { (0, 0) } else { (busy, holding) };
        let labels = info.labels.iter().map(|(name, value)| (name.to_string(), value.to_string()));
        let functions = info.offers.functions.iter().flatten().map(ToString::to_string);
        NodeStatus {
            name: info.name.to_string(),
            state: state.to_owned(),
            kind: if member.guest { "worker" } else { "node" }.to_owned(),
            slots: info.slots,
            busy,
            cpus: info.resources.milli_cpus as f64 / 1e3,
            memory: info.resources.memory,
            gpus: info.resources.milli_gpus as f64 / 1e3,
            speed: info.speed,
            labels: labels.collect(),
            functions: functions.collect(),
            tasks_ended: ended,
            busy_seconds: busy_time.as_secs_f64(),
            since: calendar::text(if member.guest {
                clock::wall(member.since)
            } else {
                self.started
            }),
            holding,
        }
    }
}

/// How many workers that have left are listed.
const GONE_SHOWN: usize = 20;

/// Members as they are listed: all that are there, and those that left last, unless another has
/// their name by now.
fn shown(members: Vec<Member>) -> Vec<Member> {
    let there = |name: &str| members.iter().any(|one| !one.gone && *one.info.name == *name);
    let mut gone: Vec<&Member> =
        members.iter().filter(|one| one.gone && !there(&one.info.name)).collect();
    gone.sort_by_key(|one| Reverse(one.since));
    let mut names = BTreeSet::new();
    gone.retain(|one| names.insert(&*one.info.name));
    gone.truncate(GONE_SHOWN);
    members.iter().filter(|one| !one.gone).chain(gone).cloned().collect()
}

/// The one of a name.
fn named<'a>(members: &'a [Member], name: &str) -> Result<&'a Member, Refused> {
    members.iter().find(|member| &*member.info.name == name).ok_or_else(|| {
        let refused = Refused::new(Kind::NotFound, format!("there is no node `{name}`"));
        match suggest::nearest(name, members.iter().map(|member| &*member.info.name)) {
            Some(near) => refused.help(format!("did you mean `{near}`?")),
            None => refused.help("bary node ls lists the nodes"),
        }
    })
}
