//! What a run that was killed has left running is gone before the next one starts anything.

use std::io::{BufRead, BufReader};

use crate::bench::Bench;

/// At first it leaves a process behind and goes on for ever; from then on it says whether that
/// process does anything yet.
const TASK: &str = "\
if [ -e left ]; then
  if grep -qs '^State:[[:space:]]*[RSDTt]' \"/proc/$(cat left)/status\"; then
    echo alive
  else
    echo gone
  fi
  exit 0
fi
env -i setsid sleep 1000 >/dev/null 2>&1 </dev/null &
echo $! >left.new
mv left.new left
echo started
exec sleep 1000
";

const WORDS: [&str; 8] = ["map", "--state", "s", "--line-buffer", "sh", "task.sh", ":::", "1"];

fn is_alive(pid: &str) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = status.rsplit_once(')').and_then(|(_, rest)| rest.trim().chars().next());
    !matches!(state, None | Some('Z' | 'X'))
}

#[test]
fn what_a_killed_run_left_behind_is_killed_first() {
    let bench = Bench::new();
    bench.file("task.sh", TASK);
    let mut child = bench.spawn(&WORDS);
    let mut line = String::new();
    let stdout = child.stdout.take().expect("it is piped");
    BufReader::new(stdout).read_line(&mut line).expect("it can be read");
    assert_eq!(line, "started\n");
    child.kill().and_then(|()| child.wait()).expect("it is this process's own");
    let left = bench.read("left");
    assert!(is_alive(left.trim()), "nobody has killed it yet");
    let again = bench.bary(&WORDS);
    again.is(0, "gone\n").says(0, "bary: killed a process that the last run had left behind");
    assert!(!is_alive(left.trim()));
}
