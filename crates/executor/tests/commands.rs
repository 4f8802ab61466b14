//! Commands: how they end, what they print, what they are given.
#![cfg(target_os = "linux")]

use std::net::IpAddr;
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bary_executor::config::{Addresses, ExecutorConfig};
use bary_model::action::{Action, Capture, FileMove, Stdin};
use bary_model::gang::Seat;
use bary_model::id::{NodeId, TaskRange};
use bary_model::message::{GrantItem, Upstream};
use bary_model::outcome::{Failure, Outcome, Results};
use bary_model::payload::Payload;
use bary_model::task::{Body, TaskSpec};
use bary_model::template::Template;
use bary_model::time::Span;
use bary_ports::executor::{Completion, Stream};
use bary_ports::function::Functions;
use bary_ports::store::Store;
use bytes::Bytes;
use world::{Seen, World, command, command_of, item, shell, spec, with};

#[expect(dead_code, reason = "each test file uses a part of it")]
mod world;

fn world() -> World {
    World::new(Functions::new())
}

#[test]
fn a_command_ends_with_its_own_code_or_signal() {
    let mut world = world();
    assert!(matches!(
        world.outcome(command(&["true"])).outcome,
        Outcome::Succeeded(Results::Nothing)
    ));
    assert_eq!(world.failure(shell("exit 7")), Failure::Exit(7));
    assert_eq!(world.failure(shell("kill -TERM $$")), Failure::Signal(15));
    assert!(world.failure(shell("kill -SEGV $$")).is_crash());
}

#[test]
fn what_a_command_prints_is_kept_even_if_it_fails() {
    let mut world = world();
    assert_eq!(world.output(shell("printf abc; printf def >&2")), b"abc");
    let item = world.outcome(shell("seq 1000; echo bad >&2; exit 3"));
    let Outcome::Failed { failure: Failure::Exit(3), output } = &item.outcome else {
        panic!("the code is 3: {:?}", item.outcome)
    };
    assert!(matches!(output, Payload::Stored(_)), "a thousand lines do not ride along");
    assert!(world.read(output).ends_with(b"999\n1000\n"));
    assert_eq!(world.read(&item.stderr), "bad\n");
}

#[test]
fn usage_says_when_and_how_much() {
    let mut world = world();
    let item = world.outcome(shell("i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done"));
    assert!(item.usage.cpu > Span::ZERO, "counting takes processor time");
    assert!(item.usage.busy > Span::ZERO);
    assert_eq!(item.usage.slot, 1);
}

#[test]
fn a_program_that_is_not_there_is_named() {
    let mut world = world();
    let text = world.failure(command(&["no-such-program-here"])).to_string();
    assert!(text.contains("`no-such-program-here` was not found"), "{text}");
    let text = world.failure(command(&["/no/such/program"])).to_string();
    assert!(text.contains("`/no/such/program` was not found"), "{text}");
    let failure = world.failure(command(&["/etc/passwd"]));
    assert!(matches!(failure, Failure::NotStarted(_)), "{failure}");
    let text = failure.to_string();
    assert!(text.contains("`/etc/passwd` is not executable; chmod +x it"), "{text}");
    let text = world.failure(command(&["/etc"])).to_string();
    assert!(text.contains("`/etc` is a directory"), "{text}");
    let text = world.failure(with(command(&["true"]), |body| {
        body.surroundings.cwd = Some(Template::literal("/no/such/directory"));
    }));
    assert!(text.to_string().contains("/no/such/directory"), "{text}");
    assert!(!text.is_retryable());
    let zero = world.failure(command_of([b"echo".as_slice(), b"a\0b"].into_iter()));
    assert!(matches!(zero, Failure::NotStarted(_)), "{zero}");
}

#[test]
fn arguments_are_bytes_and_no_shell_reads_them() {
    let mut world = world();
    let odd: &[&[u8]] = &[b"it's \"quoted\" $HOME `id`", b"two\nlines", b"\xff\xfe", b"", b"*"];
    let words = [b"printf".as_slice(), b"[%s]"].into_iter().chain(odd.iter().copied());
    let wanted: Vec<u8> =
        odd.iter().flat_map(|word| [b"[".as_slice(), word, b"]"].concat()).collect();
    assert_eq!(world.output(command_of(words)), wanted);
}

