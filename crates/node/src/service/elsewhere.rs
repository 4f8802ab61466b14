//! What tasks print at other members while they run: those that hold some of them are asked again
//! and again, each once what it told was read, and what they tell is kept as if it had been printed
//! here.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use bary_model::id::TaskRange;
use bary_transport::mesh::output::{
    HEARD_MAX, OutputError, Printed, RANGES_MAX, WAIT_MAX, Wanted as Asked,
};
use tokio::task::JoinSet;

use crate::peers::roster::Peers;
use crate::service::Inner;

/// How long after a member did not tell it is asked again.
const AGAIN: Duration = Duration::from_millis(500);
/// How long after one that cannot tell is.
const SELDOM: Duration = Duration::from_secs(600);
/// How long after what a member told was of no use it is asked again: it runs what was given to
/// another since.
const SOON: Duration = Duration::from_millis(200);

/// The members that are asked what tasks print.
pub(super) struct Elsewhere<'a> {
    inner: &'a Inner,
    ranges: &'a [TaskRange],
    asked: JoinSet<(u64, Result<Vec<Printed>, OutputError>)>,
    under_way: BTreeSet<u64>,
    /// When those are asked again that did not tell, and whether that was said.
    troubled: BTreeMap<u64, (Instant, bool)>,
}

/// What a member told.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// Something that is kept now, or nothing.
    News,
    /// Nothing, for this reason, which was not said before.
    Trouble(String),
}

impl<'a> Elsewhere<'a> {
    /// Asks nobody yet about these tasks of one job.
    pub(super) fn new(inner: &'a Inner, ranges: &'a [TaskRange]) -> Self {
        let (asked, under_way, troubled) = (JoinSet::new(), BTreeSet::new(), BTreeMap::new());
        Self { inner, ranges, asked, under_way, troubled }
    }

    /// Whether there are other members.
    pub(super) fn is_possible(&self) -> bool {
        self.inner.cluster.peers().is_some()
    }

    /// Asks every member that holds some of the tasks and is not asked already for what there is;
    /// with `waits`, until there is something.
    pub(super) fn ask(&mut self, waits: bool) -> Vec<Told> {
        let Some(peers) = self.inner.cluster.peers() else { return Vec::new() };
        let wait = if waits { WAIT_MAX } else { Duration::ZERO };
        let now = Instant::now();
        let mut told = Vec::new();
        for (member, ranges) in self.holders(peers.me()) {
            let early = self.troubled.get(&member).is_some_and(|(again, _)| *again > now);
            if early || self.under_way.contains(&member) {
                continue;
            }
            match peers.away_words(member) {
                Some(words) => told.extend(self.on_trouble(member, AGAIN, || words)),
                None => self.ask_one(peers, member, ranges, wait),
            }
        }
        told
    }

    /// Waits for the next answer, and keeps what it tells; none where nobody is asked.
    pub(super) async fn next(&mut self) -> Option<Told> {
        // One that panicked has said so.
        let (member, answer) = self.asked.join_next().await?.ok()?;
        self.under_way.remove(&member);
        Some(match answer {
            Ok(printed) => {
                let of_use = printed.is_empty() || self.inner.board.hear(member, printed);
                match of_use {
                    true => drop(self.troubled.remove(&member)),
                    false => drop(self.on_trouble(member, SOON, String::new)),
                }
                Told::News
            }
            Err(error) => {
                let again = if matches!(error, OutputError::Old) { SELDOM } else { AGAIN };
                let peers = self.inner.cluster.peers();
                let name = peers.and_then(|peers| peers.member_name(member)).unwrap_or_default();
                let words = || format!("{name} does not tell what tasks print there: {error}");
                self.on_trouble(member, again, words).unwrap_or(Told::News)
            }
        })
    }

    fn ask_one(&mut self, peers: &Peers, member: u64, ranges: Vec<TaskRange>, wait: Duration) {
        let Some(wanted) = self.wanted(ranges, wait) else { return };
        let mesh = peers.mesh().clone();
        self.under_way.insert(member);
        self.asked.spawn(async move { (member, mesh.printed(member, &wanted).await) });
    }

    /// A member did not tell; that is said once until it does.
    fn on_trouble(
        &mut self,
        member: u64,
        again: Duration,
        words: impl FnOnce() -> String,
    ) -> Option<Told> {
        let before = self.troubled.get(&member).is_some_and(|(_, said)| *said);
        let words = if before { String::new() } else { words() };
        let said = before || !words.is_empty();
        self.troubled.insert(member, (Instant::now() + again, said));
        (said && !before).then_some(Told::Trouble(words))
    }

    /// Which of the tasks other members hold.
    fn holders(&self, me: u64) -> BTreeMap<u64, Vec<TaskRange>> {
        let mut holders = BTreeMap::<u64, Vec<TaskRange>>::new();
        let books = self.inner.board.read();
        for range in self.ranges {
            let detail = books.job(range.job).and_then(|row| row.detail.as_deref());
            for (part, hold) in detail.map_or_else(Vec::new, |one| one.granted.within(*range)) {
                let member = hold.node.member();
                if member != me {
                    holders.entry(member).or_default().push(part);
                }
            }
        }
        holders
    }

    /// What a member is asked: how far all was heard that is kept of it.
    fn wanted(&self, mut ranges: Vec<TaskRange>, wait: Duration) -> Option<Asked> {
        let books = self.inner.board.read();
        let job = ranges.first()?.job;
        if ranges.len() > RANGES_MAX {
            // It tells more than is wanted, of which the rest is passed over.
            ranges.clear();
        }
        let heard = books.tails.of_job(job).take(HEARD_MAX);
        let heard = heard.map(|(task, tail)| (task, tail.end())).collect();
        Some(Asked { shard: self.inner.shard, job, ranges, heard, wait })
    }
}
