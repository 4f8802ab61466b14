//! Claims that are heard before the tasks they are of: word of another node that is near may come
//! sooner than that of a home which is far away.

use std::collections::BTreeMap;

use bary_model::claim::Claim;
use bary_model::id::{Epoch, GrantNo, NodeId, ShardId};

/// Claims of tasks that are not announced here yet.
#[derive(Debug, Default)]
pub(super) struct Early {
    claims: Vec<(ShardId, Epoch, NodeId, Claim)>,
    /// The last grant that each home has announced here.
    last: BTreeMap<ShardId, (Epoch, GrantNo)>,
}

impl Early {
    /// Keeps a claim if what it is of is still to be announced, and no more than `most` tasks are
    /// kept so. Past that it is missed, and settled like any other conflict.
    pub(super) fn keep(
        &mut self,
        from: NodeId,
        (shard, epoch): (ShardId, Epoch),
        claim: &Claim,
        most: usize,
    ) {
        let known = self.last.get(&shard).copied().unwrap_or_default();
        let comes = claim.items.iter().any(|(grant, _)| (epoch, *grant) > known);
        let kept: usize = self.claims.iter().map(|(.., claim)| claim.items.len()).sum();
        if comes && kept + claim.items.len() <= most {
            self.claims.push((shard, epoch, from, claim.clone()));
        }
    }

    /// A home announces tasks up to this grant: gives the claims of them that came before.
    pub(super) fn announced(
        &mut self,
        shard: ShardId,
        epoch: Epoch,
        last: GrantNo,
    ) -> Vec<(NodeId, Claim)> {
        let known = self.last.entry(shard).or_default();
        *known = (*known).max((epoch, last));
        let known = *known;
        let come = self.claims.extract_if(.., |(of, since, _, claim)| {
            *of == shard && claim.items.iter().all(|(grant, _)| (*since, *grant) <= known)
        });
        let come = come.filter(|(_, since, ..)| *since == epoch);
        come.map(|(_, _, from, claim)| (from, claim)).collect()
    }

    /// Nothing that a home announced counts any more.
    pub(super) fn forget(&mut self, home: ShardId) {
        self.claims.retain(|(shard, ..)| *shard != home);
        self.last.remove(&home);
    }
}
