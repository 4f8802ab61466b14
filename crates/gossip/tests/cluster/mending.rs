//! Deaths are noticed, partitions heal, restarts replace, churn is followed.

use bary_gossip::event::{Event, Input};
use bary_model::time::{Moment, Span};

use crate::net::{Net, Weather};

/// A cluster that has agreed.
fn settled(seed: u64, count: usize) -> Net {
    let mut net = Net::of(seed, count, 3.min(count), Weather::default());
    let agreed = net.run_until(Span::secs(15), Net::agrees);
    assert!(agreed.is_some(), "{} missing", net.missing());
    net.told.clear();
    net
}

#[test]
fn a_crash_is_noticed_within_a_few_periods_and_the_suspicion() {
    // Some node probes it within about e/(e-1) periods; a suspicion among 50 lasts 6 s.
    let mut spans = Vec::new();
    for seed in 10..20 {
        let mut net = settled(seed, 50);
        net.crash(30);
        let span = net.run_until(Span::secs(60), Net::agrees).expect("the death is noticed");
        let left = net.count(|_, event| matches!(event, Event::Left { .. }));
        assert_eq!(left, 49, "each other node tells it once, and no other leaves");
        spans.push(span);
    }
    let mean = spans.iter().map(|span| span.as_secs_f64()).sum::<f64>() / spans.len() as f64;
    assert!((6.0..14.0).contains(&mean), "{mean} s on average: {spans:?}");
}

#[test]
fn a_node_that_leaves_is_gone_within_seconds() {
    let mut net = settled(21, 50);
    net.input(30, Input::Leave);
    assert_eq!(net.gossip(30).wake(), None);
    net.crash(30);
    assert!(net.run_until(Span::secs(5), Net::agrees).is_some(), "{} wrong", net.missing());
}

#[test]
fn a_restarted_node_replaces_its_former_self_at_once() {
    let mut net = settled(22, 50);
    net.crash(30);
    net.start(30);
    net.join(30, 3);
    let span = net.run_until(Span::secs(30), Net::agrees).expect("views agree again");
    assert!(span <= Span::secs(6), "{span}: no suspicion had to run out");
    let name = Net::name(30);
    assert!(net.up().all(|node| node.member(name).is_some_and(|life| life.incarnation == 2)));
    let old = Event::Left { name, incarnation: 1 };
    assert_eq!(net.count(|_, event| *event == old), 49);
    let new = |event: &Event| matches!(event, Event::Joined(life) if life.name == name);
    assert_eq!(net.count(|_, event| new(event)), 49);
}

#[test]
fn a_stale_life_never_wins_over_a_newer_one() {
    let mut net = settled(23, 20);
    // The zombie keeps its state and wakes up after its successor has taken over.
    let zombie = net.nodes[9].gossip.take().expect("it is up");
    net.start(9);
    net.join(9, 3);
    assert!(net.run_until(Span::secs(30), Net::agrees).is_some());
    let successor = net.nodes[9].gossip.replace(zombie).expect("it is up");
    let before = net.now;
    for _ in 0..100 {
        net.input(9, Input::Join { seeds: vec![bary_gossip::identity::Address::Number(0)] });
        net.run(Span::millis(100));
        let name = Net::name(9);
        let others = net.nodes.iter().enumerate().filter(|(node, _)| *node != 9);
        let lives = others.filter_map(|(_, node)| node.gossip.as_ref()?.member(name));
        assert!(lives.into_iter().all(|life| life.incarnation == 2));
    }
    let since = |told: &&(Moment, usize, Event)| told.0 >= before && told.1 == 9;
    let told: Vec<_> = net.told.iter().filter(since).collect();
    let superseded = Event::Superseded { incarnation: 2 };
    assert_eq!(told.last().map(|told| &told.2), Some(&superseded), "{told:?}");
    assert_eq!(net.gossip(9).wake(), None, "the zombie is silent");
    net.nodes[9].gossip = Some(successor);
    net.wake(9);
    assert!(net.run_until(Span::secs(60), Net::agrees).is_some(), "{} wrong", net.missing());
}

#[test]
fn a_partition_parts_the_views_and_heals() {
    let mut net = settled(24, 60);
    (0..20).for_each(|node| net.nodes[node].side = 1);
    net.run(Span::secs(90));
    for (node, members) in [(0, 20), (19, 20), (20, 40), (59, 40)] {
        assert_eq!(net.gossip(node).members_count(), members, "node {node}");
    }
    net.told.clear();
    (0..20).for_each(|node| net.nodes[node].side = 0);
    let healed = net.run_until(Span::secs(60), Net::agrees);
    assert!(healed.is_some(), "{} wrong", net.missing());
    let incarnations = net.up().flat_map(|node| node.members().map(|life| life.incarnation));
    assert!(incarnations.into_iter().all(|incarnation| incarnation == 1), "nobody restarted");
    // Members of one's own side are not lost while the sides find together.
    let side = |node: usize| node < 20;
    let lost = net.count(|node, event| match event {
        Event::Left { name, .. } => {
            let who = (0..60).find(|who| Net::name(*who) == *name).expect("a node");
            side(who) == side(node)
        }
        _ => false,
    });
    assert!(lost <= 60, "{lost} of 2,340 pairs on one side lost each other for a moment");
}

#[test]
fn a_node_cut_off_alone_comes_back_through_its_seeds() {
    let mut net = settled(25, 30);
    net.nodes[10].side = 1;
    net.run(Span::secs(60));
    assert_eq!(net.gossip(10).members_count(), 1);
    net.nodes[10].side = 0;
    assert!(net.run_until(Span::secs(60), Net::agrees).is_some(), "{} wrong", net.missing());
}

#[test]
fn views_follow_a_churn_of_a_tenth_a_minute() {
    let mut net = settled(26, 200);
    let mut down = std::collections::VecDeque::new();
    for turn in 0..20 {
        let victim = 3 + turn * 7;
        net.crash(victim);
        down.push_back(victim);
        net.run(Span::secs(3));
        if down.len() > 5
            && let Some(back) = down.pop_front()
        {
            net.start(back);
            net.join(back, 3);
        }
        let wrong = net.missing();
        assert!(wrong <= 8 * 200, "{wrong} entries of 40,000 wrong amid churn");
    }
    let agreed = net.run_until(Span::secs(40), Net::agrees);
    assert!(agreed.is_some(), "{} wrong", net.missing());
}
