//! The graph of the cluster for people: who is there, how far apart all are, and what follows from
//! that. It is found anew when somebody asks and something has changed. Nothing is placed by it:
//! what policies see they ask for themselves.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use bary_model::id::NodeId;
use bary_model::time::Span;
use bary_policy::dice::Dice;
use bary_policy::topology::{Place, Probe, Topology};
use bary_policy_spectral::flow::rebalance::{Rebalance, Rest, uneven};
use bary_policy_spectral::flow::whole::Move;
use bary_policy_spectral::graph::Graph;
use bary_policy_spectral::plan::{PlanError, plan};

/// Of how many places a graph is drawn at most: a plan of so many takes half a second.
pub(crate) const PLACES_MAX: usize = 1_000;

/// Who is there, and how far apart.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Sight {
    /// By name, each with its nodes.
    pub(crate) places: Vec<(String, Vec<NodeId>)>,
    /// The ways that were measured, by places: of two measures of one the shorter.
    pub(crate) ways: BTreeMap<(usize, usize), Span>,
}

impl Sight {
    /// There is a way between two places.
    pub(crate) fn join(&mut self, one: usize, other: usize, trip: Span) {
        if one != other {
            let way = self.ways.entry((one.min(other), one.max(other))).or_insert(trip);
            *way = trip.min(*way);
        }
    }
}

/// What follows from that.
#[derive(Debug)]
pub(crate) struct Drawn {
    pub(crate) sight: Sight,
    /// Its nodes are the places, by their numbers.
    topology: Topology,
    /// The most central place of each region.
    homes: Vec<usize>,
}

impl Drawn {
    fn new(sight: Sight) -> Result<Self, PlanError> {
        let nodes: Vec<NodeId> = (0..sight.places.len() as u64).map(NodeId).collect();
        let probe = |(&(a, b), &round_trip): (&(usize, usize), &Span)| Probe {
            from: NodeId(a as u64),
            to: NodeId(b as u64),
            round_trip,
        };
        let probes: Vec<Probe> = sight.ways.iter().map(probe).collect();
        let topology = plan(&nodes, &probes, &mut Dice::new(1, "atlas"))?;
        let homes = (0..topology.regions).map(|region| home(&topology.places, region));
        Ok(Self { homes: homes.collect(), sight, topology })
    }

    /// How many regions there are, and the algebraic connectivity.
    pub(crate) fn whole(&self) -> (u32, f64) {
        (self.topology.regions, self.topology.connectivity)
    }

    /// Where a place is in the graph.
    pub(crate) fn place(&self, at: usize) -> Option<&Place> {
        self.topology.places.get(at)
    }

    /// The place of a node.
    pub(crate) fn at(&self, node: NodeId) -> Option<usize> {
        self.sight.places.iter().position(|(_, nodes)| nodes.contains(&node))
    }

    /// Whether a place is the home of its region: the most central one.
    pub(crate) fn is_home(&self, at: usize) -> bool {
        self.homes.contains(&at)
    }

    /// How uneven the work of the places is, as a part of the mean share, and what they would best
    /// give each other: each holds so many tasks that take about `task` each, and runs `powers` of
    /// them at a time. Between regions tasks go over bridges only.
    pub(crate) fn advice(
        &self,
        tasks: &[u64],
        powers: &[f64],
        task: Span,
    ) -> (f64, Result<Vec<Move>, Rest>) {
        let region = |at: usize| self.place(at).map(|place| place.region);
        let ways = self.ways().into_iter();
        let ways = ways.filter(|(a, b, _, is_bridge)| *is_bridge || region(*a) == region(*b));
        // Weights are in 1/ms; a way that was measured as none at all is as short as can be.
        let edges = ways.map(|(a, b, trip, _)| (a, b, 1e6 / trip.0.max(1) as f64));
        let rule = Rebalance::default();
        let moves = Graph::new(tasks.len(), edges)
            .map_or(Err(Rest::Nothing), |graph| rule.moves(&graph, tasks, powers, task));
        (uneven(tasks, powers).unwrap_or(0.0), moves)
    }

