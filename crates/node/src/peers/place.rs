//! Where a member listens for the others, and under which addresses they reach it. The file
//! `place` keeps it, so that the member comes back where it was.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::path::Path;

use super::file;

/// The port on which members listen for each other.
pub const PORT: u16 = 8471;
/// The file's name.
const NAME: &str = "place";
/// How many addresses a member has at most.
pub(super) const ADDRESSES_MAX: usize = 16;

/// Where a member is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Where others reach it.
    pub addresses: Vec<SocketAddr>,
}

impl Place {
    /// The place of a listener: where others reach it is `advertise`, or the address itself, or
    /// for a listener on all addresses the one from which this machine would reach `towards`.
    #[must_use]
    pub fn of(listen: SocketAddr, advertise: &[SocketAddr], towards: Option<SocketAddr>) -> Self {
        if !advertise.is_empty() {
            let addresses = advertise.iter().take(ADDRESSES_MAX).copied().collect();
            return Self { listen, addresses };
        }
        let ip = match listen.ip() {
            ip if ip.is_unspecified() => outward(ip, towards),
            ip => ip,
        };
        Self { listen, addresses: vec![SocketAddr::new(ip, listen.port())] }
    }

    /// The one that a directory keeps.
    pub(crate) fn read(dir: &Path) -> io::Result<Option<Self>> {
        let Some(text) = file::read_text(&dir.join(NAME))? else { return Ok(None) };
        parse(&text).map(Some).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    pub(crate) fn write(&self, dir: &Path) -> io::Result<()> {
        let mut text = format!("listen {}\n", self.listen);
        for address in &self.addresses {
            text += &format!("address {address}\n");
        }
        file::write(&dir.join(NAME), text.as_bytes())
    }
}

fn parse(text: &str) -> Option<Place> {
    let mut lines = text.lines();
    let listen = lines.next()?.strip_prefix("listen ")?.parse().ok()?;
    let addresses = lines.map(|line| line.strip_prefix("address ")?.parse().ok());
    Some(Place { listen, addresses: addresses.collect::<Option<_>>()? })
}

/// The address from which this machine sends towards another, or anywhere where none is given; its
/// own loopback where it reaches nobody. Nothing is sent.
fn outward(ip: IpAddr, towards: Option<SocketAddr>) -> IpAddr {
    // An address for documentation, which is beyond every network.
    let far = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), PORT);
    let towards = towards.unwrap_or(far);
    let from: IpAddr = match towards {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let own = UdpSocket::bind(SocketAddr::new(from, 0)).and_then(|socket| {
        socket.connect(towards)?;
        socket.local_addr()
    });
    match (own, ip) {
        (Ok(own), _) => own.ip(),
        (Err(_), IpAddr::V4(_)) => Ipv4Addr::LOCALHOST.into(),
        (Err(_), IpAddr::V6(_)) => Ipv6Addr::LOCALHOST.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::Place;

    #[test]
    fn a_place_is_read_as_it_was_written() {
        let dir = tempfile::tempdir().expect("there is room");
        assert_eq!(Place::read(dir.path()).expect("it can be looked for"), None);
        let at = |text: &str| text.parse().expect("it is an address");
        let place = Place::of(at("0.0.0.0:8471"), &[at("10.0.0.5:1"), at("[::1]:2")], None);
        place.write(dir.path()).expect("there is room");
        assert_eq!(Place::read(dir.path()).expect("it is there"), Some(place));
    }

    #[test]
    fn a_listener_on_all_addresses_is_reached_by_the_one_towards_the_other() {
        let at = |text: &str| text.parse().expect("it is an address");
        let near = Place::of(at("0.0.0.0:5"), &[], Some(at("127.0.0.9:8471")));
        assert!(near.addresses[0].ip().is_loopback());
        assert_eq!(near.addresses[0].port(), 5);
        let one = Place::of(at("127.0.0.3:5"), &[], None);
        assert_eq!(one.addresses, [at("127.0.0.3:5")]);
    }
}
