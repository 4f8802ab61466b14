//! Real datagrams, on this machine only.

use std::net::SocketAddr;
use std::time::Duration;

use bary_membership::beacon::{Beacon, BeaconSocket};
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
    let one = BeaconSocket::listen(0).expect("there is a port");
    let port = one.port().expect("it is bound");
    let two = BeaconSocket::listen(port).expect("several may listen");
    let beacon = Beacon { cluster: 7, addresses: vec![SocketAddr::from(([10, 0, 0, 5], 8_471))] };
    // The broadcast address of loopback: it stays on this machine.
    let everybody = SocketAddr::from(([127, 255, 255, 255], port));
    one.call(&beacon, everybody).await.expect("loopback takes it");
    for ears in [&one, &two] {
        let heard = tokio::time::timeout(Duration::from_secs(60), ears.next()).await;
        let (_, heard) = heard.expect("it comes in a minute").expect("the socket is good");
        assert_eq!(heard, beacon);
    }
}
