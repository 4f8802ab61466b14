//! Arbitrary specs, records and what they are made of.

use std::sync::Arc;

use bary_ledger::jobs::Gone;
use bary_ledger::keys::Used;
use bary_ledger::record::{EndedTasks, Record};
use bary_ledger::survey::Bygone;
use bary_model::action::{Action, Arg, Backoff, Capture, FileMove, Stdin, Surroundings};
use bary_model::decree::Decree;
use bary_model::id::{Epoch, GrantNo, JobNo, NodeId, ShardId, SpecNo, TaskId, TaskRange};
use bary_model::inputs::{Column, Grouping, Inputs};
use bary_model::job::{About, Deadline, Enough, Halt, HaltOn, JobRef, SubmissionKey};
use bary_model::outcome::{End, Failure, Results, Stopped, Usage};
use bary_model::payload::{BlobRef, Kept, Payload};
use bary_model::resources::Resources;
use bary_model::task::{After, Body, Kind, LabelRule, Permit, Request, RunIf, TaskSpec, Use};
use bary_model::template::Template;
use bary_model::template::parse::{Dialect, Named};
use bary_model::time::{Moment, Span, Wall};
use bary_model::weight::Weight;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{BoxedStrategy, Just, Strategy, any, prop_oneof};
use proptest::sample::{Index, select};

pub(crate) fn text() -> impl Strategy<Value = Box<str>> {
    ".{0,6}".prop_map(Box::from)
}

fn span() -> impl Strategy<Value = Span> {
    any::<u64>().prop_map(Span)
}

pub(crate) fn payload() -> impl Strategy<Value = Payload> {
    let inline = vec(any::<u8>(), 0..=Payload::INLINE_MAX);
    prop_oneof![
        Just(Payload::Empty),
        inline.prop_map(|bytes| Payload::Inline(bytes.into())),
        any::<(u64, u64)>().prop_map(|(id, len)| Payload::Stored(BlobRef { id, len })),
        any::<(u64, u64, u64, [u8; 32])>().prop_map(|(member, id, len, hash)| {
            Payload::Kept(Box::new(Kept { member, blob: BlobRef { id, len }, hash }))
        }),
    ]
}

pub(crate) fn results() -> impl Strategy<Value = Results> {
    prop_oneof![Just(Results::Nothing), vec(payload(), 0..4).prop_map(Results::Each)]
}

pub(crate) fn failure() -> impl Strategy<Value = Failure> {
    prop_oneof![
        any::<i32>().prop_map(Failure::Exit),
        any::<i32>().prop_map(Failure::Signal),
        Just(Failure::TimedOut),
        Just(Failure::Silent),
        text().prop_map(Failure::Error),
        text().prop_map(Failure::Panicked),
        text().prop_map(Failure::NotStarted),
    ]
}

fn end() -> impl Strategy<Value = End> {
    prop_oneof![
        Just(End::Succeeded),
        failure().prop_map(End::Failed),
        failure().prop_map(End::Quarantined),
        Just(End::Cancelled),
        Just(End::Skipped),
    ]
}

pub(crate) fn usage() -> impl Strategy<Value = Usage> {
    any::<(u64, u64, u64, u64, u32, bool)>().prop_map(
        |(began, busy, cpu, peak_memory, slot, cached)| {
            let (began, busy, cpu) = (Moment(began), Span(busy), Span(cpu));
            Usage { began, busy, cpu, peak_memory, slot, cached }
        },
    )
}

pub(crate) fn range() -> impl Strategy<Value = TaskRange> {
    (any::<(u32, u32)>(), 0..u32::MAX, any::<u32>()).prop_map(|((job, spec), first, count)| {
        let (job, spec) = (JobNo(job), SpecNo(spec));
        TaskRange { job, spec, first, count: 1 + count % (u32::MAX - first) }
    })
}

fn items() -> impl Strategy<Value = Vec<(GrantNo, TaskRange)>> {
    vec((any::<u64>().prop_map(GrantNo), range()), 0..5)
}

