//! Kept bytes: what each version wrote must stay readable, and none may change.
#![expect(clippy::disallowed_methods, reason = "kept bytes are files of the repository")]

use std::path::PathBuf;
use std::sync::Arc;

use bary_ledger::consequences::Consequences;
use bary_ledger::jobs::Gone;
use bary_ledger::keys::Used;
use bary_ledger::ledger::Ledger;
use bary_ledger::record::{EndedTasks, Record};
use bary_ledger::survey::Bygone;
use bary_model::action::{Action, Arg};
use bary_model::claim::{Announce, Claim, ClaimRule, Rival};
use bary_model::digest::Digest;
use bary_model::id::{
    Birth, Epoch, Fence, GrantNo, JobNo, NodeId, ShardId, SpecNo, TaskId, TaskRange,
};
use bary_model::inputs::{Column, Grouping, Inputs};
use bary_model::job::{About, Enough, Halt, HaltOn, JobRef, SubmissionKey};
use bary_model::message::{
    Ask, Frame, Grant, GrantItem, Hello, Level, Message, Need, OutcomeItem, Outcomes, Retract, Say,
    Upstream,
};
use bary_model::outcome::{End, Failure, Outcome, Results, Usage};
use bary_model::payload::{BlobRef, Payload};
use bary_model::resources::Resources;
use bary_model::task::{After, Body, LabelRule, RunIf, TaskSpec, Use};
use bary_model::template::Template;
use bary_model::template::parse::Dialect;
use bary_model::time::{Moment, Span, Wall};
use bary_model::weight::Weight;
use bary_wire::batch::Batch;
use bary_wire::{batch, frame, past, snapshot};

use crate::referring::{ganged, gauged, measured, referred, referring};

const EPOCH: Epoch = Epoch(3);
const AT: Wall = Wall(1_763_745_574_123_456_789);
const JOB: JobNo = JobNo(0);

fn range(spec: u32, first: u32, count: u32) -> TaskRange {
    TaskRange { job: JOB, spec: SpecNo(spec), first, count }
}

fn template(text: &str) -> Template {
    let read = Template::parse(text.as_bytes(), Dialect::Loose, &mut |_| None);
    read.expect("the loose dialect refuses nothing")
}

fn inline(text: &'static str) -> Payload {
    Payload::Inline(text.into())
}

/// An array over lines and numbers, and a task that waits for it index by index.
fn specs() -> Arc<[Arc<TaskSpec>]> {
    let argv = vec![template("sh"), template("-c"), template("cat '{1/.}' {2}").for_shell()];
    let mut body = Body::new(Action::Command { argv });
    body.surroundings.env = vec![("A".into(), template("{index}"))];
    body.surroundings.stdout = Some(template("out-{#}"));
    let rule = LabelRule { label: "disk".into(), value: "ssd".into(), not: false };
    body.request.labels = vec![rule];
    body.request.resources.named.insert("licence".into(), 1);
    body.heartbeat_timeout = Some(Span::secs(7));
    body.keep_results = true;
    body.cache = Some(Span::secs(9));
    let lines = Column::Lines(Arc::new(["a.txt", "b.txt"].iter().collect()));
    let numbers = Column::Numbers { first: -1, step: 2, count: 4 };
    let inputs = Inputs::new(vec![vec![lines], vec![numbers]], Grouping::Every(2));
    let first = TaskSpec {
        name: "first".into(),
        inputs: inputs.expect("they make a table"),
        count: 4,
        array: true,
        weight: Weight::new(2.5).expect("it is a weight"),
        ..TaskSpec::new(Arc::new(body))
    };
    let args = vec![Arg { name: Some("x".into()), value: template("{attempt}").for_json() }];
    let mut body = Body::new(Action::Function { name: "f".into(), args });
    body.run_if = RunIf::Always;
    body.uses = [Use { spec: SpecNo(0), name: "first".into(), aligned: true }].into();
    let after = [After { spec: SpecNo(0), aligned: true }].into();
    let second = TaskSpec { count: 4, array: true, after, ..TaskSpec::new(Arc::new(body.clone())) };
    let after = [After { spec: SpecNo(1), aligned: false }].into();
    let third = TaskSpec { after, ..TaskSpec::new(Arc::clone(&second.body)) };
    [first, second, third].map(Arc::new).into()
}

