//! Clusters form, and the same seed forms them the same way.

use bary_gossip::config::GossipConfig;
use bary_gossip::event::{Event, Input};
use bary_gossip::gossip::Gossip;
use bary_model::time::Span;

use crate::net::{Net, Weather};

#[test]
fn fifty_nodes_agree_within_seconds() {
    let mut net = Net::of(1, 50, 1, Weather::default());
    assert!(net.run_until(Span::secs(10), Net::agrees).is_some(), "{} missing", net.missing());
    let joined = net.count(|_, event| matches!(event, Event::Joined(_)));
    assert_eq!(joined, 50 * 49, "each node tells each other once");
}

#[test]
fn a_cold_start_of_a_thousand_through_three_seeds_is_complete_within_seconds() {
    let mut net = Net::of(2, 1_000, 3, Weather::default());
    net.keep = false;
    assert!(net.run_until(Span::secs(10), Net::agrees).is_some(), "{} missing", net.missing());
}

#[test]
fn a_cold_start_of_five_hundred_costs_few_messages() {
    let mut net = Net::of(3, 500, 3, Weather::default());
    assert!(net.run_until(Span::secs(10), Net::agrees).is_some(), "{} missing", net.missing());
    let sent = net.sent;
    net.told.clear();
    net.run(Span::secs(20));
    let per_node = (net.sent - sent) / 500 / 20;
    assert!(per_node <= 12, "{per_node} messages per node and second");
    assert_eq!(net.told, [], "nothing happens in a quiet cluster, whatever is lost");
}

#[test]
fn a_newcomer_knows_all_and_is_known_by_all_soon() {
    let mut net = Net::of(4, 200, 3, Weather::default());
    assert!(net.run_until(Span::secs(10), Net::agrees).is_some());
    let late = net.add();
    net.join(late, 3);
    let knows = net.run_until(Span::secs(5), |net| net.nodes[200].knows(201));
    assert!(knows.is_some_and(|span| span <= Span::secs(1)), "{knows:?}");
    assert!(net.run_until(Span::secs(15), Net::agrees).is_some(), "{} missing", net.missing());
}

#[test]
fn a_snapshot_makes_a_view_at_once() {
    let mut net = Net::of(5, 100, 3, Weather::default());
    assert!(net.run_until(Span::secs(10), Net::agrees).is_some());
    let records = net.gossip(7).snapshot();
    let late = net.add();
    net.input(late, Input::Snapshot { records });
    assert_eq!(net.gossip(late).members_count(), 101);
    assert!(net.run_until(Span::secs(15), Net::agrees).is_some(), "{} missing", net.missing());
}

#[test]
fn a_view_holds_no_more_nodes_than_its_limit() {
    let config = GossipConfig { nodes_max: 10, ..GossipConfig::default() };
    let mut net = Net::new(6, config, Weather::default());
    (0..30).for_each(|_| {
        net.add();
    });
    (0..30).for_each(|node| net.join(node, 3));
    net.run(Span::secs(30));
    assert!(net.up().all(|node| node.members_count() <= 10));
    assert!(net.up().any(|node| node.tally().nodes_refused > 0));
    assert!(net.up().all(|node| node.tally().swim_refused == 0));
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_the_same_events() {
    let run = |seed| {
        let mut net = Net::of(seed, 60, 3, Weather { loss: 100, ..Weather::default() });
        net.run(Span::secs(10));
        net.crash(20);
        net.run(Span::secs(30));
        let log = format!("{:?}", net.told);
        (net.hash, net.sent, log)
    };
    let (first, second, other) = (run(7), run(7), run(8));
    assert_eq!(first, second);
    assert_ne!(first.0, other.0);
    assert!(first.2.contains("Left"), "the log holds what happened");
}

#[test]
fn a_faulty_configuration_makes_no_gossip() {
    let config = GossipConfig { nodes_max: 0, doubts_max: 0, ..GossipConfig::default() };
    let me = Net::of(9, 1, 1, Weather::default()).gossip(0).me();
    let error = Gossip::new(config, me, 1).err().expect("it has faults");
    assert_eq!(error.faults.len(), 2);
    assert!(error.to_string().contains("nodes_max is 0"), "{error}");
}
