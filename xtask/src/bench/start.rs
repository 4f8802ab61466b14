//! From the command typed to the first byte of the first result.

use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::bench::bary::{program, repeated};
use crate::bench::figure::{Bound, Row, median};
use crate::repo::Repo;

/// Measures a command and a function; the same command under xargs is the peer.
pub(crate) fn run(repo: &Repo) -> Result<Vec<Row>, String> {
    let bary = program(repo)?;
    let command = repeated(|| first_byte(&bary, &["map", "/bin/echo", "{}", ":::", "a"]))?;
    let function =
        repeated(|| first_byte(&bary, &["map", "--function", "prime_check", ":::", "7"]))?;
    let script = "echo a | xargs -n 1 /bin/echo";
    let peer = median(&repeated(|| first_byte(Path::new("sh"), &["-c", script]))?);
    let row = |figure, runs, peer| Row {
        figure,
        runs,
        unit: "ms",
        bound: Some(Bound::AtMost(20.0)),
        peer,
    };
    Ok(vec![
        row("first result of a command", command, Some(("xargs", peer))),
        row("first result of a function", function, None),
    ])
}

/// Milliseconds until a program's first byte of output.
fn first_byte(program: &Path, words: &[&str]) -> Result<f64, String> {
    let mut command = Command::new(program);
    command.args(words).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let begun = Instant::now();
    let mut child = command.spawn().map_err(|cause| format!("{}: {cause}", program.display()))?;
    let mut out = child.stdout.take().ok_or("no output to read")?;
    let mut byte = [0];
    let read = out.read_exact(&mut byte).map_err(|cause| format!("no first byte: {cause}"));
    let elapsed = begun.elapsed().as_secs_f64() * 1e3;
    let status = child.wait().map_err(|cause| cause.to_string())?;
    read?;
    if status.success() { Ok(elapsed) } else { Err(format!("it failed: {status}")) }
}
