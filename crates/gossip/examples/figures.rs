//! What gossip costs and how soon all know of a change, one figure a line, each with its name: what
//! `cargo xtask bench gossip` prints. Time is virtual, and the same for whoever runs it.

#[path = "../tests/cluster/net.rs"]
#[expect(dead_code, reason = "the tests use more of the network than this example")]
mod net;

use bary_gossip::event::{Event, Input};
use bary_model::time::{Moment, Span};
use net::{Net, Weather};

/// How many members, and through how many of them the others join.
const MEMBERS: usize = 1_000;
const SEEDS: usize = 3;
/// By how many bytes each datagram between members of a cluster is longer for being sealed.
const SEAL: u64 = 66;
/// Longer than anything here takes.
const HANG: Span = Span::secs(300);
const MINUTE: Span = Span::secs(60);
/// How many members are watched for an hour.
const WATCHED: usize = 100;
/// One of so many members leaves each minute, and as many others come.
const CHURN: usize = 10;

fn main() {
    joins();
    for (lossy, loss) in [("", 0), ("_lossy", 50)] {
        let weather = Weather { loss, ..Weather::default() };
        quiet(&format!("quiet{lossy}"), weather.clone());
        hour(&format!("hour{lossy}"), weather);
    }
    churn();
    deaths();
}

#[expect(clippy::print_stdout, reason = "an example speaks to whoever runs it")]
fn tell(name: &str, value: f64) {
    println!("{name} {value:.3}");
}

/// All of these members, which know each other.
fn met(seed: u64, members: usize, weather: Weather) -> Net {
    let mut net = Net::of(seed, members, SEEDS, weather);
    let met = net.run_until(HANG, Net::agrees);
    assert!(met.is_some(), "{} entries are missing", net.missing());
    net.told.clear();
    net
}

/// From when all join at once, while messages are lost, until all know all: the longest of three.
fn joins() {
    let settle = |seed| {
        let mut net = Net::of(seed, MEMBERS, SEEDS, Weather::default());
        net.run_until(HANG, Net::agrees).map_or(f64::INFINITY, Span::as_secs_f64)
    };
    tell("joins", (1..=3).map(settle).fold(0.0, f64::max));
}

/// What each member sends in a minute in which nothing happens.
fn quiet(name: &str, weather: Weather) {
    let mut net = met(1, MEMBERS, weather);
    // What the joins have stirred up has come to rest.
    net.run(Span::secs(30));
    let before = (net.sent, net.sent_bytes);
    net.run(MINUTE);
    let (messages, bytes) = rates(&net, before);
    tell(&format!("{name}_bytes"), bytes);
    tell(&format!("{name}_messages"), messages);
}

/// Messages, and bytes as they are sealed, that a member sends in a second of the last minute.
fn rates(net: &Net, (sent, bytes): (u64, u64)) -> (f64, f64) {
    let spans = net.up().count() as f64 * MINUTE.as_secs_f64();
    let sent = net.sent - sent;
    (sent as f64 / spans, (net.sent_bytes - bytes + sent * SEAL) as f64 / spans)
}

/// How often somebody is suspected, or taken for gone, in an hour in which all are well.
fn hour(name: &str, weather: Weather) {
    let mut net = met(1, WATCHED, weather);
    net.run(Span::secs(3_600));
    let wrong = |event: &Event| matches!(event, Event::Suspected { .. } | Event::Left { .. });
    tell(&format!("{name}_suspicions"), net.count(|_, event| wrong(event)) as f64);
}

/// A change of who is there: who, since when, and whether it came.
struct Change {
    node: usize,
    at: Moment,
    came: bool,
}

/// A minute in which members leave for good and as many others come.
fn churn() {
    let mut net = met(1, MEMBERS, Weather::default());
    let before = (net.sent, net.sent_bytes);
    let (rounds, mut changes) = (MEMBERS / CHURN, Vec::new());
    for _ in 0..rounds {
        let gone = SEEDS + net.draw((MEMBERS - SEEDS) as u64) as usize;
        if net.nodes[gone].gossip.is_some() {
            changes.push(Change { node: gone, at: net.now, came: false });
            net.input(gone, Input::Leave);
            net.crash(gone);
        }
        let node = net.add();
        changes.push(Change { node, at: net.now, came: true });
        net.join(node, SEEDS);
        net.run(Span(MINUTE.0 / rounds as u64));
    }
    let (messages, bytes) = rates(&net, before);
    tell("churn_messages", messages);
    tell("churn_bytes", bytes);
    let over = net.run_until(HANG, Net::agrees);
    tell("churn_settles", over.map_or(f64::INFINITY, Span::as_secs_f64));
    tell("churn_known", slowest(&net, &changes));
}

/// How long it took until the last of those that were there had heard of a change, in seconds: the
/// longest of all changes.
fn slowest(net: &Net, changes: &[Change]) -> f64 {
    let born = |node: usize| changes.iter().find(|change| change.came && change.node == node);
    let heard = |change: &Change| {
        let told = net.told.iter().filter(|(_, node, event)| {
            let about = match event {
                Event::Joined(identity) if change.came => identity.name,
                Event::Left { name, .. } if !change.came => *name,
                _ => return false,
            };
            about == Net::name(change.node) && born(*node).is_none_or(|one| one.at < change.at)
        });
        told.map(|(at, ..)| at.since(change.at)).max()
    };
    let heard = changes.iter().map(|one| heard(one).map_or(f64::INFINITY, Span::as_secs_f64));
    heard.fold(0.0, f64::max)
}

/// From when a member ends without a word until nobody takes it for there: the longest of five.
fn deaths() {
    let mut net = met(1, MEMBERS, Weather::default());
    let mut slowest = 0.0_f64;
    for dead in SEEDS..SEEDS + 5 {
        net.crash(dead);
        let known = net.run_until(HANG, Net::agrees);
        slowest = slowest.max(known.map_or(f64::INFINITY, Span::as_secs_f64));
    }
    tell("death_known", slowest);
}