fn template() -> impl Strategy<Value = Template> {
    let pieces =
        ["echo ", "{}", "{2/.}", "{-1//}", "{index}", "{#}", "{%}", "{attempt}", "'", "\""];
    let scripts = ["{result.a.}", "`", "# ", "<<'E'\n", "\nE\n", "$((", "\\", "$", "\u{e9}"];
    let all: Vec<&str> = pieces.into_iter().chain(scripts).collect();
    (vec(select(all), 0..8), 0..3).prop_map(|(pieces, quoting)| {
        let mut names = |word: &str| Some(Named::Result(word.into()));
        let read = Template::parse(pieces.concat().as_bytes(), Dialect::Loose, &mut names);
        let plain = read.expect("the loose dialect refuses nothing");
        match quoting {
            0 => plain,
            1 => plain.for_json(),
            _ => plain.for_shell(),
        }
    })
}

fn column() -> impl Strategy<Value = Column> {
    prop_oneof![
        (any::<i32>(), any::<i32>(), 1..40_u64).prop_map(|(first, step, count)| {
            Column::Numbers { first: first.into(), step: step.into(), count }
        }),
        vec(vec(any::<u8>(), 0..5), 1..5)
            .prop_map(|lines| Column::Lines(Arc::new(lines.iter().collect()))),
    ]
}

fn inputs() -> impl Strategy<Value = Inputs> {
    let groups = || vec(vec(column(), 1..3), 1..3);
    prop_oneof![
        Just(Inputs::none()),
        groups().prop_map(|groups| made(groups, Grouping::Single)),
        (groups(), 1..5_u32).prop_map(|(groups, size)| made(groups, Grouping::Every(size))),
        groups().prop_map(|groups| {
            let records = made(groups.clone(), Grouping::Single).rows() as u32;
            made(groups, Grouping::Ends((1..=records).collect()))
        }),
    ]
}

fn made(groups: Vec<Vec<Column>>, grouping: Grouping) -> Inputs {
    Inputs::new(groups, grouping).expect("short sources make a table")
}

fn action() -> impl Strategy<Value = Action> {
    let arg = (option::of(text()), template()).prop_map(|(name, value)| Arg { name, value });
    prop_oneof![
        vec(template(), 0..3).prop_map(|argv| Action::Command { argv }),
        (text(), vec(arg, 0..3)).prop_map(|(name, args)| Action::Function { name, args }),
    ]
}

fn surroundings() -> impl Strategy<Value = Surroundings> {
    let stdin = prop_oneof![
        Just(Stdin::Null),
        Just(Stdin::Inherit),
        template().prop_map(Stdin::File),
        template().prop_map(Stdin::Text),
    ];
    let capture = select(vec![Capture::Whole, Capture::Lines, Capture::Live]);
    let moved = || (template(), template()).prop_map(|(from, to)| FileMove { from, to });
    let places = (option::of(template()), option::of(template()), option::of(template()));
    let files = (vec(moved(), 0..2), vec(moved(), 0..2));
    (vec((text(), template()), 0..2), places, stdin, capture, files).prop_map(
        |(env, (cwd, stdout, stderr), stdin, capture, (inputs, outputs))| Surroundings {
            env,
            cwd,
            stdin,
            stdout,
            stderr,
            capture,
            inputs,
            outputs,
        },
    )
}

pub(crate) fn resources() -> impl Strategy<Value = Resources> {
    let named = proptest::collection::btree_map(text(), any::<u64>(), 0..3);
    (any::<(u64, u64, u64)>(), named).prop_map(|((milli_cpus, memory, milli_gpus), named)| {
        Resources { milli_cpus, memory, milli_gpus, named }
    })
}

fn request() -> impl Strategy<Value = Request> {
    let kind = select(vec![Kind::Compute, Kind::Communication, Kind::Io, Kind::Mixed]);
    let label = (text(), text(), any::<bool>()).prop_map(|(label, value, not)| LabelRule {
        label,
        value,
        not,
    });
    let texts = (option::of(text()), option::of(text()));
    (resources(), vec(label, 0..2), texts, kind).prop_map(
        |(resources, labels, (region, function), kind)| Request {
            resources,
            labels,
            region,
            kind,
            function,
        },
    )
}

