//! How far others are, as this node has measured it, and whom it still measures for a home that
//! asked. A probe carries its moment there and back, so that nothing is kept while it travels.

use std::collections::{BTreeMap, BTreeSet};

use bary_model::id::NodeId;
use bary_model::message::SURVEYED_MAX;
use bary_model::time::{Moment, Span};
use bary_policy::trip::LeastTrip;

/// Most nodes whose distance is kept.
const TRIPS_MAX: usize = 100_000;
/// Most homes for which a node measures at a time; the oldest gives way.
const ERRANDS_MAX: usize = 64;
/// So many probes in a row that took longer than was believed are made again. One that met a pause
/// would make a node near by seem far for as long as nobody measures anew.
const DOUBTS_MAX: u8 = 2;

/// What was measured, and what is being measured.
#[derive(Debug, Default)]
pub(crate) struct Ways {
    trips: BTreeMap<NodeId, LeastTrip>,
    /// When each first answered: a link's first messages wait until both ends have greeted.
    greeted: BTreeMap<NodeId, Moment>,
    /// How often in a row each was farther than was believed.
    doubted: BTreeMap<NodeId, u8>,
    errands: Vec<Errand>,
}

/// What an answer to a probe is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It is the first: another probe will tell more.
    First,
    /// It was waited for together with the first.
    Early,
    /// It tells how far the node is.
    Measured,
}

/// What a home wants to know.
#[derive(Debug)]
pub(crate) struct Errand {
    /// Who asked.
    pub(crate) home: NodeId,
    /// The number of its request.
    pub(crate) number: u64,
    /// What has come of it.
    pub(crate) trips: Vec<(NodeId, Span)>,
    waits: BTreeSet<NodeId>,
    until: Moment,
}

impl Ways {
    /// How far a node is, where that was measured.
    pub(crate) fn trip(&self, node: NodeId) -> Option<Span> {
        self.trips.get(&node).map(|trip| trip.span())
    }

    /// A node is gone.
    pub(crate) fn forget(&mut self, node: NodeId) {
        self.trips.remove(&node);
        self.greeted.remove(&node);
        self.doubted.remove(&node);
        self.errands.retain(|errand| errand.home != node);
    }

    /// A home asks how far some are: tells whom to probe.
    pub(crate) fn begin(
        &mut self,
        (home, number): (NodeId, u64),
        peers: &[NodeId],
        me: NodeId,
        until: Moment,
    ) -> BTreeSet<NodeId> {
        let peers = peers.iter().take(SURVEYED_MAX).copied().chain([home]);
        let waits: BTreeSet<NodeId> = peers.filter(|peer| *peer != me).collect();
        self.errands.retain(|errand| errand.home != home);
        if self.errands.len() == ERRANDS_MAX {
            self.errands.remove(0);
        }
        let errand = Errand { home, number, trips: Vec::new(), waits: waits.clone(), until };
        self.errands.push(errand);
        waits
    }

    /// Takes note that a node answers what was sent at a moment. What was sent before its first
    /// answer says nothing of how far it is.
    pub(crate) fn heard(&mut self, node: NodeId, sent: Moment, now: Moment) -> Answer {
        match self.greeted.get(&node) {
            Some(greeted) if sent >= *greeted => Answer::Measured,
            Some(_) => Answer::Early,
            None if self.greeted.len() >= TRIPS_MAX => Answer::Measured,
            None => {
                self.greeted.insert(node, now);
                Answer::First
            }
        }
    }

    /// Whether a probe should be made again, which took longer than was believed or did not.
    pub(crate) fn doubts(&mut self, node: NodeId, longer: bool) -> bool {
        let times = self.doubted.get(&node).copied().unwrap_or(0);
        let again = longer && times < DOUBTS_MAX && self.doubted.len() < TRIPS_MAX;
        if again {
            self.doubted.insert(node, times + 1);
        } else {
            self.doubted.remove(&node);
        }
        again
    }

    /// A probe has come back; tells how far that node is now taken to be.
    pub(crate) fn measured(&mut self, node: NodeId, trip: Span) -> Span {
        let room = self.trips.len() < TRIPS_MAX;
        let span = match self.trips.get_mut(&node) {
            Some(known) => {
                known.learn(trip);
                known.span()
            }
            None if room => self.trips.entry(node).or_insert_with(|| LeastTrip::new(trip)).span(),
            None => trip,
        };
        for errand in &mut self.errands {
            if errand.waits.remove(&node) {
                errand.trips.push((node, span));
            }
        }
        span
    }

    /// Takes what can be told now: all were measured, or have had their time.
    pub(crate) fn done(&mut self, now: Moment) -> Vec<Errand> {
        let over = |errand: &mut Errand| errand.waits.is_empty() || errand.until <= now;
        self.errands.extract_if(.., over).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: NodeId = NodeId(0);

    #[test]
    fn a_home_is_told_when_all_have_answered_or_had_their_time() {
        let mut ways = Ways::default();
        let peers = [NodeId(0), NodeId(2), NodeId(3)];
        let probed = ways.begin((NodeId(1), 7), &peers, ME, Moment(100));
        assert!(probed.into_iter().eq([NodeId(1), NodeId(2), NodeId(3)]));
        ways.measured(NodeId(1), Span(10));
        ways.measured(NodeId(2), Span(20));
        assert!(ways.done(Moment(99)).is_empty());
        let late = ways.done(Moment(100));
        assert_eq!(late[0].trips, [(NodeId(1), Span(10)), (NodeId(2), Span(20))]);
        ways.begin((NodeId(1), 8), &[], ME, Moment(200));
        ways.measured(NodeId(1), Span(4));
        let done = ways.done(Moment(101));
        assert_eq!((done[0].number, done[0].trips.len()), (8, 1));
        assert_eq!(ways.trip(NodeId(1)), Some(Span(4)), "the least counts");
    }

    #[test]
    fn what_was_sent_before_the_first_answer_tells_nothing() {
        let mut ways = Ways::default();
        let mut heard = |sent, now| ways.heard(NodeId(1), Moment(sent), Moment(now));
        assert_eq!([heard(0, 9), heard(1, 9)], [Answer::First, Answer::Early]);
        assert_eq!([heard(9, 13), heard(8, 13)], [Answer::Measured, Answer::Early]);
    }

    #[test]
    fn a_longer_way_is_believed_the_third_time_in_a_row() {
        let mut ways = Ways::default();
        let mut doubts = |longer| ways.doubts(NodeId(1), longer);
        assert_eq!([true, true, false].map(&mut doubts), [true, true, false]);
        assert_eq!([true, true, true, true].map(&mut doubts), [true, true, false, true]);
    }

    #[test]
    fn a_node_measures_for_so_many_homes_and_so_many_peers_and_no_more() {
        let mut ways = Ways::default();
        let peers: Vec<NodeId> = (1..100).map(NodeId).collect();
        for home in 0..100 {
            let probed = ways.begin((NodeId(500 + home), 1), &peers, ME, Moment(1));
            assert_eq!(probed.len(), SURVEYED_MAX + 1);
        }
        assert_eq!(ways.done(Moment(1)).len(), ERRANDS_MAX);
    }
}
