//! What nodes say of themselves reaches everyone, whatever is lost on the way.

use bary_gossip::event::Event;
use bary_gossip::values::SetError;
use bary_model::time::Span;

use crate::net::{Net, Weather};

#[test]
fn values_reach_all_nodes_under_heavy_loss() {
    let weather = Weather { loss: 200, twice: 50, ..Weather::default() };
    let mut net = Net::of(40, 40, 3, weather);
    for node in 0..40 {
        let text = format!("region-{}", node % 3);
        net.gossip(node).set("region", Some(text.as_bytes())).expect("within limits");
        net.gossip(node).set("load", Some(&[node as u8; 600])).expect("within limits");
    }
    assert!(net.run_until(Span::secs(30), Net::agrees).is_some(), "{} missing", net.missing());
    net.gossip(5).set("load", Some(b"0.5")).expect("within limits");
    net.gossip(6).set("region", None).expect("within limits");
    assert!(net.run_until(Span::secs(30), Net::agrees).is_some());
    for node in net.up() {
        assert_eq!(node.value(Net::name(5), "load"), Some(&b"0.5"[..]));
        assert_eq!(node.values(Net::name(6)).count(), 1);
        assert_eq!(node.value(Net::name(7), "region"), Some(&b"region-1"[..]));
    }
    let removed = |event: &Event| matches!(event, Event::Changed { value: None, .. });
    assert_eq!(net.count(|_, event| removed(event)), 39, "each other node hears of the removal");
}

#[test]
fn values_go_with_their_node_and_a_new_life_says_its_own() {
    let mut net = Net::of(41, 20, 3, Weather::default());
    net.gossip(9).set("policy", Some(b"7")).expect("within limits");
    assert!(net.run_until(Span::secs(20), Net::agrees).is_some());
    net.crash(9);
    assert!(net.run_until(Span::secs(60), Net::agrees).is_some());
    assert!(net.up().all(|node| node.value(Net::name(9), "policy").is_none()));
    net.start(9);
    net.gossip(9).set("policy", Some(b"8")).expect("within limits");
    net.join(9, 3);
    assert!(net.run_until(Span::secs(20), Net::agrees).is_some());
    assert!(net.up().all(|node| node.value(Net::name(9), "policy") == Some(b"8")));
}

#[test]
fn the_last_of_many_changes_wins_everywhere() {
    let mut net = Net::of(42, 30, 3, Weather { loss: 100, ..Weather::default() });
    for turn in 0..100_u32 {
        let key = format!("key-{}", turn % 40);
        let value = turn.to_le_bytes();
        let set = net.gossip(4).set(&key, (turn % 3 > 0).then_some(&value));
        assert!(matches!(set, Ok(()) | Err(SetError::Full { .. })), "{set:?}");
        net.run(Span::millis(200));
    }
    assert!(net.run_until(Span::secs(30), Net::agrees).is_some());
    let name = Net::name(4);
    let said = |node: &bary_gossip::gossip::Gossip| {
        let mut all: Vec<(String, Vec<u8>)> =
            node.values(name).map(|(key, value)| (key.to_owned(), value.to_vec())).collect();
        all.sort();
        all
    };
    let own = said(net.gossip(4));
    assert!(own.len() > 10);
    assert!(net.up().all(|node| said(node) == own));
}

#[test]
fn what_breaks_a_limit_is_refused() {
    let mut net = Net::of(43, 1, 1, Weather::default());
    let gossip = net.gossip(0);
    assert_eq!(gossip.set("", Some(b"")), Err(SetError::Key { bytes: 0, max: 64 }));
    let long = vec![0; 769];
    assert_eq!(gossip.set("k", Some(&long)), Err(SetError::Value { bytes: 769, max: 768 }));
    for key in 0..32 {
        assert_eq!(gossip.set(&key.to_string(), Some(b"")), Ok(()));
    }
    assert_eq!(gossip.set("more", Some(b"")), Err(SetError::Full { max: 32 }));
    assert_eq!(gossip.values(Net::name(0)).count(), 32);
}
