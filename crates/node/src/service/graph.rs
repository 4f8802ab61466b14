//! The graph of the cluster, as this node knows it: who is there, how far apart, and what follows.

use std::collections::BTreeMap;
use std::sync::Arc;

use bary_api::problem::{Kind, Refused};
use bary_api::v1::{GraphMove, GraphPlace, GraphReply, GraphRequest, GraphWay, NodeStatus};
use bary_api::verb::Verb;
use bary_model::id::NodeId;
use bary_model::time::Span;
use bary_policy::force::capability::{self, Capability};
use bary_policy::view::{NodeView, Used};
use bary_policy_spectral::flow::rebalance::Rest;
use bary_policy_spectral::flow::whole::Move;

use crate::atlas::{Drawn, PLACES_MAX, Sight};
use crate::crew::Member;
use crate::peers::vitals::shares_now;
use crate::probes::{self, Probed};
use crate::service::caller::Caller;
use crate::service::{Inner, Service};

/// How long a task is taken to last where none has run here yet.
const TASK: Span = Span::secs(1);

impl Service {
    /// The graph of the cluster.
    ///
    /// # Errors
    /// Where the caller may not ask, or there are more places than are drawn.
    pub async fn graph(
        &self,
        caller: &Caller,
        _asked: GraphRequest,
    ) -> Result<GraphReply, Refused> {
        let _leave = self.admit(caller, Verb::Graph, "")?;
        let sight = self.0.sight();
        if sight.places.len() > PLACES_MAX {
            let title = format!("there are more than {PLACES_MAX} places in the graph");
            return Err(Refused::new(Kind::Invalid, title));
        }
        let drawn = self.0.drawn(sight).await;
        let drawn = drawn.ok_or_else(|| Refused::new(Kind::Internal, "the graph has no plan"))?;
        Ok(self.0.graph(&drawn))
    }
}

impl Inner {
    /// Who is there and how far apart: members of the cluster, or the nodes of this process.
    pub(super) fn sight(&self) -> Sight {
        if let Some(peers) = self.cluster.peers() {
            return peers.sight();
        }
        let members = self.cluster.members().into_iter().filter(|member| !member.gone);
        let all: Vec<Member> = members.collect();
        let mut sight = Sight::default();
        for Member { info, .. } in &all {
            sight.places.push((info.name.to_string(), vec![info.id]));
        }
        let way = self.cluster.ways();
        // Beyond what is drawn, ways are not asked for.
        for (a, b) in (0..all.len().min(PLACES_MAX)).flat_map(|a| (0..a).map(move |b| (a, b))) {
            sight.join(a, b, way(all[a].info.id, all[b].info.id));
        }
        sight
    }

    /// The graph of what is seen; none where it has no plan.
    pub(super) async fn drawn(&self, sight: Sight) -> Option<Arc<Drawn>> {
        if let Some(known) = self.cluster.atlas().known(&sight) {
            return Some(known);
        }
        if sight.places.len() > PLACES_MAX {
            return None;
        }
        let atlas = Arc::clone(self.cluster.atlas());
        let drawn = tokio::task::spawn_blocking(move || atlas.draw(sight)).await;
        drawn.ok()?.ok()
    }

    fn graph(&self, drawn: &Drawn) -> GraphReply {
        let (regions, lambda_2) = drawn.whole();
        let peers = self.cluster.peers();
        let lead = peers.map(|peers| peers.lead());
        let name = |at: usize| drawn.sight.places.get(at).map(|(name, _)| name.clone());
        let places = (0..drawn.sight.places.len()).map(|at| self.graph_place(drawn, at));
        let ways = drawn.ways().into_iter().map(|(from, to, trip, bridge)| GraphWay {
            from: name(from).unwrap_or_default(),
            to: name(to).unwrap_or_default(),
            round_trip_seconds: trip.as_secs_f64(),
            bridge,
        });
        let leader = lead.as_ref().and_then(|lead| peers?.member_name(lead.member?));
        let none = || "this node is in no cluster".to_owned();
        let (uneven, moves) = self.advice(drawn);
        let advice = match &moves {
            Ok(_) => "move",
            Err(Rest::Nothing) => "nothing",
            Err(Rest::Even) => "even",
            Err(Rest::Flat) => "flat",
            Err(Rest::Dear) => "dear",
        };
        let moves = moves.into_iter().flatten().map(|step| GraphMove {
            from: name(step.from).unwrap_or_default(),
            to: name(step.to).unwrap_or_default(),
            tasks: step.tasks,
        });
        GraphReply {
            uneven,
            advice: advice.to_owned(),
            moves: moves.collect(),
            places: places.collect(),
            ways: ways.collect(),
            regions,
            lambda_2,
            leader: leader.unwrap_or_default(),
            term: lead.as_ref().map_or(0, |lead| lead.term),
            why: lead.map_or_else(none, |lead| lead.why),
        }
    }

