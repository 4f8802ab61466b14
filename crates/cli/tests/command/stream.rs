//! Streams of inputs: what is counted, what is kept in memory, what is refused.

use std::io::Write;

use crate::bench::Bench;

/// So many lines that they come in several reads.
const MANY: usize = 300_000;

#[test]
fn numbers_go_on_through_all_that_is_read() {
    let bench = Bench::new();
    let lines = "x\n".repeat(MANY);
    let words = ["map", "-n", "100000", "--shell", "echo {#} $BARY_ARRAY_INDEX #"];
    bench.fed(&words, &lines).is(0, "1 0\n2 1\n3 2\n");
    let words = ["map", "--distinct", "-n", "100000", "--shell", "echo {#} $BARY_ARRAY_INDEX #"];
    bench.fed(&words, &lines).is(0, "1 0\n2 1\n3 2\n");
    let words = ["map", "--pipe", "--block", "200000", "--", "echo", "{#}"];
    bench.fed(&words, &lines).is(0, "1\n2\n3\n");
    let words = ["map", "--tagstring", "{#}", "--pipe", "--block", "200000", "--", "wc", "-l"];
    bench.fed(&words, &lines).is(0, "1\t100000\n2\t100000\n3\t100000\n");
    let words = ["map", "--line-buffer", "--distinct", "--tag", "echo", "{#}"];
    let run = bench.fed(&words, "a\nb\n");
    let mut printed: Vec<&str> = run.out.lines().collect();
    printed.sort_unstable();
    assert_eq!(printed, ["a\t1", "b\t2"], "{run:?}");
}

#[test]
fn an_input_is_numbered_as_soon_as_it_is_read() {
    let bench = Bench::new();
    let mut child = bench.spawn(&["map", "echo", "{#}:{}"]);
    let mut stdin = child.stdin.take().expect("it is piped");
    stdin.write_all(b"a\n").expect("it reads");
    let mut first = [0; 4];
    let stdout = child.stdout.as_mut().expect("it is piped");
    std::io::Read::read_exact(stdout, &mut first).expect("it prints before the stream has ended");
    assert_eq!(&first, b"1:a\n");
    drop(stdin);
    assert!(child.wait().is_ok_and(|status| status.success()));
}

#[test]
#[cfg(target_os = "linux")]
fn a_few_blocks_of_a_long_stream_are_in_memory() {
    let bench = Bench::new();
    let most = 200 << 10;
    let script = "wc -c > /dev/null; sed -n 's/^VmHWM: *//p' /proc/$PPID/status";
    let words = ["map", "-j2", "--pipe", "--block", "1M", "--shell", script];
    let mut child = bench.spawn(&words);
    let mut stdin = child.stdin.take().expect("it is piped");
    let writer = std::thread::spawn(move || {
        let block = vec![b'\n'; 1 << 20];
        for _ in 0..400 {
            stdin.write_all(&block).expect("it reads to the end");
        }
    });
    let output = child.wait_with_output().expect("it ends");
    writer.join().expect("writing does not panic");
    let printed = String::from_utf8(output.stdout).expect("it is text");
    let held =
        printed.lines().filter_map(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    let held: Vec<u64> = held.collect();
    assert!(held.len() > 300, "{printed}");
    assert!(held.iter().all(|&kib| kib < most), "more than {most} KiB: {held:?}");
}

#[test]
fn an_input_past_its_limit_is_a_limit_that_was_reached() {
    let bench = Bench::new();
    let long = vec![b'x'; (64 << 20) + 1];
    bench.fed(&["map", "wc", "-c"], long).says(75, "input_bytes_max");
}
