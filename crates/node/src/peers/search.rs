//! Looks for members of a cluster in every way at once, and hands on what is heard. It ends when it
//! is dropped.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bary_identity::fingerprint::Fingerprint;
use bary_membership::beacon::{Beacon, BeaconSocket};
use bary_membership::lan::Reach;
use bary_membership::mdns::Mdns;
use bary_membership::rendezvous::{Rendezvous, RendezvousConfig};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::finding::Finding;

/// How many words of others wait at most; what finds no room is heard again.
const HEARD_MAX: usize = 64;
/// How often it is asked at first, and at last: each time after twice as long.
const ASK_FIRST: Duration = Duration::from_millis(500);
const ASK_LAST: Duration = Duration::from_secs(16);

/// What was heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Heard {
    /// In which way, in words.
    pub(super) way: &'static str,
    /// Who said it.
    pub(super) from: IpAddr,
    /// Where members are, as he says.
    pub(super) addresses: Vec<SocketAddr>,
}

/// A search.
#[derive(Debug)]
pub(super) struct Search {
    /// In which ways is looked, in words, and which cannot be gone.
    pub(super) ways: Vec<String>,
    heard: mpsc::Receiver<Heard>,
    /// They end with this.
    _lookers: JoinSet<()>,
}

impl Search {
    /// Begins one; where the member takes part in a DHT already, by that.
    pub(super) async fn begin(
        finding: &Finding,
        print: Fingerprint,
        reach: Reach,
        rendezvous: Option<Rendezvous>,
    ) -> Self {
        let (says, heard) = mpsc::channel(HEARD_MAX);
        let (mut ways, mut lookers) = (Vec::new(), JoinSet::new());
        if finding.beacon {
            let (cluster, port) = (print.number(), finding.beacon_port);
            match Caller::new(reach, port, cluster) {
                Ok(caller) => {
                    ways.push(caller.words());
                    lookers.spawn(caller.look(says.clone()));
                }
                Err(error) => ways.push(format!("by beacon not at all ({error})")),
            }
        }
        if finding.mdns {
            match Mdns::new(reach) {
                Ok(mdns) => {
                    ways.push("by multicast DNS".to_owned());
                    lookers.spawn(services(mdns, print.number(), says.clone()));
                }
                Err(error) => ways.push(format!("by multicast DNS not at all ({error})")),
            }
        }
        let dht = match rendezvous {
            None if finding.dht.nodes.is_empty() => None,
            None => {
                // Only one process can listen where the member will be a node.
                let asks = RendezvousConfig { listen: None, nodes: finding.dht.nodes.clone() };
                Some(Rendezvous::begin(&asks).await)
            }
            Some(dht) => Some(Ok(dht)),
        };
        match dht {
            None => {}
            Some(Ok(dht)) => {
                let nodes = finding.dht.nodes.iter().map(ToString::to_string);
                ways.push(match nodes.collect::<Vec<_>>().join(", ") {
                    nodes if nodes.is_empty() => "in the DHT".to_owned(),
                    nodes => format!("in the DHT that begins at {nodes}"),
                });
                lookers.spawn(under(dht, print.rendezvous(), says));
            }
            Some(Err(error)) => ways.push(format!("in the DHT not at all ({error})")),
        }
        Self { ways, heard, _lookers: lookers }
    }

    /// The ways in words.
    pub(super) fn words(&self) -> String {
        self.ways.join(", ")
    }

    /// Waits for what is heard next; for ever where there is no way.
    pub(super) async fn next(&mut self) -> Heard {
        match self.heard.recv().await {
            Some(heard) => heard,
            None => std::future::pending().await,
        }
    }
}

/// Asks by beacon, and hears answers and whatever else is called.
struct Caller {
    asks: BeaconSocket,
    /// None where somebody else has the port for himself.
    hears: Option<BeaconSocket>,
    to: Vec<SocketAddr>,
    cluster: u64,
}

impl Caller {
    fn new(reach: Reach, port: u16, cluster: u64) -> std::io::Result<Self> {
        let asks = BeaconSocket::asking(reach)?;
        let hears = BeaconSocket::listen(reach, port).ok();
        Ok(Self { asks, hears, to: reach.broadcasts(port)?, cluster })
    }

    fn words(&self) -> String {
        let to: Vec<String> = self.to.iter().map(SocketAddr::to_string).collect();
        format!("by beacon to {}", to.join(" and "))
    }

    async fn look(self, says: mpsc::Sender<Heard>) {
        let question = Beacon { cluster: self.cluster, addresses: Vec::new() };
        let mut wait = ASK_FIRST;
        loop {
            for to in &self.to {
                // A network that is not there now may be when it is asked again.
                drop(self.asks.call(&question, *to).await);
            }
            // Ends when it is time to ask again.
            drop(tokio::time::timeout(wait, self.hear(&says)).await);
            wait = (wait * 2).min(ASK_LAST);
        }
    }

    async fn hear(&self, says: &mpsc::Sender<Heard>) {
        loop {
            let other = async {
                match &self.hears {
                    Some(hears) => hears.next().await,
                    None => std::future::pending().await,
                }
            };
            let heard = tokio::select! {
                heard = self.asks.next() => heard,
                heard = other => heard,
            };
            match heard {
                Ok((from, said)) if said.cluster == self.cluster && !said.addresses.is_empty() => {
                    let (way, from) = ("by beacon", from.ip());
                    // What finds no room is said again.
                    drop(says.try_send(Heard { way, from, addresses: said.addresses }));
                }
                Ok(_) => {}
                // It is tried again when it is time to ask.
                Err(_) => return std::future::pending().await,
            }
        }
    }
}

async fn services(mdns: Mdns, cluster: u64, says: mpsc::Sender<Heard>) {
    let Ok(mut sought) = mdns.seek(cluster) else { return };
    while let Some(addresses) = sought.next().await {
        let Some(from) = addresses.first().map(SocketAddr::ip) else { continue };
        // As above.
        drop(says.try_send(Heard { way: "by multicast DNS", from, addresses }));
    }
}

/// Who said what under a key is not known: each address is taken as said by whoever is there.
async fn under(dht: Rendezvous, key: [u8; 20], says: mpsc::Sender<Heard>) {
    let mut wait = ASK_FIRST;
    loop {
        let mut found = dht.seek(key);
        while let Some(addresses) = found.next().await {
            for at in addresses {
                // Each is as if it had said it of itself, as members do.
                let heard = Heard { way: "in the DHT", from: at.ip(), addresses: vec![at] };
                drop(says.try_send(heard));
            }
        }
        sleep(wait).await;
        wait = (wait * 2).min(ASK_LAST);
    }
}