#[test]
fn a_script_without_a_first_line_is_run_by_the_shell() {
    let directory = tempfile::tempdir().expect("the test can write");
    let path = directory.path().join("script with a space");
    std::fs::write(&path, "echo \"$1\"").expect("the test can write");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&path, mode).expect("the test may");
    let words = [path.as_os_str().as_bytes(), b"given"];
    assert_eq!(world().output(command_of(words.into_iter())), b"given\n");
}

#[test]
fn a_command_knows_its_task() {
    let mut world = world();
    let text = "echo $BARY_JOB_ID $BARY_TASK_ID $BARY_ATTEMPT $BARY_SLOT $BARY_FENCE $OWN $HOME";
    let spec = with(shell(text), |body| {
        body.surroundings.env = vec![
            ("OWN".into(), Template::literal("mine")),
            ("HOME".into(), Template::literal("/elsewhere")),
        ];
    });
    assert_eq!(world.output(spec), b"0 0.0.0 1 1 0.0 mine /elsewhere\n");
}

#[test]
fn a_rank_knows_its_gang_and_where_it_meets() {
    let reached = |node| (node == NodeId(7)).then_some(IpAddr::from([10, 0, 0, 7]));
    let addresses = Addresses::new(reached);
    let config = ExecutorConfig { addresses, ..ExecutorConfig::default() };
    let mut world = World::with(config, Functions::new());
    let mut rank = |first| {
        let text = "echo $RANK $WORLD_SIZE $MASTER_ADDR $MASTER_PORT";
        let named = |body: &mut Body| {
            body.surroundings.env = vec![("RANK".into(), Template::literal("100"))];
        };
        let spec = TaskSpec { count: 8, gang: 4, ..with(shell(text), named) };
        let range = TaskRange { first: 6, count: 1, ..TaskRange::default() };
        let seat = Some(Seat { first, port: 29_501 });
        world.start(1, vec![GrantItem { range, seat, ..item(spec) }], Span::ZERO);
        let (_, outcomes) = world.ended();
        match &outcomes[0].outcome {
            Outcome::Succeeded(results) => Ok(world.read(&results.at(0))),
            Outcome::Failed { failure, .. } => Err(failure.to_string()),
            other => panic!("it ends by itself: {other:?}"),
        }
    };
    assert_eq!(rank(NodeId(7)), Ok(Bytes::from_static(b"2 4 10.0.0.7 29501\n")));
    let unknown = rank(NodeId(8)).expect_err("nobody knows that node");
    assert!(unknown.contains("the address of node n8"), "{unknown}");
}

#[test]
fn a_memory_request_is_a_limit_only_where_that_is_wanted() {
    let limits =
        || with(shell("ulimit -d; ulimit -c"), |body| body.request.resources.memory = 64 << 20);
    let free = world().output(limits());
    assert!(!free.starts_with(b"65536\n") && free.ends_with(b"\n0\n"), "{free:?}");
    let config = ExecutorConfig { limit_memory: true, ..ExecutorConfig::default() };
    assert_eq!(World::with(config, Functions::new()).output(limits()), b"65536\n0\n");
}

#[test]
fn placeholders_read_the_results_of_others() {
    let mut world = world();
    let argv = vec![
        Template::literal("printf"),
        Template::literal("%s|"),
        Template::result("one"),
        Template::result("many"),
    ];
    let long = Bytes::from(vec![b'x'; 5_000]);
    let kept = world.store.payload(long.clone()).expect("there is room");
    let inline = |text: &'static [u8]| Payload::Inline(Bytes::from_static(text));
    let one = Upstream { name: "one".into(), results: vec![kept], ..Upstream::default() };
    let results = vec![inline(b"a"), inline(b"b\n")];
    let many = Upstream { name: "many".into(), results, ..Upstream::default() };
    let mut item = item(spec(Action::Command { argv }));
    item.upstream = Some(Arc::from([one, many]));
    world.start(1, vec![item], Span::secs(1_000));
    let (_, outcomes) = world.ended();
    let Outcome::Succeeded(results) = &outcomes[0].outcome else { panic!("{outcomes:?}") };
    let wanted = [long.as_ref(), b"|a\nb\n|"].concat();
    assert_eq!(world.read(&results.at(0)), wanted);
}

