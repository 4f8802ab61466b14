//! Claims by broadcast: what is ready is granted to nobody in particular and announced to all who
//! can run it; nodes agree among themselves who runs what, and tell. Here it is kept in mind who
//! claimed which grant, as for other open grants. What nobody claims in time goes to whoever asks.

use std::collections::BTreeMap;

use bary_ledger::array::Holder;
use bary_ledger::consequences::Consequences;
use bary_ledger::record::Record;
use bary_model::claim::{Announce, Claim, Rival};
use bary_model::event::EventKind;
use bary_model::id::{Epoch, Fence, GrantNo, JobNo, NodeId, TaskRange};
use bary_model::message::{Retract, Say};
use bary_model::task::Request;
use bary_model::time::Moment;

use crate::home::Home;
use crate::home::ready::{Entry, Portion};
use crate::outbox::Outbox;
use crate::timers::{Timer, TimerKey, Timers};

/// What was announced and not claimed.
#[derive(Debug, Default)]
pub(super) struct Offers {
    /// Until when each waits for a claim.
    until: BTreeMap<(Epoch, GrantNo), Moment>,
    timer: Option<TimerKey>,
    /// Whether something was not claimed in time: from then on nodes that ask are given what is
    /// ready, until another policy is followed. Else each wave of work could wait as long again.
    pub(super) lapsed: bool,
}

/// One part of a node's power, as rivals are told it.
const POWER_PARTS: f64 = (1 << 20) as f64;

impl Home {
    /// Announces what is ready, as much at a time as nodes can keep in mind.
    pub(super) fn announce(&mut self, out: &mut Outbox, timers: &mut Timers) {
        if self.offers.lapsed {
            self.answer_asks(out, timers);
            return;
        }
        let most = self.limits.offers_max.max(1);
        let mut room = most.saturating_sub(self.open.len());
        let claimed = if room > most / 2 && !self.ready.is_empty() {
            self.claimed()
        } else {
            BTreeMap::new()
        };
        while room > most / 2
            && !self.ready.is_empty()
            && let Some((request, entries)) = self.next_batch(room)
        {
            room -= entries.len();
            let rivals = self.rivals(&request, &claimed);
            self.announce_batch(rivals, entries, out, timers);
        }
    }

    /// Some ready tasks of one request, which some node can run.
    fn next_batch(&mut self, room: usize) -> Option<(Request, Vec<Entry>)> {
        let mut found = None;
        for (request, _) in self.ready.wanted() {
            if let Some(node) = self.able(&request).first() {
                found = Some((request, self.accounts[node].peer.info.clone()));
                break;
            }
        }
        let (_, info) = found?;
        let first = self.ready.take(&info, None, Portion::ONE).pop()?;
        let request = first.spec.body.request.clone();
        let (mut entries, most) = (vec![first], room.min(self.limits.grant_items_max));
        while entries.len() < most
            && self.ready.peek(&info, None).is_some_and(|e| e.spec.body.request == request)
        {
            entries.extend(self.ready.take(&info, None, Portion::ONE));
        }
        Some((request, entries))
    }

