//! The in-process network keeps order, takes its time, and counts.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bary_model::id::{Birth, Epoch, NodeId, ShardId};
use bary_model::message::{Ask, Frame, Message, Say};
use bary_model::resources::Resources;
use bary_model::time::Span;
use bary_ports::transport::Inbox;
use bary_transport::memory::Network;

/// How long a test waits for something that must happen before it fails.
const PATIENCE: Duration = Duration::from_secs(60);

struct Post(Mutex<Sender<(NodeId, u64, Instant)>>);

impl Inbox for Post {
    fn deliver(&self, from: NodeId, frame: Frame) {
        let (_, message) = frame.body.expect("these tests send messages");
        let Say::Ask(ask) = &message.say else { panic!("these tests send asks only") };
        let sender = self.0.lock().expect("no test panics here");
        sender.send((from, ask.number, Instant::now())).expect("the test listens");
    }
}

fn join(network: &Network, node: u64) -> Receiver<(NodeId, u64, Instant)> {
    let (sender, receiver) = channel();
    network.join(NodeId(node), Arc::new(Post(Mutex::new(sender))));
    receiver
}

fn frame(say: Say) -> Frame {
    let message = Message { shard: ShardId(1), epoch: Epoch(1), say };
    let body = Some((1, Arc::new(message)));
    Frame { from: Birth(1), to: Birth(1), ack: 0, body }
}

fn ask(number: u64) -> Frame {
    frame(Say::Ask(Ask { number, free: Resources::default(), held: 0 }))
}

#[test]
fn without_latency_a_message_is_there_when_sending_returns() {
    let network = Network::new(|_, _| Span::ZERO);
    let inbox = join(&network, 1);
    network.transport(NodeId(0)).send(NodeId(1), ask(5));
    let (from, number, _) = inbox.try_recv().expect("it is there");
    assert_eq!((from, number), (NodeId(0), 5));
}

#[test]
fn order_between_two_nodes_is_kept_and_nothing_is_early() {
    // Messages to node 2 overtake those to node 1, which were sent before.
    let network = Network::new(|_, to| Span::millis(if to == NodeId(1) { 20 } else { 5 }));
    let (slow, fast) = (join(&network, 1), join(&network, 2));
    let mut transport = network.transport(NodeId(0));
    let began = Instant::now();
    for number in 0..100 {
        transport.send(NodeId(1), ask(number));
        transport.send(NodeId(2), ask(number));
    }
    for (inbox, latency) in [(fast, 5), (slow, 20)] {
        for wanted in 0..100 {
            let (_, number, at) = inbox.recv_timeout(PATIENCE).expect("it arrives");
            assert_eq!(number, wanted);
            assert!(at - began >= Duration::from_millis(latency), "nothing arrives early");
        }
    }
}

#[test]
fn a_latency_that_falls_lets_no_message_overtake() {
    let calls = std::sync::atomic::AtomicU32::new(0);
    let network = Network::new(move |_, _| {
        let first = calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0;
        if first { Span::millis(20) } else { Span::ZERO }
    });
    let inbox = join(&network, 1);
    let mut transport = network.transport(NodeId(0));
    for number in 0..10 {
        transport.send(NodeId(1), ask(number));
    }
    for wanted in 0..10 {
        assert_eq!(inbox.recv_timeout(PATIENCE).expect("it arrives").1, wanted);
    }
}

#[test]
fn messages_are_counted_and_lost_ones_too() {
    let network = Network::with_limit(
        |_, to| if to == NodeId(2) { Span::secs(1_000) } else { Span::ZERO },
        3,
    );
    let (own, _held) = (join(&network, 0), join(&network, 2));
    let mut transport = network.transport(NodeId(0));
    transport.send(NodeId(0), ask(1));
    assert_eq!(own.try_recv().expect("it is there").1, 1);
    assert_eq!(network.counts().total(), 0, "what a node sends itself is not counted");
    transport.send(NodeId(7), ask(2));
    for number in 0..5 {
        transport.send(NodeId(2), ask(number));
    }
    transport.send(NodeId(7), frame(Say::Load { ready: 1 }));
    let counts = network.counts();
    assert_eq!((counts.asks, counts.loads, counts.total()), (6, 1, 7));
    assert_eq!(counts.lost, 2 + 2, "two had no inbox, two were too many on the way");
}
