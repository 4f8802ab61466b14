//! Everything at once, drawn from a seed: crashes, restarts, partitions, slow nodes, changing
//! values, loss. When it stops, everyone must agree within a bound.

use bary_model::time::Span;

use crate::net::{Net, Weather};

const NODES: u64 = 24;

/// One drawn mishap.
fn mishap(net: &mut Net) {
    let node = net.draw(NODES) as usize;
    let up = net.nodes[node].gossip.is_some();
    match net.draw(8) {
        0 | 1 if up && net.up().count() > NODES as usize / 2 => net.crash(node),
        0..=2 if !up => {
            net.start(node);
            net.join(node, 3);
        }
        3 => {
            let side = net.draw(2) as u8;
            let first = net.draw(NODES) as usize;
            net.nodes[first..].iter_mut().for_each(|node| node.side = side);
        }
        4 => net.nodes.iter_mut().for_each(|node| node.side = 0),
        5 => net.nodes[node].slow = 1 + net.draw(20),
        6 => net.weather.loss = net.draw(300),
        _ if up => {
            let (key, value) = (net.draw(40).to_string(), net.draw(1 << 40).to_le_bytes());
            let keep = net.draw(3) > 0;
            // A full node refuses, which is one more thing that may happen.
            let _full = net.gossip(node).set(&key, keep.then_some(&value));
        }
        _ => {}
    }
}

fn ordeal(seed: u64) -> Option<Span> {
    let mut net = Net::of(seed, NODES as usize, 3, Weather::default());
    for _ in 0..60 {
        mishap(&mut net);
        let pause = net.draw(6_000);
        net.run(Span::millis(pause));
    }
    net.weather = Weather::default();
    for node in 0..NODES as usize {
        (net.nodes[node].side, net.nodes[node].slow) = (0, 1);
        if net.nodes[node].gossip.is_none() {
            net.start(node);
            net.join(node, 3);
        }
    }
    assert!(net.up().all(|node| node.tally().malformed == 0), "seed {seed}");
    let agreed = net.run_until(Span::secs(120), Net::agrees);
    let lives = net.up().map(|node| node.me().incarnation).zip(&net.nodes);
    assert!(lives.into_iter().all(|(told, node)| told == node.incarnation), "seed {seed}");
    agreed
}

#[test]
fn whatever_happens_all_agree_once_it_stops() {
    for seed in 100..130 {
        assert!(ordeal(seed).is_some(), "seed {seed}: views differ after two minutes of calm");
    }
}
