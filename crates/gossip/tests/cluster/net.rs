//! A virtual network of gossiping nodes: latency, loss, duplication, reordering, partitions, slow
//! nodes, crashes and restarts, all from one seed.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use bary_gossip::config::GossipConfig;
use bary_gossip::event::{Event, Input, Output};
use bary_gossip::gossip::Gossip;
use bary_gossip::identity::{Address, Identity, Name};
use bary_model::time::{Moment, Span};

/// What the network does to datagrams.
#[derive(Clone, Debug)]
pub(crate) struct Weather {
    /// How many datagrams of 1,000 are lost.
    pub(crate) loss: u64,
    /// How many of 1,000 arrive twice.
    pub(crate) twice: u64,
    /// The least time to the other side.
    pub(crate) latency: Span,
    /// What may come on top, evenly drawn, which reorders.
    pub(crate) jitter: Span,
}

impl Default for Weather {
    fn default() -> Self {
        Self { loss: 50, twice: 10, latency: Span::millis(5), jitter: Span::millis(10) }
    }
}

/// One node and its place in the network.
pub(crate) struct Node {
    /// The node; `None` while it is down.
    pub(crate) gossip: Option<Gossip>,
    /// Its present incarnation.
    pub(crate) incarnation: u64,
    /// How many times slower than others what it receives is worked on.
    pub(crate) slow: u64,
    /// The side of a partition that it is on.
    pub(crate) side: u8,
    woken: Moment,
}

impl Node {
    /// Whether it is up and knows so many members.
    pub(crate) fn knows(&self, count: usize) -> bool {
        self.gossip.as_ref().is_some_and(|gossip| gossip.members_count() == count)
    }
}

/// Something that will happen at a node: a datagram arrives, or a time has come.
struct Due {
    at: Moment,
    serial: u64,
    node: usize,
    datagram: Option<(usize, Vec<u8>)>,
}

impl Due {
    /// In this order things happen.
    fn rank(&self) -> Reverse<(Moment, u64)> {
        Reverse((self.at, self.serial))
    }
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.rank() == other.rank()
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> Ordering {
        self.rank().cmp(&other.rank())
    }
}

/// The world: nodes, datagrams under way, and what was told.
pub(crate) struct Net {
    /// The nodes; a node's address and name are made from its index.
    pub(crate) nodes: Vec<Node>,
    /// The time.
    pub(crate) now: Moment,
    /// What the network does.
    pub(crate) weather: Weather,
    /// How many datagrams were sent.
    pub(crate) sent: u64,
    /// How many bytes those were.
    pub(crate) sent_bytes: u64,
    /// What was told, by whom and when, in order; for as long as `keep` is set.
    pub(crate) told: Vec<(Moment, usize, Event)>,
    /// Whether to keep what is told.
    pub(crate) keep: bool,
    /// A hash of all datagrams and all that was told.
    pub(crate) hash: u64,
    /// All datagrams that were sent, where somebody listens.
    pub(crate) tap: Option<Vec<Vec<u8>>>,
    config: GossipConfig,
    seed: u64,
    dice: u64,
    serial: u64,
    due: BinaryHeap<Due>,
    outputs: Vec<Output>,
}

impl Net {
    pub(crate) fn new(seed: u64, config: GossipConfig, weather: Weather) -> Self {
        Self {
            nodes: Vec::new(),
            now: Moment::default(),
            weather,
            sent: 0,
            sent_bytes: 0,
            told: Vec::new(),
            keep: true,
            hash: 0xcbf2_9ce4_8422_2325,
            tap: None,
            config,
            seed,
            dice: seed,
            serial: 0,
            due: BinaryHeap::new(),
            outputs: Vec::new(),
        }
    }

    /// A network of `count` nodes that all join through the first `seeds` of them at once.
    pub(crate) fn of(seed: u64, count: usize, seeds: usize, weather: Weather) -> Self {
        let mut net = Self::new(seed, GossipConfig::default(), weather);
        (0..count).for_each(|_| {
            net.add();
        });
        (0..count).for_each(|node| net.join(node, seeds));
        net
    }

    pub(crate) fn draw(&mut self, below: u64) -> u64 {
        self.dice = self.dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(99);
        ((u128::from(self.dice ^ (self.dice >> 29)) * u128::from(below)) >> 64) as u64
    }