/// One record of each kind, such that a ledger can fold them.
fn records() -> Vec<Record> {
    let halt = Halt { on: HaltOn::Failed, enough: Enough::Percent(12.5), running: true };
    let key = SubmissionKey { key: 1 << 100, content: 77 };
    let (node, grant) = (NodeId(1), GrantNo(1));
    let ended = |range, end, results| EndedTasks {
        range,
        grant,
        node,
        end,
        attempt: 2,
        results,
        stderr: inline("oh"),
        usage: Usage {
            began: Moment(5),
            busy: Span(6),
            cpu: Span(7),
            peak_memory: 8,
            slot: 9,
            cached: true,
        },
    };
    let two = Results::Each(vec![inline("r"), Payload::Stored(BlobRef { id: 300, len: 400 })]);
    let (name, open) = ("job".into(), true);
    let (halt, key) = (Some(halt), Some(key));
    let elsewhere = JobRef { shard: ShardId(41), job: JobNo(5) };
    vec![
        Record::Opened { epoch: EPOCH },
        Record::Awaits { upstream: vec![elsewhere] },
        Record::Submitted { job: JOB, name, specs: specs(), open, halt, key, about: about() },
        Record::Held { job: JOB, held: true, reason: Some("later".into()) },
        Record::Prioritised { job: JOB, priority: -3 },
        Record::Extended { job: JOB, specs: [Arc::clone(&specs()[2])].map(single).into() },
        Record::Arrived { job: JOB, upstream: elsewhere, good: true },
        Record::Granted { node, items: vec![(grant, range(0, 0, 4))] },
        Record::Ended {
            items: vec![
                ended(range(0, 0, 2), End::Succeeded, two),
                ended(range(0, 2, 1), End::Failed(Failure::Exit(3)), Results::Nothing),
            ],
        },
        Record::Retracted { items: vec![(grant, range(0, 3, 1))] },
        Record::Granted { node, items: vec![(GrantNo(2), range(1, 0, 2))] },
        Record::Checkpointed {
            task: TaskId { job: JOB, spec: SpecNo(1), index: 1 },
            grant: GrantNo(2),
            step: 300,
            payload: inline("half"),
        },
        Record::Failed {
            task: TaskId { job: JOB, spec: SpecNo(1), index: 1 },
            grant,
            crashed: true,
        },
        Record::Cancelled { range: range(1, 2, 2), running: true },
        Record::Closed { job: JOB },
        Record::Stopping { job: JOB, reason: Some("enough".into()) },
        Record::Submitted {
            job: JobNo(JOB.0 + 1),
            name: "none".into(),
            specs: Vec::new().into(),
            open: false,
            halt: None,
            key: None,
            about: About::default().shared(),
        },
        Record::Forgotten { job: JobNo(JOB.0 + 1) },
    ]
}

fn about() -> Arc<About> {
    let tags = [("team".into(), "x".into())].into();
    let (submitted, not_before) = (Some(Wall(1 << 60)), Some(Wall(1 << 61)));
    let owner = "ann".into();
    Arc::new(About {
        tags,
        owner,
        submitted,
        not_before,
        priority: 7,
        held: true,
        deadline: None,
        copies: 0,
    })
}

/// The same spec waiting for nothing.
fn single(spec: Arc<TaskSpec>) -> Arc<TaskSpec> {
    Arc::new(TaskSpec { after: Box::default(), ..TaskSpec::clone(&spec) })
}

fn ledger() -> Ledger {
    let mut ledger = Ledger::new(ShardId(40));
    let mut out = Consequences::default();
    records().iter().for_each(|record| ledger.apply(record, &mut out));
    ledger
}

/// Items of a grant, of which one reads results and goes on from a checkpoint.
fn items(fence: Fence) -> Vec<GrantItem> {
    let results = vec![inline("x"), Payload::Empty];
    let (indices, nodes) = (vec![0, 2], vec![NodeId(1), NodeId(2)]);
    let upstream = Upstream { name: "first".into(), results, indices, nodes };
    let spec = Arc::clone(&specs()[1]);
    let item = GrantItem {
        fence,
        range: range(1, 0, 2),
        spec,
        attempt: 1,
        upstream: Some([upstream].into()),
        urgent: true,
        priority: 2,
        checkpoint: Some((300, inline("half"))),
        seat: None,
    };
    vec![item.clone(), GrantItem { attempt: 2, upstream: None, ..item }]
}

