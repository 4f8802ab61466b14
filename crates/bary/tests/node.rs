//! A node inside a program: functions of its own, failures that stay where they belong.

use std::sync::atomic::{AtomicU32, Ordering};

use bary::{Call, FunctionError, Node};
use bary_model::outcome::{End, Failure};

fn square(n: u64) -> u64 {
    n * n
}

fn refuse(call: &Call) -> Result<String, FunctionError> {
    Err(FunctionError::new(format!("attempt {} is refused", call.attempt)))
}

fn fall(_: &Call) -> String {
    panic!("it falls")
}

#[test]
fn typed_whole_call_and_async_functions_run_side_by_side() {
    let builder = Node::builder().slots(2).function("square", square);
    let mut node = builder
        .async_function("later", |call: Call| async move { format!("slot {}", call.slot > 0) })
        .start()
        .expect("a node starts");
    let done = node
        .run_text(
            r#"
            [[task]]
            name = "squares"
            function = "square"
            args = "{index}"
            array = "1-100"
            reduce = "SUM"
            [[task]]
            name = "later"
            function = "later"
            "#,
        )
        .expect("the job runs");
    assert_eq!(done.result("squares.reduce").as_deref(), Some("338350"));
    assert_eq!(done.result("later").as_deref(), Some("slot true"));
    assert_eq!(done.succeeded, 102);
}

#[test]
fn errors_and_panics_are_their_tasks_failures_only() {
    let builder = Node::builder().function("refuse", refuse).function("fall", fall);
    let mut node = builder.start().expect("a node starts");
    let job = r#"
        [[task]]
        name = "refuse"
        function = "refuse"
        retries = 2
        backoff = { base = "1ms" }
        [[task]]
        name = "fall"
        function = "fall"
        [[task]]
        name = "after"
        function = "noop"
        after = "fall"
        [[task]]
        name = "missing"
        command = ["bary-has-no-such-program"]
        [[task]]
        name = "good"
        function = "noop"
    "#;
    let done = node.run_text(job).expect("the job runs");
    let end = |name: &str| {
        let mut failed = done.failed.iter().filter(|(spec, ..)| &**spec == name);
        failed.next().map(|(_, _, end)| end.clone())
    };
    let third = Failure::Error("attempt 3 is refused".into());
    assert_eq!(end("refuse"), Some(End::Failed(third)));
    assert!(
        matches!(end("fall"), Some(End::Failed(Failure::Panicked(text))) if &*text == "it falls")
    );
    assert!(matches!(end("missing"), Some(End::Failed(Failure::NotStarted(_)))));
    assert_eq!((done.succeeded, done.dropped), (1, 1), "`good` runs and `after` is skipped");
}

#[test]
fn what_cannot_be_placed_is_refused_before_anything_runs() {
    let mut node = Node::builder().start().expect("a node starts");
    let job = "[[task]]\nname = \"big\"\nfunction = \"noop\"\ngpus = 8\n";
    let refused = node.run_text(job).expect_err("no node has gpus");
    let text = "`big` cannot be placed: needs 8 gpus, the largest node has 0";
    assert_eq!(refused.to_string(), text);
}

#[test]
fn several_nodes_share_an_array_under_every_preset() {
    for (policy, _) in bary_policy::preset::PRESETS {
        let mut node = Node::builder().nodes(4).slots(1).policy(policy).start().expect("it starts");
        let job = r#"
            [[task]]
            name = "p"
            function = "prime_check"
            args = "{index}"
            array = "1-500"
        "#;
        let done = node.run_text(job).expect("the job runs");
        assert_eq!(done.succeeded, 500, "{policy}");
        let primes =
            (0..500).filter(|n| done.result_at("p", *n).is_some_and(|r| &r[..] == b"true"));
        assert_eq!(primes.count(), 95, "{policy}");
    }
}

#[test]
fn a_node_with_a_state_gives_the_first_answer_again() {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    let dir = tempfile::tempdir().expect("there is room");
    let job = |count| {
        let task = "[[task]]\nname = 'a'\nfunction = 'count'\nargs = '{index}'";
        format!("{task}\narray = '1-{count}'\nreduce = 'SUM'")
    };
    let count = |n: u64| {
        CALLS.fetch_add(1, Ordering::Relaxed);
        n
    };
    for (life, calls) in [(1, 15), (2, 15)] {
        let builder = Node::builder().slots(2).function("count", count).state(dir.path());
        let mut node = builder.start().expect("a node starts");
        for (count, sum) in [(10, "55"), (5, "15")] {
            let done = node.run_text(&job(count)).expect("the job runs");
            assert_eq!(done.result("a.reduce").as_deref(), Some(sum), "life {life}");
            assert_eq!(done.succeeded, count + 1);
        }
        assert_eq!(CALLS.load(Ordering::Relaxed), calls, "life {life}");
    }
}
