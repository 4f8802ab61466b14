//! Bytes from anyone: they never panic, never pass a limit, and never break a cluster.

use bary_gossip::config::GossipConfig;
use bary_gossip::event::{Input, Output};
use bary_gossip::gossip::Gossip;
use bary_gossip::identity::{Address, Identity};
use bary_model::time::{Moment, Span};
use proptest::prelude::{any, prop_assert, proptest};

use crate::net::{Net, Weather};

/// Every datagram that a small cluster sends while it forms and loses a node.
fn real_datagrams() -> Vec<Vec<u8>> {
    let mut net = Net::of(50, 8, 2, Weather::default());
    net.tap = Some(Vec::new());
    net.gossip(1).set("load", Some(b"0.5")).expect("within limits");
    net.run(Span::secs(3));
    net.crash(4);
    net.run(Span::secs(10));
    net.tap.unwrap_or_default()
}

fn fed(node: usize, datagrams: impl IntoIterator<Item = Vec<u8>>) -> (Gossip, Vec<Output>) {
    let me = Identity::new(Net::name(node), Address::Number(node as u64), 1);
    let mut gossip = Gossip::new(GossipConfig::default(), me, 1).expect("no fault");
    let (mut now, mut outputs) = (Moment::default(), Vec::new());
    for bytes in datagrams {
        now = now + Span::millis(100);
        let from = Address::Number(1);
        gossip.step(now, Some(Input::Datagram { from, bytes }), &mut outputs);
    }
    (gossip, outputs)
}

proptest! {
    #[test]
    fn arbitrary_bytes_do_nothing_but_be_counted(
        bytes in proptest::collection::vec(any::<u8>(), 0..2_000),
    ) {
        let (gossip, _) = fed(3, [bytes]);
        let tally = gossip.tally();
        prop_assert!(tally.malformed + tally.foreign == 1);
        prop_assert!(gossip.members_count() == 1);
    }

    #[test]
    fn bytes_behind_a_good_envelope_never_panic(
        kind in 0_u8..2, tail in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        let bytes = [&[1, kind, 0, 0, 0, 0, 0, 0, 0, 0], &tail[..]].concat();
        let (gossip, outputs) = fed(3, [bytes]);
        prop_assert!(gossip.members_count() <= 30 && outputs.len() <= 100);
    }
}

#[test]
fn real_datagrams_with_flipped_bits_never_panic_nor_pass_a_limit() {
    let datagrams = real_datagrams();
    assert!(datagrams.len() > 100);
    let mut dice = Net::of(51, 1, 1, Weather::default());
    for node in 0..8 {
        let spoilt = datagrams.iter().map(|datagram| {
            let mut datagram = datagram.clone();
            for _ in 0..dice.draw(4) {
                let at = dice.draw(datagram.len() as u64) as usize;
                datagram[at] ^= 1 << dice.draw(8);
            }
            datagram
        });
        let (gossip, outputs) = fed(node, spoilt.collect::<Vec<_>>());
        assert!(gossip.members_count() >= 1);
        let long =
            |output: &Output| matches!(output, Output::Send { bytes, .. } if bytes.len() > 1_400);
        assert!(!outputs.iter().any(long));
    }
}

#[test]
fn datagrams_cut_anywhere_are_refused_whole() {
    for datagram in real_datagrams().into_iter().take(40) {
        for cut in 0..datagram.len() {
            let (gossip, _) = fed(3, [datagram[..cut].to_vec()]);
            assert!(gossip.members_count() <= 9);
        }
    }
}

#[test]
fn a_section_that_ends_before_it_begins_is_refused() {
    let head = [1, 1, 0, 0, 0, 0, 0, 0, 0, 0];
    let sender = [9, 9, 9, 9, 9, 9, 9, 9, 1, 0, 0, 5, 0];
    let section = [&[1][..], &9_u64.to_le_bytes(), &8_u64.to_le_bytes(), &[0, 0]].concat();
    let (gossip, _) = fed(3, [[&head[..], &sender, &section].concat()]);
    assert_eq!((gossip.tally().malformed, gossip.members_count()), (1, 1));
    let good = [&[1][..], &8_u64.to_le_bytes(), &9_u64.to_le_bytes(), &[0, 0]].concat();
    let (gossip, _) = fed(3, [[&head[..], &sender, &good].concat()]);
    assert_eq!((gossip.tally().malformed, gossip.members_count()), (0, 2));
}

#[test]
fn another_clusters_datagrams_are_dropped() {
    let mut datagram = real_datagrams().remove(0);
    datagram[2] ^= 1;
    let (gossip, outputs) = fed(3, [datagram]);
    assert_eq!((gossip.tally().foreign, gossip.members_count()), (1, 1));
    assert_eq!(outputs, []);
}

#[test]
fn a_node_that_is_its_own_seed_under_another_address_stops_asking_itself() {
    let (mut gossip, mut outputs) = fed(3, []);
    let alias = Address::Number(77);
    let mut now = Moment::default();
    gossip.step(now, Some(Input::Join { seeds: vec![alias] }), &mut outputs);
    let Some(Output::Send { to, bytes }) = outputs.pop() else { panic!("it asks its seed") };
    assert_eq!(to, alias);
    gossip.step(now, Some(Input::Datagram { from: alias, bytes }), &mut outputs);
    for _ in 0..300 {
        now = now + Span::millis(100);
        gossip.step(now, None, &mut outputs);
    }
    assert_eq!(outputs, []);
}

#[test]
fn a_flood_of_joins_draws_only_so_many_bytes() {
    let config = GossipConfig { answer_bytes_per_second_max: 20_000, ..GossipConfig::default() };
    let mut net = Net::new(52, config, Weather { loss: 0, twice: 0, ..Weather::default() });
    let node = net.add();
    let record = |name: usize| {
        let address = Address::Number(name as u64);
        bary_gossip::record::Record::up(Identity::new(Net::name(name), address, 1))
    };
    net.input(node, Input::Snapshot { records: (1..500).map(record).collect() });
    let before = net.sent_bytes;
    let asker = net.add();
    for _ in 0..100 {
        net.join(asker, 1);
    }
    net.nodes.truncate(2);
    net.run(Span::millis(100));
    let drawn = net.sent_bytes - before;
    assert!(drawn < 250_000, "{drawn} bytes for 100 joins");
    assert!(net.gossip(node).tally().answers_cut > 0);
}

#[test]
fn what_was_said_and_is_said_again_to_anybody_makes_nobody_suspected_or_gone() {
    let still = Weather { loss: 0, twice: 0, ..Weather::default() };
    let mut net = Net::of(53, 8, 2, still);
    net.tap = Some(Vec::new());
    net.run(Span::secs(5));
    // One dies and another one leaves; both are back in a later life when they are heard again.
    net.crash(4);
    net.input(5, Input::Leave);
    net.run(Span::secs(40));
    for node in [4, 5] {
        net.start(node);
        net.join(node, 2);
    }
    let healed = net.run_until(Span::secs(60), Net::agrees);
    assert!(healed.is_some() && net.nodes[0].knows(8));
    net.run(Span::secs(20));
    let recorded = net.tap.take().unwrap_or_default();
    assert!(recorded.len() > 1_000, "{}", recorded.len());
    net.told.clear();
    let outside = Address::Number(99);
    for bytes in recorded {
        let to = net.draw(8) as usize;
        net.input(to, Input::Datagram { from: outside, bytes });
        net.run(Span::millis(10));
    }
    assert_eq!(net.told, [], "nobody has anything to tell");
    net.run(Span::secs(60));
    assert!(net.agrees() && net.nodes[0].knows(8));
}
