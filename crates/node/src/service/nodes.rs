//! The nodes that run tasks.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::Arc;

use bary_api::problem::{Kind, Refused};
use bary_api::role::Role;
use bary_api::v1::{ChangeNodeRequest, ChangedReply, ListNodesReply, ListNodesRequest, NodeStatus};
use bary_api::verb::Verb;
use bary_engine::input::Request;
use bary_identity::calendar;
use bary_jobfile::suggest;
use bary_model::decree::Decree;
use bary_model::id::NodeId;
use bary_model::time::Span;

use crate::board::nodes::NodeRow;
use crate::board::{Board, clock};
use crate::crew::Member;
use crate::peers::about::About;
use crate::peers::revoked::RemoveError;
use crate::service::caller::{Caller, Door};
use crate::service::others::Calls;
use crate::service::scale::COPY;
use crate::service::{Inner, Service, keepers};

impl Service {
    /// What is known of jobs, tasks and nodes.
    pub(crate) fn board(&self) -> &Arc<Board> {
        &self.0.board
    }

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
        let status = |member: &Member| (member.info.id, inner.status(member));
        let mut nodes: Vec<(NodeId, NodeStatus)> = match asked.nodes.as_slice() {
            [] => members.iter().map(status).collect(),
            names => {
                let found = names.iter().map(|name| Ok(status(named(&members, name)?)));
                found.collect::<Result<_, Refused>>()?
            }
        };
        inner.place_nodes(&mut nodes).await;
        let members = nodes.into_iter().map(|(node, status)| (node.member(), status));
        let mut nodes: Vec<(u64, NodeStatus)> = members.collect();
        inner.say_keepers(&mut nodes);
        let mut nodes: Vec<NodeStatus> = nodes.into_iter().map(|(_, status)| status).collect();
        // What nodes hold and have done is known to the homes whose tasks they were.
        let others = inner.ask_others(caller, |mut calls: Calls| async move {
            Ok(calls.list_nodes(ListNodesRequest::default()).await?.into_inner().nodes)
        });
        let (others, _) = others.await;
        others.iter().flat_map(|(_, told)| told).for_each(|told| add(&mut nodes, told));
        Ok(ListNodesReply { nodes })
    }

    /// Changes a node: drains it, takes it up again, or gives it labels. That holds over restarts.
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
        if asked.action == "remove" {
            let removed = match caller.role {
                Role::Admin => self.0.remove_member(&asked.node).await,
                _ => Err(Refused::new(Kind::Denied, "only an admin removes members")),
            };
            return leave.settle(removed);
        }
        if asked.action == COPY {
            return leave.settle(self.0.copy_results(caller, &asked).await);
        }
        let changed = self.0.change_node(&asked).await;
        let mut reply = leave.settle(changed)?;
        // What was asked of one home only is told by the member that was asked.
        if caller.door != Door::Member {
            reply.note.push_str(&self.0.change_elsewhere(caller, asked).await);
        }
        Ok(reply)
    }
}

/// What is asked of a node, and what it is like then, in words.
fn decree(asked: &ChangeNodeRequest) -> Result<(Decree, &'static str), Refused> {
    let node: Box<str> = asked.node.as_str().into();
    match asked.action.as_str() {
        "drain" => Ok((Decree::Drain { node, drain: true }, "is given nothing more")),
        "undrain" => Ok((Decree::Drain { node, drain: false }, "is given tasks again")),
        "label" if asked.labels.is_empty() => {
            let refused = Refused::new(Kind::Invalid, "no label is named");
            Err(refused.help("bary node label NODE NAME=VALUE, or NAME- to take it away"))
        }
        "label" => {
            let value = |value: &str| (!value.is_empty()).then(|| value.into());
            let labels = asked.labels.iter();
            let labels = labels.map(|(label, text)| (label.as_str().into(), value(text)));
            Ok((Decree::Label { node, labels: labels.collect() }, "has other labels"))
        }
        other => {
            let title = format!("`{other}` is no change of a node");
            let help = "there are drain, undrain, label, copy and remove";
            Err(Refused::new(Kind::Invalid, title).help(help))
        }
    }
}

impl Inner {
    /// Has a member of the cluster be none any more.
    async fn remove_member(&self, name: &str) -> Result<ChangedReply, Refused> {
        let (peers, name) = (self.cluster.peers().cloned(), name.to_owned());
        let remove = move || peers.ok_or(RemoveError::NoCluster)?.remove(&name);
        let removed = tokio::task::spawn_blocking(remove).await;
        let removed = removed.map_err(|_| Refused::new(Kind::Internal, "removing it failed"))?;
        let note = removed.map_err(|error| {
            let kind = match error {
                RemoveError::Unknown(_) => Kind::NotFound,
                RemoveError::Sign(_) | RemoveError::File(_) => Kind::Internal,
                _ => Kind::Invalid,
            };
            Refused::new(kind, error.to_string())
        })?;
        Ok(ChangedReply { note, ..ChangedReply::default() })
    }

