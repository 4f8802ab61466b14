//! Real datagrams, on this machine only.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::time::Duration;

use bary_membership::beacon::{Beacon, BeaconSocket};
use bary_membership::lan::Reach;
use bary_membership::mdns::Mdns;
use bary_membership::rendezvous::{Rendezvous, RendezvousConfig};
use bary_membership::seal::{OpenError, Sealer, Secret};
use bary_membership::socket::{Come, SealedSocket};

fn sealer(me: u64, secret: u8) -> Sealer {
    Sealer::new(me, 1, &[Secret { generation: 1, bytes: [secret; 32] }])
}

fn loopback() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

async fn bound(me: u64, secret: u8) -> (SealedSocket, SocketAddr) {
    let socket = SealedSocket::bind(loopback(), sealer(me, secret)).await;
    let socket = socket.expect("loopback has a port");
    let at = socket.at().expect("it is bound");
    (socket, at)
}

async fn next(socket: &SealedSocket) -> Come {
    let next = tokio::time::timeout(Duration::from_secs(60), socket.next()).await;
    next.expect("it comes in a minute").expect("the socket is good")
}

#[tokio::test]
async fn members_hear_each_other_and_nobody_else() {
    let ((one, from), (two, to), (stranger, elsewhere)) =
        (bound(1, 5).await, bound(2, 5).await, bound(3, 6).await);
    assert!(stranger.send(to, b"let me in"));
    assert_eq!(next(&two).await, Come::Dropped(elsewhere, OpenError::Forged));
    assert!(one.send(to, b"a rumour"));
    match next(&two).await {
        Come::Said(at, opened) => {
            assert_eq!((at, opened.sender, opened.bytes.as_slice()), (from, 1, &b"a rumour"[..]));
        }
        dropped => panic!("{dropped:?}"),
    }
}

#[tokio::test]
async fn a_member_that_is_not_there_any_more_stops_nobody() {
    let ((one, from), (two, to)) = (bound(1, 5).await, bound(2, 5).await);
    drop(two);
    for _ in 0..3 {
        // The system may say that nobody listens; it is lost either way.
        let _lost = one.send(to, b"anybody there");
    }
    let (three, _) = bound(3, 5).await;
    assert!(three.send(from, b"yes"));
    assert!(matches!(next(&one).await, Come::Said(_, opened) if opened.sender == 3));
}

#[tokio::test]
async fn all_that_listen_on_a_network_hear_a_beacon() {
    // A port that is free for listeners that share it.
    let free = BeaconSocket::asking(Reach::Machine).expect("there is a port");
    let port = free.port().expect("it is bound");
    let ears = || BeaconSocket::listen(Reach::Machine, port).expect("several may listen");
    let (one, two) = (ears(), ears());
    let beacon = Beacon { cluster: 7, addresses: vec![SocketAddr::from(([10, 0, 0, 5], 8_471))] };
    for to in Reach::Machine.broadcasts(port).expect("that is known") {
        free.call(&beacon, to).await.expect("loopback takes it");
    }
    for ears in [&one, &two] {
        let heard = tokio::time::timeout(Duration::from_secs(60), ears.next()).await;
        let (from, heard) = heard.expect("it comes in a minute").expect("the socket is good");
        assert_eq!((from.port(), heard), (port, beacon.clone()));
    }
}

#[tokio::test]
async fn a_service_is_found_by_the_hash_of_its_cluster() {
    let (says, hears) = (Mdns::new(Reach::Machine), Mdns::new(Reach::Machine));
    let (says, hears) = (says.expect("there is a socket"), hears.expect("there is a socket"));
    let at = |port| SocketAddr::from(([127, 0, 0, 1], port));
    says.announce(8, 1, &[at(1)]).expect("it can be said");
    says.announce(7, 2, &[at(8_471), at(2)]).expect("it can be said");
    let mut sought = hears.seek(7).expect("it can be asked");
    let found = tokio::time::timeout(Duration::from_secs(60), sought.next()).await;
    assert_eq!(found.expect("it is heard in a minute"), Some(vec![at(8_471)]));
}

/// Ten members, each of which begins at the one before it only.
#[tokio::test]
async fn ten_members_are_all_found_under_their_key_without_a_list() {
    let (key, other) = ([7; 20], [8; 20]);
    let mut members: Vec<Rendezvous> = Vec::new();
    for _ in 0..10 {
        let nodes = members.last().map(Rendezvous::at).into_iter().collect();
        let config = RendezvousConfig { listen: Some(own(0)), nodes };
        members.push(Rendezvous::begin(&config).await.expect("loopback has ports"));
    }
    for (at, member) in members.iter().enumerate() {
        tell(member, if at == 9 { other } else { key }, at as u16 + 1).await;
    }
    // The last one is known to nobody but the DHT, and tells under another key.
    tell(&members[9], key, 10).await;
    let nodes = vec![members[9].at()];
    let newcomer = RendezvousConfig { listen: None, nodes };
    let newcomer = Rendezvous::begin(&newcomer).await.expect("loopback has ports");
    let all: BTreeSet<u16> = (1..=10).collect();
    let mut found = BTreeSet::new();
    let search = async {
        while found != all {
            let mut under = newcomer.seek(key);
            while let Some(addresses) = under.next().await {
                assert!(addresses.iter().all(|at| at.ip().is_loopback()), "{addresses:?}");
                found.extend(addresses.iter().map(SocketAddr::port));
            }
        }
    };
    let search = tokio::time::timeout(Duration::from_secs(60), search).await;
    assert!(search.is_ok(), "found in a minute: {found:?}");
    let mut under = newcomer.seek(other);
    let first = under.next().await.expect("it was told");
    assert_eq!(first.iter().map(SocketAddr::port).collect::<Vec<_>>(), [10]);
}

#[tokio::test]
async fn a_member_that_is_the_only_node_is_found() {
    let config = RendezvousConfig { listen: Some(own(0)), nodes: Vec::new() };
    let first = Rendezvous::begin(&config).await.expect("loopback has ports");
    tell(&first, [7; 20], 8_471).await;
    let asks = RendezvousConfig { listen: None, nodes: vec![first.at()] };
    let newcomer = Rendezvous::begin(&asks).await.expect("loopback has ports");
    let search = tokio::time::timeout(Duration::from_secs(60), async {
        newcomer.seek([7; 20]).next().await
    });
    let found = search.await.expect("it is told in a minute");
    assert_eq!(found, Some(vec![SocketAddr::from(own(8_471))]));
}

fn own(port: u16) -> SocketAddrV4 {
    SocketAddrV4::new(Ipv4Addr::LOCALHOST, port)
}

/// Tells until somebody takes it in: the first one has to wait for a second.
async fn tell(member: &Rendezvous, key: [u8; 20], port: u16) {
    let told = async { while member.tell(key, port).await.is_err() {} };
    tokio::time::timeout(Duration::from_secs(60), told).await.expect("it is told in a minute");
}