/// One of everything that is said.
fn frames() -> Vec<Frame> {
    let fence = Fence { shard: ShardId(40), epoch: EPOCH, grant: GrantNo(2) };
    let held = vec![(fence, range(0, 1, 3))];
    let ask = Ask { number: 4, free: Resources::cpus(8), held: 1_000 };
    let items = items(fence);
    let answers = vec![(ShardId(40), 4)];
    let outcome = |outcome| OutcomeItem {
        fence,
        range: range(0, 1, 1),
        outcome,
        stderr: Payload::Empty,
        usage: Usage::default(),
    };
    let failure = Failure::Panicked("at the disco".into());
    let outcomes = vec![
        outcome(Outcome::Succeeded(Results::Nothing)),
        outcome(Outcome::Failed { failure, output: inline("so far") }),
        outcome(Outcome::Stopped),
        outcome(Outcome::Returned),
    ];
    let said = vec![
        Say::Load { ready: 5_000 },
        Say::Hello(Hello { held: held.clone(), answers: 1 }),
        Say::Ask(ask.clone()),
        Say::Grant(Grant { items, answers, ready: 9, settled: 3 }),
        Say::Outcomes(Outcomes {
            batch: 8,
            items: outcomes.clone().into(),
            ask: Some(ask.clone()),
        }),
        Say::Settled { batch: 8 },
        Say::Retract(Retract::Weight { weight: 2_000, thief: NodeId(6) }),
        Say::Retract(Retract::Tasks(vec![range(0, 0, 1)])),
        Say::Retract(Retract::Unstarted(JOB)),
        Say::Retract(Retract::Everything),
        Say::Retract(Retract::Below(-1)),
        Say::Checkpoint { fence, task: range(0, 1, 1).head(), step: 4, payload: inline("y") },
        Say::Retract(Retract::Stale(held.clone())),
        Say::Retracted { items: held },
        Say::Pulse(Digest { tasks: 3, hash: u64::MAX }),
        Say::Level(Level { ready: 1, tasks: 2, parked: 3 }),
        Say::Seek { at: ShardId(41), tasks: 12 },
        Say::Token {
            at: ShardId(41),
            node: NodeId(2),
            ask,
            asked: vec![(ShardId(40), 4)],
            hops: 1,
        },
        Say::Watch { upstream: JobRef { shard: ShardId(41), job: JOB }, by: JOB },
        Say::Done { dependent: JobRef { shard: ShardId(41), job: JOB }, job: JOB, good: true },
        Say::Need(Need { name: "licence".into(), most: 4, uses: 1, wants: 3, heard: 2 }),
        Say::Permitted { at: ShardId(41), name: "licence".into(), tasks: 3, number: 5 },
        Say::Keeps { name: "licence".into() },
        Say::Relist { number: 2 },
        Say::Repeat(vec![Outcomes { batch: 7, items: outcomes.into(), ask: None }]),
    ];
    let frame = |(number, say)| {
        let message = Arc::new(Message { shard: ShardId(40), epoch: EPOCH, say });
        let body = Some((number as u64 + 1, message));
        Frame { from: Birth(1 << 32 | 1), to: Birth(2 << 32 | 1), ack: 17, body }
    };
    let empty = Frame { from: Birth(1 << 32 | 1), to: Birth(0), ack: 0, body: None };
    let first = said.len() + 1;
    let said = said.into_iter().enumerate().map(frame).chain([empty]);
    let more = wider().into_iter().chain(measured()).chain(gauged()).chain(referred());
    let more = more.chain([ganged(self::items(fence))]);
    said.chain(more.zip(first..).map(|(say, at)| frame((at, say)))).collect()
}

/// What readers of version 2 do not know.
fn wider() -> Vec<Say> {
    let fence = Fence { shard: ShardId(40), epoch: EPOCH, grant: GrantNo(2) };
    let rival = |node, power, load| Rival { node: NodeId(node), power, load };
    let rivals = vec![rival(1, 1 << 20, 0), rival(2, 1 << 21, 4_500)];
    let items = vec![(GrantNo(2), range(0, 1, 1)), (GrantNo(300), range(0, 2, 1))];
    vec![
        Say::Retract(Retract::Few {
            tasks: 3,
            least: 2,
            thief: NodeId(6),
            spared: vec![range(0, 1, 1)],
        }),
        Say::Reserve { tasks: 2 },
        Say::Release,
        Say::Announce(Announce {
            rule: ClaimRule::Zones,
            share: 500_000,
            items: self::items(fence),
            rivals,
        }),
        Say::Claim(Claim { items, at: AT, load: 7_000 }),
        Say::Yield { items: vec![(fence, range(0, 1, 1))] },
    ]
}

