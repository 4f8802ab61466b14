//! How far a machine calls to be found: to itself only, or over the networks that it is in.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use if_addrs::{IfAddr, Interface, get_if_addrs};

/// On how many networks it is called at most.
const NETWORKS_MAX: usize = 16;
/// What every process of this machine hears, and nobody else.
pub(crate) const MACHINE: Ipv4Addr = Ipv4Addr::new(127, 255, 255, 255);

/// How far is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// To other processes of this machine.
    Machine,
    /// To the machines of the networks that this one is in as well.
    Networks,
}

impl Reach {
    /// How far one calls who is reached at these addresses: no further than they are.
    #[must_use]
    pub fn of(addresses: &[SocketAddr]) -> Self {
        match addresses.iter().all(|at| at.ip().is_loopback()) {
            true => Self::Machine,
            false => Self::Networks,
        }
    }

    /// Whether somebody at an address is within it.
    #[must_use]
    pub fn has(self, from: IpAddr) -> bool {
        self == Self::Networks || from.is_loopback()
    }

    /// Where all that listen at a port within it hear what is sent.
    ///
    /// # Errors
    /// Where the system does not say in which networks this machine is.
    pub fn broadcasts(self, port: u16) -> io::Result<Vec<SocketAddr>> {
        let mut all = vec![MACHINE];
        if self == Self::Networks {
            let found = get_if_addrs()?;
            all.extend(found.iter().filter_map(broadcast).take(NETWORKS_MAX));
        }
        all.sort_unstable();
        all.dedup();
        Ok(all.into_iter().map(|ip| SocketAddr::from((ip, port))).collect())
    }
}

/// Where all machines of a network hear, if it is one that has such an address.
fn broadcast(interface: &Interface) -> Option<Ipv4Addr> {
    match &interface.addr {
        IfAddr::V4(own) if !own.ip.is_loopback() && !interface.is_p2p => own.broadcast,
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::Reach;

    #[test]
    fn who_is_reached_on_this_machine_only_calls_to_nobody_else() {
        let at = |text: &str| text.parse::<SocketAddr>().expect("it is an address");
        let own = [at("127.0.0.1:1"), at("[::1]:2")];
        assert_eq!(Reach::of(&own), Reach::Machine);
        assert_eq!(Reach::of(&[own[0], at("10.0.0.5:1")]), Reach::Networks);
        let heard = Reach::Machine.broadcasts(7).expect("nothing is asked");
        assert_eq!(heard, [at("127.255.255.255:7")]);
        assert!(Reach::Machine.has(own[0].ip()) && !Reach::Machine.has(at("10.0.0.5:1").ip()));
        let wide = Reach::Networks.broadcasts(7).expect("the system says it");
        assert!(wide.contains(&heard[0]) && wide.iter().all(|to| to.port() == 7), "{wide:?}");
    }
}
