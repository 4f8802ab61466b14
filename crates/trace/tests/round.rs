//! Whatever the bytes, a reader gives a trace or a fault; and what is written is read back.

use std::sync::Arc;

use bary_model::time::Span;
use bary_model::weight::Weight;
use bary_trace::format::Format;
use bary_trace::read::read;
use bary_trace::trace::{Job, Task, Trace};
use bary_trace::write::write;
use proptest::collection::{btree_set, vec};
use proptest::option::of;
use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, proptest};
use proptest::sample::select;

/// Times that a file in seconds says without loss.
fn span() -> impl Strategy<Value = Span> {
    (0..1_000_000_000_000_u64).prop_map(Span)
}

fn task(number: usize) -> impl Strategy<Value = Task> {
    let sizes = (0..1_u64 << 40, 0..1_u64 << 40, 0..1_u64 << 40);
    let known = (of(span()), of(1..1_000_000_u64));
    let after = btree_set(0..number.max(1) as u32, 0..number.clamp(1, 4));
    let named = (select(&["", "f", "7", "é\n\"<"][..]), 0..64_000_u64);
    (span(), known, sizes, named, after).prop_map(move |(run, known, sizes, named, after)| Task {
        name: format!("t{number}").into(),
        function: Arc::from(named.0),
        estimate: known.0,
        weight: known.1.and_then(|thousandths| Weight::try_from(thousandths).ok()),
        milli_cpus: named.1,
        memory: sizes.0,
        input: sizes.1,
        output: sizes.2,
        after: if number == 0 { Box::default() } else { after.into_iter().collect() },
        ..Task::new(run)
    })
}

fn job() -> impl Strategy<Value = Job> {
    let tasks = (1..7_usize).prop_flat_map(|count| (0..count).map(task).collect::<Vec<_>>());
    let named = (select(&["", "j", "12"][..]), select(&["", "ann", "3"][..]));
    (tasks, named, span()).prop_map(|(tasks, (name, owner), arrival)| Job {
        name: name.into(),
        owner: Arc::from(owner),
        arrival,
        tasks: tasks.into(),
    })
}

fn trace() -> impl Strategy<Value = Trace> {
    let unit = (1..1_u64 << 40).prop_map(Span);
    (vec(job(), 1..5), unit).prop_map(|(jobs, unit)| Trace { name: "n".into(), unit, jobs })
}

proptest! {
    #[test]
    fn our_own_format_loses_nothing(trace in trace()) {
        let written = write(&trace, Format::Bary).expect("it holds every trace");
        prop_assert!(written.lost.is_empty());
        prop_assert_eq!(read("x", written.text.as_bytes(), None), Ok(trace));
    }

    #[test]
    fn a_workflow_comes_back_but_for_what_is_said_to_be_lost(job in job()) {
        let trace = Trace { name: job.name.clone(), unit: Trace::UNIT, jobs: vec![job] };
        let written = write(&trace, Format::Wf).expect("one job is a workflow");
        let mut left = trace;
        let job = &mut left.jobs[0];
        (job.owner, job.arrival) = (Arc::from(""), Span::ZERO);
        for task in &mut job.tasks {
            (task.estimate, task.weight) = (None, None);
        }
        prop_assert_eq!(read("x", written.text.as_bytes(), None), Ok(left));
    }

    #[test]
    fn a_graph_of_whole_seconds_comes_back_from_stg(job in job()) {
        let mut tasks = job.tasks;
        for (number, task) in tasks.iter_mut().enumerate() {
            let run = Span::secs(task.run.0 % 1_000);
            let (name, after) = ((number + 1).to_string().into(), task.after.clone());
            let weight = Weight::new(run.as_secs_f64()).unwrap_or(Weight::MIN);
            *task = Task { name, after, weight: Some(weight), ..Task::new(run) };
        }
        let job = Job { name: "g".into(), owner: Arc::from(""), arrival: Span::ZERO, tasks };
        let trace = Trace { name: "g".into(), unit: Trace::UNIT, jobs: vec![job] };
        let written = write(&trace, Format::Stg).expect("its times are whole");
        prop_assert!(written.lost.is_empty());
        prop_assert_eq!(read("g.stg", written.text.as_bytes(), None), Ok(trace));
    }

    #[test]
    fn a_log_keeps_arrivals_run_times_and_whole_processors(trace in trace()) {
        let written = write(&trace, Format::Swf).expect("it holds every trace");
        let back = read("x", written.text.as_bytes(), None).expect("it was written well");
        let every = |trace: &Trace| {
            let jobs = trace.jobs.iter();
            let tasks = jobs.flat_map(|job| job.tasks.iter().map(|task| (job.arrival, task)));
            let whole = |task: &Task| task.milli_cpus.div_ceil(1_000).max(1);
            let said = |(at, task): (Span, &Task)| (at, task.run, task.estimate, whole(task));
            tasks.map(said).collect::<Vec<_>>()
        };
        prop_assert_eq!(every(&back), every(&trace));
    }

    #[test]
    fn any_bytes_give_a_trace_or_a_fault(
        bytes in vec(any::<u8>(), 0..200),
        from in of(select(&Format::ALL[..])),
    ) {
        drop(read("x", &bytes, from).map_err(|fault| fault.to_string()));
    }

    #[test]
    fn a_cut_or_spoilt_file_never_panics(
        trace in trace(),
        cut in any::<u16>(),
        byte in any::<u8>(),
    ) {
        for format in [Format::Bary, Format::Swf] {
            let mut text = write(&trace, format).expect("it holds every trace").text.into_bytes();
            let at = usize::from(cut) % text.len();
            text[at] = byte;
            drop(read("x", &text, Some(format)).map_err(|fault| fault.to_string()));
            text.truncate(at);
            drop(read("x", &text, Some(format)).map_err(|fault| fault.to_string()));
        }
    }
}
