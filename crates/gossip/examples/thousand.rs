//! A cold start of a thousand nodes through three seeds under 5 % loss, then churn: prints how
//! long views take to be complete, what that costs in messages, and what went wrong.

#[path = "../tests/cluster/net.rs"]
#[expect(dead_code, reason = "the tests use more of the network than this example")]
mod net;

use bary_gossip::event::Event;
use bary_model::time::Span;
use net::{Net, Weather};

#[expect(clippy::print_stdout, reason = "an example speaks to whoever runs it")]
fn main() {
    let number = |at: usize, other: u64| {
        std::env::args().nth(at).and_then(|text| text.parse().ok()).unwrap_or(other)
    };
    let (count, seed) = (number(1, 1_000) as usize, number(2, 1));
    let mut net = Net::of(seed, count, 3, Weather::default());
    let per_node = |net: &Net, span: Span, sent: u64, bytes: u64| {
        let nodes = net.up().count() as f64 * span.as_secs_f64();
        let (sent, bytes) = ((net.sent - sent) as f64, (net.sent_bytes - bytes) as f64);
        (sent / nodes, bytes / nodes)
    };
    match net.run_until(Span::secs(300), Net::agrees) {
        Some(span) => {
            let (sent, bytes) = per_node(&net, span, 0, 0);
            println!("{count} nodes, 5 % loss: all views complete after {span}");
            println!("start: {sent:.1} messages and {bytes:.0} bytes per node and second");
        }
        None => println!("not complete after 300 s: {} entries missing", net.missing()),
    }
    let (sent, bytes) = (net.sent, net.sent_bytes);
    net.told.clear();
    net.run(Span::secs(60));
    let (sent, bytes) = per_node(&net, Span::secs(60), sent, bytes);
    println!("quiet minute: {sent:.1} messages and {bytes:.0} bytes per node and second");
    let suspected = net.count(|_, event| matches!(event, Event::Suspected { .. }));
    let left = net.count(|_, event| matches!(event, Event::Left { .. }));
    let risen = net.count(|_, event| matches!(event, Event::Risen { .. }));
    println!("quiet minute: {suspected} suspicions, {left} departures, {risen} deaths: all false");
    net.gossip(0).set("policy", Some(b"2")).expect("a short value under a short key");
    match net.run_until(Span::secs(300), Net::agrees) {
        Some(span) => println!("one value of one node: with everyone after {span}"),
        None => println!("one value of one node: not with everyone after 300 s"),
    }
    churn(&mut net, count);
}

/// A minute in which a tenth of the nodes crash and come back.
#[expect(clippy::print_stdout, reason = "an example speaks to whoever runs it")]
fn churn(net: &mut Net, count: usize) {
    let (sent, before) = (net.sent, net.sent_bytes);
    let crashes = count / 10;
    let pause = Span(60_000_000_000 / crashes.max(1) as u64);
    let mut down = std::collections::VecDeque::new();
    for _ in 0..crashes {
        let victim = 3 + net.draw(count as u64 - 3) as usize;
        if net.nodes[victim].gossip.is_some() {
            net.crash(victim);
            down.push_back((net.now, victim));
        }
        net.run(pause);
        while let Some((_, back)) =
            down.pop_front_if(|(since, _)| net.now.since(*since) >= Span::secs(20))
        {
            net.start(back);
            net.join(back, 3);
        }
    }
    let nodes = net.up().count() as f64 * 60.0;
    let (sent, bytes) =
        ((net.sent - sent) as f64 / nodes, (net.sent_bytes - before) as f64 / nodes);
    println!("churn of 10 % a minute: {sent:.1} messages and {bytes:.0} bytes per node and second");
    for (_, back) in down {
        net.start(back);
        net.join(back, 3);
    }
    match net.run_until(Span::secs(300), Net::agrees) {
        Some(span) => println!("after churn: all views complete again after {span}"),
        None => println!("after churn: {} entries wrong after 300 s", net.missing()),
    }
}
