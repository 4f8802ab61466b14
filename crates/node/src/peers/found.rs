//! How a member is found: it answers who asks for its cluster by beacon, calls now and then, says
//! that it is a service of the network, and tells the DHT. One that has come back and finds nobody
//! where it knew the others looks for them in the same ways.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bary_membership::beacon::{ADDRESSES_MAX, Beacon, BeaconSocket};
use bary_membership::lan::Reach;
use bary_membership::mdns::{Mdns, MdnsError};
use bary_membership::rendezvous::Rendezvous;
use tokio::sync::{Notify, watch};
use tokio::time::{interval, sleep};

use super::finding::Finding;
use super::roster::{Peers, lock};
use super::search::Search;
use super::tries::Tries;
use crate::access::chance;
use crate::serve::log::Level;

/// How often a beacon is called that nobody asked for.
const CALL_EVERY: Duration = Duration::from_secs(10);
/// How many questions are answered a second: anybody can ask, and in another's name.
const ANSWERS_MAX: u32 = 8;
/// How soon the DHT is told again where it did not take it in, at first, and where it did.
const TELL_AGAIN: Duration = Duration::from_secs(1);
const TELL_EVERY: Duration = Duration::from_secs(300);
/// How long a member that reaches nobody waits before it looks elsewhere, and between searches at
/// last: each time twice as long.
const LONELY_AFTER: Duration = Duration::from_secs(3);
const LONELY_LAST: Duration = Duration::from_secs(600);
/// How long it looks at a time.
const SEARCH_SPAN: Duration = Duration::from_secs(30);

/// How many addresses are kept that were found.
const FOUND_MAX: usize = 64;

/// Where others may be, as was found of late.
#[derive(Debug, Default)]
pub(super) struct Found {
    addresses: std::sync::Mutex<Vec<SocketAddr>>,
    pub(super) news: Notify,
}

impl Found {
    /// All that were found, the last one first.
    pub(super) fn all(&self) -> Vec<SocketAddr> {
        lock(&self.addresses).iter().rev().copied().collect()
    }

    fn add(&self, new: Vec<SocketAddr>) {
        let mut all = lock(&self.addresses);
        all.retain(|at| !new.contains(at));
        all.extend(new);
        let over = all.len().saturating_sub(FOUND_MAX);
        all.drain(..over);
        self.news.notify_one();
    }
}

/// Answers, as far as it may.
#[derive(Debug)]
struct Allowance {
    left: u32,
    since: Instant,
}

impl Allowance {
    fn take(&mut self, now: Instant) -> bool {
        if now.duration_since(self.since) >= Duration::from_secs(1) {
            *self = Self { left: ANSWERS_MAX, since: now };
        }
        let may = self.left > 0;
        self.left = self.left.saturating_sub(1);
        may
    }
}

impl Peers {
    /// Is found by others, and finds them where it is alone, until `closing` turns true.
    pub(crate) async fn be_found(
        self: Arc<Self>,
        finding: Finding,
        mut closing: watch::Receiver<bool>,
    ) {
        if finding.is_nowhere() {
            return;
        }
        let reach = Reach::of(&self.place.addresses);
        let dht = self.join_dht(&finding).await;
        let _service = self.announced(&finding, reach);
        // Whoever would say so may have gone.
        let mut closed = pin!(async { drop(closing.wait_for(|closing| *closing).await) });
        tokio::select! {
            () = self.answer(&finding, reach) => {}
            () = self.tell(dht.as_ref()) => {}
            () = self.seek_others(&finding, reach, dht.as_ref()) => {}
            () = &mut closed => {}
        }
    }

    async fn join_dht(&self, finding: &Finding) -> Option<Rendezvous> {
        if finding.dht.is_none() {
            return None;
        }
        match Rendezvous::begin(&finding.dht).await {
            Ok(dht) => {
                if finding.dht.listen.is_some() {
                    let text = format!("a node of the DHT, at {}", dht.at());
                    self.log.say(Level::Info, &text, &[]);
                }
                Some(dht)
            }
            Err(error) => {
                let text = format!("this member takes no part in the DHT: {error}");
                self.log.say(Level::Warning, &text, &[]);
                None
            }
        }
    }

    /// Says that it is a service, for as long as what is given is kept.
    fn announced(&self, finding: &Finding, reach: Reach) -> Option<Mdns> {
        if !finding.mdns {
            return None;
        }
        let lot = chance::draw().ok()?.first_chunk().copied().map(u64::from_le_bytes)?;
        let cluster = self.papers.fingerprint().number();
        let announced = Mdns::new(reach).and_then(|mdns| {
            mdns.announce(cluster, lot, &self.place.addresses)?;
            Ok(mdns)
        });
        let told = |error: MdnsError| {
            let text = format!("this member is not found by multicast DNS: {error}");
            self.log.say(Level::Warning, &text, &[]);
        };
        announced.map_err(told).ok()
    }