#[test]
fn input_of_any_size_is_fed_while_output_is_read() {
    let mut world = world();
    let text = vec![b'x'; 3_000_000];
    let fed = |text: &[u8], words: &[&str]| {
        with(command(words), |body| {
            body.surroundings.stdin = Stdin::Text(Template::literal(text));
        })
    };
    assert_eq!(world.output(fed(&text, &["cat"])), text);
    assert_eq!(world.output(fed(b"short", &["cat"])), b"short");
    assert_eq!(world.output(fed(b"", &["cat"])), b"");
    // A command that does not read its input is not held up by it.
    assert_eq!(world.output(fed(&text, &["echo", "done"])), b"done\n");
    assert_eq!(world.output(command(&["cat"])), b"", "no input is an empty one");
}

#[test]
fn a_gibibyte_of_output_is_cut_and_memory_stays_flat() {
    let mut world = world();
    let before = resident();
    let item = world.outcome(command(&["head", "-c", "1073741824", "/dev/zero"]));
    let Outcome::Succeeded(results) = &item.outcome else { panic!("{:?}", item.outcome) };
    assert_eq!(results.at(0).len(), 64 << 20);
    assert_eq!(world.read(&item.stderr), "[bary: output cut at 64 MiB]\n");
    let grown = resident().saturating_sub(before);
    assert!(grown < 200 << 20, "memory grew by {grown} bytes");
}

fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux has it");
    let pages: u64 = statm.split(' ').nth(1).and_then(|n| n.parse().ok()).expect("a number");
    pages * 4096
}

#[test]
fn a_cut_does_not_hide_what_a_command_said_last() {
    let config = ExecutorConfig { output_bytes_max: 1_000, ..ExecutorConfig::default() };
    let mut world = World::with(config, Functions::new());
    let item = world.outcome(shell("seq 1000; echo one >&2; echo last >&2; exit 3"));
    assert_eq!(world.read(&item.stderr), "[bary: output cut at 1000 bytes]\none\nlast\n");
    let item = world.outcome(shell("seq 100000 >&2; echo last >&2; exit 3"));
    let text = String::from_utf8(world.read(&item.stderr).to_vec()).expect("plain text");
    assert!(text.starts_with("[bary: output cut at 1000 bytes]\n1\n2\n"), "{text}");
    assert!(text.ends_with("\n99999\n100000\nlast\n"), "{text}");
    assert!(text.len() < 10_000, "{} bytes", text.len());
    let item = world.outcome(with(shell("seq 1000"), |body| {
        body.surroundings.stderr = Some(Template::literal("/dev/null"));
    }));
    assert_eq!(world.read(&item.stderr), "[bary: output cut at 1000 bytes]\n");
}

#[test]
fn output_that_cannot_be_written_fails_its_task() {
    let scratch_dir = "/no/such/directory".into();
    let mut world =
        World::with(ExecutorConfig { scratch_dir, ..ExecutorConfig::default() }, Functions::new());
    for text in ["head -c 1000000 /dev/zero", "head -c 1000000 /dev/zero >&2; exit 3"] {
        let item = world.outcome(shell(text));
        let Outcome::Failed { failure: Failure::Error(text), .. } = &item.outcome else {
            panic!("the output is not whole: {:?}", item.outcome)
        };
        assert!(text.contains("`/no/such/directory`"), "{text}");
        assert!(text.contains("No such file"), "{text}");
        assert!(!world.read(&item.stderr).starts_with(b"[bary"), "nothing was cut");
    }
}

#[test]
fn output_that_the_store_does_not_take_fails_its_task() {
    let mut world = world();
    world.store.full.store(true, Ordering::Relaxed);
    for text in ["seq 10000", "seq 100000", "seq 10000 >&2; exit 3"] {
        let failure = world.failure(shell(text));
        let Failure::Error(text) = &failure else { panic!("it was not kept: {failure}") };
        assert!(text.contains("the store is full"), "{text}");
    }
}

