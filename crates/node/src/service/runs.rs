//! Which tasks of a home run at other members: those are asked again and again while they hold
//! some, as a home hears of what it granted by itself only once that has ended.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bary_model::id::ShardId;
use bary_transport::mesh::output::{OutputError, Prints};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use crate::board::Board;
use crate::peers::roster::Peers;
use crate::service::Service;

/// How often members are asked.
const LOOK: Duration = Duration::from_millis(500);
/// How long after one that cannot tell is asked again: it may be of another version by then.
const SELDOM: Duration = Duration::from_secs(600);
/// How many are asked at a time.
const AT_ONCE_MAX: usize = 64;

impl Service {
    /// Learns which of its tasks run at other members, until nothing more is told. Where it is the
    /// home of another member's shard, `here` knows what the nodes of this member run.
    pub(crate) fn learn_runs(
        &self,
        here: Option<Arc<Board>>,
    ) -> impl Future<Output = ()> + Send + 'static {
        let (inner, shard) = (Arc::downgrade(&self.0), self.0.shard);
        async move {
            let mut look = tokio::time::interval(LOOK);
            look.set_missed_tick_behavior(MissedTickBehavior::Delay);
            // Those that cannot tell, and until when they are not asked.
            let mut old = BTreeMap::<u64, Instant>::new();
            loop {
                look.tick().await;
                let Some(inner) = inner.upgrade() else { return };
                let Some(peers) = inner.cluster.peers().cloned() else { return };
                let board = Arc::clone(&inner.board);
                // A service that nobody has any more can end while members are asked.
                drop(inner);
                if board.is_over() {
                    return;
                }
                let mut holders = board.read().nodes.holders();
                let holds_some = holders.remove(&peers.me());
                if let Some(here) = here.as_ref().filter(|_| holds_some) {
                    board.hear_runs(peers.me(), &here.runs(shard));
                }
                old.retain(|_, until| *until > Instant::now());
                holders.retain(|one| !old.contains_key(one) && peers.away_words(*one).is_none());
                let cannot = ask(&peers, shard, holders, &board).await;
                old.extend(cannot.into_iter().map(|one| (one, Instant::now() + SELDOM)));
            }
        }
    }
}

/// Asks members what of a shard runs there, and keeps it; which of them cannot tell.
async fn ask(
    peers: &Peers,
    shard: ShardId,
    members: BTreeSet<u64>,
    board: &Board,
) -> BTreeSet<u64> {
    let mut members = members.into_iter();
    let (mut asked, mut cannot) = (JoinSet::new(), BTreeSet::new());
    loop {
        for member in members.by_ref().take(AT_ONCE_MAX - asked.len()) {
            let mesh = peers.mesh().clone();
            asked.spawn(async move { (member, mesh.runs(member, shard).await) });
        }
        let Some(answered) = asked.join_next().await else { return cannot };
        match answered {
            Ok((member, Ok(runs))) => board.hear_runs(member, &runs),
            Ok((member, Err(OutputError::Old))) => drop(cannot.insert(member)),
            // It is asked again, or has gone; one that panicked has said so.
            Ok((_, Err(_))) | Err(_) => {}
        }
    }
}