fn body() -> impl Strategy<Value = Body> {
    let run_if = select(vec![RunIf::Success, RunIf::Failure, RunIf::Always]);
    let backoff = (span(), span(), 1.0..1e3, 0.0..=1.0)
        .prop_map(|(base, max, factor, jitter)| Backoff { base, max, factor, jitter });
    let uses = (any::<u32>(), text(), any::<bool>()).prop_map(|(spec, name, aligned)| Use {
        spec: SpecNo(spec),
        name,
        aligned,
    });
    let times = (span(), span(), option::of(span()), any::<u16>(), backoff);
    let permit = ("[a-z]{0,4}", 1..=u32::MAX);
    let permit = option::of(permit.prop_map(|(name, most)| Permit { name: name.into(), most }));
    let flags = (any::<bool>(), any::<bool>(), option::of(span()));
    let rest = (any::<i32>(), run_if, vec(uses, 0..2), flags, permit);
    (action(), surroundings(), request(), times, rest).prop_map(
        |(action, surroundings, request, times, rest)| {
            let (timeout, grace, heartbeat_timeout, retries, backoff) = times;
            let (priority, run_if, uses, (keep_results, detail, cache), permit) = rest;
            Body {
                action,
                surroundings,
                request,
                permit,
                priority,
                timeout,
                grace,
                heartbeat_timeout,
                retries,
                backoff,
                run_if,
                uses: uses.into(),
                keep_results,
                detail,
                cache,
            }
        },
    )
}

/// Specs that share a few bodies and inputs.
pub(crate) fn specs() -> impl Strategy<Value = Arc<[Arc<TaskSpec>]>> {
    let after = any::<(u32, bool)>().prop_map(|(n, aligned)| After { spec: SpecNo(n), aligned });
    let weight =
        (1..=Weight::MAX.thousandths()).prop_map(|n| Weight::try_from(n).expect("it is in range"));
    let numbers = (any::<(u64, u64, bool)>(), 1..=u32::MAX, weight);
    let expected = prop_oneof![Just((0, Span::ZERO)), (any::<u64>(), span())];
    let expected = (expected, prop_oneof![Just(0), any::<u16>()]);
    let one = (text(), any::<Index>(), any::<Index>(), (numbers, expected), vec(after, 0..3));
    (vec(body().prop_map(Arc::new), 1..3), vec(inputs(), 1..3), vec(one, 0..6)).prop_map(
        |(bodies, inputs, specs)| {
            let made = specs.into_iter().map(|(name, body, rows, numbers, after)| {
                let (((first_row, rows_before, array), count, weight), expected) = numbers;
                let ((output, estimate), gang) = expected;
                let (body, inputs) = (Arc::clone(body.get(&bodies)), rows.get(&inputs).clone());
                let after = after.into();
                Arc::new(TaskSpec {
                    name,
                    body,
                    inputs,
                    first_row,
                    rows_before,
                    count,
                    array,
                    weight,
                    after,
                    output,
                    estimate,
                    gang,
                })
            });
            made.collect()
        },
    )
}

fn halt() -> impl Strategy<Value = Halt> {
    let on = select(vec![HaltOn::Failed, HaltOn::Succeeded, HaltOn::Ended]);
    let enough =
        prop_oneof![any::<u64>().prop_map(Enough::Tasks), (0.0..=1e2).prop_map(Enough::Percent)];
    (on, enough, any::<bool>()).prop_map(|(on, enough, running)| Halt { on, enough, running })
}

fn ended() -> impl Strategy<Value = EndedTasks> {
    let names = (range(), any::<(u64, u64, u16)>());
    (names, end(), results(), payload(), usage()).prop_map(
        |((range, (grant, node, attempt)), end, results, stderr, usage)| {
            let (grant, node) = (GrantNo(grant), NodeId(node));
            EndedTasks { range, grant, node, end, attempt, results, stderr, usage }
        },
    )
}

fn about() -> impl Strategy<Value = About> {
    let tags = proptest::collection::btree_map(text(), text(), 0..3);
    let wall = || option::of(any::<u64>().prop_map(Wall));
    let deadline = prop_oneof![
        Just(None),
        any::<u64>().prop_map(|at| Some(Deadline::At(Wall(at)))),
        span().prop_map(|span| Some(Deadline::After(span))),
    ];
    (tags, text(), (wall(), wall()), any::<(i32, bool)>(), deadline).prop_map(
        |(tags, owner, (submitted, not_before), (priority, held), deadline)| About {
            tags,
            owner,
            submitted,
            not_before,
            priority,
            held,
            deadline,
            copies: 3,
        },
    )
}

