//! `bary map` as GNU parallel's users know it: inputs, placeholders, order, files.

use serde_json::json;

use crate::bench::Bench;

#[test]
fn the_examples_of_gnu_parallel_give_what_its_manual_shows() {
    let bench = Bench::new();
    let cases: [(&[&str], &str); 12] = [
        (&["echo", ":::", "A", "B", "C"], "A\nB\nC\n"),
        (&["echo", "counting {}", ":::", "1", "2"], "counting 1\ncounting 2\n"),
        (&["echo", "{1} {2}", ":::", "A", "B", ":::", "1", "2"], "A 1\nA 2\nB 1\nB 2\n"),
        (&["echo", "{2} {1}", ":::", "A", "B", ":::+", "1", "2"], "1 A\n2 B\n"),
        (&["echo", "{.}", ":::", "A/B.C"], "A/B\n"),
        (&["echo", "{/} {//} {/.}", ":::", "A/B.C"], "B.C A B\n"),
        (&["echo", "{#}", ":::", "A", "B"], "1\n2\n"),
        (&["-j1", "echo", "{%}", ":::", "A", "B"], "1\n1\n"),
        (&["-n2", "echo", ":::", "A", "B", "C"], "A B\nC\n"),
        (&["-j1", "-X", "echo", "{}.x", ":::", "A", "B"], "A.x B.x\n"),
        (&["--tag", "echo", "foo-{}", ":::", "A", "B"], "A\tfoo-A\nB\tfoo-B\n"),
        (&["--colsep", "-", "echo", "{2}-{1}", ":::", "a-b", "c-d"], "b-a\nd-c\n"),
    ];
    for (words, want) in cases {
        bench.bary(&[&["map"], words].concat()).is(0, want);
    }
}

#[test]
fn inputs_come_from_standard_input_and_files() {
    let bench = Bench::new();
    bench.file("one", "a\nb\n").file("two", "1\n2");
    bench.fed(&["map", "echo"], "x y\nz\n").is(0, "x y\nz\n");
    bench.fed(&["map", "--each-line", "-", "--", "echo", "got {}"], "x\n").is(0, "got x\n");
    bench.fed(&["map", "-0", "echo"], "a\nb\0c\0").is(0, "a\nb\nc\n");
    bench.fed(&["map", "-r", "echo"], "\n \na\n").is(0, "a\n");
    bench.fed(&["map", "echo", "{#}:{}"], "a\nb\n").is(0, "1:a\n2:b\n");
    bench.bary(&["map", "-a", "one", "echo"]).is(0, "a\nb\n");
    bench.bary(&["map", "-a", "one", "-a", "two", "echo", "{1}{2}"]).is(0, "a1\na2\nb1\nb2\n");
    bench.bary(&["map", "echo", "{1}{2}", "::::", "one", "::::+", "two"]).is(0, "a1\nb2\n");
    bench.bary(&["map", "--array", "2-8:3", "echo"]).is(0, "2\n5\n8\n");
    bench.bary(&["map", "echo"]).is(0, "");
    bench.bary(&["map", "-a", "none", "echo"]).says(3, "none");
}

#[test]
fn inputs_that_follow_each_other_are_a_gang() {
    let bench = Bench::new();
    let script = "echo $RANK of $WORLD_SIZE: {}";
    let told = "0 of 2: a\n1 of 2: b\n0 of 2: c\n1 of 2: d\n";
    let words = ["map", "-j", "2", "--gang", "2", "--shell", script];
    bench.bary(&[&words[..], &[":::", "a", "b", "c", "d"]].concat()).is(0, told);
    bench.fed(&words, "a\nb\nc\nd\n").is(0, told);
    let odd = bench.bary(&[&words[..], &[":::", "a", "b", "c"]].concat());
    odd.says(2, "3 tasks cannot be gangs of 2 each");
    let words = ["-j", "1", "--gang", "2", "--", "echo"];
    for verb in ["map", "run"] {
        let run = bench.fed(&[&[verb], &words[..]].concat(), "a\nb\n");
        run.says(5, "a gang of 2 never starts here: there is room for 1 of it");
    }
    bench.bary(&["run", "-j", "1", "--cpus", "0.5", "--gang", "2", "--", "echo"]).is(0, "\n\n");
}

#[test]
fn files_below_a_directory_are_inputs() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path().join("d")).expect("it is new");
    bench.file("d/b it's", "").file("d/a", "");
    bench.bary(&["map", "--each-file", "d", "echo", "{/}"]).is(0, "a\nb it's\n");
}

#[test]
fn a_command_of_one_word_is_split_and_no_shell_runs() {
    let bench = Bench::new();
    bench.bary(&["map", "echo 'a  b' {}", ":::", "$HOME; x"]).is(0, "a  b $HOME; x\n");
    bench.bary(&["map", "cat {} | wc", ":::", "x"]).says(2, "--shell");
    bench.bary(&["map", "echo 'a", ":::", "x"]).says(2, "open quote");
    bench.bary(&["map", "--shell", "echo {} | tr a b", ":::", "a'a $x"]).is(0, "b'b $x\n");
    bench.bary(&["map", ":::", "echo one | cat", "echo two"]).is(0, "one\ntwo\n");
    let braces = "{print $1}";
    bench.fed(&["map", "--pipe", "--", "awk", braces], "a b\n").is(0, "a\n");
}

