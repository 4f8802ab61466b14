//! Files that are good: what becomes of each key, and of the tasks that name each other.

use std::path::Path;
use std::sync::Arc;

use bary_jobfile::fault::Fault;
use bary_jobfile::files::Disk;
use bary_jobfile::read::{JobFile, ReadOptions, read};
use bary_model::action::{Action, Stdin};
use bary_model::id::SpecNo;
use bary_model::job::Deadline;
use bary_model::task::{After, Kind, RunIf, TaskSpec, Use};
use bary_model::template::{Scope, Template};
use bary_model::time::Span;

fn job_with(text: &str, set: &[(&str, &str)]) -> JobFile {
    let set = set.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    let options = ReadOptions { set, ..ReadOptions::default() };
    match read(text, Path::new("dir/job.toml"), &options, &Disk) {
        Ok(job) => job,
        Err(faults) => {
            let faults: Vec<String> = faults.iter().map(Fault::to_string).collect();
            panic!("this file is good:\n{text}\n{}", faults.join("\n"))
        }
    }
}

fn specs(text: &str) -> Arc<[Arc<TaskSpec>]> {
    job_with(text, &[]).spec.specs
}

fn scope(spec: &TaskSpec, index: u64) -> Scope<'_> {
    let row = spec.inputs.row(spec.first_row + index);
    Scope { row, index, sequence: index + 1, slot: 1, attempt: 1, upstream: &[] }
}

fn text(template: &Template, spec: &TaskSpec, index: u64) -> String {
    String::from_utf8_lossy(&template.expand(&scope(spec, index))).into_owned()
}

fn argv(spec: &TaskSpec, index: u64) -> Vec<String> {
    let Action::Command { argv } = &spec.body.action else { panic!("it is a command") };
    let words = Template::expand_argv(argv, &scope(spec, index));
    words.iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect()
}

fn args(spec: &TaskSpec, index: u64) -> Vec<(Option<&str>, String)> {
    let Action::Function { args, .. } = &spec.body.action else { panic!("it is a function") };
    args.iter().map(|arg| (arg.name.as_deref(), text(&arg.value, spec, index))).collect()
}

#[test]
fn a_plain_task_has_the_defaults() {
    let job = job_with("[[task]]\ncommand = 'echo \"a b\" c'", &[]);
    let spec = &job.spec.specs[0];
    assert_eq!((&*job.name, job.spec.tasks(), job.spec.open), ("job", 1, false));
    assert_eq!(argv(spec, 0), ["echo", "a b", "c"]);
    assert_eq!((spec.array, spec.count, spec.weight.units()), (false, 1, 1.0));
    assert_eq!(spec.body.timeout, Span::secs(3_600));
    assert_eq!(spec.body.request.resources.milli_cpus, 1_000);
    assert!(!spec.body.keep_results && spec.after.is_empty());
}

