//! How a node gossips: periods, limits and thresholds. All nodes of a cluster should have the
//! same, except for the answer rates.

use bary_model::time::Span;

/// The settings of a node's gossip; the default is for production on a network with round trips
/// below 100 ms.
#[derive(Clone, Debug, PartialEq)]
pub struct GossipConfig {
    /// The cluster's number; datagrams of another are dropped, so that two clusters never merge.
    /// A hash of the cluster's name is sensible. Defaults to 0.
    pub cluster: u64,
    /// How often one member is probed. Shorter finds deaths sooner and costs messages. More than
    /// twice `probe_timeout`. Defaults to 1 s, as in SWIM.
    pub probe_period: Span,
    /// How long a probe waits before others are asked to try. A high quantile of the cluster's
    /// round trips. Defaults to 400 ms.
    pub probe_timeout: Span,
    /// How many others are asked to try, from 1 to 16. Defaults to 4: with 5 % loss one probe in
    /// 8,700 of a live member then fails, and the rumours of those that do cost more than asking.
    pub probe_helpers: u32,
    /// How long a suspect has to defend itself, in probe periods for each factor of 10 in
    /// members, from 1 to 100. Longer means fewer false deaths and later true ones. Defaults to 4.
    pub suspicion_periods: u32,
    /// How often rumours are sent while there are any. Defaults to 500 ms.
    pub rumour_period: Span,
    /// To how many members each time, from 1 to 16. Defaults to 2.
    pub rumour_fanout: u32,
    /// How many rumours wait to be told at a time, from 8 to 1,024; each rumour costs time in
    /// every datagram while it waits, and what finds no room spreads by anti-entropy. Joins may
    /// fill half, so that deaths find room. Defaults to 48, about what a datagram holds.
    pub rumours_max: u32,
    /// How often views are compared with one random member. A value reaches everyone in about
    /// log2 of the number of members times this. Defaults to 1 s.
    pub sync_period: Span,
    /// The same while comparisons bring new members. At most `sync_period`. Defaults to 250 ms.
    pub sync_period_min: Span,
    /// How often a dead member or a seed is asked whether it is back, which heals partitions, and
    /// how often old graves are cleared. Defaults to 10 s.
    pub heal_period: Span,
    /// How long a death is remembered. Longer than any partition that shall heal by itself, and
    /// than a datagram can be late. Defaults to 15 min.
    pub grave_kept: Span,
    /// How often seeds are asked until one answers. Defaults to 500 ms.
    pub join_period: Span,
    /// How many seeds are asked at a time, from 1 to 16. Defaults to 3.
    pub join_fanout: u32,
    /// How many seeds are kept, from 1 to 1,024. Defaults to 64.
    pub seeds_max: u32,
    /// The largest datagram sent or taken, from 1,200 to 60,000 bytes, less what encryption adds
    /// and below what the network carries whole. Defaults to 1,400.
    pub datagram_bytes_max: u32,
    /// How many datagrams answer one, from 1 to 1,024. A join is answered with the whole view
    /// where this times about 50 records a datagram suffices. Defaults to 32.
    pub answer_datagrams_max: u32,
    /// How many bytes a second go into answers beyond their first datagrams; at least
    /// `datagram_bytes_max`. It bounds what a flood of questions can draw from a seed. Defaults
    /// to 16 MiB: 1,000 joins at once into a view of 500.
    pub answer_bytes_per_second_max: u64,
    /// How many nodes a view holds, dead ones counted, from 2 to 1,000,000. What is over is not
    /// a member here, and views of such clusters never agree. Each costs about 400 bytes and its
    /// values. Defaults to 16,384.
    pub nodes_max: u32,
    /// How many deaths told by one other are followed up at a time, from 1 to 4,096. Defaults to
    /// 256.
    pub hearsay_max: u32,
    /// How many keys a node may set, removed ones counted, from 1 to 1,024. Defaults to 32.
    pub keys_max: u32,
    /// How long a key may be, from 1 to 255 bytes. Defaults to 64.
    pub key_bytes_max: u32,
    /// How long a value may be; with its key and 128 bytes it must fit a datagram. Defaults to
    /// 768.
    pub value_bytes_max: u32,
    /// From which phi on a member is suspected, from 1 to 32: 8 means odds of 10^8 to 1 against
    /// it, if its answers keep their pattern. Defaults to 8.
    pub phi_threshold: f64,
    /// What one probe adds to phi at most, from 0.5 up to `phi_threshold`: a single late answer
    /// proves little, however late. Defaults to 3, so that it takes three.
    pub phi_per_probe_max: f64,
    /// How long a suspicion lasts at least: a member changes sides at most once in this time.
    /// Defaults to 60 s.
    pub trust_after: Span,
    /// How often a doubted member is asked for an echo. A round trip must fit; a silent member is
    /// suspected after about six of these. Defaults to 500 ms.
    pub echo_period: Span,
    /// How many members are doubted, and asked, at a time, from 1 to 1,024. Defaults to 16.
    pub doubts_max: u32,
    /// The least deviation of round trips that is believed: what schedulers add on any machine.
    /// Defaults to 2 ms.
    pub deviation_min: Span,
}

