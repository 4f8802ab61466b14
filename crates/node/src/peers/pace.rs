//! How often members say that they are there, and after how long a silence they are taken as gone:
//! presets by name. Members of one cluster may have different ones, as each judges the others by
//! how they answer its own beats.

use std::time::Duration;

use bary_gossip::config::GossipConfig;
use bary_membership::seal::OVERHEAD;
use bary_model::time::Span;
use bary_transport::mesh::MeshLimits;

/// A member's pace.
#[derive(Clone, Debug, PartialEq)]
pub struct Pace {
    /// What it is called.
    pub name: &'static str,
    /// What it is for, in words.
    pub what: &'static str,
    /// How often this member speaks to each other one that it has a stream to, and is answered.
    pub beat: Duration,
    /// After how many beats without a word a member is taken as gone.
    pub silent_beats_max: u32,
    /// How members find out by datagrams who is there.
    pub(crate) gossip: GossipConfig,
}

/// What the pace is called where nobody names one.
pub const USUAL: &str = "lan";

impl Pace {
    /// All, the usual one first.
    #[must_use]
    pub fn all() -> Vec<Self> {
        vec![Self::lan(), Self::wan(), Self::pids(), Self::hidrs()]
    }

    /// The one where nobody names one.
    #[must_use]
    pub fn usual() -> Self {
        Self::lan()
    }

    /// The one of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::all().into_iter().find(|pace| pace.name == name)
    }

    /// How long a member may be silent.
    #[must_use]
    pub fn silence_max(&self) -> Duration {
        self.beat * self.silent_beats_max
    }

    /// What connections to members never exceed: none that is silent ends before its member is
    /// taken as gone.
    pub(super) fn mesh_limits(&self) -> MeshLimits {
        let usual = MeshLimits::default();
        MeshLimits { keep_alive: usual.keep_alive.max(self.silence_max()), ..usual }
    }

    /// The lease of what a member was granted, where it is usually this one: it does not run out
    /// before the member is taken as gone.
    pub(crate) fn lease(&self, usual: Span) -> Span {
        let silence = u64::try_from(self.silence_max().as_nanos()).unwrap_or(u64::MAX);
        usual.max(Span(silence))
    }

    fn lan() -> Self {
        let (name, what) = (USUAL, "machines of one site: gone after 1.2 s");
        let gossip = GossipConfig { trust_after: Span::secs(10), ..sealed() };
        let beat = Duration::from_millis(300);
        Self { name, what, beat, silent_beats_max: 4, gossip }
    }

    fn wan() -> Self {
        let (name, what) = ("wan", "machines far apart, and lines that lose: gone after 5 s");
        let gossip = GossipConfig {
            probe_timeout: Span::millis(1_500),
            probe_period: Span::secs(4),
            echo_period: Span::secs(2),
            ..sealed()
        };
        let beat = Duration::from_secs(1);
        Self { name, what, beat, silent_beats_max: 5, gossip }
    }

    /// The published PIDS protocol: a heartbeat every 10 s, dead after 30 s without one.
    fn pids() -> Self {
        let (name, what) = ("pids", "as PIDS has it: a heartbeat every 10 s, gone after 30 s");
        // A probe that nobody answers, and a suspicion of two more.
        let gossip = slow(Span::secs(10), 2);
        let beat = Duration::from_secs(10);
        Self { name, what, beat, silent_beats_max: 3, gossip }
    }

    /// The published HIDRS node: a heartbeat every 30 s. It does not say when a node is dead; here
    /// that is after three heartbeats. That others are looked for on the local network is usual.
    fn hidrs() -> Self {
        let (name, what) = ("hidrs", "as HIDRS has it: a heartbeat every 30 s, gone after 90 s");
        let gossip = slow(Span::secs(30), 2);
        let beat = Duration::from_secs(30);
        Self { name, what, beat, silent_beats_max: 3, gossip }
    }
}

/// What datagrams may be where they are sealed.
fn sealed() -> GossipConfig {
    let usual = GossipConfig::default();
    let datagram_bytes_max = usual.datagram_bytes_max - OVERHEAD as u32;
    GossipConfig { datagram_bytes_max, ..usual }
}

/// Gossip that probes once a heartbeat.
fn slow(heartbeat: Span, suspicion_periods: u32) -> GossipConfig {
    GossipConfig {
        probe_period: heartbeat,
        probe_timeout: Span(heartbeat.0 / 4),
        suspicion_periods,
        echo_period: Span(heartbeat.0 / 4),
        ..sealed()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Pace, Span, USUAL};

    #[test]
    fn every_pace_can_be_gossiped_by_and_is_found_by_its_name() {
        for pace in Pace::all() {
            assert_eq!(pace.gossip.check(), [], "{}", pace.name);
            assert_eq!(Pace::named(pace.name), Some(pace));
        }
        assert_eq!(Pace::all()[0].name, USUAL);
        assert_eq!(Pace::named("never"), None);
    }

    #[test]
    fn the_published_ones_are_as_published() {
        let silence = |name| Pace::named(name).map(|pace| (pace.beat, pace.silence_max()));
        let secs = Duration::from_secs;
        assert_eq!(silence("pids"), Some((secs(10), secs(30))));
        assert_eq!(silence("hidrs"), Some((secs(30), secs(90))));
        // Nothing else gives a member up before.
        for pace in Pace::all() {
            let silence = pace.silence_max();
            assert!(pace.mesh_limits().keep_alive >= silence, "{}", pace.name);
            assert!(pace.lease(Span::ZERO).to_std() >= silence, "{}", pace.name);
            assert_eq!(pace.lease(Span::secs(1_000)), Span::secs(1_000));
        }
    }
}
