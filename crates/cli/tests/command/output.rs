//! What tasks print: long output, output that is not text, an output that takes nothing.

use std::process::Stdio;

use serde_json::json;

use crate::bench::Bench;

#[test]
fn output_past_its_limit_fails_the_run() {
    let bench = Bench::new();
    let script = "printf '%s\\n' 12345678 {}; echo said >&2";
    let words = ["map", "--output-max", "10", "--shell", script, ":::"];
    let run = bench.bary(&[&words[..], &["a", "0123456789"]].concat());
    run.says(1, "output of 2 tasks was cut (limit output_bytes_max)").says(1, "--output-max SIZE");
    let words = ["map", "--output-max", "18", "--shell", script, ":::", "a", "b"];
    bench.bary(&words).is(0, "12345678\na\n12345678\nb\n");
    bench.bary(&["map", "--output-max", "0", "true", ":::", "a"]).says(2, "--output-max");
    let words = ["map", "--output-max", "4", "-o", "json", "echo", ":::", "12345678"];
    let run = bench.bary(&words);
    assert_eq!((run.code, &run.json()["exit"]), (Some(1), &json!(1)), "{run:?}");
    bench.file("job.toml", "[[task]]\nname = \"a\"\ncommand = [\"echo\", \"12345678\"]\n");
    bench.bary(&["run", "--output-max", "4", "job.toml"]).says(1, "output_bytes_max");
    let words = ["map", "--output-max", "4", "--line-buffer", "echo", ":::", "12345678"];
    bench.bary(&words).is(0, "12345678\n");
}

#[test]
fn a_failure_says_what_the_command_said_last() {
    let bench = Bench::new();
    let script = "echo 12345678; echo why >&2; exit 3 # {}";
    let words = ["map", "--output-max", "4", "--shell", script, ":::", "a", "b"];
    bench.bary(&words).says(1, "2 (b): exit code 3: why\n");
}

#[test]
fn files_of_results_are_as_long_as_they_are() {
    let bench = Bench::new();
    let script = "head -c {} /dev/zero; head -c {} /dev/zero >&2; exit 1";
    let long = (64 << 20) + 1;
    let size = long.to_string();
    let words = ["map", "--results", "res", "-q", "--shell", script, ":::", &size, "3"];
    let out = bench.command(words).stdout(Stdio::null()).stderr(Stdio::null()).status();
    assert_eq!(out.ok().and_then(|status| status.code()), Some(1));
    for (name, len) in [("1/stdout", long), ("1/stderr", long), ("2/stdout", 3)] {
        let path = bench.path().join("res").join(name);
        let there = std::fs::metadata(&path).map(|file| file.len());
        assert_eq!(there.ok(), Some(len), "{name}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_large_result_passes_through_in_pieces() {
    let bench = Bench::new();
    let script = "case {} in 1) head -c 300000000 /dev/zero;; \
                  *) until grep -q . go; do :; done; \
                  sed -n 's/^VmHWM: *//p' /proc/$PPID/status;; esac";
    bench.file("go", "");
    let words = ["map", "-u", "-j2", "--output-max", "1G", "--shell", script, ":::", "1", "2"];
    let mut child = bench.spawn(&words);
    let stdout = child.stdout.as_mut().expect("it is piped");
    let mut buffer = vec![0; 300_000_000];
    std::io::Read::read_exact(stdout, &mut buffer).expect("all of it is printed");
    drop(buffer);
    bench.file("go", "now");
    let output = child.wait_with_output().expect("it ends");
    let held = String::from_utf8(output.stdout).expect("it is text");
    let held: u64 = held.trim().trim_end_matches(" kB").parse().expect("it is a number");
    assert!(held < 100 << 10, "{held} KiB were held");
}

#[test]
fn what_is_not_text_is_marked_in_json() {
    let bench = Bench::new();
    let words = ["map", "-o", "json", "--shell", r"printf '\377%s' {}", ":::", "a"];
    let document = bench.bary(&words).json();
    assert_eq!(document["results"][0]["stdout"], json!({ "base64": "/2E=" }));
    assert_eq!(document["results"][0]["input"], "a");
}

#[test]
#[cfg(target_os = "linux")]
fn an_output_that_takes_nothing_is_an_error() {
    let bench = Bench::new();
    let program = env!("CARGO_BIN_EXE_bary");
    let shell = |line: &str| {
        let line = line.replace("BARY", program);
        let mut command = std::process::Command::new("sh");
        let output = command.args(["-c", &line]).stdin(Stdio::null()).current_dir(bench.path());
        let output = output.output().expect("there is a shell");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    for line in ["BARY map echo ::: a > /dev/full", "BARY --help > /dev/full"] {
        let (code, told) = shell(line);
        assert_eq!(code, Some(1), "{line}: {told}");
        assert!(told.contains("standard output: No space left"), "{line}: {told}");
    }
}
