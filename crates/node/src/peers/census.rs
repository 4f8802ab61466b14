//! The members that are there, counted for whoever decides how many there should be.

use std::collections::BTreeSet;

use super::card::Card;
use super::load::Load;
use super::roster::{Link, Peers, lock};
use super::vitals::Work;

/// A member that is there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counted {
    pub(crate) name: Box<str>,
    /// What its nodes are called; workers that joined it are none of them.
    pub(crate) nodes: BTreeSet<Box<str>>,
    pub(crate) slots: u32,
    /// How many of those are busy.
    pub(crate) busy: u32,
    /// Whether it is home of jobs that have not ended, or does not say.
    pub(crate) has_jobs: bool,
    /// The work that it is home of.
    pub(crate) work: Work,
}

impl Peers {
    /// The members that are there, this one first.
    pub(crate) fn census(&self) -> Vec<Counted> {
        let own =
            counted(&self.card(), &self.load(), self.vitals(self.me).unwrap_or_default().work);
        let known = |link: &Link| {
            let (card, load) = (link.card.as_ref()?, link.load.as_ref()?);
            Some(counted(card, load, link.vitals.work))
        };
        let links = lock(&self.links);
        std::iter::once(own).chain(links.values().filter_map(known)).collect()
    }

    /// Whether this member advises the cluster, as far as it knows.
    pub(crate) fn leads(&self) -> bool {
        self.lead().member == Some(self.me)
    }
}

fn counted(card: &Card, load: &Load, work: Work) -> Counted {
    let nodes = card.nodes.iter().filter(|(_, guest)| !guest);
    Counted {
        name: card.name.clone(),
        nodes: nodes.map(|(info, _)| info.name.clone()).collect(),
        slots: card.nodes.iter().map(|(info, _)| info.slots).sum(),
        busy: load.busy.iter().map(|(_, busy)| busy).sum(),
        has_jobs: load.unfinished.is_none_or(|(jobs, _)| jobs > 0),
        work,
    }
}
