//! How members and newcomers look for each other where no address is known: by beacons and
//! multicast DNS on their networks, and under the cluster's key in a DHT of its members. Whatever
//! is found is an address to try; who answers there shows by TLS who it is.

use std::time::Duration;

use bary_membership::beacon;
pub use bary_membership::rendezvous::RendezvousConfig;

/// In which ways is looked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Whether beacons are called and answered.
    pub beacon: bool,
    /// Their port. Defaults to the usual one.
    pub beacon_port: u16,
    /// Whether services of the network are told and looked for.
    pub mdns: bool,
    /// How one takes part in a DHT. Defaults to not at all.
    pub dht: RendezvousConfig,
    /// How long a newcomer looks. Defaults to half a minute.
    pub span: Duration,
}

/// The usual time that a newcomer looks.
pub const SPAN: Duration = Duration::from_secs(30);
/// What stands for the usual ways.
pub const USUAL: &str = "lan";
/// The words for ways on the local networks, and whether each has beacons and multicast DNS.
pub const WAYS: &[(&str, bool, bool)] =
    &[(USUAL, true, true), ("beacon", true, false), ("mdns", false, true), ("none", false, false)];

impl Finding {
    /// That for which a word stands; none where it stands for none.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        let (_, beacon, mdns) = WAYS.iter().find(|(known, ..)| *known == word)?;
        Some(Self { beacon: *beacon, mdns: *mdns, ..Self::nowhere() })
    }

    /// Looks nowhere, and is not found.
    #[must_use]
    pub fn nowhere() -> Self {
        let (beacon_port, dht) = (beacon::PORT, RendezvousConfig::default());
        Self { beacon: false, beacon_port, mdns: false, dht, span: SPAN }
    }

    /// Whether there is any way.
    #[must_use]
    pub fn is_nowhere(&self) -> bool {
        !(self.beacon || self.mdns) && self.dht.is_none()
    }
}
