//! Members meet under a key in a Kademlia of their own: some of them are its nodes, all tell there
//! where they are, and who knows the key and one node finds them. It speaks the BitTorrent DHT's
//! protocol (BEP 5, by `mainline`) and never with the public one: it begins at the nodes that it is
//! given and at no others, and takes no names, which could lead elsewhere. What it finds proves
//! nothing. IPv4 only, as that protocol is.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::time::Duration;

use if_addrs::{IfAddr, Interface, get_if_addrs};
use mainline::async_dht::{AsyncDht, GetStream};
use mainline::errors::PutQueryError;
use mainline::{Config, Dht, Id, ServerSettings};
use tokio_stream::StreamExt;

/// How many keys a node keeps, and how many members under each.
const KEYS_MAX: usize = 64;
const MEMBERS_MAX: usize = 1_024;
/// How long a node is waited for that does not answer. Defaults to a second: these are few, near
/// or chosen, where the public ones are many and often gone.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(1);

/// How one takes part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RendezvousConfig {
    /// Where it is a node for others; one that is none asks and tells only.
    pub listen: Option<SocketAddrV4>,
    /// Nodes that it begins at; with none, others begin at it.
    pub nodes: Vec<SocketAddrV4>,
}

impl RendezvousConfig {
    /// Whether there is anything to take part in.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.listen.is_none() && self.nodes.is_empty()
    }

    /// As one who is no node asks and tells, who begins at these.
    fn asking(&self, nodes: Vec<SocketAddrV4>) -> Self {
        Self { listen: None, nodes }
    }

    /// What the library is told. `bootstrap` is never absent, which would mean the public nodes.
    fn inner(&self) -> Config {
        let near = self.nodes.iter().all(|node| node.ip().is_loopback());
        let usual = if near { Ipv4Addr::LOCALHOST } else { Ipv4Addr::UNSPECIFIED };
        let at = self.listen.unwrap_or_else(|| SocketAddrV4::new(usual, 0));
        let server_settings = ServerSettings {
            max_info_hashes: KEYS_MAX,
            max_peers_per_info_hash: MEMBERS_MAX,
            max_immutable_values: 1,
            max_mutable_values: 1,
            ..ServerSettings::default()
        };
        Config {
            bootstrap: Some(self.nodes.clone()),
            bind_address: Some(*at.ip()),
            port: Some(at.port()),
            request_timeout: REQUEST_TIMEOUT,
            server_mode: self.listen.is_some(),
            server_settings,
            public_ip: None,
        }
    }
}

/// Takes part, on threads of its own that end with the last clone.
#[derive(Clone, Debug)]
pub struct Rendezvous {
    /// What asks and tells. A node does neither with itself, so that the first one would be told
    /// by nobody where its own member is.
    dht: AsyncDht,
    at: SocketAddrV4,
    _node: Option<AsyncDht>,
}

/// Nobody took in where a member is. It may be told again.
#[derive(Debug, thiserror::Error)]
#[error("no node of the DHT took it in: {0}")]
pub struct TellError(#[from] PutQueryError);

impl Rendezvous {
    /// Begins to take part.
    ///
    /// # Errors
    /// Where the system gives no socket or thread.
    pub async fn begin(config: &RendezvousConfig) -> io::Result<Self> {
        let Some(listen) = config.listen else {
            let dht = Dht::new(config.inner())?.as_async();
            let at = dht.info().await.local_addr();
            return Ok(Self { dht, at, _node: None });
        };
        let node = Dht::new(config.inner())?.as_async();
        let at = SocketAddrV4::new(own(*listen.ip())?, node.info().await.local_addr().port());
        let nodes = std::iter::once(at).chain(config.nodes.iter().copied()).collect();
        let dht = Dht::new(config.asking(nodes).inner())?.as_async();
        Ok(Self { dht, at, _node: Some(node) })
    }

    /// Where it listens, as others reach it.
    #[must_use]
    pub fn at(&self) -> SocketAddrV4 {
        self.at
    }

    /// Tells under a key that a member is at this port of this machine, as others see it.
    ///
    /// # Errors
    /// Where nobody takes that in.
    pub async fn tell(&self, key: [u8; 20], port: u16) -> Result<(), TellError> {
        self.dht.announce_peer(Id::from(key), Some(port)).await?;
        Ok(())
    }

    /// Asks who is under a key.
    #[must_use]
    pub fn seek(&self, key: [u8; 20]) -> Found {
        Found(self.dht.get_peers(Id::from(key)))
    }
}

/// What is found under a key.
pub struct Found(GetStream<Vec<SocketAddrV4>>);

impl std::fmt::Debug for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Found")
    }
}

impl Found {
    /// Waits for what the next node knows; none when all have been asked.
    pub async fn next(&mut self) -> Option<Vec<SocketAddr>> {
        let found = self.0.next().await?;
        Some(found.into_iter().take(MEMBERS_MAX).map(SocketAddr::from).collect())
    }
}

/// Where a node that listens here is reached: one that does everywhere, at this machine's first
/// address that others may know.
fn own(ip: Ipv4Addr) -> io::Result<Ipv4Addr> {
    if !ip.is_unspecified() {
        return Ok(ip);
    }
    let known = |interface: Interface| match interface.addr {
        IfAddr::V4(own) if !own.ip.is_loopback() => Some(own.ip),
        _ => None,
    };
    Ok(get_if_addrs()?.into_iter().find_map(known).unwrap_or(Ipv4Addr::LOCALHOST))
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddrV4;

    use super::RendezvousConfig;

    #[test]
    fn the_public_network_is_never_begun_at() {
        let at = |text: &str| text.parse::<SocketAddrV4>().expect("it is an address");
        let (own, other) = (at("127.0.0.1:0"), at("10.0.0.5:8474"));
        for (listen, nodes) in
            [(None, vec![]), (Some(own), vec![]), (None, vec![other]), (Some(own), vec![other])]
        {
            let inner = RendezvousConfig { listen, nodes: nodes.clone() }.inner();
            // Absent, it would be four public names.
            assert_eq!(inner.bootstrap, Some(nodes));
            assert_eq!(inner.server_mode, listen.is_some());
        }
    }

    #[test]
    fn one_whose_nodes_are_all_of_this_machine_speaks_to_no_other() {
        let at = |text: &str| text.parse::<SocketAddrV4>().expect("it is an address");
        let bound = |node| RendezvousConfig { listen: None, nodes: vec![at(node)] }.inner();
        let is_own = |node| bound(node).bind_address.is_some_and(|ip| ip.is_loopback());
        assert!(is_own("127.0.0.1:1") && !is_own("10.0.0.5:1"));
    }
}