#[test]
fn every_key_arrives() {
    let specs = specs(
        r#"
        [[task]]
        name = "a"
        command = ["prog", "{index}"]
        array = "10-19:3"
        weight = 5.25
        cpus = 0.5
        memory = "4GiB"
        gpus = 2
        resources = { licence = 3 }
        where = { arch = "x86_64", disk = "!hdd" }
        kind = "io"
        region = "eu"
        limit = { name = "licence", most = 4 }
        priority = -4
        timeout = "1h30m"
        grace = 0
        heartbeat-timeout = 2.5
        retries = 3
        backoff = { base = "1s", max = "2m", factor = 3, jitter = 0 }
        run-if = "always"
        env = { N = "{index}" }
        cwd = "/tmp"
        stdin = "in/{index}"
        stdout = "out/{index}"
        stderr = "err"
        inputs = ["x.csv"]
        outputs = [{ from = "y", to = "y.{index}" }]
        detail = true
        "#,
    );
    let (spec, body) = (&specs[0], &specs[0].body);
    let request = &body.request;
    assert_eq!((spec.count, spec.array, spec.weight.thousandths()), (4, true, 5_250));
    assert_eq!(argv(spec, 2), ["prog", "16"]);
    assert_eq!((request.resources.milli_cpus, request.resources.milli_gpus), (500, 2_000));
    assert_eq!((request.resources.memory, request.resources.named["licence"]), (4 << 30, 3));
    let labels: Vec<_> = request.labels.iter().map(|r| (&*r.label, &*r.value, r.not)).collect();
    assert_eq!(labels, [("arch", "x86_64", false), ("disk", "hdd", true)]);
    assert_eq!((request.kind, request.region.as_deref()), (Kind::Io, Some("eu")));
    let permit = body.permit.as_ref().map(|permit| (&*permit.name, permit.most));
    assert_eq!(permit, Some(("licence", 4)));
    assert_eq!((body.priority, body.retries, body.run_if), (-4, 3, RunIf::Always));
    assert_eq!((body.timeout, body.grace), (Span::secs(5_400), Span::ZERO));
    assert_eq!(body.heartbeat_timeout, Some(Span::millis(2_500)));
    assert_eq!((body.backoff.base, body.backoff.max), (Span::secs(1), Span::secs(120)));
    assert_eq!((body.backoff.factor, body.backoff.jitter, body.detail), (3.0, 0.0, true));
    let around = &body.surroundings;
    assert_eq!((&*around.env[0].0, text(&around.env[0].1, spec, 0)), ("N", "10".into()));
    assert_eq!(around.cwd, Some(Template::literal("/tmp")));
    let Stdin::File(stdin) = &around.stdin else { panic!("it reads a file") };
    assert_eq!(text(stdin, spec, 1), "in/13");
    assert_eq!(around.stdout.as_ref().map(|path| text(path, spec, 1)), Some("out/13".into()));
    assert_eq!(around.inputs[0].from, around.inputs[0].to);
    assert_eq!(text(&around.outputs[0].to, spec, 3), "y.19");
}

#[test]
fn defaults_at_the_top_hold_where_a_task_says_nothing() {
    let specs = specs(
        "cpus = 2\nretries = 1\nenv = { A = '1', B = '1' }\n\
         [[task]]\ncommand = 'x'\n[[task]]\ncommand = 'x'\ncpus = 3\nenv = { B = '2' }",
    );
    let cpus: Vec<u64> = specs.iter().map(|spec| spec.body.request.resources.milli_cpus).collect();
    assert_eq!((cpus, specs[1].body.retries), (vec![2_000, 3_000], 1));
    let env = &specs[1].body.surroundings.env;
    let env: Vec<_> =
        env.iter().map(|(name, value)| (&**name, text(value, &specs[1], 0))).collect();
    assert_eq!(env, [("A", "1".to_owned()), ("B", "2".to_owned())]);
}

#[test]
fn parameters_fill_texts_and_numbers() {
    let file = "[params]\nn = 3\ndir = 'a b'\ncores = 0.5\n\
                [[task]]\ncommand = 'ls {dir} {dir/}x{n}'\narray = '1-{n}'\ncpus = '{cores}'";
    let spec = &job_with(file, &[]).spec.specs[0];
    assert_eq!((argv(spec, 0), spec.count), (vec!["ls".into(), "a b".into(), "a bx3".into()], 3));
    let job = job_with(file, &[("n", "5"), ("cores", "2")]);
    assert_eq!(job.spec.specs[0].count, 5);
    assert_eq!(job.spec.specs[0].body.request.resources.milli_cpus, 2_000);
    assert_eq!(job.params["n"], "5");
}