impl Default for GossipConfig {
    fn default() -> Self {
        Self {
            cluster: 0,
            probe_period: Span::secs(1),
            probe_timeout: Span::millis(400),
            probe_helpers: 4,
            suspicion_periods: 4,
            rumour_period: Span::millis(500),
            rumour_fanout: 2,
            rumours_max: 48,
            sync_period: Span::secs(1),
            sync_period_min: Span::millis(250),
            heal_period: Span::secs(10),
            grave_kept: Span::secs(15 * 60),
            join_period: Span::millis(500),
            join_fanout: 3,
            seeds_max: 64,
            datagram_bytes_max: 1_400,
            answer_datagrams_max: 32,
            answer_bytes_per_second_max: 16 << 20,
            nodes_max: 16_384,
            hearsay_max: 256,
            keys_max: 32,
            key_bytes_max: 64,
            value_bytes_max: 768,
            phi_threshold: 8.0,
            phi_per_probe_max: 3.0,
            trust_after: Span::secs(60),
            echo_period: Span::millis(500),
            doubts_max: 16,
            deviation_min: Span::millis(2),
        }
    }
}

/// What is wrong with a [`GossipConfig`]. Nothing was made; the caller corrects the field.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum ConfigFault {
    /// A period or span is zero.
    #[error("{field} must not be zero")]
    Zero {
        /// Which.
        field: &'static str,
    },
    /// A number is out of its range.
    #[error("{field} is {given}, not from {min} to {max}")]
    Range {
        /// Which.
        field: &'static str,
        /// What was given.
        given: u64,
        /// The least.
        min: u64,
        /// The most.
        max: u64,
    },
    /// A threshold of phi is out of its range.
    #[error("{field} is {given}, not from {min} to {max}")]
    Phi {
        /// Which.
        field: &'static str,
        /// What was given.
        given: f64,
        /// The least.
        min: f64,
        /// The most.
        max: f64,
    },
    /// One span must be longer than another.
    #[error("{longer} must be longer than {than}")]
    Shorter {
        /// The one that is too short.
        longer: &'static str,
        /// What it is too short for.
        than: &'static str,
    },
}

impl GossipConfig {
    /// Every fault at once; none where the configuration is good.
    #[must_use]
    pub fn check(&self) -> Vec<ConfigFault> {
        let mut faults = Vec::new();
        self.check_spans(&mut faults);
        self.check_ranges(&mut faults);
        let phis = [
            ("phi_threshold", self.phi_threshold, 1.0, 32.0),
            ("phi_per_probe_max", self.phi_per_probe_max, 0.5, self.phi_threshold),
        ];
        for (field, given, min, max) in phis {
            if !(min..=max).contains(&given) {
                faults.push(ConfigFault::Phi { field, given, min, max });
            }
        }
        faults
    }

    fn check_spans(&self, faults: &mut Vec<ConfigFault>) {
        let spans = [
            ("probe_timeout", self.probe_timeout),
            ("rumour_period", self.rumour_period),
            ("sync_period_min", self.sync_period_min),
            ("heal_period", self.heal_period),
            ("grave_kept", self.grave_kept),
            ("join_period", self.join_period),
            ("trust_after", self.trust_after),
            ("echo_period", self.echo_period),
            ("deviation_min", self.deviation_min),
        ];
        let zero = spans.iter().filter(|(_, span)| *span == Span::ZERO);
        faults.extend(zero.map(|&(field, _)| ConfigFault::Zero { field }));
        if self.probe_period <= self.probe_timeout.times(2) {
            let (longer, than) = ("probe_period", "twice probe_timeout");
            faults.push(ConfigFault::Shorter { longer, than });
        }
        if self.sync_period < self.sync_period_min {
            let (longer, than) = ("sync_period", "sync_period_min");
            faults.push(ConfigFault::Shorter { longer, than });
        }
    }

    fn check_ranges(&self, faults: &mut Vec<ConfigFault>) {
        let datagram = u64::from(self.datagram_bytes_max);
        let value_room = datagram.saturating_sub(128 + u64::from(self.key_bytes_max));
        let ranges = [
            ("probe_helpers", self.probe_helpers.into(), 1, 16),
            ("suspicion_periods", self.suspicion_periods.into(), 1, 100),
            ("rumour_fanout", self.rumour_fanout.into(), 1, 16),
            ("rumours_max", self.rumours_max.into(), 8, 1_024),
            ("join_fanout", self.join_fanout.into(), 1, 16),
            ("seeds_max", self.seeds_max.into(), 1, 1_024),
            ("datagram_bytes_max", datagram, 1_200, 60_000),
            ("answer_datagrams_max", self.answer_datagrams_max.into(), 1, 1_024),
            ("answer_bytes_per_second_max", self.answer_bytes_per_second_max, datagram, 1 << 40),
            ("nodes_max", self.nodes_max.into(), 2, 1_000_000),
            ("hearsay_max", self.hearsay_max.into(), 1, 4_096),
            ("keys_max", self.keys_max.into(), 1, 1_024),
            ("key_bytes_max", self.key_bytes_max.into(), 1, 255),
            ("value_bytes_max", self.value_bytes_max.into(), 0, value_room),
            ("doubts_max", self.doubts_max.into(), 1, 1_024),
        ];
        for (field, given, min, max) in ranges {
            if !(min..=max).contains(&given) {
                faults.push(ConfigFault::Range { field, given, min, max });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ConfigFault, GossipConfig};
    use bary_model::time::Span;

    #[test]
    fn the_default_has_no_fault() {
        assert_eq!(GossipConfig::default().check(), []);
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let config = GossipConfig {
            probe_period: Span::millis(700),
            trust_after: Span::ZERO,
            keys_max: 0,
            value_bytes_max: 1_400,
            phi_per_probe_max: f64::NAN,
            ..GossipConfig::default()
        };
        let faults = config.check();
        assert_eq!(faults.len(), 5, "{faults:?}");
        assert!(faults.contains(&ConfigFault::Zero { field: "trust_after" }));
    }
}