fn job_ref() -> impl Strategy<Value = JobRef> {
    let pair = any::<(u64, u32)>();
    pair.prop_map(|(shard, job)| JobRef { shard: ShardId(shard), job: JobNo(job) })
}

fn stopped() -> impl Strategy<Value = Stopped> {
    (range(), any::<(u64, u16, u64)>()).prop_map(|(range, (node, attempt, began))| Stopped {
        range,
        node: NodeId(node),
        attempt,
        began: Moment(began),
    })
}

fn decree() -> impl Strategy<Value = Decree> {
    let labels = proptest::collection::btree_map(text(), option::of(text()), 0..3);
    prop_oneof![
        text().prop_map(Decree::Follow),
        (text(), any::<bool>()).prop_map(|(node, drain)| Decree::Drain { node, drain }),
        (text(), labels).prop_map(|(node, labels)| Decree::Label { node, labels }),
    ]
}

fn bygone() -> impl Strategy<Value = Bygone> {
    let gone = any::<(u32, u32, bool)>();
    let gone = gone.prop_map(|(first, count, good)| Gone { first: JobNo(first), count, good });
    let used = any::<(u128, u64, u32, u64)>().prop_map(|(key, content, job, at)| Used {
        key: SubmissionKey { key, content },
        job: JobNo(job),
        at: Wall(at),
    });
    let numbers = any::<(u64, u32)>();
    (numbers, vec(gone, 0..3), vec(used, 0..3)).prop_map(|((last_grant, next), gone, keys)| {
        Bygone { last_grant: GrantNo(last_grant), next: JobNo(next), gone, keys }
    })
}

pub(crate) fn record() -> BoxedStrategy<Record> {
    let job = || any::<u32>().prop_map(JobNo);
    let key = any::<(u128, u64)>().prop_map(|(key, content)| SubmissionKey { key, content });
    let task = any::<(u32, u32, u32)>().prop_map(|(job, spec, index)| TaskId {
        job: JobNo(job),
        spec: SpecNo(spec),
        index,
    });
    let submission = (text(), any::<bool>(), option::of(halt()), option::of(key), about());
    let left = (any::<(u64, u64)>(), payload());
    prop_oneof![
        any::<u32>().prop_map(|epoch| Record::Opened { epoch: Epoch(epoch) }),
        (job(), specs(), submission).prop_map(|(job, specs, (name, open, halt, key, about))| {
            Record::Submitted { job, name, specs, open, halt, key, about: about.shared() }
        }),
        (job(), specs()).prop_map(|(job, specs)| Record::Extended { job, specs }),
        job().prop_map(|job| Record::Closed { job }),
        vec(job_ref(), 0..3).prop_map(|upstream| Record::Awaits { upstream }),
        (job(), job_ref(), any::<bool>()).prop_map(|(job, upstream, good)| Record::Arrived {
            job,
            upstream,
            good
        }),
        (job(), option::of(text())).prop_map(|(job, reason)| Record::Stopping { job, reason }),
        (job(), any::<bool>(), option::of(text())).prop_map(|(job, held, reason)| Record::Held {
            job,
            held,
            reason
        }),
        (job(), any::<i32>()).prop_map(|(job, priority)| Record::Prioritised { job, priority }),
        job().prop_map(|job| Record::Forgotten { job }),
        (task.clone(), left).prop_map(|(task, ((grant, step), payload))| {
            Record::Checkpointed { task, grant: GrantNo(grant), step, payload }
        }),
        job().prop_map(|job| Record::Retried { job }),
        (any::<u64>(), items())
            .prop_map(|(node, items)| Record::Granted { node: NodeId(node), items }),
        items().prop_map(|items| Record::Retracted { items }),
        (task, any::<(u64, bool)>()).prop_map(|(task, (grant, crashed))| {
            Record::Failed { task, grant: GrantNo(grant), crashed }
        }),
        vec(ended(), 0..4).prop_map(|items| Record::Ended { items }),
        (range(), any::<bool>()).prop_map(|(range, running)| Record::Cancelled { range, running }),
        bygone().prop_map(|bygone| Record::Bygone { bygone: Box::new(bygone) }),
        decree().prop_map(|decree| Record::Decreed { decree: Box::new(decree) }),
        vec(stopped(), 0..3).prop_map(|items| Record::Ran { items }),
    ]
    .boxed()
}
