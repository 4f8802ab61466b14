//! What nodes surely hold, as frames tell: a grant is held from when its node acknowledges it,
//! until a frame arrives by which it may be taken back. What a node grants itself is not seen.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use bary_model::id::{Birth, Epoch, NodeId, ShardId};
use bary_model::message::{Frame, Say};
use bary_model::outcome::Outcome;

use crate::history::{Fact, Work};

/// A node, a peer, and the ends of the link between them: the peer's and the node's.
type Link = (usize, NodeId, (Birth, Birth));

/// Frames that arrived over a link and are not acknowledged, by number.
#[derive(Debug, Default)]
struct Stream {
    acked: u64,
    waiting: BTreeMap<u64, Word>,
}

/// What an arrived frame says.
#[derive(Debug)]
enum Word {
    Grant(ShardId, Epoch, Vec<Work>),
    Retract(ShardId),
}

/// What every node holds.
#[derive(Debug, Default)]
pub(super) struct Grip {
    streams: BTreeMap<Link, Stream>,
    /// The last reign over each shard that each node may have heard of; what former ones grant
    /// does not count.
    reigns: BTreeMap<(usize, ShardId), Epoch>,
}

impl Grip {
    /// A node's process is gone.
    pub(super) fn crashed(&mut self, node: usize) {
        self.streams.retain(|(of, ..), _| *of != node);
        self.reigns.retain(|(of, _), _| *of != node);
    }

    /// A node hears of a reign, or begins one.
    pub(super) fn heard(&mut self, node: usize, shard: ShardId, epoch: Epoch) {
        let reign = self.reigns.entry((node, shard)).or_default();
        *reign = epoch.max(*reign);
    }

    /// A frame arrives at a node.
    pub(super) fn received(
        &mut self,
        node: usize,
        from: NodeId,
        frame: &Frame,
    ) -> Vec<Fact<'static>> {
        let Some((number, message)) = &frame.body else { return Vec::new() };
        self.heard(node, message.shard, message.epoch);
        let word = match &message.say {
            Say::Grant(grant) => {
                let work = grant.items.iter().map(|item| Work {
                    fence: item.fence,
                    range: item.range,
                    attempt: item.attempt,
                });
                Word::Grant(message.shard, message.epoch, work.collect())
            }
            Say::Retract(_) => Word::Retract(message.shard),
            _ => return Vec::new(),
        };
        let may_drop = matches!(word, Word::Retract(_));
        let ends = (frame.from, frame.to);
        let stream = self.streams.entry((node, from, ends)).or_default();
        let is_new = *number > stream.acked && !stream.waiting.contains_key(number);
        if is_new {
            stream.waiting.insert(*number, word);
        }
        if may_drop {
            return vec![Fact::MayDrop { shard: message.shard }];
        }
        let reigns = self.reigns.get(&(node, message.shard)) == Some(&message.epoch);
        match &message.say {
            Say::Grant(grant) if is_new && reigns => {
                let offered = grant.items.iter().map(|item| Fact::Offered {
                    work: Work { fence: item.fence, range: item.range, attempt: item.attempt },
                    rank: item.rank(),
                    need: Cow::Owned(item.spec.body.request.clone()),
                });
                offered.collect()
            }
            _ => Vec::new(),
        }
    }

    /// A frame leaves a node: what it acknowledges has been taken in.
    pub(super) fn sent(&mut self, node: usize, to: NodeId, frame: &Frame) -> Vec<Fact<'static>> {
        let ends = (frame.to, frame.from);
        for ((.., other), stream) in self.streams.range_mut(from_peer(node, to)) {
            // A link that began anew takes nothing more of what was sent before.
            if *other != ends && frame.to != Birth(0) {
                (stream.acked, stream.waiting) = (u64::MAX, BTreeMap::new());
            }
        }
        let Some(stream) = self.streams.get_mut(&(node, to, ends)) else { return Vec::new() };
        stream.acked = stream.acked.max(frame.ack);
        let later = stream.waiting.split_off(&stream.acked.saturating_add(1));
        let taken = std::mem::replace(&mut stream.waiting, later);
        let mut facts = Vec::new();
        for word in taken.into_values() {
            match word {
                Word::Grant(shard, epoch, work)
                    if !self.may_retract(node, shard)
                        && self.reigns.get(&(node, shard)) == Some(&epoch) =>
                {
                    facts.extend(work.into_iter().map(|work| Fact::Holds { work }));
                }
                Word::Grant(..) => {}
                Word::Retract(shard) => facts.push(Fact::MayDrop { shard }),
            }
        }
        facts
    }

    /// Whether a frame waits at a node by which tasks of a shard may be taken back.
    fn may_retract(&self, node: usize, shard: ShardId) -> bool {
        let (first, last) = (from_peer(node, NodeId(0)), from_peer(node, NodeId(u64::MAX)));
        let of_node = self.streams.range(*first.start()..=*last.end());
        let mut words = of_node.flat_map(|(_, stream)| stream.waiting.values());
        words.any(|word| matches!(word, Word::Retract(of) if *of == shard))
    }
}

/// All links from a peer to a node.
fn from_peer(node: usize, peer: NodeId) -> RangeInclusive<Link> {
    let (least, most) = (Birth(0), Birth(u64::MAX));
    (node, peer, (least, least))..=(node, peer, (most, most))
}

/// What a node gives back as not started: what it was asked for, and ranks of gangs that it has no
/// room for.
pub(crate) fn given_back(say: &Say) -> Vec<Work> {
    let work = |(fence, range)| Work { fence, range, attempt: 0 };
    match say {
        Say::Retracted { items } => items.iter().copied().map(work).collect(),
        Say::Outcomes(outcomes) => {
            let back = outcomes.items.iter().filter(|item| item.outcome == Outcome::Returned);
            back.map(|item| work((item.fence, item.range))).collect()
        }
        _ => Vec::new(),
    }
}
