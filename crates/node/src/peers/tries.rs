//! Which addresses are to be tried of those that were heard. Anybody can say any number of them,
//! so that each who says some has a small part of a small table, and none is tried twice.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};

/// How many addresses are tried at most.
const ALL_MAX: usize = 256;
/// How many of those that one machine said.
const OF_ONE_MAX: usize = 8;

/// Addresses to try.
#[derive(Debug, Default)]
pub(super) struct Tries {
    known: BTreeSet<SocketAddr>,
    said: BTreeMap<IpAddr, usize>,
    waiting: VecDeque<SocketAddr>,
}

impl Tries {
    /// Takes in what a machine said, as far as it may be tried.
    pub(super) fn take(&mut self, from: IpAddr, addresses: &[SocketAddr]) {
        for at in addresses.iter().filter(|at| may_be(from, **at)) {
            let said = self.said.get(&from).copied().unwrap_or_default();
            if self.known.len() >= ALL_MAX || said >= OF_ONE_MAX {
                return;
            }
            if self.known.insert(*at) {
                self.said.insert(from, said + 1);
                self.waiting.push_back(*at);
            }
        }
    }

    /// The next one to try.
    pub(super) fn next(&mut self) -> Option<SocketAddr> {
        self.waiting.pop_front()
    }

    /// How many were heard so far.
    pub(super) fn heard(&self) -> usize {
        self.known.len()
    }
}

/// Whether a machine can know of a member at an address that this one would reach there.
fn may_be(from: IpAddr, at: SocketAddr) -> bool {
    let ip = at.ip();
    let is_one = !(ip.is_unspecified() || ip.is_multicast()) && at.port() != 0;
    let is_broadcast = matches!(ip, IpAddr::V4(ip) if ip.is_broadcast());
    is_one && !is_broadcast && (!ip.is_loopback() || from.is_loopback())
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, SocketAddr};

    use super::{ALL_MAX, OF_ONE_MAX, Tries};

    fn ip(last: usize) -> IpAddr {
        IpAddr::from([10, 0, (last >> 8) as u8, last as u8])
    }

    #[test]
    fn nobody_who_says_much_keeps_others_from_being_heard() {
        let mut tries = Tries::default();
        let many: Vec<SocketAddr> = (1..500).map(|port| SocketAddr::new(ip(1), port)).collect();
        tries.take(ip(1), &many);
        tries.take(ip(1), &many);
        assert_eq!(tries.heard(), OF_ONE_MAX);
        let honest = SocketAddr::new(ip(2), 8_471);
        tries.take(ip(2), &[honest, honest]);
        assert_eq!(tries.heard(), OF_ONE_MAX + 1);
        let next: Vec<SocketAddr> = std::iter::from_fn(|| tries.next()).collect();
        assert_eq!((next.len(), next.last()), (OF_ONE_MAX + 1, Some(&honest)));
        tries.take(ip(2), &[honest]);
        assert_eq!(tries.next(), None, "it was tried");
        for last in 3..500 {
            tries.take(ip(last), &many[last..]);
        }
        assert_eq!(tries.heard(), ALL_MAX);
    }

    #[test]
    fn what_cannot_be_a_member_elsewhere_is_not_tried() {
        let mut tries = Tries::default();
        let wrong =
            ["127.0.0.1:8471", "0.0.0.0:1", "10.0.0.5:0", "255.255.255.255:1", "[ff02::1]:1"];
        let wrong = wrong.map(|text| text.parse().expect("it is an address"));
        tries.take(ip(1), &wrong);
        assert_eq!(tries.next(), None);
        tries.take(IpAddr::from([127, 0, 0, 1]), &wrong);
        assert_eq!((tries.next(), tries.next()), (Some(wrong[0]), None), "that is this machine");
    }
}
