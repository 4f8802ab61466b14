//! Members over real connections on loopback: frames, newcomers, and who is not let in.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use axum::Router;
use bary_transport::mesh::MeshLimits;
use bary_transport::mesh::entry::{EnterError, Gate, Newcomer, Papers, enter, router};
use bary_transport::tls::{Credentials, Secret};
use bytes::Bytes;

use running::{Authority, MEMBER, Running, Told, loopback, pair};

mod passing;
mod running;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_go_both_ways_in_order_over_one_stream() {
    let (mut one, mut two) = pair().await;
    one.mesh.send(2, Bytes::from_static(b"begin"));
    assert_eq!(two.frame().await, (1, Bytes::from_static(b"begin")));
    for round in 0..40_u32 {
        for at in 0..100_u32 {
            let frame = Bytes::from((round * 100 + at).to_be_bytes().to_vec());
            one.mesh.send(2, frame.clone());
            two.mesh.send(1, frame);
        }
        for at in 0..100_u32 {
            let frame = Bytes::from((round * 100 + at).to_be_bytes().to_vec());
            assert_eq!(two.frame().await, (1, frame.clone()));
            assert_eq!(one.frame().await, (2, frame));
        }
    }
    assert_eq!((one.mesh.linked(), two.mesh.linked()), (vec![2], vec![1]));
    assert_eq!((one.mesh.lost(), two.mesh.lost()), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_that_open_a_stream_at_the_same_time_keep_one() {
    for _ in 0..20 {
        let (mut one, mut two) = pair().await;
        // Frames of a stream that gives way are lost; they are sent until one arrives.
        let (mut heard_one, mut heard_two) = (false, false);
        while !(heard_one && heard_two) {
            one.mesh.send(2, Bytes::from_static(b"from one"));
            two.mesh.send(1, Bytes::from_static(b"from two"));
            let (told, is_one) = tokio::select! {
                told = one.next() => (told, true),
                told = two.next() => (told, false),
            };
            heard_one |= is_one && matches!(told, Told::Frame(2, _));
            heard_two |= !is_one && matches!(told, Told::Frame(1, _));
        }
        assert_eq!((one.mesh.linked(), two.mesh.linked()), (vec![2], vec![1]));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_that_comes_back_is_reached_again() {
    let authority = Authority::new();
    let own = [authority.credentials(), authority.credentials()];
    let mut one = Running::start(1, &own[0], loopback(), Router::new()).await;
    let two = Running::start(2, &own[1], loopback(), Router::new()).await;
    one.know(2, &own[1]);
    two.know(1, &own[0]);
    one.mesh.place(2, vec![two.at]);
    two.mesh.place(1, vec![one.at]);
    one.mesh.send(2, Bytes::from_static(b"first"));
    assert_eq!(one.next().await, Told::Linked(2, true));
    let at = two.at;
    two.closing.send_replace(true);
    assert_eq!(one.next().await, Told::Linked(2, false));
    drop(two);
    let mut two = Running::start(2, &own[1], at, Router::new()).await;
    two.know(1, &own[0]);
    two.mesh.place(1, vec![one.at]);
    two.mesh.send(1, Bytes::from_static(b"back"));
    assert_eq!(one.frame().await, (2, Bytes::from_static(b"back")));
    one.mesh.send(2, Bytes::from_static(b"again"));
    assert_eq!(two.frame().await, (1, Bytes::from_static(b"again")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_shows_no_good_certificate_is_not_heard() {
    let (authority, other) = (Authority::new(), Authority::new());
    let own = authority.credentials();
    let mut one = Running::start(1, &own, loopback(), Router::new()).await;
    let strangers = [
        other.credentials(),
        authority.until(2_000),
        authority.signed("printer.test.internal", 4_000),
        Credentials { authority: authority.der.clone(), ..other.credentials() },
    ];
    for stranger in &strangers {
        let two = Running::start(2, stranger, loopback(), Router::new()).await;
        one.know(2, stranger);
        two.know(1, &own);
        two.mesh.place(1, vec![one.at]);
        two.mesh.send(1, Bytes::from_static(b"let me in"));
        assert!(matches!(one.next().await, Told::Refused(_)));
    }
    assert_eq!(one.mesh.linked(), Vec::<u64>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_called_and_shows_no_good_certificate_is_told_nothing() {
    let (authority, other) = (Authority::new(), Authority::new());
    let own = authority.credentials();
    let strangers = [
        other.credentials(),
        authority.until(2_000),
        authority.signed("printer.test.internal", 4_000),
    ];
    for stranger in &strangers {
        let mut one = Running::start(1, &own, loopback(), Router::new()).await;
        let mut two = Running::start(2, stranger, loopback(), Router::new()).await;
        one.know(2, stranger);
        one.mesh.place(2, vec![two.at]);
        one.mesh.send(2, Bytes::from_static(b"a secret"));
        assert!(matches!(one.next().await, Told::Refused(_)));
        while let Ok(told) = two.told.try_recv() {
            assert!(matches!(told, Told::Refused(_)), "{told:?}");
        }
        assert_eq!(two.mesh.linked(), Vec::<u64>::new());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_not_welcome_any_more_is_not_heard() {
    let (mut one, two) = pair().await;
    one.ears.strict.store(true, Ordering::Relaxed);
    two.mesh.send(1, Bytes::from_static(b"let me in"));
    let told = one.next().await;
    assert_eq!(told, Told::Refused("its certificate is not welcome any more".into()));
    assert_eq!(one.mesh.linked(), Vec::<u64>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_ends_when_its_member_is_banned() {
    let (mut one, mut two) = pair().await;
    two.mesh.send(1, Bytes::from_static(b"hello"));
    assert_eq!(two.next().await, Told::Linked(1, true));
    one.frame().await;
    one.mesh.ban(2);
    assert_eq!(two.next().await, Told::Linked(1, false));
    assert_eq!(one.mesh.linked(), Vec::<u64>::new());
}

/// A gate that knows one token, and notes what it was asked.
struct Guard {
    authority: Vec<u8>,
    asked: Mutex<Vec<Newcomer>>,
}

impl Gate for Guard {
    fn admit(&self, newcomer: Newcomer, from: Option<SocketAddr>) -> Result<Papers, String> {
        assert!(from.is_some(), "a gate is told where a newcomer comes from");
        let good = newcomer.token.0 == b"open";
        self.asked.lock().expect("nobody panics with it").push(newcomer);
        if !good {
            return Err("the join token is not known".into());
        }
        Ok(Papers {
            certificate: b"certificate".to_vec(),
            authority: self.authority.clone(),
            authority_key: None,
            secret: Secret(b"secret".to_vec()),
            members: vec![(7, "alpha".into(), vec![SocketAddr::from(([10, 0, 0, 5], 8_471))])],
        })
    }

    fn admit_for(&self, member: u64, _: Newcomer) -> Result<Papers, String> {
        Err(format!("member {member} hands somebody on"))
    }
}

async fn guarded(authority: &Authority) -> (Running, Arc<Guard>) {
    let guard = Guard { authority: authority.der.clone(), asked: Mutex::default() };
    let guard = Arc::new(guard);
    let gate = Arc::clone(&guard) as Arc<dyn Gate>;
    let one = Running::start(1, &authority.credentials(), loopback(), router(gate)).await;
    (one, guard)
}

fn newcomer(token: &[u8]) -> Newcomer {
    let addresses = vec![SocketAddr::from(([10, 0, 0, 6], 8_471))];
    Newcomer { token: Secret(token.to_vec()), request: b"request".to_vec(), addresses }
}

async fn try_to_enter(
    at: SocketAddr,
    authority: &[u8],
    token: &[u8],
) -> Result<Papers, EnterError> {
    let expected = authority.to_vec();
    let known = Arc::new(move |der: &[u8]| der == expected);
    enter(at, MEMBER, known, &newcomer(token), &MeshLimits::default()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newcomer_with_a_token_is_given_papers() {
    let authority = Authority::new();
    let (one, guard) = guarded(&authority).await;
    let papers = try_to_enter(one.at, &authority.der, b"open").await.expect("the token is good");
    assert_eq!(papers.certificate, b"certificate");
    assert_eq!(
        (papers.secret.0.as_slice(), papers.authority_key.is_none()),
        (&b"secret"[..], true)
    );
    assert_eq!(papers.members.len(), 1);
    let asked = guard.asked.lock().expect("nobody panics with it");
    assert_eq!((asked[0].request.as_slice(), asked[0].addresses.len()), (&b"request"[..], 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newcomer_is_told_why_it_is_not_let_in() {
    let authority = Authority::new();
    let (one, _) = guarded(&authority).await;
    let refused = try_to_enter(one.at, &authority.der, b"shut").await;
    let refused = refused.expect_err("the token is wrong").to_string();
    assert!(refused.ends_with("refused: the join token is not known"), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newcomer_shows_no_token_to_another_cluster() {
    let (authority, other) = (Authority::new(), Authority::new());
    let (one, guard) = guarded(&authority).await;
    let refused = try_to_enter(one.at, &other.der, b"open").await;
    assert!(matches!(refused, Err(EnterError::Dial(_))), "{refused:?}");
    assert!(guard.asked.lock().expect("nobody panics with it").is_empty());
}
