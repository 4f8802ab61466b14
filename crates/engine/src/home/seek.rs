//! Work that waits is told of again, and nodes are sought for it at other homes: the nearest first,
//! and ever more seldom where that brings nothing.

use bary_model::message::Say;
use bary_model::time::Span;

use crate::home::Home;
use crate::home::exchange::Candidate;
use crate::home::reach::Seeking;
use crate::outbox::Outbox;
use crate::timers::{Timer, Timers};

/// Work that waits is told of again at most so many times `word_delay` later.
const PATIENCE_MAX: u64 = 32;

/// Who was granted something.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Served {
    near: bool,
    far: bool,
}

impl Served {
    /// A node was that is within reach, or one farther away.
    pub(super) fn note(&mut self, near: bool) {
        if near { self.near = true } else { self.far = true }
    }
}

impl Home {
    /// Work has waited for long: what other homes believed of this one may be used up, and the
    /// nodes that they sent may not be able to run it. So they are told again, ever more seldom.
    pub(super) fn seek_again(&mut self, out: &mut Outbox, timers: &mut Timers) {
        self.exchange.sought = 0;
        // Where work goes away, those who are near enough take it. Where it went to none but those
        // who are farther, these are called again soon: nobody else may be able to run it.
        let served = std::mem::take(&mut self.exchange.served);
        let how = if served.near { Seeking::Near } else { Seeking::Anywhere };
        if served.far && !served.near {
            self.exchange.patience = Span::ZERO;
        }
        self.spread_the_word(how, out);
        self.trade_with(how, out, timers);
        if self.is_waiting() && !self.exchange.is_alone() && self.word.is_none() {
            let longest = self.limits.word_delay.times(PATIENCE_MAX);
            let wait = self.exchange.patience.times(2).max(self.limits.word_delay).min(longest);
            self.exchange.patience = wait;
            self.word = Some(timers.set(out.now + wait, Timer::Word(self.log.shard)));
        }
    }

    /// Seeks nodes where some are thought to wait, the nearest first; where too few are, every
    /// other home hears of the need, so that the next node that asks there is sent on at once. Far
    /// away they are sought only for what would wait longer here than they take to come.
    pub(super) fn seek_asks(&mut self, how: Seeking, out: &mut Outbox) {
        let (_, tasks) = self.waiting();
        if tasks <= self.exchange.sought {
            self.exchange.sought = tasks;
            return;
        }
        let reach = self.reach(how);
        let mut homes = self.homes();
        homes.retain(|home| reach.is_none_or(|reach| home.distance <= reach));
        homes.sort_by_key(|home| (home.distance, home.shard));
        let mut left = tasks - self.exchange.sought;
        self.exchange.sought = tasks;
        for home in &homes {
            let at = home.shard;
            let Some(neighbour) = self.exchange.neighbours.get_mut(&at) else { continue };
            let wanted = left.min(u64::from(neighbour.level.parked));
            if wanted > 0 {
                neighbour.level.parked -= wanted as u32;
                left -= wanted;
                self.log.say(neighbour.node, Say::Seek { at, tasks: wanted }, out);
            }
        }
        if left > 0 {
            for Candidate { shard: at, .. } in homes {
                if let Some(neighbour) = self.exchange.neighbours.get(&at) {
                    self.log.say(neighbour.node, Say::Seek { at, tasks: left }, out);
                }
            }
        }
    }
}