    fn announce_batch(
        &mut self,
        rivals: Vec<Rival>,
        entries: Vec<Entry>,
        out: &mut Outbox,
        timers: &mut Timers,
    ) {
        let mut last = self.ledger.last_grant().0;
        let (mut items, mut rests) = (Vec::with_capacity(entries.len()), false);
        for entry in entries {
            rests |= self.rests(&entry);
            self.note_rank(entry.rank);
            self.grant_items(entry, &mut last, &mut items);
        }
        let recorded = items.iter().map(|item| (item.fence.grant, item.range)).collect();
        let record = Record::Granted { node: NodeId::ANY, items: recorded };
        self.commit(record, &mut Consequences::default());
        let (epoch, until) = (self.log.epoch, self.claim_until(out.now));
        let anybody = self.strangers.entry(NodeId::ANY).or_default();
        for item in &items {
            anybody.add(epoch, item.fence.grant, item.range, item.weight());
        }
        for item in &items {
            if item.spec.body.permit.is_some() {
                self.use_permits(item.range);
            }
            self.open.granted(epoch, item.fence.grant, item.range.count);
            self.offers.until.insert((epoch, item.fence.grant), until);
        }
        self.lapse_later(timers);
        let ranges = items.iter().map(|item| item.range).collect();
        let (node, last) = (NodeId::ANY, GrantNo(last));
        self.log.tell(EventKind::Granted { node, ranges, last, considered: None }, out);
        let share = (self.policy.pull.alpha * 1e6) as u32;
        let rule = self.policy.protocol.claim;
        for rival in &rivals {
            let (items, rivals) = (items.clone(), rivals.clone());
            let say = Say::Announce(Announce { rule, share, items, rivals });
            if rests {
                self.log.say_when_durable(rival.node, say, out);
            } else {
                self.log.say(rival.node, say, out);
            }
        }
    }

    /// The weight that each node has claimed of what is open.
    fn claimed(&self) -> BTreeMap<NodeId, u64> {
        let mut claimed: BTreeMap<NodeId, u64> = BTreeMap::new();
        self.ledger.held(|holder, range| {
            if holder.node == NodeId::ANY {
                for node in self.open.nodes(holder.epoch, holder.grant) {
                    *claimed.entry(node).or_default() += self.weight(range);
                }
            }
        });
        claimed
    }

    /// Who hears of tasks with this request, and what is known of each.
    fn rivals(&mut self, request: &Request, claimed: &BTreeMap<NodeId, u64>) -> Vec<Rival> {
        let scale = self.totals().scale;
        let able = self.able(request).into_iter();
        let rival = |node| {
            let account = &self.accounts[&node];
            let power = ((account.power(scale) * POWER_PARTS) as u64).max(1);
            let load = account.load() + claimed.get(&node).copied().unwrap_or(0);
            Rival { node, power, load }
        };
        able.map(rival).collect()
    }

    /// A node takes tasks for its own. Another may have done so too: the first outcome counts.
    pub(super) fn on_claim(
        &mut self,
        from: NodeId,
        claim: Claim,
        out: &mut Outbox,
        timers: &mut Timers,
    ) {
        let (shard, epoch) = (self.log.shard, self.log.epoch);
        let (mut stale, mut shut, mut fits) = (Vec::new(), Vec::new(), true);
        for (grant, range) in claim.items {
            let fence = Fence { shard, epoch, grant };
            if !self.ledger.accepts(fence, range) || !self.is_open_grant(range) {
                stale.push((fence, range));
                continue;
            }
            self.counts.claims += 1;
            let others = self.open.nodes(epoch, grant).into_iter().any(|node| node != from);
            self.counts.claims_doubled += u64::from(others);
            self.open.claim(fence, from);
            self.offers.until.remove(&(epoch, grant));
            if self.begins_nothing(range.job) {
                shut.push(range.job);
            }
            fits &= self.can_run(from, range);
        }
        if !stale.is_empty() {
            self.log.say_after_held(from, Say::Retract(Retract::Stale(stale)), out);
        }
        shut.dedup();
        self.not_to_run(from, shut, fits, out);
        if self.open.has(from) {
            self.watch_lease(from, out, timers);
        }
        self.serve(out, timers);
    }

    /// A node may not run all that it has claimed: it gives that back.
    fn not_to_run(&mut self, node: NodeId, shut: Vec<JobNo>, fits: bool, out: &mut Outbox) {
        for job in shut {
            self.log.say_after_held(node, Say::Retract(Retract::Unstarted(job)), out);
        }
        if !fits || self.is_barred(node) {
            self.empty(node, out);
        }
    }

    fn can_run(&self, node: NodeId, range: TaskRange) -> bool {
        let spec = self.ledger.job(range.job).and_then(|job| job.spec(range.spec));
        let info = self.accounts.get(&node).map(|account| &account.peer.info);
        info.zip(spec).is_some_and(|(info, spec)| info.can_run(&spec.body.request))
    }