    /// The ways between places, and whether each is the shortest between its two regions.
    pub(crate) fn ways(&self) -> Vec<(usize, usize, Span, bool)> {
        let region = |at: usize| self.place(at).map_or(0, |place| place.region);
        let mut shortest: BTreeMap<(u32, u32), (Span, (usize, usize))> = BTreeMap::new();
        for (&(a, b), &trip) in &self.sight.ways {
            let (from, to) = (region(a).min(region(b)), region(a).max(region(b)));
            if from != to {
                let known = shortest.entry((from, to)).or_insert((trip, (a, b)));
                *known = (*known).min((trip, (a, b)));
            }
        }
        let is_bridge = |pair| shortest.values().any(|(_, bridge)| *bridge == pair);
        let ways = self.sight.ways.iter();
        ways.map(|(&(a, b), &trip)| (a, b, trip, is_bridge((a, b)))).collect()
    }
}

/// The most central place of a region, of equal ones the first.
fn home(places: &[Place], region: u32) -> usize {
    let all = places.iter().enumerate().filter(|(_, place)| place.region == region);
    let of = |(at, place): (usize, &Place)| (place.scores.closeness, std::cmp::Reverse(at));
    let best = all.map(of).max_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    best.map_or(0, |(_, std::cmp::Reverse(at))| at)
}

/// The last graph that was drawn.
#[derive(Debug, Default)]
pub(crate) struct Atlas(Mutex<Option<Arc<Drawn>>>);

impl Atlas {
    /// The graph of what is seen, if it is the one that was drawn last.
    pub(crate) fn known(&self, sight: &Sight) -> Option<Arc<Drawn>> {
        let last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.as_ref().filter(|drawn| drawn.sight == *sight).map(Arc::clone)
    }

    /// Draws the graph of what is seen; it may take half a second of a core.
    ///
    /// # Errors
    /// Where its eigenvalues do not converge.
    pub(crate) fn draw(&self, sight: Sight) -> Result<Arc<Drawn>, PlanError> {
        let drawn = Arc::new(Drawn::new(sight)?);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&drawn));
        Ok(drawn)
    }
}

#[cfg(test)]
mod tests {
    use super::{Atlas, Drawn, Move, Rest, Sight, Span};

    /// Two sites of four places.
    fn sites() -> Sight {
        let places = (0..8).map(|at| (format!("p{at}"), Vec::new())).collect();
        let mut sight = Sight { places, ..Sight::default() };
        for (a, b) in (0..8).flat_map(|a| (0..8).map(move |b| (a, b))) {
            let far = if (a, b) == (3, 4) { 90 } else { 100 };
            sight.join(a, b, Span::millis(if a / 4 == b / 4 { 2 } else { far }));
        }
        sight
    }

    #[test]
    fn two_sites_have_a_home_each_and_one_bridge() {
        let drawn = Drawn::new(sites()).expect("it converges");
        assert_eq!(drawn.whole().0, 2);
        let homes: Vec<usize> = (0..8).filter(|at| drawn.is_home(*at)).collect();
        assert_eq!(homes, [3, 4], "they are the nearest to the other site");
        let bridges = drawn.ways().into_iter().filter(|(.., bridge)| *bridge);
        let bridges: Vec<_> = bridges.map(|(a, b, trip, _)| (a, b, trip)).collect();
        assert_eq!(bridges, [(3, 4, Span::millis(90))]);
    }

    #[test]
    fn uneven_work_is_advised_to_go_over_the_bridge() {
        let drawn = Drawn::new(sites()).expect("it converges");
        let task = Span::secs(1);
        let even = |tasks: &[u64; 8]| drawn.advice(tasks, &[1.0; 8], task);
        assert_eq!(even(&[0; 8]), (0.0, Err(Rest::Nothing)));
        assert_eq!(even(&[12, 10, 10, 10, 10, 10, 10, 8]), (0.2, Err(Rest::Even)));
        let (uneven, moves) = even(&[20, 20, 20, 20, 0, 0, 0, 0]);
        let moves = moves.expect("it pays");
        let across: Vec<Move> =
            moves.into_iter().filter(|step| step.from / 4 != step.to / 4).collect();
        assert_eq!((uneven, &*across), (1.0, &[Move { from: 3, to: 4, tasks: 40 }][..]));
        // Moves that take longer than the tasks are not advised.
        let short = drawn.advice(&[20, 20, 20, 20, 0, 0, 0, 0], &[1.0; 8], Span::millis(1));
        assert_eq!(short.1, Err(Rest::Dear));
    }

    #[test]
    fn what_has_not_changed_is_not_drawn_anew() {
        let atlas = Atlas::default();
        let sight = sites();
        assert!(atlas.known(&sight).is_none());
        atlas.draw(sight.clone()).expect("it converges");
        assert!(atlas.known(&sight).is_some());
        let mut other = sight;
        other.join(0, 1, Span::millis(1));
        assert!(atlas.known(&other).is_none());
    }
}
