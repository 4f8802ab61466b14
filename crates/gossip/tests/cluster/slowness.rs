//! A node that is slow, or whose answers are lost, is suspected; it does not flap.

use bary_gossip::event::Event;
use bary_gossip::identity::Name;
use bary_model::time::{Moment, Span};

use crate::net::{Net, Weather};

fn settled(seed: u64, weather: Weather) -> Net {
    let mut net = Net::of(seed, 20, 3, weather);
    net.run(Span::secs(120));
    let suspected = net.count(|_, event| matches!(event, Event::Suspected { .. }));
    assert_eq!(suspected, 0, "nobody is suspected while all are well");
    net.told.clear();
    net
}

/// How often at most `node` changed its mind about one member within a minute.
fn flaps(told: &[(Moment, usize, Event)], node: usize, about: Name) -> usize {
    let changes = told.iter().filter(|(_, teller, event)| match event {
        Event::Suspected { name, .. } | Event::Trusted { name } => {
            *teller == node && *name == about
        }
        _ => false,
    });
    let at: Vec<Moment> = changes.map(|(at, ..)| *at).collect();
    let within = |from: &Moment| at.iter().filter(|at| at.since(*from) < Span::secs(60)).count();
    at.iter().enumerate().map(|(first, from)| within(from) - first).max().unwrap_or(0)
}

#[test]
fn a_node_ten_times_slower_is_suspected_by_most_and_does_not_flap() {
    let weather = Weather { loss: 10, ..Weather::default() };
    let mut net = settled(30, weather);
    net.nodes[9].slow = 10;
    net.run(Span::secs(180));
    let gray = Net::name(9);
    let suspected = |node, event: &Event| {
        node != 9 && matches!(event, Event::Suspected { name, phi } if *name == gray && *phi >= 8.0)
    };
    let tellers =
        (0..20).filter(|node| net.count(|told, e| told == *node && suspected(told, e)) > 0);
    let tellers = tellers.count();
    assert!(tellers >= 15, "only {tellers} of 19 suspected it");
    let other = net.count(|node, event| {
        node != 9 && matches!(event, Event::Suspected { name, .. } if *name != gray)
    });
    assert_eq!(other, 0, "no healthy node suspects another healthy one");
    let blamed = net.count(|node, event| node == 9 && matches!(event, Event::Suspected { .. }));
    assert!(blamed <= 2, "the slow node blames {blamed} others");
    for node in 0..20 {
        let flaps = flaps(&net.told, node, gray);
        assert!(flaps <= 2, "node {node} changed its mind {flaps} times in a minute");
    }
    assert!(net.agrees(), "a slow member is a member");
    net.nodes[9].slow = 1;
    net.told.clear();
    net.run(Span::secs(180));
    let trusted = net.count(|_, e| matches!(e, Event::Trusted { name } if *name == gray));
    assert!(trusted >= 15, "only {trusted} trust it again");
}

#[test]
fn a_silent_node_is_suspected_before_it_is_given_up() {
    let mut net = settled(31, Weather { loss: 10, ..Weather::default() });
    net.crash(9);
    net.run(Span::secs(60));
    let gone = Net::name(9);
    let of = |at: &dyn Fn(&Event) -> bool| {
        net.told.iter().find(|(_, _, event)| at(event)).map(|(at, ..)| *at)
    };
    let suspected = of(&|event| matches!(event, Event::Suspected { name, .. } if *name == gone));
    let left = of(&|event| matches!(event, Event::Left { name, .. } if *name == gone));
    assert!(suspected.expect("it is suspected") < left.expect("it is given up"));
}
