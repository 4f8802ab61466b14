//! By when a plan must have come to its end.

use bary_model::time::{Moment, Span};

use crate::plan::{FaultKind, Plan, SLOWNESS};

/// How long after its timeout an attempt that hangs ends at the latest.
const HANG_GRACE: Span = Span::secs(5);

/// How many times longer a task takes at most on a machine whose processors do other things, too.
const CROWDED: f64 = 2.0;

impl Plan {
    /// By when everything must have ended: the work's own time, as if every task were tried as
    /// often as it may be, all one after another on the slowest node, each under a grant of its
    /// own that travels the longest way; the patience; and what gossip may take to find all.
    #[must_use]
    pub fn deadline(&self) -> Moment {
        let slowest = self.nodes.iter().map(|node| node.info.speed).fold(f64::MAX, f64::min);
        let mut longest = if self.fates.lies { 10.0 } else { 1.0 };
        if self.nodes.iter().any(|node| !node.chores.is_idle()) {
            longest *= CROWDED;
        }
        let each = self.unit.as_secs_f64() * longest / slowest;
        let way = self.network.latency.iter().flatten().max().copied().unwrap_or_default();
        // An ask that two homes pass on, a grant, an outcome, and a sync for each of the last two.
        let travel = way.times(6).as_secs_f64() + self.disk.sync.times(4).as_secs_f64();
        let mut own = 0.0;
        for spec in self.specs() {
            let body = &spec.body;
            let mut attempt = spec.weight.units() * each;
            if attempt > body.timeout.as_secs_f64() || self.fates.hangs > 0 {
                let stopped = body.timeout + body.grace;
                attempt = attempt.max(stopped.min(self.fates.hang_max + HANG_GRACE).as_secs_f64());
            }
            let tries = f64::from(body.retries) + 1.0;
            let wait = f64::from(body.retries) * body.backoff.max.as_secs_f64();
            // Its end is told, and the permit goes to the keeper and from there to another home.
            let lent = body.permit.as_ref().map(|_| way.times(3) + self.limits.outcome_delay_max);
            let travel = travel + lent.unwrap_or_default().as_secs_f64();
            own += f64::from(spec.count) * (attempt + travel) * tries + wait;
        }
        // What a slow node began goes on as slowly as it began.
        if self.faults.iter().any(|fault| matches!(fault.kind, FaultKind::SlowNode { .. })) {
            let longest = self.specs().map(|spec| spec.weight.units()).fold(0.0, f64::max);
            own += longest * each * f64::from(SLOWNESS);
        }
        if let Some(stream) = &self.stream {
            own += f64::from(stream.tasks) * (stream.every.as_secs_f64() * 1.2 + 10.0 * each);
        }
        // What a fault left lent comes back with a lease, and is then lent by a new keeper.
        if self.specs().any(|spec| spec.body.permit.is_some()) {
            own +=
                self.limits.lease.times(2).as_secs_f64() + self.limits.permit_delay.as_secs_f64();
        }
        // A job that waits asks again now and then, and its client until the others are known.
        let waiting = self.jobs.iter().filter(|job| !job.after.is_empty()).count();
        own += waiting as f64 * (self.limits.watch_again.times(2).as_secs_f64() + 1.0);
        own += self.carrying();
        let last =
            self.jobs.iter().map(|job| job.then.iter().fold(job.at, |at, (after, _)| at + *after));
        let decreed = self.decrees.iter().map(|decree| decree.at);
        let begun = last.chain(decreed).fold(self.calm, Moment::max);
        let times = self.jobs.iter().filter_map(|job| job.spec.about.not_before);
        // Clocks that run slow come to a time later.
        let begun = times.fold(begun, |begun, at| begun.max(Moment(at.0.saturating_mul(2))));
        let meeting = self.presence.as_ref().map(|presence| presence.patience(self.nodes.len()));
        begun + self.patience + meeting.unwrap_or_default() + Span::from_secs_f64(own)
    }

    /// How long all results take to every node, one after another, in seconds.
    fn carrying(&self) -> f64 {
        let Some(bandwidth) = &self.bandwidth else { return 0.0 };
        let slowest = bandwidth.iter().flatten().copied().min().unwrap_or(1).max(1);
        let bytes = self.specs().map(|spec| spec.output as f64 * f64::from(spec.count));
        bytes.sum::<f64>() * self.nodes.len() as f64 / slowest as f64
    }
}
