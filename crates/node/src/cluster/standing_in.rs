//! Homes whose shards several members keep: that of another member, here until it is back, and the
//! own one, which another may have taken over.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use bary_api::problem::{Kind, Refused};
use bary_model::id::NodeId;
use bary_model::node::{NodeInfo, Offers};
use bary_model::resources::Resources;
use bary_policy::preset::Policy;

use crate::board::Board;
use crate::cluster::{Cluster, Durability};
use crate::crew::JoinError;
use crate::listener::{Listener, Poker};
use crate::maker::Maker;
use crate::options::Reigning;
use crate::peers::blobs::keeping::Keeping;
use crate::peers::roster::Peers;
use crate::replicas::Reign;
use crate::replicas::part::Keepers;
use crate::state::State as Shard;
use crate::telling;

/// Seconds after which the members that keep a shard may have agreed on its home.
const CONFIRM_SECONDS: f64 = 1.0;

impl Cluster {
    /// What its acknowledgements are worth.
    #[must_use]
    pub fn durability(&self) -> Durability {
        match &self.options.reign {
            Some(Reigning(reign)) if reign.part.group.standing().voters.len() > 1 => {
                Durability::Replicated
            }
            _ => self.results.durability(),
        }
    }

    /// Who keeps the home's jobs; none where no other member does.
    pub(crate) fn keepers(&self) -> Option<Keepers> {
        self.options.reign.as_ref().map(|Reigning(reign)| reign.part.keepers())
    }

    /// What has several members keep the large results of the home's jobs, which a board knows;
    /// nothing where no other member keeps those.
    pub(crate) fn keeping(&self, board: &Arc<Board>) -> Option<Arc<Keeping>> {
        let (Reigning(reign), blobs) = (self.options.reign.as_ref()?, self.blobs()?);
        Some(blobs.keep_for(&reign.part, board))
    }

    /// Has the home of another member's shard be here, as a node of its own that follows `policy`.
    ///
    /// # Errors
    /// See [`JoinError`].
    pub(crate) fn stand_in(
        &self,
        state: Shard,
        reign: Reign,
        home: &str,
        policy: Policy,
    ) -> Result<(Self, Listener), JoinError> {
        let mut options = self.options.clone();
        options.executor.origin = state.birth.origin(state.latest);
        options.executor.family = state.family;
        options.reign = Some(Reigning(reign));
        options.policy = policy;
        let (news, heard) = telling::queue(options.news_max);
        let (infos, network) = (&*self.nodes, &self.network);
        let (store, life, blobs) = (self.results.store(), self.life, self.blobs());
        let origin = self.options.executor.origin;
        let maker = Maker {
            options: &options,
            infos,
            network,
            store,
            news: &news,
            life,
            origin,
            desk: None,
            blobs,
        };
        let there = self.crew.members().into_iter().filter(|member| !member.gone);
        let there = there.map(|member| member.info.id).collect();
        let info = NodeInfo {
            name: format!("{home}-home").into(),
            slots: 0,
            resources: Resources::default(),
            labels: BTreeMap::new(),
            offers: Offers { commands: false, functions: Some(BTreeSet::new()) },
            ..self.nodes[0].clone()
        };
        let mut door = None;
        // It follows what its shard says, whatever is followed here.
        let make = |info: &NodeInfo, _: Policy| {
            let (made, held) = maker.stand_in(info, options.policy.clone(), state, &there)?;
            door = Some(made.2.clone());
            Ok((made, held))
        };
        let (info, (shard, held)) = self.crew.join(info, make)?;
        let cluster = Self {
            options,
            nodes: vec![info],
            doors: door.into_iter().collect(),
            held: vec![held],
            crew: Arc::clone(&self.crew),
            desk: None,
            life,
            ground: Mutex::default(),
            results: self.results.clone(),
            shard,
            network: Arc::clone(&self.network),
            poker: Poker::new(news),
        };
        Ok((cluster, Listener::new(heard)))
    }

    /// Whether it is the home of another member's shard.
    pub(crate) fn is_stand_in(&self) -> bool {
        self.nodes.first().is_some_and(|node| node.slots == 0)
    }

    /// Whether a node is none of this home's own: of another member, or where the home has none.
    pub(crate) fn is_elsewhere(&self, node: NodeId) -> bool {
        let is_other = |peers: &Arc<Peers>| peers.me() != node.member();
        self.is_stand_in() || self.peers().is_some_and(is_other)
    }

    /// Makes sure that no other member has taken over the home's shard, where others keep it.
    ///
    /// # Errors
    /// Where one has, or may have.
    pub(crate) async fn confirm(&self) -> Result<(), Refused> {
        let Some(Reigning(Reign { part, .. })) = &self.options.reign else { return Ok(()) };
        part.group.confirm().await.map_err(|error| {
            let title = format!("it is not known whether another member has taken over: {error}");
            Refused::new(Kind::Unavailable, title).retry_after(CONFIRM_SECONDS)
        })
    }
}