    /// What members would best give each other of the work that they are the homes of.
    fn advice(&self, drawn: &Drawn) -> (f64, Result<Vec<Move>, Rest>) {
        let books = self.board.read();
        let (ended, busy) = (books.totals.ended, books.nodes.busy_time());
        let own = books.unfinished().1;
        drop(books);
        let task = busy.0.checked_div(ended).filter(|span| *span > 0).map_or(TASK, Span);
        let others = self.cluster.peers().map_or_else(Vec::new, |peers| peers.others());
        let of = |member: u64| {
            let other = others.iter().find(|other| other.number == member);
            other.map_or(own, |other| other.unfinished.unwrap_or_default().1)
        };
        let (mut tasks, mut powers) = (Vec::new(), Vec::new());
        for (_, nodes) in &drawn.sight.places {
            let slots = nodes.iter().filter_map(|node| self.cluster.info(*node));
            powers.push(slots.map(|info| f64::from(info.slots)).sum());
            tasks.push(nodes.first().map_or(0, |node| of(node.member())));
        }
        if self.cluster.peers().is_none() {
            // One home has all of it.
            tasks.iter_mut().skip(1).for_each(|tasks| *tasks = 0);
        }
        drawn.advice(&tasks, &powers, task)
    }

    fn graph_place(&self, drawn: &Drawn, at: usize) -> GraphPlace {
        let (name, nodes) = drawn.sight.places.get(at).cloned().unwrap_or_default();
        let place = drawn.place(at);
        let member = nodes.first().map(|node| node.member());
        let vitals = self.cluster.peers().zip(member);
        let vitals = vitals.and_then(|(peers, member)| peers.vitals(member));
        GraphPlace {
            name,
            nodes: nodes.iter().map(|node| self.node_name(*node)).collect(),
            region: place.map_or(0, |place| place.region + 1),
            closeness: place.map_or(0.0, |place| place.scores.closeness),
            fiedler_score: place.map_or(0.0, |place| place.scores.fiedler),
            is_key_node: place.is_some_and(|place| place.key),
            role: self.role(drawn, at, member).to_owned(),
            score: vitals.map_or(0, |vitals| vitals.score()),
        }
    }

    fn role(&self, drawn: &Drawn, at: usize, member: Option<u64>) -> &'static str {
        let lead = self.cluster.peers().and_then(|peers| peers.lead().member);
        match (lead, drawn.is_home(at)) {
            (Some(lead), _) if Some(lead) == member => "leader",
            (_, true) => "home",
            (_, false) => "leaf",
        }
    }

    /// Adds to what is known of nodes where they are in the graph, and what they are capable of.
    pub(super) async fn place_nodes(&self, nodes: &mut [(NodeId, NodeStatus)]) {
        let Some(drawn) = self.drawn(self.sight()).await else { return };
        let capability = self.capability();
        let members: BTreeMap<NodeId, Member> =
            self.cluster.members().into_iter().map(|member| (member.info.id, member)).collect();
        for (node, status) in nodes {
            if let Some(at) = drawn.at(*node) {
                let GraphPlace { region, closeness, fiedler_score, is_key_node, role, .. } =
                    self.graph_place(&drawn, at);
                (status.region, status.closeness) = (region, closeness);
                (status.fiedler_score, status.is_key_node) = (fiedler_score, is_key_node);
                if self.cluster.peers().is_some() {
                    status.role = role;
                }
            }
            if let Some(member) = members.get(node).filter(|member| !member.gone) {
                self.rate(&capability, member, status);
            }
        }
    }

    fn rate(&self, capability: &Capability, member: &Member, status: &mut NodeStatus) {
        let of = member.info.id.member();
        let vitals = self.cluster.peers().and_then(|peers| peers.vitals(of));
        let (used, probed) = match vitals {
            Some(vitals) => (Some(vitals.shares()), vitals.probed),
            // Without a cluster all nodes are of this machine.
            None if self.cluster.peers().is_none() => (Some(shares_now()), probes::now()),
            None => (None, Probed::default()),
        };
        let used = used.map(|(cpu, memory)| Used { cpu, memory });
        let view = NodeView {
            info: &member.info,
            machine: member.machine,
            load: 0,
            mean_load: 0,
            granted: 0,
            tasks: 0,
            round_trip: member.round_trip.unwrap_or(Span::ZERO),
            power: 1.0,
            free: None,
            used,
            bytes_here: None,
            scores: None,
            timing: None,
        };
        let [cpu, gpu, memory, network] = capability::parts(&view);
        status.capability = capability.score(&view);
        (status.capability_cpu, status.capability_gpu) = (cpu, gpu);
        (status.capability_memory, status.capability_network) = (memory, network);
        status.idle = used.map_or(0.0, |used| 1.0 - used.cpu);
        let free = used.map_or(0.0, |used| 1.0 - used.memory);
        status.memory_available = (member.info.resources.memory as f64 * free) as u64;
        (status.mhz, status.gpus_found) = (probed.mhz.into(), probed.gpus);
        status.gpu_memory = probed.gpu_mib << 20;
        (status.bandwidth, status.resent) = (probed.bandwidth(), f64::from(probed.resent) / 1e3);
    }
}