    /// A node gave way to another, which may not be heard of here yet: if it never is, what it
    /// claimed waits no longer than what was announced anew.
    pub(super) fn on_yield(
        &mut self,
        from: NodeId,
        items: Vec<(Fence, TaskRange)>,
        out: &Outbox,
        timers: &mut Timers,
    ) {
        let until = self.claim_until(out.now);
        for (fence, _) in items {
            let unclaimed = self.open.give_way(fence, from);
            if unclaimed && fence.shard == self.log.shard {
                self.offers.until.insert((fence.epoch, fence.grant), until);
            }
        }
        self.lapse_later(timers);
    }

    /// Until when what is announced now may be claimed: as long as the policy says, but not shorter
    /// than a claim takes from the farthest node, even where a message has to be sent again.
    fn claim_until(&self, now: Moment) -> Moment {
        let far = self.met().map(|(_, account)| account.peer.round_trip).max().unwrap_or_default();
        let least = far.times(4) + self.limits.resend_min;
        now + self.policy.protocol.claim_timeout.max(least)
    }

    fn lapse_later(&mut self, timers: &mut Timers) {
        if self.offers.timer.is_none()
            && let Some(first) = self.offers.until.values().min()
        {
            self.offers.timer = Some(timers.set(*first, Timer::Lapse(self.log.shard)));
        }
    }

    /// What nobody has claimed in time is ready again, and goes to whoever asks.
    pub(super) fn on_lapse_timer(&mut self, out: &mut Outbox, timers: &mut Timers) {
        self.offers.timer = None;
        let now = out.now;
        let late: Vec<_> = self.offers.until.extract_if(.., |_, until| *until <= now).collect();
        let late: Vec<_> = late.into_iter().map(|(key, _)| key).collect();
        self.lapse_later(timers);
        self.withdraw(&late, true, out, timers);
    }

    /// Another policy is followed: what is announced and not claimed is ready again, and the first
    /// wave of work is announced again.
    pub(super) fn withdraw_all(&mut self, out: &mut Outbox, timers: &mut Timers) {
        self.offers.lapsed = false;
        self.withdraw_offers(out, timers);
    }

    /// What is announced and not claimed is ready again. Who gives something back because nodes
    /// are to begin nothing more of it must not claim more of the same afterwards.
    pub(super) fn withdraw_offers(&mut self, out: &mut Outbox, timers: &mut Timers) {
        let lapsed = self.offers.lapsed;
        let offers = std::mem::replace(&mut self.offers, Offers { lapsed, ..Offers::default() });
        if let Some(timer) = offers.timer {
            timers.unset(timer);
        }
        let all: Vec<(Epoch, GrantNo)> = offers.until.into_keys().collect();
        self.withdraw(&all, false, out, timers);
    }

    fn withdraw(
        &mut self,
        grants: &[(Epoch, GrantNo)],
        lapse: bool,
        out: &mut Outbox,
        timers: &mut Timers,
    ) {
        let open = &self.open;
        let unclaimed = |(epoch, grant): &&(Epoch, GrantNo)| open.is_unclaimed(*epoch, *grant);
        let unclaimed: std::collections::BTreeSet<(Epoch, GrantNo)> =
            grants.iter().filter(unclaimed).copied().collect();
        if unclaimed.is_empty() {
            return;
        }
        let wanted = |holder: Holder| unclaimed.contains(&(holder.epoch, holder.grant));
        let lost = self.open_where(wanted);
        if lost.is_empty() {
            return;
        }
        self.offers.lapsed |= lapse;
        let heard: Vec<NodeId> = self.accounts.keys().copied().collect();
        for node in heard {
            self.log.say_after_held(node, Say::Release, out);
            if let Some(account) = self.accounts.get_mut(&node) {
                // Whoever has room hears of what is ready now.
                account.told = false;
            }
        }
        self.requeue(NodeId::ANY, lost, out, timers);
    }
}