    /// Answers who asks for the cluster, and calls now and then.
    async fn answer(&self, finding: &Finding, reach: Reach) {
        if !finding.beacon {
            return std::future::pending().await;
        }
        let ears = match BeaconSocket::listen(reach, finding.beacon_port) {
            Ok(ears) => ears,
            Err(error) => {
                let port = finding.beacon_port;
                let text = format!("this member is not found by beacon, at port {port}: {error}");
                self.log.say(Level::Warning, &text, &[]);
                return std::future::pending().await;
            }
        };
        let addresses = self.place.addresses.iter().take(ADDRESSES_MAX).copied().collect();
        let own = Beacon { cluster: self.papers.fingerprint().number(), addresses };
        let mut allowance = Allowance { left: ANSWERS_MAX, since: Instant::now() };
        let mut call = interval(CALL_EVERY);
        loop {
            tokio::select! {
                asked = ears.next() => match asked {
                    Ok((from, said)) if said.cluster == own.cluster => {
                        if said.addresses.is_empty() && allowance.take(Instant::now()) {
                            // Who does not hear it asks again.
                            drop(ears.call(&own, from).await);
                        }
                    }
                    Ok(_) => {}
                    // The network has gone; it may come back.
                    Err(_) => sleep(CALL_EVERY).await,
                },
                _ = call.tick() => {
                    for to in reach.broadcasts(finding.beacon_port).unwrap_or_default() {
                        // As above.
                        drop(ears.call(&own, to).await);
                    }
                }
            }
        }
    }

    /// Tells the DHT where this member is, again and again.
    async fn tell(&self, dht: Option<&Rendezvous>) {
        let at = self.place.addresses.iter().find(|at| at.is_ipv4());
        let (Some(dht), Some(at)) = (dht, at) else { return std::future::pending().await };
        let (key, mut again) = (self.papers.fingerprint().rendezvous(), TELL_AGAIN);
        loop {
            if dht.tell(key, at.port()).await.is_ok() {
                sleep(TELL_EVERY).await;
            } else {
                sleep(again).await;
                again = (again * 2).min(TELL_EVERY);
            }
        }
    }

    /// Looks for the others whenever there is a stream to none of those that are known.
    async fn seek_others(&self, finding: &Finding, reach: Reach, dht: Option<&Rendezvous>) {
        let (mut next, mut pause) = (Instant::now(), LONELY_AFTER);
        loop {
            sleep(LONELY_AFTER).await;
            if !self.is_alone() {
                (next, pause) = (Instant::now(), LONELY_AFTER);
            } else if Instant::now() >= next {
                let print = self.papers.fingerprint();
                let search = Search::begin(finding, print, reach, dht.cloned()).await;
                if pause == LONELY_AFTER {
                    let text = format!("no known member is reached; looking {}", search.words());
                    self.log.say(Level::Info, &text, &[]);
                }
                self.follow(search).await;
                pause = (pause * 2).min(LONELY_LAST);
                next = Instant::now() + pause;
            }
        }
    }

    /// Has addresses tried that a search finds, until somebody is reached or it lasts too long.
    async fn follow(&self, mut search: Search) {
        let mut tries = Tries::default();
        let until = Instant::now() + SEARCH_SPAN;
        while self.is_alone() && Instant::now() < until {
            let look = tokio::time::timeout(LONELY_AFTER, search.next());
            let Ok(heard) = look.await else { continue };
            tries.take(heard.from, &heard.addresses);
            let mut new: Vec<SocketAddr> = std::iter::from_fn(|| tries.next()).collect();
            new.retain(|at| !self.place.addresses.contains(at));
            if !new.is_empty() {
                let at = new.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
                let text = format!("{} says {}: trying {at}", heard.from, heard.way);
                self.log.say(Level::Info, &text, &[]);
                self.found.add(new);
            }
        }
    }

    /// Whether other members are known and there is a stream to none.
    fn is_alone(&self) -> bool {
        lock(&self.links).is_empty() && !self.book.all().is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{ANSWERS_MAX, Allowance};

    #[test]
    fn a_flood_of_questions_is_answered_a_little() {
        let began = Instant::now();
        let mut allowance = Allowance { left: ANSWERS_MAX, since: began };
        let mut answered = |at| (0..1_000).filter(|_| allowance.take(at)).count();
        assert_eq!(answered(began), ANSWERS_MAX as usize);
        assert_eq!(answered(began + Duration::from_millis(900)), 0);
        assert_eq!(answered(began + Duration::from_secs(2)), ANSWERS_MAX as usize);
    }
}
