//! Arbitrary messages and the frames that carry them.

use std::sync::Arc;

use bary_model::claim::{Announce, Claim, ClaimRule, Rival};
use bary_model::digest::Digest;
use bary_model::gang::Seat;
use bary_model::id::{Birth, Epoch, Fence, GrantNo, JobNo, NodeId, ShardId, TaskRange};
use bary_model::job::JobRef;
use bary_model::message::{
    Ask, Frame, Grant, GrantItem, Hello, Level, Message, Need, OutcomeItem, Outcomes, Retract, Say,
    Upstream,
};
use bary_model::node::Busy;
use bary_model::outcome::Outcome;
use bary_model::time::{Moment, Span, Wall};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{BoxedStrategy, Just, Strategy, any, prop_oneof};
use proptest::sample::Index;

use crate::strategy::{failure, payload, range, resources, results, specs, text, usage};

fn fence() -> impl Strategy<Value = Fence> {
    any::<(u64, u32, u64)>().prop_map(|(shard, epoch, grant)| Fence {
        shard: ShardId(shard),
        epoch: Epoch(epoch),
        grant: GrantNo(grant),
    })
}

fn held() -> impl Strategy<Value = Vec<(Fence, TaskRange)>> {
    vec((fence(), range()), 0..4)
}

fn ask() -> impl Strategy<Value = Ask> {
    (any::<(u64, u64)>(), resources()).prop_map(|((number, held), free)| Ask { number, free, held })
}

fn upstream() -> impl Strategy<Value = Upstream> {
    (text(), vec((payload(), any::<(u32, u64)>()), 0..3)).prop_map(|(name, all)| Upstream {
        name,
        results: all.iter().map(|(payload, _)| payload.clone()).collect(),
        indices: all.iter().map(|(_, (index, _))| *index).collect(),
        nodes: all.iter().map(|(_, (_, node))| NodeId(*node)).collect(),
    })
}

/// Items of which some are of the same spec.
fn items() -> impl Strategy<Value = Vec<GrantItem>> {
    let left = option::of((any::<u64>(), payload()));
    let seat = option::of(any::<(u64, u16)>());
    let rest = (option::of(vec(upstream(), 0..3)), any::<(u16, bool, i32)>(), left, seat);
    (specs(), vec((fence(), range(), any::<Index>(), rest), 0..5)).prop_map(|(specs, items)| {
        let of_one = items.into_iter().filter(|_| !specs.is_empty());
        let made = of_one.map(|(fence, range, spec, (upstream, numbers, checkpoint, seat))| {
            let (attempt, urgent, priority) = numbers;
            let seat = seat.map(|(first, port)| Seat { first: NodeId(first), port });
            let seat = seat.filter(|_| range.count == 1);
            let (spec, upstream) = (Arc::clone(spec.get(&specs)), upstream.map(Arc::from));
            GrantItem { fence, range, spec, attempt, upstream, urgent, priority, checkpoint, seat }
        });
        made.collect()
    })
}

fn outcomes() -> impl Strategy<Value = Outcomes> {
    let outcome = prop_oneof![
        results().prop_map(Outcome::Succeeded),
        (failure(), payload()).prop_map(|(failure, output)| Outcome::Failed { failure, output }),
        Just(Outcome::Stopped),
        Just(Outcome::Returned),
    ];
    let item = (fence(), range(), outcome, payload(), usage()).prop_map(
        |(fence, range, outcome, stderr, usage)| OutcomeItem {
            fence,
            range,
            outcome,
            stderr,
            usage,
        },
    );
    (any::<u64>(), vec(item, 0..4), option::of(ask())).prop_map(|(batch, items, ask)| Outcomes {
        batch,
        items: items.into(),
        ask,
    })
}

fn retract() -> impl Strategy<Value = Retract> {
    prop_oneof![
        any::<(u64, u64)>()
            .prop_map(|(weight, thief)| Retract::Weight { weight, thief: NodeId(thief) }),
        vec(range(), 0..4).prop_map(Retract::Tasks),
        any::<u32>().prop_map(|job| Retract::Unstarted(JobNo(job))),
        Just(Retract::Everything),
        any::<i32>().prop_map(Retract::Below),
        held().prop_map(Retract::Stale),
        (any::<(u32, u32, u64)>(), vec(range(), 0..3)).prop_map(
            |((tasks, least, thief), spared)| {
                Retract::Few { tasks, least, thief: NodeId(thief), spared }
            }
        ),
    ]
}

