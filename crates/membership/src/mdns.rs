//! Members as services of the local networks, by multicast DNS (RFC 6762 and 6763). The instance
//! of one is the hash of its cluster and a number drawn by lot, and so is its host: neither tells
//! what the cluster or the machine is called. As a beacon, it proves nothing.
//!
//! `mdns-sd` has a thread of its own that ends with the last that was made from it.

use std::net::{IpAddr, SocketAddr};

use mdns_sd::{IfKind, Receiver, ResolvedService, ServiceDaemon, ServiceEvent, ServiceInfo};

use crate::lan::Reach;

/// What members are as services.
const SERVICE: &str = "_bary._tcp.local.";
/// How many addresses of one service are taken.
const ADDRESSES_MAX: usize = 8;

/// Says and hears services.
pub struct Mdns(ServiceDaemon);

/// Services cannot be said or heard.
#[derive(Debug, thiserror::Error)]
#[error("multicast DNS: {0}")]
pub struct MdnsError(#[from] mdns_sd::Error);

impl std::fmt::Debug for Mdns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Mdns")
    }
}

impl Drop for Mdns {
    fn drop(&mut self) {
        // One that has ended by itself needs no end.
        drop(self.0.shutdown());
    }
}

impl Mdns {
    /// One that speaks on this machine only, or on its networks too.
    ///
    /// # Errors
    /// Where the system gives no socket or thread.
    pub fn new(reach: Reach) -> Result<Self, MdnsError> {
        let mdns = Self(ServiceDaemon::new()?);
        if reach == Reach::Machine {
            mdns.0.disable_interface(IfKind::All)?;
        }
        mdns.0.enable_interface(IfKind::LoopbackV4)?;
        Ok(mdns)
    }

    /// Says until its end that a member of the cluster of this hash is at these addresses. As a
    /// service has one port, only those of the first one's are said. `lot` tells members apart.
    ///
    /// # Errors
    /// Where that cannot be said.
    pub fn announce(
        &self,
        cluster: u64,
        lot: u64,
        addresses: &[SocketAddr],
    ) -> Result<(), MdnsError> {
        let Some(port) = addresses.first().map(SocketAddr::port) else { return Ok(()) };
        let all = addresses.iter().filter(|at| at.port() == port).map(SocketAddr::ip);
        let all: Vec<IpAddr> = all.take(ADDRESSES_MAX).collect();
        let name = format!("{}{lot:016x}", prefix(cluster));
        let host = format!("{name}.local.");
        let nothing: &[(&str, &str)] = &[];
        let mut service = ServiceInfo::new(SERVICE, &name, &host, &all[..], port, nothing)?;
        // Nobody else draws the same number, so that nobody needs to be asked.
        service.set_requires_probe(false);
        Ok(self.0.register(service)?)
    }

    /// Looks for members of the cluster of this hash, for as long as both are there.
    ///
    /// # Errors
    /// Where nothing can be heard.
    pub fn seek(&self, cluster: u64) -> Result<Sought, MdnsError> {
        Ok(Sought { events: self.0.browse(SERVICE)?, prefix: prefix(cluster) })
    }
}

/// What is heard of members.
pub struct Sought {
    events: Receiver<ServiceEvent>,
    prefix: String,
}

impl std::fmt::Debug for Sought {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sought").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

impl Sought {
    /// Waits for the next one, and says where it is; none where nothing is heard any more.
    pub async fn next(&mut self) -> Option<Vec<SocketAddr>> {
        loop {
            match self.events.recv_async().await.ok()? {
                ServiceEvent::ServiceResolved(found)
                    if found.get_fullname().starts_with(&self.prefix) =>
                {
                    return Some(addresses(&found));
                }
                _ => {}
            }
        }
    }
}

/// With what the names of a cluster's members begin.
fn prefix(cluster: u64) -> String {
    format!("{cluster:016x}-")
}

fn addresses(found: &ResolvedService) -> Vec<SocketAddr> {
    let mut all: Vec<IpAddr> = found.get_addresses().iter().map(|at| at.to_ip_addr()).collect();
    // One that needs to be told on which network it is says nothing elsewhere.
    all.retain(|ip| !matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local()));
    all.sort_unstable();
    all.truncate(ADDRESSES_MAX);
    all.into_iter().map(|ip| SocketAddr::new(ip, found.get_port())).collect()
}