    pub(crate) fn name(node: usize) -> Name {
        Name((node as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// Adds a node that is alone.
    pub(crate) fn add(&mut self) -> usize {
        let woken = Moment(u64::MAX);
        self.nodes.push(Node { gossip: None, incarnation: 0, slow: 1, side: 0, woken });
        self.start(self.nodes.len() - 1);
        self.nodes.len() - 1
    }

    /// Starts a node that is down, under the next incarnation.
    pub(crate) fn start(&mut self, node: usize) {
        let state = &mut self.nodes[node];
        state.incarnation += 1;
        let identity =
            Identity::new(Self::name(node), Address::Number(node as u64), state.incarnation);
        let seed = self.seed ^ (node as u64) << 20 ^ state.incarnation;
        let gossip = Gossip::new(self.config.clone(), identity, seed);
        state.gossip = Some(gossip.expect("the configuration has no fault"));
        state.woken = Moment(u64::MAX);
    }

    pub(crate) fn join(&mut self, node: usize, seeds: usize) {
        let seeds = (0..seeds).map(|seed| Address::Number(seed as u64)).collect();
        self.input(node, Input::Join { seeds });
    }

    /// Kills a node without a word.
    pub(crate) fn crash(&mut self, node: usize) {
        self.nodes[node].gossip = None;
    }

    pub(crate) fn gossip(&mut self, node: usize) -> &mut Gossip {
        self.nodes[node].gossip.as_mut().expect("the node is up")
    }

    /// Lets a node that was put in by hand look at the time.
    pub(crate) fn wake(&mut self, node: usize) {
        self.step(node, None);
    }

    pub(crate) fn input(&mut self, node: usize, input: Input) {
        self.step(node, Some(input));
    }

    /// Runs until `until` says so, asked every 50 ms, or until `span` is over; says how long it
    /// took.
    pub(crate) fn run_until(&mut self, span: Span, until: impl Fn(&Self) -> bool) -> Option<Span> {
        let start = self.now;
        while self.now.since(start) < span {
            self.run(Span::millis(50));
            if until(self) {
                return Some(self.now.since(start));
            }
        }
        None
    }

    /// Runs for a time.
    pub(crate) fn run(&mut self, span: Span) {
        let end = self.now + span;
        while self.due.peek().is_some_and(|due| due.at <= end) {
            let Some(Due { at, node, datagram, .. }) = self.due.pop() else { break };
            self.now = at;
            if let Some((from, bytes)) = datagram {
                if self.nodes[from].side == self.nodes[node].side {
                    let from = Address::Number(from as u64);
                    self.step(node, Some(Input::Datagram { from, bytes }));
                }
            } else if self.nodes[node].woken == at {
                self.nodes[node].woken = Moment(u64::MAX);
                self.step(node, None);
            }
        }
        self.now = end;
    }

    fn step(&mut self, node: usize, input: Option<Input>) {
        let Some(gossip) = &mut self.nodes[node].gossip else { return };
        let mut outputs = std::mem::take(&mut self.outputs);
        gossip.step(self.now, input, &mut outputs);
        let wake = gossip.wake();
        for output in outputs.drain(..) {
            match output {
                Output::Send { to: Address::Number(to), bytes } => {
                    self.post(node, to as usize, bytes);
                }
                Output::Send { to, .. } => panic!("nobody has the address {to:?}"),
                Output::Tell(event) => {
                    self.stir(format!("{} {node} {event:?}", self.now.0).as_bytes());
                    if self.keep {
                        self.told.push((self.now, node, event));
                    }
                }
            }
        }
        self.outputs = outputs;
        if let Some(wake) = wake {
            let wake = wake.max(self.now);
            if wake < self.nodes[node].woken {
                self.nodes[node].woken = wake;
                self.put(wake, node, None);
            }
        }
    }

    fn post(&mut self, from: usize, to: usize, bytes: Vec<u8>) {
        self.sent += 1;
        self.sent_bytes += bytes.len() as u64;
        self.stir(&bytes);
        if let Some(tap) = &mut self.tap {
            tap.push(bytes.clone());
        }
        let copies = 1 + u64::from(self.draw(1_000) < self.weather.twice);
        for _ in 0..copies {
            let lost = self.draw(1_000) < self.weather.loss;
            if lost || to >= self.nodes.len() || self.nodes[from].side != self.nodes[to].side {
                continue;
            }
            let Weather { latency, jitter, .. } = self.weather;
            let slow = self.nodes[from].slow.max(self.nodes[to].slow);
            let after = latency + Span(self.draw(jitter.0.max(1)));
            self.put(self.now + after.times(slow), to, Some((from, bytes.clone())));
        }
    }

    fn put(&mut self, at: Moment, node: usize, datagram: Option<(usize, Vec<u8>)>) {
        self.serial += 1;
        self.due.push(Due { at, serial: self.serial, node, datagram });
    }

    fn stir(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            let mixed = (self.hash ^ u64::from_le_bytes(word)).wrapping_mul(0x0100_0000_01b3);
            self.hash = mixed ^ (mixed >> 31);
        }
    }

    /// The nodes that are up.
    pub(crate) fn up(&self) -> impl Iterator<Item = &Gossip> {
        self.nodes.iter().filter_map(|node| node.gossip.as_ref())
    }

    /// Whether every node that is up knows all of them and no other, by count and fingerprint.
    pub(crate) fn agrees(&self) -> bool {
        let count = self.up().count();
        let Some(first) = self.up().next().map(Gossip::fingerprint) else { return true };
        self.up().all(|node| node.members_count() == count && node.fingerprint() == first)
    }

    /// How many entries are missing or wrong in all views, as counts tell.
    pub(crate) fn missing(&self) -> usize {
        let count = self.up().count();
        self.up().map(|node| node.members_count().abs_diff(count)).sum()
    }

    /// Events of one kind, by the nodes that told them.
    pub(crate) fn count(&self, fits: impl Fn(usize, &Event) -> bool) -> usize {
        self.told.iter().filter(|(_, node, event)| fits(*node, event)).count()
    }
}
