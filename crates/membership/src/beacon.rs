//! A beacon: what a member calls into its network, so that machines there find the cluster without
//! being told where it is. It says a hash of the cluster and addresses, and nothing else; one
//! without addresses asks the members of that cluster to say theirs. It proves
//! nothing either: who answers at such an address shows by TLS who it is.
//!
//! A beacon is `BARY`, a version, the hash's 8 bytes, how many addresses there are, and of each how
//! many bytes its IP address has (4 or 16), these, and its port.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::UdpSocket;

use crate::lan::{MACHINE, Reach};

/// The port at which beacons are listened for.
pub const PORT: u16 = 8_473;
/// How many addresses a beacon has at most.
pub const ADDRESSES_MAX: usize = 8;

const MAGIC: &[u8; 4] = b"BARY";
const VERSION: u8 = 1;
const BYTES_MAX: usize = 4 + 1 + 8 + 1 + ADDRESSES_MAX * 19;

/// A beacon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beacon {
    /// The hash of the cluster.
    pub cluster: u64,
    /// Where members of it are reached; none in a question.
    pub addresses: Vec<SocketAddr>,
}

impl Beacon {
    /// Its bytes, with as many addresses as it may have.
    #[must_use]
    pub fn print(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.push(VERSION);
        bytes.extend_from_slice(&self.cluster.to_be_bytes());
        let addresses = &self.addresses[..self.addresses.len().min(ADDRESSES_MAX)];
        bytes.push(addresses.len() as u8);
        for address in addresses {
            match address.ip() {
                IpAddr::V4(ip) => {
                    bytes.push(4);
                    bytes.extend_from_slice(&ip.octets());
                }
                IpAddr::V6(ip) => {
                    bytes.push(16);
                    bytes.extend_from_slice(&ip.octets());
                }
            }
            bytes.extend_from_slice(&address.port().to_be_bytes());
        }
        bytes
    }

    /// The beacon that bytes are; none where they are none.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes.strip_prefix(MAGIC)?;
        if take(&mut rest)? != [VERSION] {
            return None;
        }
        let cluster = u64::from_be_bytes(take(&mut rest)?);
        let [count] = take(&mut rest)?;
        if usize::from(count) > ADDRESSES_MAX {
            return None;
        }
        let addresses = (0..count).map(|_| address(&mut rest)).collect::<Option<_>>()?;
        rest.is_empty().then_some(Self { cluster, addresses })
    }
}

/// The next bytes.
fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (first, later) = rest.split_first_chunk()?;
    *rest = later;
    Some(*first)
}

fn address(rest: &mut &[u8]) -> Option<SocketAddr> {
    let ip = match take(rest)? {
        [4] => IpAddr::from(Ipv4Addr::from(take::<4>(rest)?)),
        [16] => IpAddr::from(Ipv6Addr::from(take::<16>(rest)?)),
        _ => return None,
    };
    Some(SocketAddr::new(ip, u16::from_be_bytes(take(rest)?)))
}

/// A socket that calls beacons and hears them; several of one machine may listen at one port.
#[derive(Debug)]
pub struct BeaconSocket {
    socket: UdpSocket,
    reach: Reach,
}

impl BeaconSocket {
    /// A socket that hears what is called within reach to a port; 0 for a free one.
    ///
    /// # Errors
    /// Where the system gives none. It must be called on a runtime.
    pub fn listen(reach: Reach, port: u16) -> io::Result<Self> {
        // On Linux a socket may be at a broadcast address, and hears nothing else.
        let ip = match reach {
            Reach::Machine if cfg!(target_os = "linux") => MACHINE,
            _ => Ipv4Addr::UNSPECIFIED,
        };
        Self::new(reach, (ip, port).into())
    }

    /// A socket from which to ask, and to which others answer.
    ///
    /// # Errors
    /// As [`BeaconSocket::listen`].
    pub fn asking(reach: Reach) -> io::Result<Self> {
        let ip = match reach {
            Reach::Machine => Ipv4Addr::LOCALHOST,
            Reach::Networks => Ipv4Addr::UNSPECIFIED,
        };
        Self::new(reach, (ip, 0).into())
    }

    fn new(reach: Reach, at: SocketAddr) -> io::Result<Self> {
        let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
        socket.set_reuse_address(at.port() != 0)?;
        socket.set_broadcast(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&at.into())?;
        Ok(Self { socket: UdpSocket::from_std(socket.into())?, reach })
    }

    /// The port at which it hears.
    ///
    /// # Errors
    /// Where the system does not say.
    pub fn port(&self) -> io::Result<u16> {
        self.socket.local_addr().map(|at| at.port())
    }

    /// Calls a beacon: to a broadcast address, everybody there hears it.
    ///
    /// # Errors
    /// Where the system does not send it, as where there is no network.
    pub async fn call(&self, beacon: &Beacon, to: SocketAddr) -> io::Result<()> {
        self.socket.send_to(&beacon.print(), to).await.map(drop)
    }

    /// Waits for the next beacon from within reach, and says where it was called from.
    ///
    /// # Errors
    /// Where the socket has failed.
    pub async fn next(&self) -> io::Result<(SocketAddr, Beacon)> {
        // One byte more, so that what is too long is not taken for what it begins with.
        let mut bytes = [0; BYTES_MAX + 1];
        loop {
            match self.socket.recv_from(&mut bytes).await {
                Ok((_, from)) if !self.reach.has(from.ip()) => {}
                Ok((length, from)) => {
                    if let Some(beacon) = Beacon::read(&bytes[..length]) {
                        return Ok((from, beacon));
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
                Err(error) => return Err(error),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use proptest::prelude::{any, prop, proptest};

    use super::{ADDRESSES_MAX, BYTES_MAX, Beacon};

    proptest! {
        #[test]
        fn a_beacon_is_read_as_it_was_printed(
            cluster in any::<u64>(),
            addresses in prop::collection::vec(any::<SocketAddr>(), 0..ADDRESSES_MAX),
        ) {
            // A beacon has neither flow nor scope, which mean nothing on another machine.
            let plain = |at: SocketAddr| SocketAddr::new(at.ip(), at.port());
            let addresses = addresses.into_iter().map(plain).collect();
            let beacon = Beacon { cluster, addresses };
            let bytes = beacon.print();
            assert!(bytes.len() <= BYTES_MAX);
            assert_eq!(Beacon::read(&bytes), Some(beacon));
            assert_eq!(Beacon::read(&bytes[..bytes.len() - 1]), None);
            assert_eq!(Beacon::read(&[&bytes[..], &[0]].concat()), None);
        }

        #[test]
        fn no_bytes_are_too_strange_to_read(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let strange = [b"BARY\x01", &bytes[..]].concat();
            if let Some(beacon) = Beacon::read(&strange) {
                assert_eq!(beacon.print(), strange);
            }
        }
    }

    #[test]
    fn a_beacon_has_no_more_addresses_than_it_may() {
        let at = SocketAddr::from(([10, 0, 0, 5], 8_471));
        let printed = Beacon { cluster: 1, addresses: vec![at; ADDRESSES_MAX + 3] }.print();
        let read = Beacon::read(&printed).expect("it was printed as one");
        assert_eq!(read.addresses.len(), ADDRESSES_MAX);
    }
}