/// What stands for a log of which some was left out, and its last batch.
fn kept_batches() -> [(Epoch, Option<Wall>, Vec<Record>); 2] {
    let used = Used { key: SubmissionKey { key: 1 << 99, content: 8 }, job: JobNo(3), at: AT };
    let gone = vec![Gone { first: JobNo(1), count: 300, good: false }];
    let (last_grant, next, keys) = (GrantNo(400), JobNo(500), vec![used]);
    let bygone = Box::new(Bygone { last_grant, next, gone, keys });
    [
        (Epoch(0), Some(AT), vec![Record::Bygone { bygone }]),
        (EPOCH, None, vec![Record::Opened { epoch: EPOCH }]),
    ]
}

fn place(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

fn kept(name: &str) -> Vec<u8> {
    std::fs::read(place(name)).expect("kept bytes are part of the repository")
}

/// Everything as the code of today writes it, by the file that keeps it.
fn written() -> Vec<(String, Vec<u8>)> {
    let [mut timeless, mut timed, mut snapshot, mut elsewhere] = [const { Vec::new() }; 4];
    batch::encode(EPOCH, None, &records(), &mut timeless).expect("all of it can be written");
    batch::encode(EPOCH, Some(AT), &records(), &mut timed).expect("all of it can be written");
    batch::encode(EPOCH, Some(AT), &referring(), &mut elsewhere).expect("it can be written");
    snapshot::encode(&ledger().snapshot(), &mut snapshot).expect("all of it can be written");
    let mut past = Vec::new();
    past::begin(&mut past);
    for (epoch, at, records) in kept_batches() {
        past::add(epoch, at, &records, &mut past).expect("all of it can be written");
    }
    let mut all = vec![
        ("past.v1".to_owned(), past),
        ("batch.v3".to_owned(), timeless),
        ("batch.v4".to_owned(), timed),
        ("batch.v5".to_owned(), elsewhere),
        ("snapshot.v2".to_owned(), snapshot),
    ];
    for (number, frame) in frames().iter().enumerate() {
        let mut bytes = Vec::new();
        frame::encode(frame, &mut bytes).expect("all of it can be written");
        all.push((format!("frame-{number:02}.v{}", bytes[0]), bytes));
    }
    all
}

#[test]
fn kept_bytes_are_still_read() {
    for (name, at) in [("batch.v3", None), ("batch.v4", Some(AT))] {
        let batch = batch::decode(&kept(name)).expect("every version is read");
        assert_eq!(batch, Batch { epoch: EPOCH, at, records: records() }, "{name}");
    }
    let batch = batch::decode(&kept("batch.v5")).expect("version 5 is read");
    assert_eq!((batch.at, batch.records), (Some(AT), referring()));
    let past = kept("past.v1");
    let past = past::read(&past).expect("version 1 is read");
    let past: Result<Vec<Batch>, _> = past.collect();
    let batch = |(epoch, at, records)| Batch { epoch, at, records };
    assert_eq!(past, Ok(kept_batches().map(batch).to_vec()));
    let snapshot = snapshot::decode(&kept("snapshot.v2")).expect("version 2 is read");
    assert_eq!(Ledger::restore(snapshot), Ok(ledger()));
    for (number, frame) in frames().into_iter().enumerate() {
        let said = frame.body.as_ref().map(|(_, message)| message.say.clone());
        let version = match said {
            Some(Say::Grant(grant)) if grant.items[0].seat.is_some() => 7,
            Some(say) if gauged().contains(&say) => 5,
            Some(say) if referred().contains(&say) => 6,
            Some(say) if measured().contains(&say) => 4,
            Some(say) if wider().contains(&say) => 3,
            _ => 2,
        };
        let read = frame::decode(&kept(&format!("frame-{number:02}.v{version}")));
        assert_eq!(read, Ok(frame));
    }
}

#[test]
fn each_version_is_written_as_it_always_was() {
    for (name, bytes) in written() {
        assert!(bytes == kept(&name), "{name}: a changed encoding needs a version of its own");
    }
}

#[test]
#[ignore = "keeps the bytes of today: only before a version has been released"]
fn keep() {
    for (name, bytes) in written() {
        std::fs::write(place(&name), bytes).expect("the repository can be written to");
    }
}
