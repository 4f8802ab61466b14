//! What a node is called, where it is reached, and which of its lives speaks.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// A node's number in the whole cluster, the same over restarts; unique, for example the first
/// eight bytes of the hash of its public key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(pub u64);

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Where a node's datagrams go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Address {
    /// A number that the driver gives a meaning, as simulated networks do.
    Number(u64),
    /// An IPv4 address and port.
    V4([u8; 4], u16),
    /// An IPv6 address and port, without flow and scope, which mean nothing on another machine.
    V6([u8; 16], u16),
}

impl Address {
    /// The address as the standard library's; `None` for a number.
    #[must_use]
    pub fn socket(self) -> Option<SocketAddr> {
        match self {
            Self::Number(_) => None,
            Self::V4(ip, port) => Some(SocketAddr::new(IpAddr::V4(Ipv4Addr::from(ip)), port)),
            Self::V6(ip, port) => Some(SocketAddr::new(IpAddr::V6(Ipv6Addr::from(ip)), port)),
        }
    }
}

impl From<SocketAddr> for Address {
    fn from(socket: SocketAddr) -> Self {
        match socket.ip() {
            IpAddr::V4(ip) => Self::V4(ip.octets(), socket.port()),
            IpAddr::V6(ip) => Self::V6(ip.octets(), socket.port()),
        }
    }
}

/// One life of a node. Of two lives of a name the higher incarnation wins, so that a restarted
/// node replaces its former self at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Identity {
    /// Whose life it is.
    pub name: Name,
    /// Where it is reached.
    pub address: Address,
    /// The life's number. It must be durable before the node speaks, and higher than before.
    pub incarnation: u64,
    /// How often this life was declared dead and rose again; kept in memory only, as the next
    /// incarnation beats all of them. It starts at 0.
    pub renewal: u32,
}

impl Identity {
    /// A life that has just begun.
    #[must_use]
    pub fn new(name: Name, address: Address, incarnation: u64) -> Self {
        Self { name, address, incarnation, renewal: 0 }
    }

    /// Whether this life wins over `other` of the same name. Of two different ones exactly one
    /// does: by incarnation, then renewal, then address.
    #[must_use]
    pub fn beats(&self, other: &Self) -> bool {
        let rank = |life: &Self| (life.incarnation, life.renewal, life.address);
        rank(self) > rank(other)
    }
}

impl foca::Identity for Identity {
    type Addr = Name;

    fn renew(&self) -> Option<Self> {
        Some(Self { renewal: self.renewal.checked_add(1)?, ..*self })
    }

    fn addr(&self) -> Name {
        self.name
    }

    fn win_addr_conflict(&self, adversary: &Self) -> bool {
        self.beats(adversary)
    }
}

#[cfg(test)]
mod tests {
    use super::{Address, Identity, Name};
    use foca::Identity as _;

    #[test]
    fn a_later_life_wins_and_a_renewal_wins_within_a_life() {
        let first = Identity::new(Name(7), Address::Number(1), 1);
        let second = Identity::new(Name(7), Address::Number(0), 2);
        assert!(second.beats(&first) && !first.beats(&second));
        let risen = first.renew().expect("few renewals");
        assert!(risen.beats(&first) && second.beats(&risen) && !first.beats(&first));
    }

    #[test]
    fn socket_addresses_come_back() {
        for text in ["10.1.2.3:80", "[::1]:9000"] {
            let socket = text.parse().expect("an address");
            assert_eq!(Address::from(socket).socket(), Some(socket));
        }
    }
}
