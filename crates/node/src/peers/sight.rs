//! What a member sees of the cluster, and tells of itself with its beats: how far the others are,
//! how it is, and who advises all.

use std::collections::BTreeMap;

use bary_engine::election::{Candidate, Election, ElectionConfig, Lead};
use bary_model::id::NodeId;
use bary_model::time::{Moment, Span};

use super::envelope;
use super::roster::{Link, Peers, lock};
use super::trips::Trips;
use super::vitals::{Vitals, Work, fitness, shares_now};
use crate::atlas::Sight;
use crate::probes;
use crate::scaler::decider::number;
use crate::serve::log::Level;

/// What this member told of itself last, and what it makes of the others.
#[derive(Debug)]
pub(super) struct Own {
    trips: Trips,
    vitals: Vitals,
    election: Election,
    lead: Lead,
}

impl Own {
    /// That of a member which has told nothing.
    pub(super) fn new(me: u64) -> Self {
        let election = Election::new(me, ElectionConfig::default());
        let why = "this member has just begun".to_owned();
        let lead = Lead { member: None, term: 0, why };
        Self { trips: Trips::default(), vitals: Vitals::default(), election, lead }
    }
}

impl Peers {
    /// Looks how this member and the others are, and tells them where that has changed.
    pub(super) fn tell_sight(&self) {
        let (now, work, (busy, used)) = (self.now(), self.work(), shares_now());
        let (mut trips, mut others) = (Vec::new(), BTreeMap::new());
        for (member, link) in &*lock(&self.links) {
            trips.extend(link.clock.map(|clock| (*member, clock.round_trip)));
            if link.card.is_some() {
                others.insert(*member, link.vitals.candidate());
            }
        }
        let mut own = lock(&self.own);
        let trips = own.trips.after(trips.into_iter());
        let changed = trips != own.trips;
        own.trips = trips;
        let far: Vec<u32> = own.trips.0.values().copied().collect();
        let age = now.since(Moment(0));
        let before = own.lead.member;
        // What is told is in steps, so that waves of the load are no news.
        let vitals = Vitals::new(busy, used, Candidate::default(), work);
        // One that the autoscaler may take away leads only where there is nobody else.
        let score = match number(self.own_name()) {
            Some(_) => 0,
            None => fitness(&far, vitals.shares().0, age) / SCORE_STEP * SCORE_STEP,
        };
        own.lead = own.election.look(now, score, &others);
        let mut vitals = Vitals::new(busy, used, own.election.own(), work);
        vitals.probed = probes::now();
        let grown = vitals != own.vitals;
        own.vitals = vitals;
        let (trips, lead) = (changed.then(|| envelope::trips(&own.trips)), own.lead.clone());
        let vitals = grown.then(|| envelope::vitals(&own.vitals));
        drop(own);
        for member in others.into_keys() {
            trips.iter().chain(&vitals).for_each(|said| self.mesh.send(member, said.clone()));
        }
        if lead.member != before {
            self.tell_lead(&lead);
        }
    }

    /// Tells one that has just come what the others know.
    pub(super) fn tell_own(&self, member: u64) {
        let own = lock(&self.own);
        let said = [envelope::trips(&own.trips), envelope::vitals(&own.vitals)];
        drop(own);
        said.into_iter().for_each(|said| self.mesh.send(member, said));
    }

    fn tell_lead(&self, lead: &Lead) {
        let text = match lead.member.and_then(|member| self.member_name(member)) {
            Some(name) => format!("member {name} leads, in term {}: {}", lead.term, lead.why),
            None => format!("nobody leads: {}", lead.why),
        };
        self.log.say(Level::Info, &text, &[]);
    }

    /// Who advises the cluster, as this member sees it.
    pub(crate) fn lead(&self) -> Lead {
        lock(&self.own).lead.clone()
    }

    /// How a member is: its score as a leader, and what it told of its machine. None where there is
    /// no stream to it.
    pub(crate) fn vitals(&self, member: u64) -> Option<Vitals> {
        match member == self.me {
            true => Some(lock(&self.own).vitals),
            false => lock(&self.links).get(&member).map(|link| link.vitals),
        }
    }

    /// The members that are there, and how far apart they are.
    pub(crate) fn sight(&self) -> Sight {
        let Some(inside) = self.inside.get() else { return Sight::default() };
        let own: Vec<NodeId> = inside.crew.own().iter().map(|(info, _)| info.id).collect();
        let own_trips = lock(&self.own).trips.clone();
        let links = lock(&self.links);
        let known = |(member, link): (&u64, &Link)| {
            let card = link.card.as_ref()?;
            let nodes = card.nodes.iter().map(|(info, _)| info.id).collect();
            Some((*member, (card.name.to_string(), nodes, link.trips.clone())))
        };
        let mut all: BTreeMap<u64, (String, Vec<NodeId>, Trips)> =
            links.iter().filter_map(known).collect();
        drop(links);
        all.insert(self.me, (self.papers.name().to_string(), own, own_trips));
        let numbers: Vec<u64> = all.keys().copied().collect();
        let mut sight = Sight::default();
        for (name, nodes, _) in all.values() {
            sight.places.push((name.clone(), nodes.clone()));
        }
        for (from, (_, _, trips)) in all.values().enumerate() {
            for (to, micros) in &trips.0 {
                if let Ok(to) = numbers.binary_search(to) {
                    sight.join(from, to, Span::micros((*micros).into()));
                }
            }
        }
        sight
    }

    /// The work that this member is home of.
    fn work(&self) -> Work {
        let Some(board) = self.inside.get().and_then(|inside| inside.board.get()) else {
            return Work::default();
        };
        let books = board.read();
        let totals = books.totals;
        Work {
            queued: totals.tasks.saturating_sub(totals.ended + totals.running),
            running: totals.running,
            ended: totals.ended,
            busy_ms: books.nodes.busy_time().0 / 1_000_000,
        }
    }
}

/// Scores are multiples of this.
const SCORE_STEP: u64 = 10;