fn say() -> BoxedStrategy<Say> {
    let answer = any::<(u64, u64)>().prop_map(|(shard, ask)| (ShardId(shard), ask));
    let answers = vec(answer, 0..3);
    let token = (any::<(u64, u64, u64, u8)>(), ask());
    prop_oneof![
        any::<u64>().prop_map(|ready| Say::Load { ready }),
        (held(), any::<u64>()).prop_map(|(held, answers)| Say::Hello(Hello { held, answers })),
        ask().prop_map(Say::Ask),
        (items(), answers, any::<(u64, u64)>()).prop_map(|(items, answers, (ready, settled))| {
            Say::Grant(Grant { items, answers, ready, settled })
        }),
        outcomes().prop_map(Say::Outcomes),
        vec(outcomes(), 0..3).prop_map(Say::Repeat),
        any::<u64>().prop_map(|batch| Say::Settled { batch }),
        (fence(), range(), any::<u64>(), payload()).prop_map(|(fence, range, step, payload)| {
            Say::Checkpoint { fence, task: range.head(), step, payload }
        }),
        retract().prop_map(Say::Retract),
        held().prop_map(|items| Say::Retracted { items }),
        any::<(u64, u64)>().prop_map(|(tasks, hash)| Say::Pulse(Digest { tasks, hash })),
        any::<(u64, u64, u32)>().prop_map(|(ready, tasks, parked)| Say::Level(Level {
            ready,
            tasks,
            parked
        })),
        any::<(u64, u64)>().prop_map(|(at, tasks)| Say::Seek { at: ShardId(at), tasks }),
        token.prop_map(|((at, node, asked, hops), ask)| {
            let asked = vec![(ShardId(asked), u64::from(hops))];
            Say::Token { at: ShardId(at), node: NodeId(node), ask, asked, hops }
        }),
        any::<(u64, u32, u32)>().prop_map(|(shard, job, by)| {
            let upstream = JobRef { shard: ShardId(shard), job: JobNo(job) };
            Say::Watch { upstream, by: JobNo(by) }
        }),
        any::<(u64, u32, u32, bool)>().prop_map(|(shard, by, job, good)| {
            let dependent = JobRef { shard: ShardId(shard), job: JobNo(by) };
            Say::Done { dependent, job: JobNo(job), good }
        }),
        ("[a-z]{0,4}", any::<(u32, u32, u32, u64)>()).prop_map(
            |(name, (most, uses, wants, heard))| {
                Say::Need(Need { name: name.into(), most, uses, wants, heard })
            }
        ),
        ("[a-z]{0,4}", any::<(u64, u32, u64)>()).prop_map(|(name, (at, tasks, number))| {
            Say::Permitted { at: ShardId(at), name: name.into(), tasks, number }
        }),
        "[a-z]{0,4}".prop_map(|name| Say::Keeps { name: name.into() }),
        any::<u64>().prop_map(|number| Say::Relist { number }),
        sharing(),
    ]
    .boxed()
}

/// What is said where nodes sample or claim.
fn sharing() -> impl Strategy<Value = Say> {
    let rule =
        prop_oneof![Just(ClaimRule::Written), Just(ClaimRule::Started), Just(ClaimRule::Zones)];
    let rival = any::<(u64, u64, u64)>().prop_map(|(node, power, load)| Rival {
        node: NodeId(node),
        power,
        load,
    });
    let claimed = (any::<u64>(), range()).prop_map(|(grant, range)| (GrantNo(grant), range));
    prop_oneof![
        any::<u32>().prop_map(|tasks| Say::Reserve { tasks }),
        Just(Say::Release),
        (rule, any::<u32>(), items(), vec(rival, 0..3)).prop_map(|(rule, share, items, rivals)| {
            Say::Announce(Announce { rule, share, items, rivals })
        }),
        (vec(claimed, 0..3), any::<(u64, u64)>())
            .prop_map(|(items, (at, load))| { Say::Claim(Claim { items, at: Wall(at), load }) }),
        held().prop_map(|items| Say::Yield { items }),
        (any::<u64>(), vec(any::<u64>().prop_map(NodeId), 0..3))
            .prop_map(|(number, peers)| Say::Survey { number, peers }),
        (any::<u64>(), vec(any::<(u64, u64)>(), 0..3)).prop_map(|(number, trips)| {
            let trips = trips.into_iter().map(|(node, trip)| (NodeId(node), Span(trip))).collect();
            Say::Distances { number, trips }
        }),
        any::<u64>().prop_map(|at| Say::Probe { at: Moment(at) }),
        any::<u64>().prop_map(|at| Say::Echo { at: Moment(at) }),
        Just(Say::Gauge),
        option::of(any::<(u16, u16)>())
            .prop_map(|busy| Say::Busy(busy.map(|(cpus, memory)| Busy { cpus, memory }))),
    ]
}

pub(crate) fn frame() -> impl Strategy<Value = Frame> {
    let message = (any::<(u64, u32)>(), say()).prop_map(|((shard, epoch), say)| {
        Arc::new(Message { shard: ShardId(shard), epoch: Epoch(epoch), say })
    });
    (any::<(u64, u64, u64)>(), option::of((any::<u64>(), message)))
        .prop_map(|((from, to, ack), body)| Frame { from: Birth(from), to: Birth(to), ack, body })
}