#[test]
fn arguments_are_texts_or_json() {
    let specs = specs(
        r#"
        [params]
        quote = 'a"b'
        [[task]]
        function = "f"
        array = 2
        args = ["{index}", 1_000, 0x10, 2.5, true, [1, "x{index}"], { k = "{quote}\n", e = {} }]
        [[task]]
        function = "f"
        args = { z = 1, a = "two words" }
        [[task]]
        function = "f"
        args = 7
        "#,
    );
    let values: Vec<String> = args(&specs[0], 1).into_iter().map(|(_, value)| value).collect();
    let json = r#"{"e":{},"k":"a\"b\n"}"#;
    assert_eq!(values, ["1", "1000", "16", "2.5", "true", r#"[1,"x1"]"#, json]);
    let named = args(&specs[1], 0);
    assert_eq!(named, [(Some("z"), "1".to_owned()), (Some("a"), "two words".to_owned())]);
    assert_eq!(args(&specs[2], 0), [(None, "7".to_owned())]);
}

#[test]
fn a_shell_reads_one_string_with_quoted_values() {
    let specs = specs(
        "[[task]]\nshell = true\narray = 2\ncommand = \"echo {index} ${HOME} | awk '{print $1}'\"",
    );
    assert_eq!(argv(&specs[0], 1), ["sh", "-c", "echo 1 ${HOME} | awk '{print $1}'"]);
}

#[test]
fn lines_and_files_are_rows() {
    let dir = tempfile::tempdir().expect("a temporary directory can be made");
    for (name, bytes) in [("l.txt", &b"a b\n\nc"[..]), ("b.txt", b"\xff"), ("a.bin", b"\0")] {
        std::fs::write(dir.path().join(name), bytes).expect("it can be written");
    }
    let text = "[[task]]\ncommand = 'x {line}'\neach-line = 'l.txt'\n\
                [[task]]\ncommand = 'x {file/.}'\neach-file = { path = '.', text = true }\n\
                [[task]]\ncommand = 'x {file/}'\neach-file = '*.bin'";
    let options = ReadOptions { base: dir.path().to_owned(), ..ReadOptions::default() };
    let job = read(text, Path::new("j.toml"), &options, &Disk).expect("the file is good");
    let [lines, texts, bins] = &*job.spec.specs else { panic!("there are three tasks") };
    assert_eq!(
        (lines.count, argv(lines, 0), argv(lines, 1)),
        (3, vec!["x".into(), "a b".into()], vec!["x".into(), String::new()])
    );
    assert_eq!((argv(texts, 0)[1].as_str(), argv(texts, 1)[1].as_str()), ("b", "l"));
    assert_eq!((texts.count, argv(bins, 0)[1].as_str()), (2, "a.bin"));
}

#[test]
fn results_are_kept_for_those_who_read_them() {
    let specs = specs(
        "[[task]]\nname = 'end'\ncommand = 'x {result.a} {result.b}'\n\
         after = ['a', 'b', 'c']\n\
         [[task]]\nname = 'a'\narray = 2\ncommand = 'x'\n\
         [[task]]\nname = 'b'\ncommand = 'x'\n\
         [[task]]\nname = 'c'\narray = 2\ncommand = 'y {result.a}'\n\
         after = [{ task = 'a', aligned = true }]",
    );
    let use_of = |spec, name: &str, aligned| Use { spec: SpecNo(spec), name: name.into(), aligned };
    assert_eq!(*specs[0].body.uses, [use_of(1, "a", false), use_of(2, "b", false)]);
    assert_eq!(*specs[3].body.uses, [use_of(1, "a", true)]);
    assert_eq!(*specs[3].after, [After { spec: SpecNo(1), aligned: true }]);
    let kept: Vec<bool> = specs.iter().map(|spec| spec.body.keep_results).collect();
    assert_eq!(kept, [false, true, true, false]);
}

#[test]
fn a_reduction_is_one_more_task() {
    let specs = specs(
        "[[task]]\nname = 'a'\nfunction = 'f'\narray = 3\nretries = 2\n\
         reduce = { op = 'AVERAGE', weights = [1, 2, 0.5] }\n\
         [[task]]\nname = 'b'\nfunction = 'g'\nargs = ['{result.a}']\nafter = 'a'\n\
         [[task]]\nname = 'c'\nfunction = 'g'\narray = 3\n\
         after = [{ task = 'a', aligned = true }]\n\
         [[task]]\nname = 'd'\nfunction = 'g'\narray = 2\n\
         reduce = { op = 'CUSTOM', command = ['sort', '-u'] }\nafter = 'a.reduce'\n",
    );
    let names: Vec<&str> = specs.iter().map(|spec| &*spec.name).collect();
    assert_eq!(names, ["a", "a.reduce", "b", "c", "d", "d.reduce"]);
    let whole = |spec| After { spec: SpecNo(spec), aligned: false };
    assert_eq!(*specs[1].after, [whole(0)]);
    let named = args(&specs[1], 0);
    assert_eq!(named, [(Some("op"), "AVERAGE".into()), (Some("weights"), "[1.0,2.0,0.5]".into())]);
    let of_all = Use { spec: SpecNo(0), name: "a".into(), aligned: false };
    assert_eq!((&*specs[1].body.uses, specs[1].body.retries), (&[of_all][..], 2));
    assert_eq!(*specs[2].after, [whole(1)]);
    let reduced = Use { spec: SpecNo(1), name: "a".into(), aligned: false };
    assert_eq!(*specs[2].body.uses, [reduced]);
    assert_eq!(*specs[3].after, [After { spec: SpecNo(0), aligned: true }]);
    assert_eq!(*specs[4].after, [whole(1)]);
    assert_eq!(specs[5].body.surroundings.stdin, Stdin::Text(Template::result("d")));
    let kept: Vec<bool> = specs.iter().map(|spec| spec.body.keep_results).collect();
    assert_eq!(kept, [true, true, false, false, true, false]);
}

#[test]
fn a_billion_indices_are_a_range() {
    let specs = specs("[[task]]\nfunction = 'noop'\narray = 1_000_000_000");
    assert_eq!((specs[0].count, specs[0].inputs.rows()), (1_000_000_000, 1_000_000_000));
    assert_eq!(specs[0].inputs.row(999_999_999).number(), Some(999_999_999));
}

#[test]
fn a_long_chain_needs_no_deep_stack() {
    let mut file = String::new();
    for n in (0..20_000).rev() {
        file.push_str(&format!("[[task]]\nname = 't{n}'\nfunction = 'noop'\n"));
        if n > 0 {
            file.push_str(&format!("after = 't{}'\n", n - 1));
        }
    }
    let specs = specs(&file);
    assert_eq!(specs.len(), 20_000);
    assert_eq!(*specs[0].after, [After { spec: SpecNo(1), aligned: false }]);
}

#[test]
fn a_task_takes_results_where_it_says_so_or_the_file_does() {
    let given = |top: &str, task: &str| {
        let text = format!("{top}\n[[task]]\ncommand = \"x\"\n{task}");
        specs(&text)[0].body.cache
    };
    let (day, hour) = (Some(Span::secs(86_400)), Some(Span::secs(3_600)));
    let table = [
        ("", "", None),
        ("", "cache = true", day),
        ("", "cache = \"1h\"", hour),
        ("cache = 3600", "", hour),
        ("cache = true", "cache = false", None),
        ("cache = true", "cache = \"1h\"", hour),
    ];
    for (top, task, cache) in table {
        assert_eq!(given(top, task), cache, "{top} {task}");
    }
    let reduced = specs(
        "[[task]]\nname = \"a\"\nfunction = \"f\"\narray = 3\nreduce = \"SUM\"\ncache = true",
    );
    assert!(reduced.iter().all(|spec| spec.body.cache == day));
}

#[test]
fn what_is_expected_of_a_job_arrives() {
    let text = "deadline = '2h'\ncopies = 2\nestimate = '1m'\noutput-size = '1MiB'\n\
                [[task]]\ncommand = 'a'\n[[task]]\ncommand = 'b'\nestimate = 5\noutput-size = 7\n";
    let job = job_with(text, &[]).spec;
    assert_eq!(job.about.deadline, Some(Deadline::After(Span::secs(7_200))));
    assert_eq!(job.about.copies, 2);
    let said = job.specs.iter().map(|spec| (spec.estimate, spec.output));
    let said: Vec<(Span, u64)> = said.collect();
    assert_eq!(said, [(Span::secs(60), 1 << 20), (Span::secs(5), 7)]);
}

#[test]
fn a_gang_is_an_array_where_nothing_else_makes_it_one() {
    let specs = specs(
        "[[task]]\nname = 'a'\ncommand = 'x {index}'\ngang = 3\n\
         [[task]]\nname = 'b'\ncommand = 'x'\narray = '1-8'\ngang = 4",
    );
    let sizes: Vec<(u32, u16, bool)> =
        specs.iter().map(|spec| (spec.count, spec.gang, spec.array)).collect();
    assert_eq!(sizes, [(3, 3, true), (8, 4, true)]);
    assert_eq!(argv(&specs[0], 2), ["x", "2"]);
}