#[test]
fn lines_are_handed_on_whole_and_kept() {
    let mut world = world();
    let spec = with(shell("printf 'a\\nb'; printf 'c\\nd'"), |body| {
        body.surroundings.capture = Capture::Lines;
    });
    world.start_spec(spec);
    let mut handed = Vec::new();
    loop {
        match world.next() {
            Seen::Output(Stream::Out, bytes) => handed.push(bytes),
            Seen::Output(Stream::Err, bytes) => panic!("nothing was printed there: {bytes:?}"),
            Seen::Completion(Completion::Beat { .. }) => panic!("nobody asked for beats"),
            Seen::Completion(Completion::Ended { items, .. }) => {
                let Outcome::Succeeded(results) = &items[0].outcome else { panic!("{items:?}") };
                assert_eq!(world.read(&results.at(0)), "a\nbc\nd");
                break;
            }
        }
    }
    assert_eq!(handed.concat(), b"a\nbc\nd");
    let (last, lines) = handed.split_last().expect("something was handed on");
    assert_eq!(last, "d");
    assert!(lines.iter().all(|part| part.ends_with(b"\n")), "only the last has no end");
}

#[test]
fn live_output_is_handed_on_and_not_kept() {
    let mut world = world();
    let spec = with(shell("echo out; echo err >&2"), |body| {
        body.surroundings.capture = Capture::Live;
        body.heartbeat_timeout = Some(Span::secs(60));
    });
    world.start_spec(spec);
    let (mut out, mut err, mut beats) = (Vec::new(), Vec::new(), 0);
    let items = loop {
        match world.next() {
            Seen::Output(Stream::Out, bytes) => out.extend_from_slice(&bytes),
            Seen::Output(Stream::Err, bytes) => err.extend_from_slice(&bytes),
            Seen::Completion(Completion::Beat { .. }) => beats += 1,
            Seen::Completion(Completion::Ended { items, .. }) => break items,
        }
    };
    assert_eq!((out.as_slice(), err.as_slice()), (b"out\n".as_slice(), b"err\n".as_slice()));
    assert!(beats >= 1, "output shows life");
    assert_eq!(items[0].outcome, Outcome::Succeeded(Results::Nothing));
    assert!(items[0].stderr.is_empty());
}

#[test]
fn streams_go_to_files_whose_names_hold_placeholders() {
    let directory = tempfile::tempdir().expect("the test can write");
    let config = ExecutorConfig { cwd: Some(directory.path().into()), ..ExecutorConfig::default() };
    let mut world = World::with(config, Functions::new());
    std::fs::write(directory.path().join("in"), "from a file").expect("the test can write");
    let spec = with(shell("cat; echo error >&2"), |body| {
        body.surroundings.stdin = Stdin::File(Template::literal("in"));
        body.surroundings.stdout = Some(Template::literal(b"new/out \xff"));
        body.surroundings.stderr = Some(Template::literal(b"new/out \xff"));
    });
    let item = world.outcome(spec);
    assert_eq!(item.outcome, Outcome::Succeeded(Results::Nothing));
    let name = std::ffi::OsStr::from_bytes(b"new/out \xff");
    let text = std::fs::read(directory.path().join(name)).expect("the file was made");
    assert_eq!(text, b"from a fileerror\n");
}

#[test]
fn files_go_in_and_are_collected() {
    let directory = tempfile::tempdir().expect("the test can write");
    let config = ExecutorConfig { cwd: Some(directory.path().into()), ..ExecutorConfig::default() };
    let mut world = World::with(config, Functions::new());
    std::fs::write(directory.path().join("source"), "text").expect("the test can write");
    let moves = |from: &str, to: &str| {
        vec![FileMove { from: Template::literal(from), to: Template::literal(to) }]
    };
    let spec = |outputs: Vec<FileMove>| {
        with(shell("tr a-z A-Z < in/name > made; pwd"), |body| {
            body.surroundings.inputs = moves("source", "in/name");
            body.surroundings.outputs = outputs;
        })
    };
    let scratch = world.output(spec(moves("made", "results/one")));
    let made = std::fs::read(directory.path().join("results/one")).expect("it was collected");
    assert_eq!(made, b"TEXT");
    let scratch = String::from_utf8(scratch).expect("a plain path");
    assert!(!std::path::Path::new(scratch.trim()).exists(), "the scratch directory is gone");
    let missing = world.failure(spec(moves("other", "results/two"))).to_string();
    assert!(missing.contains("did not make its output `other`"), "{missing}");
    let out = world.failure(spec(moves("../made", "results/three"))).to_string();
    assert!(out.contains("leads out of the scratch directory"), "{out}");
    let spec = with(shell("true"), |body| body.surroundings.inputs = moves("source", "../x"));
    let out = world.failure(spec).to_string();
    assert!(out.contains("leads out of the scratch directory"), "{out}");
}