#[test]
fn results_keep_the_order_of_inputs_unless_told_otherwise() {
    let bench = Bench::new();
    // The first task waits for the third, which starts only when the second has ended.
    let script = "case {} in 1) until [ -e made ]; do :; done;; 3) : > made;; esac; echo {}";
    let words = ["map", "-j2", "--shell", script, ":::", "1", "2", "3"];
    bench.bary(&words).is(0, "1\n2\n3\n");
    std::fs::remove_file(bench.path().join("made")).expect("the third task made it");
    let words = ["map", "-u", "-j2", "--shell", script, ":::", "1", "2", "3"];
    let run = bench.bary(&words);
    assert!(run.out.starts_with("2\n"), "{run:?}");
}

#[test]
fn blocks_of_lines_are_piped_to_commands() {
    let bench = Bench::new();
    let lines: String = (0..1_000).map(|n| format!("{n:04}\n")).collect();
    let counted = bench.fed(&["map", "--pipe", "--block", "1000", "--", "wc", "-l"], &lines);
    counted.is(0, &"200\n".repeat(5));
    bench.fed(&["map", "--pipe", "--", "cat"], &lines).is(0, &lines);
}

#[test]
fn lines_come_while_a_task_runs() {
    let bench = Bench::new();
    let script = "echo {}; echo more >&2";
    let run = bench.bary(&["map", "--line-buffer", "--tag", "--shell", script, ":::", "a"]);
    run.is(0, "a\ta\n").says(0, "a\tmore\n");
}

#[test]
fn a_dry_run_prints_the_commands_and_runs_none() {
    let bench = Bench::new();
    let run = bench.bary(&["map", "--dry-run", "touch {} {#}", ":::", "a b", "c"]);
    run.is(0, "touch 'a b' 1\ntouch c 2\n");
    assert!(!bench.path().join("c").exists());
    bench.fed(&["map", "--dry-run", "echo"], "x\ny").is(0, "echo x\necho y\n");
}

#[test]
fn the_job_log_and_the_results_are_files() {
    let bench = Bench::new();
    let script = "echo out; echo err >&2; exit {}";
    let words = ["map", "--joblog", "log", "--results", "res", "--shell", script, ":::", "0", "3"];
    bench.bary(&words).says(1, "exit code 3: err");
    let log = bench.read("log");
    let mut lines = log.lines();
    let head = "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand";
    assert_eq!(lines.next(), Some(head));
    let mut rows: Vec<Vec<&str>> = lines.map(|line| line.split('\t').collect()).collect();
    rows.sort();
    assert_eq!(rows.len(), 2);
    assert_eq!((rows[1][0], rows[1][5], rows[1][6], rows[1][7]), ("2", "4", "3", "0"));
    assert_eq!(bench.read("res/2/stdout"), "out\n");
    assert_eq!(bench.read("res/2/stderr"), "err\n");
    assert_eq!(bench.read("res/2/exitcode"), "3\n");
    assert_eq!(bench.read("res/1/exitcode"), "0\n");
}

#[test]
fn functions_are_called_with_words_or_inputs() {
    let bench = Bench::new();
    bench.bary(&["map", "--array", "1-6", "--function", "fibonacci"]).is(0, "1\n1\n2\n3\n5\n8\n");
    bench.bary(&["map", "--array", "1-1_000_000", "--function", "noop"]).is(0, "");
    bench.bary(&["map", "--function", "noob", ":::", "1"]).says(2, "did you mean `noop`?");
}

#[test]
fn data_is_for_programs() {
    let bench = Bench::new();
    let run = bench.bary(&["map", "-o", "json", "--nodes", "2", "-j1", "echo", ":::", "a", "b"]);
    let document = run.json();
    assert_eq!(document["schema"], "bary.map/1");
    assert_eq!((&document["tasks"], &document["failed"]), (&json!(2), &json!(0)));
    assert_eq!(document["results"][1]["stdout"], "b\n");
    assert_eq!(document["nodes"].as_array().map(Vec::len), Some(2));
    let lines = bench.bary(&["map", "-o", "jsonl", "echo", ":::", "a", "b"]);
    let second = lines.out.lines().nth(1).expect("there are two");
    let second: serde_json::Value = serde_json::from_str(second).expect("it is JSON");
    assert_eq!((&second["seq"], &second["input"]), (&json!(2), &json!("b")));
}

#[test]
fn each_input_may_have_its_own_weight() {
    let bench = Bench::new();
    let words = ["map", "-j1", "-u", "--policy", "heaviest-first", "--weight", "{}", "echo"];
    bench.bary(&[&words[..], &[":::", "1", "3", "2"]].concat()).is(0, "3\n2\n1\n");
    bench.bary(&["map", "--weight", "{}", "echo", ":::", "heavy"]).says(2, "not a number");
    bench.bary(&["map", "--weight", "nan", "echo", ":::", "a"]).says(2, "weight");
}