    async fn change_node(&self, asked: &ChangeNodeRequest) -> Result<ChangedReply, Refused> {
        let members = shown(self.cluster.members());
        // What was decreed of a node can be taken back while it is away.
        let known = self.board.read().decrees.names(&asked.node);
        let member = match named(&members, &asked.node) {
            Err(refused) if !known => return Err(refused),
            found => found.ok(),
        };
        let (decree, note) = decree(asked)?;
        self.ask(Request::Decree(decree)).await?;
        let away = member.is_none_or(|member| member.gone);
        let when = if away { " when it is there again" } else { "" };
        let note = format!("{} {note}{when}", asked.node);
        Ok(ChangedReply { note, ..ChangedReply::default() })
    }

    /// Has all other homes change a node as this one did, those that are away once they are back;
    /// in words, who has not heard of it.
    async fn change_elsewhere(&self, caller: &Caller, asked: ChangeNodeRequest) -> String {
        let kept = self.decide(caller, &asked).await;
        let others = self.ask_others(caller, move |mut calls: Calls| {
            let asked = asked.clone();
            async move { calls.change_node(asked).await.map(drop) }
        });
        let (_, unreached) = others.await;
        let missing: Vec<&str> = unreached.iter().map(|other| &*other.member).collect();
        match (missing.as_slice(), kept) {
            ([], Ok(())) => String::new(),
            ([], Err(why)) => format!("; homes that come later do not hear of it: {why}"),
            (missing, Ok(())) => {
                format!("; for jobs of {} once it is back", missing.join(", "))
            }
            (missing, Err(why)) => {
                format!("; for jobs of {} that does not hold: {why}", missing.join(", "))
            }
        }
    }

    /// Says for all homes what was decided of a node.
    async fn decide(&self, caller: &Caller, asked: &ChangeNodeRequest) -> Result<(), String> {
        let Some(peers) = self.cluster.peers().cloned() else { return Ok(()) };
        let (decree, _) = decree(asked).map_err(|refused| refused.title)?;
        let (who, reason) = (caller.name.clone(), asked.reason.clone());
        let at = calendar::text(clock::now());
        let decide = move || peers.decide(&decree, (&who, &reason), &at);
        match tokio::task::spawn_blocking(decide).await {
            Ok(decided) => decided.map_err(|error| error.to_string()),
            Err(panic) => Err(panic.to_string()),
        }
    }

    /// What a node is called.
    pub(super) fn node_name(&self, node: NodeId) -> String {
        let known = self.cluster.info(node);
        known.map_or_else(|| node.to_string(), |node| node.name.to_string())
    }

    fn status(&self, member: &Member) -> NodeStatus {
        let info = &member.info;
        let books = self.board.read();
        let NodeRow { busy, holding, ended, busy_time, drained } = books.nodes.of(info.id);
        let drained = drained || books.decrees.drained.contains(&info.name);
        let labels = books.decrees.labels_of(info);
        drop(books);
        let About { member: of, busy: told, machine_milli, doubt } = self.cluster.about(info.id);
        let busy = told.unwrap_or(busy);
        let state = match (member.gone, drained, busy) {
            (true, ..) => "down",
            (_, false, _) if !doubt.is_empty() => "suspect",
            (_, false, _) => "up",
            (_, true, 0) => "drained",
            (_, true, _) => "draining",
        };
        let (busy, holding) = if member.gone { (0, 0) } else { (busy, holding) };
        let round_trip = member.round_trip.filter(|_| !member.gone).unwrap_or(Span::ZERO);
        let labels = labels.iter().map(|(name, value)| (name.to_string(), value.to_string()));
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
            member: of,
            round_trip_seconds: round_trip.as_secs_f64(),
            doubt,
            load: f64::from(machine_milli) / 1e3,
            ..NodeStatus::default()
        }
    }
}

/// Adds what another home tells of a node to what this one does.
fn add(nodes: &mut [NodeStatus], told: &NodeStatus) {
    if let Some(node) = nodes.iter_mut().find(|node| node.name == told.name) {
        node.holding += told.holding;
        node.tasks_ended += told.tasks_ended;
        node.busy_seconds += told.busy_seconds;
        keepers::add(node, told);
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
