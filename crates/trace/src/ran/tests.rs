//! What ran becomes a trace, whatever way it was told.

use bary_model::id::{JobNo, SpecNo};
use bary_model::inputs::lines::Lines;
use bary_model::outcome::Failure;
use bary_model::payload::Payload;
use bary_model::task::{After, Body};
use proptest::prelude::*;

use super::*;

fn spec(name: &str, count: u32, after: &[(u32, bool)]) -> Arc<TaskSpec> {
    let after = after.iter().map(|&(spec, aligned)| After { spec: SpecNo(spec), aligned });
    let body = Body::new(Action::Function { name: "f".into(), args: Vec::new() });
    Arc::new(TaskSpec {
        name: name.into(),
        count,
        array: count > 1,
        after: after.collect(),
        ..TaskSpec::new(Arc::new(body))
    })
}

fn range(spec: u32, first: u32, count: u32) -> TaskRange {
    TaskRange { job: JobNo(0), spec: SpecNo(spec), first, count }
}

fn usage(busy: Span) -> Usage {
    Usage { busy, ..Usage::default() }
}

fn end(ran: &mut Ran, range: TaskRange, end: &End, milliseconds: u64) {
    ran.on_ended(range, end, &Results::Nothing, usage(Span::millis(milliseconds)), 1.0);
}

fn names(tasks: &[Task]) -> Vec<&str> {
    tasks.iter().map(|task| &*task.name).collect()
}

#[test]
fn tasks_wait_for_those_that_ran_of_what_they_waited_for() {
    let mut ran = Ran::default();
    ran.on_specs(&[spec("a", 3, &[]), spec("b", 3, &[(0, true)]), spec("c", 1, &[(1, false)])]);
    ran.on_specs(&[spec("d", 1, &[]), spec("e", 1, &[(0, false)])]);
    end(&mut ran, range(0, 0, 2), &End::Succeeded, 20);
    end(&mut ran, range(1, 0, 3), &End::Succeeded, 30);
    for alone in 2..5 {
        end(&mut ran, range(alone, 0, 1), &End::Succeeded, 5);
    }
    let tasks = ran.tasks().expect("they are few");
    assert_eq!(names(&tasks), ["a[0]", "a[1]", "b[0]", "b[1]", "b[2]", "c", "d", "e"]);
    let after: Vec<&[u32]> = tasks.iter().map(|task| &*task.after).collect();
    assert_eq!(after, [&[][..], &[], &[0], &[1], &[], &[2, 3, 4], &[], &[6]]);
    assert_eq!((tasks[0].run, tasks[5].run), (Span::millis(10), Span::millis(5)));
}

#[test]
fn what_was_cancelled_or_came_from_the_cache_is_left_out() {
    let mut ran = Ran::default();
    ran.on_specs(&[spec("a", 4, &[])]);
    end(&mut ran, range(0, 0, 1), &End::Cancelled, 9);
    end(&mut ran, range(0, 1, 1), &End::Failed(Failure::Exit(1)), 9);
    let cached = Usage { cached: true, ..usage(Span::millis(1)) };
    ran.on_ended(range(0, 2, 1), &End::Succeeded, &Results::Nothing, cached, 1.0);
    assert_eq!(names(&ran.tasks().expect("they are few")), ["a[1]"]);
}

#[test]
fn run_times_are_those_of_speed_one_and_sizes_are_kept() {
    let mut ran = Ran::default();
    let lines = Inputs::lines(Lines::from_iter(["ab", "cde"])).expect("there are two");
    let mut own = TaskSpec::clone(&spec("a", 2, &[]));
    own.inputs = lines;
    ran.on_specs(&[Arc::new(own)]);
    let left = Results::Each(vec![Payload::Empty, Payload::Inline("wxyz".into())]);
    ran.on_ended(range(0, 0, 2), &End::Succeeded, &left, usage(Span::secs(1)), 4.0);
    let tasks = ran.tasks().expect("they are few");
    let sizes: Vec<(u64, u64)> = tasks.iter().map(|task| (task.input, task.output)).collect();
    assert_eq!(sizes, [(2, 0), (3, 4)]);
    assert_eq!(tasks[0].run, Span::secs(2), "half a second each, at speed 4");
    assert!(ran.inputs.is_empty(), "nobody reads them any more");
}

#[test]
fn whole_arrays_that_wait_for_each_other_meet_in_a_task_of_no_time() {
    let mut ran = Ran::default();
    ran.on_specs(&[spec("a", 100, &[]), spec("b", 100, &[(0, false)])]);
    end(&mut ran, range(0, 0, 100), &End::Succeeded, 100);
    end(&mut ran, range(1, 0, 100), &End::Succeeded, 100);
    let tasks = ran.tasks().expect("they are few");
    assert_eq!((tasks.len(), tasks[200].after.len()), (201, 100));
    assert!(tasks[100..200].iter().all(|task| *task.after == [200]));
    assert_eq!(tasks[200].run, Span::ZERO);
}

#[test]
fn more_tasks_than_a_trace_may_have_are_refused_with_their_number() {
    let mut ran = Ran::default();
    let most = TASKS_MAX as u32;
    ran.on_specs(&[spec("a", most, &[]), spec("b", 1, &[])]);
    end(&mut ran, range(0, 0, most), &End::Succeeded, 1);
    end(&mut ran, range(1, 0, 1), &End::Succeeded, 1);
    assert_eq!(ran.tasks(), Err(RanError::Tasks(u64::from(most) + 1)));
}

proptest! {
    /// Whatever runs again in whichever pieces, each task is there once, as it ran last.
    #[test]
    fn each_task_is_as_it_ran_last(pieces in prop::collection::vec((0u32..30, 1u32..10), 1..20)) {
        let mut ran = Ran::default();
        ran.on_specs(&[spec("a", 40, &[])]);
        let mut last = BTreeMap::new();
        for (number, (first, count)) in (1_u64..).zip(pieces) {
            let each = Span(number);
            let run = Stretch { count, run: each, read: Box::default(), left: Box::default() };
            ran.add_stretch(0, first, run);
            last.extend((first..first + count).map(|index| (index, each)));
        }
        let tasks = ran.tasks().expect("they are few");
        let found: Vec<(String, Span)> =
            tasks.iter().map(|task| (task.name.to_string(), task.run)).collect();
        let want: Vec<(String, Span)> =
            last.into_iter().map(|(index, run)| (format!("a[{index}]"), run)).collect();
        prop_assert_eq!(found, want);
    }
}
